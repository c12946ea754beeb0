# SPDX-License-Identifier: Apache-2.0
"""What other parts use of the directives, and nothing else."""

from bluezone.rollout.directives.demo import plant_for_practice
from bluezone.rollout.directives.models import Campaign, Delivery, Directive

__all__ = ["Campaign", "Delivery", "Directive", "plant_for_practice"]
