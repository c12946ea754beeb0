# SPDX-License-Identifier: Apache-2.0
"""House visits (clause 2): doors, the lists that phones walk, visits, and what the ward decides at its desk."""
