# SPDX-License-Identifier: Apache-2.0
"""What an hour of a team can be expected to bring in each unit, and whether last week's expectation held."""
