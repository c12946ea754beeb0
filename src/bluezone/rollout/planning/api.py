# SPDX-License-Identifier: Apache-2.0
"""All that other parts use of plans."""

from bluezone.rollout.planning.plans import wards_of_city

__all__ = ["wards_of_city"]
