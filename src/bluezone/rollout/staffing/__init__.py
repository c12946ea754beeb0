# SPDX-License-Identifier: Apache-2.0
"""The staff report of clause 1: how many staff of each agency run Bluezone, week by week. No names."""
