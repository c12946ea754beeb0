# SPDX-License-Identifier: Apache-2.0
"""Whom a radio heard in its last burst, and which four of them the next reciprocity frame is for.

A neighbour listens for four seconds of thirty or sixty and hears about four frames then. So two places of each frame go
round the nearest eight, who matter most: everyone of them is in any four frames. The other two places go round the
rest in an order drawn anew after each burst; in a fixed one, two phones with the same rhythm could miss each other for
ever. Source: docs/protocol.md section 2, "Reciprocity frame".
"""

import itertools
import math
import random
from collections.abc import Iterator

from bluezone.protocol.reciprocity import ENTRIES, NeighbourLevel

# With more in sight nobody is told anything: a frame would be for four of them, and the air is full.
MOST_IN_SIGHT = 100
NEAREST = 8
PLACES_FOR_NEAREST = 2


class Neighbours:
    """Collects what a burst hears, and deals out the last burst's.

    burst: number of the burst that is dealt out.
    """

    def __init__(self, rng: random.Random) -> None:
        self.burst = 0
        self._rng = rng
        self.forget()

    def forget(self) -> None:
        """Nobody is in sight, for instance because the radio was off."""
        self._sums: dict[bytes, int] = {}
        self._counts: dict[bytes, int] = {}
        self._in_sight = 0
        self._turns: Iterator[list[NeighbourLevel]] = iter(())

    def heard(self, identifier: bytes, rssi_dbm: int) -> None:
        """Note one contact frame of the burst that runs."""
        if identifier in self._sums:
            self._sums[identifier] += rssi_dbm
            self._counts[identifier] += 1
        elif len(self._sums) <= MOST_IN_SIGHT:
            self._sums[identifier] = rssi_dbm
            self._counts[identifier] = 1

    def burst_over(self, number: int) -> None:
        """Deal out from now on what burst `number` heard, each neighbour with the mean of its frames, rounded."""
        levels = [(name, math.floor(total / self._counts[name] + 0.5)) for name, total in self._sums.items()]
        self.burst, self._sums, self._counts, self._in_sight = number, {}, {}, len(levels)
        ranked = sorted(levels, key=lambda level: level[1], reverse=True)
        rest = ranked[NEAREST:]
        self._rng.shuffle(rest)
        self._turns = _turns(ranked[:NEAREST], rest)

    @property
    def more_than_fit(self) -> bool:
        """Whether one frame is not enough for all in sight."""
        return self._in_sight > ENTRIES

    def next_four(self) -> list[NeighbourLevel]:
        """Whom the next frame is for, strongest first; empty if nobody is in sight, or too many are."""
        if not 0 < self._in_sight <= MOST_IN_SIGHT:
            return []
        return sorted(next(self._turns), key=lambda level: level[1], reverse=True)


def _turns(nearest: list[NeighbourLevel], rest: list[NeighbourLevel]) -> Iterator[list[NeighbourLevel]]:
    """Four at a time, without an end; never one twice in a frame."""
    if len(nearest) + len(rest) <= ENTRIES:
        yield from itertools.repeat(nearest)
    near, far = itertools.cycle(nearest), itertools.cycle(rest)
    for_rest = min(len(rest), ENTRIES - PLACES_FOR_NEAREST)
    while True:
        yield [*itertools.islice(near, ENTRIES - for_rest), *itertools.islice(far, for_rest)]
