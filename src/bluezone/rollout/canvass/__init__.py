# SPDX-License-Identifier: Apache-2.0
"""House visits (clause 2): doors, the lists that phones walk, visits, and what the ward decides at its desk."""

from bluezone.rollout.canvass.unit_counts import Doors, doors_by_unit

__all__ = ["Doors", "doors_by_unit"]
