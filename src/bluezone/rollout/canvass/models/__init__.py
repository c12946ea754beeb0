# SPDX-License-Identifier: Apache-2.0
"""Models of house visits, by noun."""

from bluezone.rollout.canvass.models.desk import DoorsDay, DoorsImport, DuplicatePair, LeafletMove
from bluezone.rollout.canvass.models.household import Change, Household
from bluezone.rollout.canvass.models.turf import Lease, LeaseDoor, LeaseEnd, PhoneRun, Turf, TurfDoor
from bluezone.rollout.canvass.models.visit import Aside, AsideReason, Entry, Photo, Visit

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
