# SPDX-License-Identifier: Apache-2.0
"""Figures of weeks and units: their cells, sums and intervals, and which of them are kept back."""
