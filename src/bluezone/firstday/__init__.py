# SPDX-License-Identifier: Apache-2.0
"""The first day of a city: its units and offices of today in one act, and a list of what is done and what waits."""
