# SPDX-License-Identifier: Apache-2.0
"""Venues at the key server: codes signed and withdrawn, sealed items that wait for a package, alerts."""
