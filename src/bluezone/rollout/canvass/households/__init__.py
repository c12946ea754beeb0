# SPDX-License-Identifier: Apache-2.0
"""Households: what is known of each door, what the ward decides, lists of doors sent in, and likely doubles."""
