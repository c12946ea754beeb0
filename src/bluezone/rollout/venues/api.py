# SPDX-License-Identifier: Apache-2.0
"""What other parts of the rollout use of the venues, and nothing else."""

from bluezone.rollout.venues.registration.lookup import names_of, registered_of

__all__ = ["names_of", "registered_of"]
