# SPDX-License-Identifier: Apache-2.0
"""The administrative units of Vietnam since 1 July 2025, and which of them succeeded each earlier commune.

34 provinces with 3,321 communes, wards and special zones, and the 63 provinces, the districts and the communes before
the reform. Facts, compared in two public sources (docs/agencies.md, "The city pack"); made by tools/city_pack.py.
"""

import datetime
import functools
import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

from bluezone.directory.kinds import UnitKind
from bluezone.vietnamese.spelling import fold

REFORM = datetime.date(2025, 7, 1)
MOST_FOUND = 60
# The level with which a name begins.
LEVELS = {
    "thành phố": UnitKind.PROVINCE,
    "tỉnh": UnitKind.PROVINCE,
    "phường": UnitKind.WARD,
    "đặc khu": UnitKind.ZONE,
    "thị trấn": UnitKind.COMMUNE,
    "xã": UnitKind.COMMUNE,
}


@dataclass(frozen=True)
class Place:
    """A current province, or a commune, ward or special zone in one.

    code: of the statistics office, 2 or 5 digits. name: with its level, "phường Đức Xuân". province: None if it is one.
    """

    code: str
    name: str
    province: "Place | None" = None

    @property
    def level(self) -> str:
        """The word for its level: "phường"."""
        return next(level for level in LEVELS if self.name.startswith(f"{level} "))

    @property
    def bare(self) -> str:
        """Its name without the level: "Đức Xuân"."""
        return self.name.removeprefix(f"{self.level} ")

    @property
    def kind(self) -> UnitKind:
        """Its level as a kind of unit of the directory."""
        return LEVELS[self.level]


@dataclass(frozen=True)
class FormerPlace:
    """A commune before the reform. district, province: code and name. heirs: codes of its successors."""

    code: str
    name: str
    district: tuple[str, str]
    province: tuple[str, str]
    heirs: tuple[str, ...]


@dataclass(frozen=True)
class PlaceMatch:
    """A place that matches a search. former: the earlier commune that matched by name, None if the place itself did."""

    place: Place
    former: FormerPlace | None = None


@dataclass(frozen=True)
class CityPack:
    """The pack. places: by code, each province before its communes. heirs: code of a former province -> current one."""

    places: dict[str, Place]
    former: tuple[FormerPlace, ...]
    heirs: dict[str, str]

    def communes_of(self, province: Place) -> list[Place]:
        """The communes, wards and special zones of a province."""
        return [place for place in self.places.values() if place.province == province]

    def find(self, words: str) -> list[PlaceMatch]:
        """The places with all these words in their names, diacritics ignored; then successors of communes with them."""
        query = fold(words)
        if not query:
            return []
        own = [PlaceMatch(place) for place in self.places.values() if _has_words(_full_name(place), query)]
        own.sort(key=lambda match: (fold(match.place.bare) not in query, match.place.province is not None))
        seen = {match.place.code for match in own}
        heirs = []
        for former in self.former:
            if _has_words(f"{former.name} {former.district[1]} {former.province[1]}", query):
                heirs += [PlaceMatch(self.places[code], former) for code in former.heirs if code not in seen]
        return [*own, *heirs][:MOST_FOUND]


def _full_name(place: Place) -> str:
    return f"{place.name} {place.province.name}" if place.province else place.name


def _has_words(text: str, query: str) -> bool:
    words = fold(text).split()
    return all(word in words for word in query.split())


@functools.cache
def city_pack() -> CityPack:
    """The pack that ships with the program; read once."""
    packed = (resources.files("bluezone.firstday") / "city-pack.txt.xz").read_bytes()
    return read_pack(lzma.decompress(packed).decode())


def read_pack(text: str) -> CityPack:
    """A pack from its text: one unit a line, fields separated by tabs.

    `now` code name: a current province, followed by `in` code name: a unit in it. `old` code name heir: a former
    province, `district` code name: in it, `was` code name heirs: a commune in that, its heirs separated by commas.
    """
    places: dict[str, Place] = {}
    former: list[FormerPlace] = []
    heirs: dict[str, str] = {}
    above = Place("", "")
    old = district = ("", "")
    for sign, code, name, *more in _lines(text):
        if sign == "now":
            above = places[code] = Place(code, name)
        elif sign == "in":
            places[code] = Place(code, name, above)
        elif sign == "old":
            old = (code, name)
            heirs[code] = more[0]
        elif sign == "district":
            district = (code, name)
        else:
            former.append(FormerPlace(code, name, district, old, tuple(more[0].split(","))))
    return CityPack(places, tuple(former), heirs)


def _lines(text: str) -> Iterator[list[str]]:
    return (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))
