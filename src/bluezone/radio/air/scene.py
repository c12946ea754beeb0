# SPDX-License-Identifier: Apache-2.0
"""Who is where on the virtual air: distance, walls and carriage of each pair, fixed or changing with time."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bluezone.radio.air.figures import canonical_carriage


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

    pairs:    by the names of the two handsets, in either order.
    default:  pairs that are not named; apart unless said otherwise.
    loss:     share of packets lost on top of fading, 0..1 (collisions, a busy band), constant or over time.
    handsets: names that clients who do not name themselves are given in turn.
    """

    pairs: Mapping[tuple[str, str], Pair] = field(default_factory=dict)
    default: Pair = APART
    loss: float | Callable[[float], float] = 0.0
    handsets: tuple[str, ...] = ()

    def between(self, one: str, other: str) -> Pair:
        """What lies between two handsets."""
        return self.pairs.get((one, other)) or self.pairs.get((other, one)) or self.default

    def loss_at(self, seconds: float) -> float:
        """Share of packets lost at this time of the air."""
        return self.loss(seconds) if callable(self.loss) else self.loss
