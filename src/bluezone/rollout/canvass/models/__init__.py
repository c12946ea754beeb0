# SPDX-License-Identifier: Apache-2.0
"""Models of house visits, by noun."""

from bluezone.rollout.canvass.models.household import (
    Change,
    DoorsDay,
    DoorsImport,
    DuplicatePair,
    Household,
    LeafletMove,
)
from bluezone.rollout.canvass.models.turf import (
    Aside,
    AsideReason,
    Entry,
    Lease,
    LeaseDoor,
    LeaseEnd,
    PhoneRun,
    Photo,
    Turf,
    TurfDoor,
    Visit,
)

__all__ = [
    "Aside",
    "AsideReason",
    "Change",
    "DoorsDay",
    "DoorsImport",
    "DuplicatePair",
    "Entry",
    "Household",
    "LeafletMove",
    "Lease",
    "LeaseDoor",
    "LeaseEnd",
    "PhoneRun",
    "Photo",
    "Turf",
    "TurfDoor",
    "Visit",
]
