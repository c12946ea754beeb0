# SPDX-License-Identifier: Apache-2.0
"""Whether a stay overlapped with a case's stay, and the resulting level day by day.

Source: docs/protocol.md sections 3 (levels, bands) and 6 (weights, match on the true stay); docs/venues.md,
"Matching and level".
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bluezone.protocol.risk.assessment import Band, Certainty, band_of
from bluezone.protocol.risk.profile import Level, Profile
from bluezone.protocol.venues.items import CLINICAL_LEVEL, CONFIRMED_LEVEL, TAG_LENGTH, Record, open_item, slot_tag

WEIGHTS = {CLINICAL_LEVEL: 1.4, CONFIRMED_LEVEL: 1.6}
_LIKELY_ABOVE_MINUTES = 15
# Binary fractions miss a bound such as 9.0 by far less than this many decimals can show.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class VenueOverlap:
    """A piece of a stay that a case shared. day: local date of its beginning; level: 1 clinical, 2 confirmed.

    visit: the number under which the phone keeps the stay.
    """

    day: date
    minutes: float
    level: int
    visit: int


@dataclass(frozen=True)
class VenueDay:
    """What the venues of one local day amount to. visits: numbers of the stays concerned, in order."""

    day: date
    score: float
    level: Level
    minutes: float
    band: Band
    certainty: Certainty
    visits: tuple[int, ...]


def index_items(items: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """Items by their tag; two cases of one venue and hour have the same."""
    found: dict[bytes, list[bytes]] = defaultdict(list)
    for item in items:
        found[item[:TAG_LENGTH]].append(item)
    return found


def records_of(keys: Mapping[int, bytes], items: Mapping[bytes, list[bytes]]) -> list[Record]:
    """What the items say of the hours of one stay. keys: K_h by hour; items: as `index_items` gives them."""
    opened = [open_item(key, hour, item) for hour, key in sorted(keys.items()) for item in items.get(slot_tag(key), ())]
    return [record for record in opened if record is not None]


def overlap(record: Record, start: float, end: float, visit: int, zone: str) -> VenueOverlap | None:
    """The time that a case's slot and the true stay have in common; None if there is none. start, end: Unix seconds."""
    begins, ends = max(start, record.start), min(end, record.end)
    if begins >= ends:
        return None
    day = datetime.fromtimestamp(begins, UTC).astimezone(ZoneInfo(zone)).date()
    return VenueOverlap(day, (ends - begins) / 60, record.level, visit)


def assess_venues(overlaps: Iterable[VenueOverlap], profile: Profile, today: date) -> list[VenueDay]:
    """Score the venues day by day, earliest first; days too old for the profile, or to come, are left out."""
    by_day: dict[date, list[VenueOverlap]] = defaultdict(list)
    for piece in overlaps:
        age = (today - piece.day).days
        if age >= 0 and (profile.max_age_days is None or age <= profile.max_age_days):
            by_day[piece.day].append(piece)
    return [_assess_day(day, by_day[day], profile) for day in sorted(by_day)]


def _assess_day(day: date, pieces: list[VenueOverlap], profile: Profile) -> VenueDay:
    minutes = round(math.fsum(piece.minutes for piece in pieces), _DECIMALS)
    score = round(math.fsum(piece.minutes * WEIGHTS[piece.level] for piece in pieces), _DECIMALS)
    too_short = profile.minimum_minutes is not None and minutes <= profile.minimum_minutes
    return VenueDay(
        day=day,
        score=score,
        level="none" if too_short else profile.level(score),
        minutes=minutes,
        band=band_of(minutes),
        # Nobody measured a distance, so it is never sure.
        certainty="likely" if minutes > _LIKELY_ABOVE_MINUTES else "unclear",
        visits=tuple(dict.fromkeys(piece.visit for piece in pieces)),
    )
