# SPDX-License-Identifier: Apache-2.0
"""Drives, their teams, requests for help and what came of them."""

from bluezone.rollout.drives.models.drive import Drive, DriveState, DriveTally, Team
from bluezone.rollout.drives.models.outcome import HelpOutcome, HelpProof, HelpResult, Hindrance
from bluezone.rollout.drives.models.requests import HelpChannel, HelpRequest, HelpState

__all__ = [
    "Drive",
    "DriveState",
    "DriveTally",
    "HelpChannel",
    "HelpOutcome",
    "HelpProof",
    "HelpRequest",
    "HelpResult",
    "HelpState",
    "Hindrance",
    "Team",
]
