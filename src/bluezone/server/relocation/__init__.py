# SPDX-License-Identifier: Apache-2.0
"""Moves a city's stores from one database to the other."""
