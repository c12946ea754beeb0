# SPDX-License-Identifier: Apache-2.0
"""The order in which a canvasser walks from door to door: by coordinates where the list has them, else by street, lane
and number as Vietnamese addresses have them ("12/3 ngách 5", "Số 7, ngõ 80 phố Huế").
"""

import math
import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bluezone.vietnamese.spelling import fold

_NUMBER = r"\d+[a-z]?(?:/\d+[a-z]?)*"
# From the street inwards; the south says hẻm and kiệt for what the north calls ngõ.
_LANES = (re.compile(rf"\b(?:ngo|kiet)\s+(?:so\s+)?({_NUMBER})"), re.compile(rf"\bngach\s+(?:so\s+)?({_NUMBER})"),
          re.compile(rf"\bhem\s+(?:so\s+)?({_NUMBER})"))  # fmt: skip
_HOUSE = re.compile(rf"^(?:nha\s+)?(?:so\s+)?(?:nha\s+)?k?({_NUMBER})\b")
_STREET = re.compile(r"\b(?:duong|pho|d\.)\s*([^,]+)")
# Parts of an address that say where the street is and not which it is.
_ABOVE = re.compile(r"^(?:to|tdp|to dan pho|thon|ban|khu|khu pho|tieu khu|phuong|xa|thi tran|quan|huyen|tp|tinh)\b")
_ROUNDS = 12

_Part = tuple[int, str]
_Distances = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stop:
    """One door. latitude, longitude: degrees, None where the list has none."""

    key: uuid.UUID
    address: str
    head: str = ""
    latitude: float | None = None
    longitude: float | None = None


def walking_order(stops: Sequence[Stop]) -> list[Stop]:
    """The stops in the order of walking. Those without coordinates follow the one before them by address."""
    listed = by_address(stops)
    located = [stop for stop in listed if stop.latitude is not None]
    if len(located) < 2:
        return listed
    followers: dict[uuid.UUID, list[Stop]] = {}
    first: list[Stop] = []
    last = first
    for stop in listed:
        if stop.latitude is None:
            last.append(stop)
        else:
            last = followers.setdefault(stop.key, [])
    tour = [located[place] for place in _tour(located)]
    return [*first, *(one for stop in tour for one in (stop, *followers[stop.key]))]


def by_address(stops: Iterable[Stop]) -> list[Stop]:
    """The stops along the streets."""
    return sorted(stops, key=lambda stop: (address_key(stop.address), fold(stop.head), str(stop.key)))


def address_key(address: str) -> tuple[str, bool, tuple[_Part, ...], str]:
    """What addresses are sorted by: street, then the way in from it (lanes from outside, then the house).

    12/3 is house 3 of lane 12, so it comes after house 12 and before house 13. No number comes last in its street.
    """
    folded = fold(address)
    house = _HOUSE.match(folded)
    way: list[_Part] = []
    for found in (*(lane.search(folded) for lane in _LANES), house):
        if found:
            parts = [_part(text) for text in found[1].split("/")]
            # "ngách 12/5 ngõ 12" says its lane twice.
            way = parts if parts[: len(way)] == way else way + parts
    return _street(folded, house), not way, tuple(way), folded


def _part(text: str) -> _Part:
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    return int(digits), text[len(digits) :]


def _street(folded: str, house: re.Match[str] | None) -> str:
    named = _STREET.search(folded)
    if named:
        return " ".join(named[1].split())
    rest = folded[house.end() :] if house else folded
    for lane in _LANES:
        rest = lane.sub(" ", rest)
    parts = [" ".join(part.split()) for part in rest.split(",")]
    return next((part for part in parts if part and not _ABOVE.match(part)), "")


def _tour(stops: Sequence[Stop]) -> list[int]:
    """A short way over all stops from the first one: the nearest next, then crossings untied (2-opt)."""
    away = _distances(stops)
    left = np.ones(len(stops), dtype=bool)
    tour = [0]
    left[0] = False
    while left.any():
        here = np.where(left, away[tour[-1]], np.inf)
        tour.append(int(here.argmin()))
        left[tour[-1]] = False
    return [int(place) for place in _untied(np.array(tour), away)]


def _untied(tour: npt.NDArray[np.int64], away: _Distances) -> npt.NDArray[np.int64]:
    """The tour without crossings, the first stop kept; the end is open."""
    for _round in range(_ROUNDS):
        better = False
        for begin in range(1, len(tour) - 1):
            ends = np.arange(begin + 1, len(tour))
            after = np.append(tour[begin + 2 :], -1)
            open_end = after < 0
            saved = away[tour[begin - 1], tour[begin]] - away[tour[begin - 1], tour[ends]]
            saved = saved + np.where(open_end, 0.0, away[tour[ends], after] - away[tour[begin], after])
            best = int(saved.argmax())
            if saved[best] > 1e-6:
                end = begin + 1 + best
                tour[begin : end + 1] = tour[begin : end + 1][::-1].copy()
                better = True
        if not better:
            break
    return tour


def _distances(stops: Sequence[Stop]) -> _Distances:
    """Metres between stops, on a plane; a ward is small."""
    latitude = np.array([stop.latitude for stop in stops], dtype=np.float64)
    longitude = np.array([stop.longitude for stop in stops], dtype=np.float64)
    x = longitude * 111_320 * math.cos(math.radians(float(latitude.mean())))
    y = latitude * 110_574
    distances: _Distances = np.hypot(x[:, None] - x[None, :], y[:, None] - y[None, :])
    return distances
