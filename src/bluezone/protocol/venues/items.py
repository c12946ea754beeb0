# SPDX-License-Identifier: Apache-2.0
"""The keys of a venue and the sealed items of its hours, which only people who were there in that hour can open.

Source: docs/protocol.md section 6 (K_v, K_h, tag, E_h, rec, item); docs/attacks.md row 20.

Also whether a stay overlapped with a case's stay, and the resulting level day by day.

Source: docs/protocol.md sections 3 (levels, bands) and 6 (weights, match on the true stay); docs/venues.md,
"Matching and level".
"""

import hmac
import math
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bluezone.protocol.primitives import InvalidTag, seal, unseal
from bluezone.protocol.risk.assessment import Band, Certainty, band_of
from bluezone.protocol.risk.profile import Level, Profile
from bluezone.refusal import Refused

TAG_LENGTH = 16
NONCE_LENGTH = 12
SLOT_KEY_LENGTH = 32
_RECORD = struct.Struct(">BBBBI")
_RECORD_VERSION = 1
_SEAL_LENGTH = 16
ITEM_LENGTH = TAG_LENGTH + NONCE_LENGTH + _RECORD.size + _SEAL_LENGTH

# Level of an item by the class of its report.
CLINICAL_LEVEL = 1
CONFIRMED_LEVEL = 2


class InvalidPackage(Refused):
    """A venue package does not consist of whole items."""

    code = "venue_package_invalid"


@dataclass(frozen=True, slots=True)
class Record:
    """The content of an opened item. level: 1 clinical, 2 confirmed. Minutes of the hour, end exclusive.

    hour: Unix seconds // 3600.
    """

    level: int
    start_minute: int
    end_minute: int
    hour: int

    @property
    def start(self) -> int:
        """Beginning, Unix seconds."""
        return self.hour * 3600 + self.start_minute * 60

    @property
    def end(self) -> int:
        """End, Unix seconds."""
        return self.hour * 3600 + self.end_minute * 60


def venue_key(payload: bytes) -> bytes:
    """K_v, 32 bytes. payload: all of V, including the signature."""
    # HKDF-SHA256 without salt (RFC 5869); only one block of 32 bytes is needed.
    extracted = hmac.digest(bytes(32), payload, "sha256")
    return hmac.digest(extracted, b"BZ-VENUE-v1\x01", "sha256")


def slot_key(key: bytes, hour: int) -> bytes:
    """K_h, 32 bytes. key: K_v; hour: Unix seconds // 3600."""
    return hmac.digest(key, b"BZ-SLOT" + struct.pack(">I", hour), "sha256")


def slot_tag(key: bytes) -> bytes:
    """The tag by which items of this venue and hour are found, 16 bytes. key: K_h."""
    return hmac.digest(key, b"BZ-TAG", "sha256")[:TAG_LENGTH]


def slot_cipher_key(key: bytes) -> bytes:
    """E_h, 32 bytes. key: K_h."""
    return hmac.digest(key, b"BZ-ENC", "sha256")


def seal_item(key: bytes, record: Record, nonce: bytes) -> bytes:
    """One item of 52 bytes. key: K_h; nonce: 12 random bytes, never used again under this key."""
    tag = slot_tag(key)
    plain = _RECORD.pack(_RECORD_VERSION, record.level, record.start_minute, record.end_minute, record.hour)
    return tag + nonce + seal(slot_cipher_key(key), nonce, plain, tag)


def open_item(key: bytes, hour: int, item: bytes) -> Record | None:
    """Open an item. Returns None if it is of another venue or hour, was altered, or has impossible values.

    key: K_h of `hour`; item: 52 bytes.
    """
    tag = item[:TAG_LENGTH]
    nonce = item[TAG_LENGTH : TAG_LENGTH + NONCE_LENGTH]
    if len(item) != ITEM_LENGTH or not hmac.compare_digest(tag, slot_tag(key)):
        return None
    try:
        plain = unseal(slot_cipher_key(key), nonce, item[TAG_LENGTH + NONCE_LENGTH :], tag)
    except InvalidTag:
        return None
    version, level, start, end, item_hour = _RECORD.unpack(plain)
    is_possible = version == _RECORD_VERSION and level in (CLINICAL_LEVEL, CONFIRMED_LEVEL) and start < end <= 60
    return Record(level, start, end, hour) if is_possible and item_hour == hour else None


def items_of_package(data: bytes) -> Iterator[bytes]:
    """Yield the items of a package. Raises InvalidPackage."""
    if not data or len(data) % ITEM_LENGTH:
        raise InvalidPackage(f"a venue package is {len(data)} bytes, expected a multiple of {ITEM_LENGTH}")
    for start in range(0, len(data), ITEM_LENGTH):
        yield data[start : start + ITEM_LENGTH]


# Weight of a minute near a case, by the level of the item.
WEIGHTS = {CLINICAL_LEVEL: 1.4, CONFIRMED_LEVEL: 1.6}
_LIKELY_ABOVE_MINUTES = 15
# Binary fractions miss a bound such as 9.0 by far less than the last of these decimals.
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class VenueOverlap:
    """The part of a stay that a case shared. day: local date of its beginning; level: 1 clinical, 2 confirmed.

    visit: the number under which the phone stores the stay.
    """

    day: date
    minutes: float
    level: int
    visit: int


@dataclass(frozen=True)
class VenueDay:
    """The exposure at the venues of one local day. visits: numbers of the stays concerned, in order."""

    day: date
    score: float
    level: Level
    minutes: float
    band: Band
    certainty: Certainty
    visits: tuple[int, ...]


def index_items(items: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """Items by their tag, which is the same for all cases of one venue and hour."""
    by_tag: dict[bytes, list[bytes]] = defaultdict(list)
    for item in items:
        by_tag[item[:TAG_LENGTH]].append(item)
    return by_tag


def records_of(keys: Mapping[int, bytes], items: Mapping[bytes, list[bytes]]) -> list[Record]:
    """The records for the hours of one stay. keys: K_h by hour; items: from `index_items`."""
    records = []
    for hour, key in sorted(keys.items()):
        for item in items.get(slot_tag(key), ()):
            record = open_item(key, hour, item)
            if record is not None:
                records.append(record)
    return records


def overlap(record: Record, start: float, end: float, visit: int, zone: str) -> VenueOverlap | None:
    """The time shared by a case's slot and the true stay; None if there is none. start, end: Unix seconds."""
    shared_start = max(start, record.start)
    shared_end = min(end, record.end)
    if shared_start >= shared_end:
        return None
    day = datetime.fromtimestamp(shared_start, UTC).astimezone(ZoneInfo(zone)).date()
    return VenueOverlap(day, (shared_end - shared_start) / 60, record.level, visit)


def assess_venues(overlaps: Iterable[VenueOverlap], profile: Profile, today: date) -> list[VenueDay]:
    """Score the venues day by day, earliest first, without future days and days too old for the profile."""
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
        band=band_of(minutes),
        # Never sure, because no distance was measured.
        certainty="likely" if minutes > _LIKELY_ABOVE_MINUTES else "unclear",
        visits=tuple(dict.fromkeys(part.visit for part in overlaps)),
    )
