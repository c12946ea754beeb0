# SPDX-License-Identifier: Apache-2.0
"""What other parts use of plans, and nothing else."""

from bluezone.rollout.planning.plans import wards_of_city

__all__ = ["wards_of_city"]
