# SPDX-License-Identifier: Apache-2.0
"""What other parts of the rollout use of the directives, and nothing else."""

from bluezone.rollout.directives.models import Campaign, Directive

__all__ = ["Campaign", "Directive"]
