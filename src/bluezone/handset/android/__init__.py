# SPDX-License-Identifier: Apache-2.0
"""The phone inside an Android app, as far as it needs no Java: service, notices, permissions and screens.

Nothing here imports a Java class; `android/src/bluezone_phone` does, and hands in a Device.
"""
