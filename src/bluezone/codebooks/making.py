# SPDX-License-Identifier: Apache-2.0
"""Draw the slips of a book, and make the list to register: the keys of all facilities, filled up with random keys."""

import csv
import os
import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.primitives import public_ed25519
from bluezone.protocol.upload.books import GRACE_DAYS, BookInvalid, BookList
from bluezone.protocol.upload.slips import (
    CLASSES,
    Slip,
    book_begin,
    book_number,
    make_slip,
    new_secret_digits,
    slip_digits,
)
from bluezone.refusal import Refused

RESERVE = "Dự phòng / Reserve"
COLUMNS = ("facility", "confirmed", "clinical")


class FacilitiesInvalid(Refused):
    """The list of facilities is no CSV with facility, confirmed, clinical, or one of them gets no slip of a class."""

    code = "facilities_invalid"


@dataclass(frozen=True)
class Facility:
    """A facility and how many slips of each class it gets, each at least 1."""

    name: str
    confirmed: int
    clinical: int

    @property
    def counts(self) -> dict[int, int]:
        """The number of slips by class."""
        return dict(zip(CLASSES, (self.confirmed, self.clinical), strict=True))


@dataclass(frozen=True)
class PrintedSlip:
    """A slip with its 18 digits, as it is printed."""

    digits: str
    slip: Slip


@dataclass(frozen=True)
class Book:
    """A book with its secrets. slips: those of each facility, by name, in the order in which they are printed."""

    list: BookList
    days: int
    slips: Mapping[str, Sequence[PrintedSlip]]

    @property
    def first_day(self) -> date:
        """The first day (UTC) on which a slip counts."""
        return datetime.fromtimestamp(self.list.begins, UTC).date()

    @property
    def last_day(self) -> date:
        """The last day that slips show; they count two days longer."""
        return self.first_day + timedelta(days=self.days - 1)

    def public_part(self) -> dict[str, Any]:
        """What the maker keeps: the keys of each facility by class, in hex, and no secret."""
        keys = {
            name: {str(klass): sorted(each.slip.public.hex() for each in slips if each.slip.klass == klass)
                   for klass in CLASSES}
            for name, slips in self.slips.items()
        }  # fmt: skip
        return {"book": self.list.book, "part": self.list.part, "city": self.list.city.hex(), "facilities": keys}

    def by_day(self, facility: str, origin: str) -> dict[str, Any]:
        """The slips of a facility, dealt to the days of the book, as JSON for the browser of its workers."""
        days: dict[str, list[dict[str, Any]]] = {}
        for number, each in enumerate(self.slips[facility]):
            day = self.first_day + timedelta(days=number % self.days)
            line = {"digits": each.digits, "link": each.slip.link(origin), "class": each.slip.klass}
            days.setdefault(day.isoformat(), []).append(line)
        members = {"facility": facility, "book": self.list.book, "part": self.list.part}
        return {**members, "last_day": self.last_day.isoformat(), "days": days}


def read_facilities(path: Path) -> list[Facility]:
    """The facilities in a CSV file with the columns facility, confirmed, clinical. Raises FacilitiesInvalid."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        facilities = [Facility(row["facility"].strip(), int(row["confirmed"]), int(row["clinical"])) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, ValueError, TypeError, AttributeError):
        raise FacilitiesInvalid(f"{path.name} is not a CSV file with the columns {', '.join(COLUMNS)}") from None
    names = {facility.name for facility in facilities}
    if not facilities or len(names) < len(facilities) or names & {"", RESERVE}:
        raise FacilitiesInvalid(f"{path.name}: each facility needs a name that no other has")
    lacking = [facility.name for facility in facilities if min(facility.counts.values()) < 1]
    if lacking:
        # One that gets slips of one class alone would be known by it.
        raise FacilitiesInvalid(f"{lacking[0]}: every facility gets slips of both classes, at least one of each")
    return facilities


def first_book_day(day: date) -> int:
    """The number of the book that begins on a Monday. Raises BookInvalid for another day."""
    if day.weekday():
        raise BookInvalid(f"a book begins on a Monday, and {day} is none")
    return book_number(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def make_book(
    facilities: Sequence[Facility], city_key: bytes, number: int, days: int, keys_of_a_class: int, part: int = 0
) -> Book:
    """Draw a book. city_key: the city's public key, 32 bytes. days: of its life, without grace.

    keys_of_a_class: how many keys the list has of each class, the same for every book of the city. Each slip takes a
    tenth of a second of a core. Raises BookInvalid if the slips do not fit into the list.
    """
    drawn = [
        (facility.name, klass)
        for facility in facilities
        for klass, count in facility.counts.items()
        for _ in range(count)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as cores:
        printed = list(cores.map(lambda each: _draw(number, each[1], city_key), drawn))
    slips: dict[str, list[PrintedSlip]] = {facility.name: [] for facility in facilities}
    for (name, _klass), each in zip(drawn, printed, strict=True):
        slips[name].append(each)
    keys = [[each.slip.public for each in printed if each.slip.klass == klass] for klass in CLASSES]
    most = max(map(len, keys))
    if most > keys_of_a_class:
        raise BookInvalid(f"there are {most} slips of a class, and the list has {keys_of_a_class} keys of each")
    confirmed, clinical = (b"".join(sorted(_filled(each, keys_of_a_class))) for each in keys)
    ends = book_begin(number) + (days + GRACE_DAYS) * SECONDS_PER_DAY
    return Book(BookList(number, part, ends, city_key, (confirmed, clinical)), days, slips)


def _draw(number: int, klass: int, city_key: bytes) -> PrintedSlip:
    digits = new_secret_digits()
    return PrintedSlip(slip_digits(digits, number, klass), make_slip(digits, number, klass, city_key))


def _filled(keys: list[bytes], count: int) -> list[bytes]:
    """The keys and as many random ones as are missing to `count`: keys of which no one has the secret."""
    return [*keys, *(public_ed25519(secrets.token_bytes(32)) for _ in range(count - len(keys)))]
