# SPDX-License-Identifier: Apache-2.0
"""What other parts of the rollout use of the house visits, and nothing else."""

from bluezone.rollout.canvass.unit_counts import Doors, doors_by_unit

__all__ = ["Doors", "doors_by_unit"]
