# SPDX-License-Identifier: Apache-2.0
"""Who is where on the virtual air: distance, walls and carriage of each pair, and places; and scene files, TOML or JSON
(docs/radio.md).
"""

import json
import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bluezone.radio.air.figures import RECEIVER_FLOOR_DBM, canonical_carriage, rssi_curve
from bluezone.refusal import Refused


@dataclass(frozen=True)
class Pair:
    """What lies between two handsets; each field is a constant or a function of the air's seconds.

    distance_m:  metres between the two people; math.inf keeps them apart.
    walls:       inner walls between them, 15 dB each.
    carriage:    how the two phones are carried, "hand-hand", "hand-pocket", ...; see figures.carriages().
    """

    distance_m: float | Callable[[float], float]
    walls: int | Callable[[float], int] = 0
    carriage: str | Callable[[float], str] = "hand-hand"

    def __post_init__(self) -> None:
        if isinstance(self.carriage, str):
            canonical_carriage(self.carriage)

    @property
    def constant(self) -> bool:
        """True if nothing about the pair changes with time."""
        return not (callable(self.distance_m) or callable(self.walls) or callable(self.carriage))

    @cached_property
    def never_heard(self) -> bool:
        """True if even the strongest packet possible arrives too weak, for as long as the scene lasts."""
        return self.constant and rssi_curve(*self.at(0.0)).strongest_dbm < RECEIVER_FLOOR_DBM

    def at(self, seconds: float) -> tuple[float, int, str]:
        """Distance, walls and carriage at this time of the air."""
        distance_m = self.distance_m(seconds) if callable(self.distance_m) else self.distance_m
        walls = self.walls(seconds) if callable(self.walls) else self.walls
        carriage = self.carriage(seconds) if callable(self.carriage) else self.carriage
        return distance_m, walls, carriage


APART = Pair(math.inf)


@dataclass(frozen=True)
class Scene:
    """All pairs of an air.

    pairs:    by the names of the two handsets, in either order; it does not change any more.
    default:  pairs that are not named and are in one place; apart unless said otherwise.
    loss:     share of packets lost on top of fading, 0..1 (collisions, a busy band), constant or over time.
    handsets: names that clients who do not name themselves are given in turn.
    places:   where a handset is at first, by its name; who is not named is in "". Those in different places are apart
              unless their pair is named.
    """

    pairs: Mapping[tuple[str, str], Pair] = field(default_factory=dict)
    default: Pair = APART
    loss: float | Callable[[float], float] = 0.0
    handsets: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)

    def between(self, one: str, other: str) -> Pair:
        """What lies between two handsets while both are in one place."""
        return self.pairs.get((one, other)) or self.pairs.get((other, one)) or self.default

    @cached_property
    def partners(self) -> Mapping[str, tuple[str, ...]]:
        """For each handset of a named pair, those it may hear by that pair, wherever both are."""
        partners: dict[str, list[str]] = {}
        for (one, other), pair in self.pairs.items():
            if not pair.never_heard:
                partners.setdefault(one, []).append(other)
                partners.setdefault(other, []).append(one)
        return {name: tuple(others) for name, others in partners.items()}

    def apart(self, names: Iterable[str]) -> list[list[str]]:
        """The handsets in groups of which none can ever hear another while nobody moves, each in the order given.

        In simulated time every group may be run by itself, one after the other: it hears what it would hear beside the
        others, and the work stays in the processor's caches, so that a town costs as much as its places.
        """
        names = list(names)
        group = {name: name for name in names}

        def first(name: str) -> str:
            while group[name] != name:
                group[name] = name = group[group[name]]
            return name

        places: dict[str, str] = {}
        for name in names:
            near = [] if self.default.never_heard else [places.setdefault(self.places.get(name, ""), name)]
            for other in (*near, *self.partners.get(name, ())):
                if other in group:
                    group[first(name)] = first(other)
        groups: dict[str, list[str]] = {}
        for name in names:
            groups.setdefault(first(name), []).append(name)
        return list(groups.values())

    def loss_at(self, seconds: float) -> float:
        """Share of packets lost at this time of the air."""
        return self.loss(seconds) if callable(self.loss) else self.loss


LARGEST_FILE = 1_000_000
FARTHEST_M = 1000.0
MOST_WALLS = 20

# The scene of an air started without one: everybody in one room, phones in hand.
ROOM = Scene(default=Pair(2.0))


class InvalidScene(Refused):
    """The scene file does not say clearly who is where."""

    code = "scene_invalid"


def read_scene(path: Path) -> Scene:
    """Read a scene file; the ending .json means JSON, any other TOML. Raises InvalidScene."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InvalidScene(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > LARGEST_FILE:
        raise InvalidScene(f"{path} has {len(data)} bytes, expected at most {LARGEST_FILE}")
    try:
        text = data.decode("utf-8")
        table = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidScene(f"{path} is neither TOML nor, with the ending .json, JSON: {error}") from error
    return parse_scene(table)


def parse_scene(table: Any) -> Scene:
    """Check a scene: `handsets` (names), `loss` (0..1), `default` (a pair), `pairs` (a list) and `places` (the names of
    those in each). Raises InvalidScene.

    A pair has `between` (two names), `distance_m` (0..1000), `walls` (0..20) and `carriage`; distance_m,
    walls and carriage may instead be a list of [from second, value], in order and starting at 0.
    """
    _expect_keys(table, {"handsets", "loss", "default", "pairs", "places"}, "the scene")
    handsets = table.get("handsets", [])
    if not _is_list_of(handsets, str) or len(set(handsets)) != len(handsets) or not all(handsets):
        raise InvalidScene(f"handsets is {handsets!r}, expected a list of different names")
    loss = table.get("loss", 0.0)
    if not _is_number(loss, 0, 1):
        raise InvalidScene(f"loss is {loss!r}, expected a number in 0..1")
    pairs: dict[tuple[str, str], Pair] = {}
    listed = table.get("pairs", [])
    if not isinstance(listed, list):
        raise InvalidScene("pairs is not a list")
    for place, entry in enumerate(listed, 1):
        one, other = _between(entry, f"pair {place}")
        if (one, other) in pairs or (other, one) in pairs:
            raise InvalidScene(f"pair {place}: {one} and {other} are named twice")
        pairs[one, other] = _pair(entry, {"between"}, f"pair {place}")
    default = _pair(table["default"], set(), "default") if "default" in table else APART
    places = _places(table.get("places", {}))
    return Scene(pairs=pairs, default=default, loss=float(loss), handsets=tuple(handsets), places=places)


def _places(table: Any) -> dict[str, str]:
    if not isinstance(table, dict) or not all(_is_list_of(names, str) for names in table.values()):
        raise InvalidScene(f"places is {table!r}, expected a table of places, each with a list of names")
    placed = [(name, place) for place, names in table.items() for name in names]
    if len(dict(placed)) != len(placed) or not all(dict(placed)):
        raise InvalidScene("places: a handset has no name, or is named twice")
    return dict(placed)


def _between(entry: Any, where: str) -> tuple[str, str]:
    names: Any = entry.get("between") if isinstance(entry, dict) else None
    if not _is_list_of(names, str) or len(names) != 2 or names[0] == names[1] or not all(names):
        raise InvalidScene(f"{where}: between is {names!r}, expected two different names")
    return names[0], names[1]


def _pair(entry: Any, extra: set[str], where: str) -> Pair:
    _expect_keys(entry, {"distance_m", "walls", "carriage"} | extra, where)
    if "distance_m" not in entry:
        raise InvalidScene(f"{where}: distance_m is missing")

    def checked(name: str, value: Any) -> Any:
        if name == "carriage" and isinstance(value, str):
            return canonical_carriage(value)
        if name == "distance_m" and _is_number(value, 0, FARTHEST_M):
            return float(value)
        if name == "walls" and type(value) is int and 0 <= value <= MOST_WALLS:
            return value
        raise InvalidScene(
            f"{where}: {name} is {value!r}, expected distance_m 0..1000, walls 0..20, carriage as in docs/radio.md"
        )

    values = {name: entry[name] for name in ("distance_m", "walls", "carriage") if name in entry}
    return Pair(
        **{
            name: _Steps(name, value, checked, where) if isinstance(value, list) else checked(name, value)
            for name, value in values.items()
        }
    )


class _Steps:
    """A value that changes at given seconds."""

    def __init__(self, name: str, steps: list[Any], checked: Any, where: str) -> None:
        if not steps or not all(isinstance(step, list) and len(step) == 2 for step in steps):
            raise InvalidScene(f"{where}: {name} is a list, expected [[from second, value], …]")
        starts = [step[0] for step in steps]
        if not all(_is_number(start, 0, 1e9) for start in starts) or starts[0] != 0 or starts != sorted(set(starts)):
            raise InvalidScene(f"{where}: {name} changes at {starts}, expected rising seconds that start at 0")
        self._steps = [(float(start), checked(name, value)) for start, value in steps]

    def __call__(self, seconds: float) -> Any:
        return next((value for start, value in reversed(self._steps) if start <= seconds), self._steps[0][1])


def _expect_keys(table: Any, known: set[str], where: str) -> None:
    if not isinstance(table, dict):
        raise InvalidScene(f"{where} is not a table")
    if unknown := set(table) - known:
        raise InvalidScene(f"{where} has {', '.join(sorted(map(str, unknown)))}, expected {', '.join(sorted(known))}")


def _is_list_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)


def _is_number(value: Any, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
