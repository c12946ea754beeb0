# SPDX-License-Identifier: Apache-2.0
"""Bluetooth: advertiser, scanner, rotation, adapters, and the virtual air."""
