# SPDX-License-Identifier: Apache-2.0
"""Exposure warning over Bluetooth, and the city-wide rollout that goes with it."""

__version__ = "0.2.0.dev0"
