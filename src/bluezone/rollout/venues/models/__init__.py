# SPDX-License-Identifier: Apache-2.0
"""Venues, their codes, counts and inspections."""

from bluezone.rollout.venues.models.code import CodeEnd, PosterCode, ScanCount, TillCount
from bluezone.rollout.venues.models.inspection import Inspection, InspectionPhoto
from bluezone.rollout.venues.models.venue import MailCode, Venue, VenueKind, VenueState

__all__ = [
    "CodeEnd",
    "Inspection",
    "InspectionPhoto",
    "MailCode",
    "PosterCode",
    "ScanCount",
    "TillCount",
    "Venue",
    "VenueKind",
    "VenueState",
]
