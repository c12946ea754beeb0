# SPDX-License-Identifier: Apache-2.0
"""Encounters: the phone's own keys, the log of the identifiers that it heard, and the state of its radio."""
