# SPDX-License-Identifier: Apache-2.0
"""Boards of coverage: the table and map of a unit, the trend, the league table, and the units to go to first."""
