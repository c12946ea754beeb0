# SPDX-License-Identifier: Apache-2.0
"""What other parts of the rollout use of the gates, and nothing else."""

from bluezone.rollout.gates.health import devices_of
from bluezone.rollout.gates.registry import close_radio, open_radio, proven_passes

__all__ = ["close_radio", "devices_of", "open_radio", "proven_passes"]
