# SPDX-License-Identifier: Apache-2.0
"""Venues: the code on the poster, the keys and sealed items of an hour, stays, and their overlap with cases' stays."""
