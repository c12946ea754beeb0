# SPDX-License-Identifier: Apache-2.0
"""What the media centre writes, plans and says it aired."""

from bluezone.rollout.bulletins.models.bulletin import (
    MACHINE_LANGUAGES,
    Bulletin,
    Importance,
    Language,
    Listening,
    Script,
    Sound,
)
from bluezone.rollout.bulletins.models.plan import Airing, Attestation, Outlet, OutletKind, Schedule

__all__ = [
    "MACHINE_LANGUAGES",
    "Airing",
    "Attestation",
    "Bulletin",
    "Importance",
    "Language",
    "Listening",
    "Outlet",
    "OutletKind",
    "Schedule",
    "Script",
    "Sound",
]
