# SPDX-License-Identifier: Apache-2.0
"""Venues at the key server: their codes, alerts by the health authority, and sealed items."""
