# SPDX-License-Identifier: Apache-2.0
"""How many of those who met one case say "high", beside how many the measured accuracy leads to expect."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bluezone.planning.assumptions import WarningCurve

BOUND = "0.45"
# Both directions of each meeting were judged, which share distance, recording and carriage: they count as one.
_DIRECTIONS = 2
_ERRORS = 3.0


@dataclass
class Cell:
    """People who met one case, once on a day, at one distance and length: how many there were, and were told high."""

    met: int = 0
    told: int = 0
    expected: float = 0.0


@dataclass(frozen=True)
class Agreement:
    """People who were told, and how many were to be expected.

    error: standard error of the difference: by chance here, and by how few meetings the curve was measured with.
    """

    told: int
    expected: float
    error: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is within what chance explains: three standard errors."""
        return abs(self.told - self.expected) <= _ERRORS * self.error


def compare(rows: Iterable[Sequence[Cell]], curve: WarningCurve, first_row: int = 0) -> Agreement:
    """Take the cells of some distances together. rows: the distances from `first_row` of the curve on."""
    told, expected, variance = 0, 0.0, 0.0
    for distance, row in enumerate(rows, first_row):
        for length, cell in enumerate(row):
            share = float(curve.high[BOUND][distance, length])
            told += cell.told
            expected += cell.met * share
            variance += share * (1 - share) * cell.met * (1 + cell.met * _DIRECTIONS / curve.meetings)
    return Agreement(told, round(expected, 1), round(math.sqrt(variance), 1))
