# SPDX-License-Identifier: Apache-2.0
"""The Android app around bluezone.handset: the classes that Android calls, and the Java the engine must not know."""
