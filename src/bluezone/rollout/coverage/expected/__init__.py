# SPDX-License-Identifier: Apache-2.0
"""The newly running phones expected from a team-hour in each unit, and how well the expectation of a past week held."""
