# SPDX-License-Identifier: Apache-2.0
"""The overlap of a stay at a venue with the stays of cases, and the resulting level of each day.

Source: docs/protocol.md sections 3 (levels, bands) and 6 (weights, match on the true stay); docs/venues.md,
"Matching and level".
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bluezone.protocol.risk.assessment import Band, Certainty, minutes_band
from bluezone.protocol.risk.profile import Level, Profile
from bluezone.protocol.venues.items import CLINICAL_LEVEL, CONFIRMED_LEVEL, Record

# Weight of a minute near a case, by the level of the item.
WEIGHTS = {CLINICAL_LEVEL: 1.4, CONFIRMED_LEVEL: 1.6}
_LIKELY_ABOVE_MINUTES = 15
# Scores are rounded, because sums of binary fractions may miss a bound such as 9.0 by a tiny amount.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class VenueOverlap:
    """The time that a stay shared with a case's stay.

    day:   local date of the beginning of the shared time.
    level: 1 clinical, 2 confirmed.
    visit: number under which the phone stores the stay.
    """

    day: date
    minutes: float
    level: int
    stay: int


@dataclass(frozen=True)
class VenueDay:
    """The exposure at venues on one local day. visits: numbers of the stays that overlapped, each once."""

    day: date
    score: float
    level: Level
    minutes: float
    band: Band
    certainty: Certainty
    stays: tuple[int, ...]


def compute_overlap(record: Record, start: float, end: float, stay: int, zone: str) -> VenueOverlap | None:
    """Return the time that a case's record and a stay share, None if there is none. start, end: of the stay, Unix s."""
    shared_start = max(start, record.start)
    shared_end = min(end, record.end)
    if shared_start >= shared_end:
        return None
    day = datetime.fromtimestamp(shared_start, UTC).astimezone(ZoneInfo(zone)).date()
    return VenueOverlap(day, (shared_end - shared_start) / 60, record.level, stay)


def assess_venues(overlaps: Iterable[VenueOverlap], profile: Profile, today: date) -> list[VenueDay]:
    """Assess the overlaps of each day, earliest first, without future days and days too old for the profile."""
    by_day: dict[date, list[VenueOverlap]] = defaultdict(list)
    for part in overlaps:
        age = (today - part.day).days
        if age >= 0 and (profile.max_age_days is None or age <= profile.max_age_days):
            by_day[part.day].append(part)
    return [_assess_day(day, by_day[day], profile) for day in sorted(by_day)]


def _assess_day(day: date, overlaps: list[VenueOverlap], profile: Profile) -> VenueDay:
    minutes = round(math.fsum(part.minutes for part in overlaps), _DECIMALS)
    score = round(math.fsum(part.minutes * WEIGHTS[part.level] for part in overlaps), _DECIMALS)
    too_short = profile.minimum_minutes is not None and minutes <= profile.minimum_minutes
    return VenueDay(
        day=day,
        score=score,
        level="none" if too_short else profile.level(score),
        minutes=minutes,
        band=minutes_band(minutes),
        # Never sure, because no distance was measured.
        certainty="likely" if minutes > _LIKELY_ABOVE_MINUTES else "unclear",
        stays=tuple(dict.fromkeys(part.stay for part in overlaps)),
    )
