# SPDX-License-Identifier: Apache-2.0
"""One indicator of one unit over the weeks up to one: a table, and a drawing of it made on the server.

Only what each week's own page shows is drawn: a week that is kept back there is a gap here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bluezone.rollout.coverage.figures import Interval, Week
from bluezone.rollout.coverage.indicators import Indicator, reading_once, sums_of
from bluezone.rollout.coverage.suppression import unit_cell

WEEKS = 12
# Units of the drawing; small, so that its text is as large as the page's on a telephone.
WIDTH, HEIGHT = 360, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 8, 12, 30


@dataclass(frozen=True)
class Point:
    """One week. count, base, share: None where kept back; has_figures: whether anything was counted at all."""

    week: Week
    has_figures: bool
    count: int | None
    base: int | None
    share: float | None
    interval: Interval | None
    address: str

    @property
    def is_hidden(self) -> bool:
        """Whether a number of the week is kept back."""
        return self.has_figures and (self.count is None or self.base is None)


@dataclass(frozen=True)
class Mark:
    """Where a week's share stands in the drawing. low, high: of its interval, equal to y without one."""

    x: float
    y: float
    low: float
    high: float
    point: Point


@dataclass(frozen=True)
class Trend:
    """The weeks, oldest first. top: share at the upper edge. lines: marks of weeks that follow each other."""

    indicator: Indicator
    points: list[Point]
    top: float
    lines: list[list[Mark]]

    @property
    def marks(self) -> list[Mark]:
        """Every week with a share."""
        return [mark for line in self.lines for mark in line]

    @property
    def paths(self) -> list[str]:
        """Points of each line, for a polyline."""
        return [" ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in line) for line in self.lines if len(line) > 1]

    @property
    def spreads(self) -> list[str]:
        """The area between the ends of the intervals of each line, for a polygon."""
        return [
            " ".join(
                [f"{mark.x:.1f},{mark.high:.1f}" for mark in line]
                + [f"{mark.x:.1f},{mark.low:.1f}" for mark in reversed(line)]
            )
            for line in self.lines
            if len(line) > 1
        ]

    @property
    def steps(self) -> list[tuple[float, float]]:
        """Lines across: (share, y)."""
        return [(self.top * part / 4, _y(self.top * part / 4, self.top)) for part in range(5)]

    @property
    def ends(self) -> list[tuple[float, Week]]:
        """The first, middle and last week with where they stand."""
        last = len(self.points) - 1
        return [(_x(number, len(self.points)), self.points[number].week) for number in sorted({0, last // 2, last})]


def trend(unit_id: int, indicator: Indicator, last: Week, *, exact: bool, weeks: int = WEEKS) -> Trend:
    """Count the weeks up to `last`; one indicator's queries for each week."""
    chosen = [last]
    while len(chosen) < weeks:
        chosen.insert(0, chosen[0].previous)
    with reading_once():
        return drawn(indicator, [_point(unit_id, indicator, week, exact) for week in chosen])


def drawn(indicator: Indicator, points: Sequence[Point]) -> Trend:
    """Put points into the drawing; its upper edge is 100, 50 or 25 percent, the least that holds everything."""
    highest = max((_high(point) for point in points), default=0.0)
    top = next(edge for edge in (0.25, 0.5, 1.0) if highest <= edge or edge == 1.0)
    lines: list[list[Mark]] = [[]]
    for number, point in enumerate(points):
        if point.share is None:
            lines.append([])
            continue
        spread = point.interval or Interval(point.share, point.share)
        marks = (_y(point.share, top), _y(spread.low, top), _y(spread.high, top))
        lines[-1].append(Mark(_x(number, len(points)), *marks, point))
    return Trend(indicator, list(points), top, [line for line in lines if line])


def _point(unit_id: int, indicator: Indicator, week: Week, exact: bool) -> Point:
    sums, cell = sums_of(indicator, week), unit_cell(unit_id)
    figures, share = sums.figures.get(cell, []), sums.share(cell, exact)
    return Point(
        week=week,
        has_figures=bool(figures),
        count=sums.counts[cell] if exact or cell not in sums.hidden_counts else None,
        base=sums.bases[cell] if exact or cell not in sums.hidden_bases else None,
        share=share,
        interval=None if share is None else indicator.interval(figures),
        address=indicator.rows_address(unit_id, week),
    )


def _high(point: Point) -> float:
    if point.share is None:
        return 0.0
    return point.interval.high if point.interval else point.share


def _x(number: int, count: int) -> float:
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * (number / (count - 1) if count > 1 else 0.5)


def _y(share: float, top: float) -> float:
    return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - share / top)
