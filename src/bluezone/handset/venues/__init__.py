# SPDX-License-Identifier: Apache-2.0
"""Stays at venues, codes for the owner's events, and passes for gates. Nothing here needs the network."""
