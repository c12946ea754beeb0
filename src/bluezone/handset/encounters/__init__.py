# SPDX-License-Identifier: Apache-2.0
"""Encounters: the phone's own keys, the log of what it heard, and whether it is running."""
