# SPDX-License-Identifier: Apache-2.0
"""One indicator of one unit over some weeks, as the points of a table and of a drawing.

A week with a suppressed number is a gap in the drawing, as on the week's own page.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from bluezone.rollout.coverage.indicators import Indicator, cached_reads, sum_indicator
from bluezone.rollout.coverage.intervals import Interval
from bluezone.rollout.coverage.suppression import unit_cell
from bluezone.rollout.report_week import Week

WEEKS = 12
# The size of the drawing in its own units; small, so that on a telephone its text is as large as that of the page.
WIDTH = 360
HEIGHT = 200
# The margins.
_LEFT = 40
_RIGHT = 8
_TOP = 12
_BOTTOM = 30


@dataclass(frozen=True)
class Point:
    """One week of a trend. count, base, share: None if suppressed. has_figures: whether anything was counted."""

    week: Week
    has_figures: bool
    count: int | None
    base: int | None
    share: float | None
    interval: Interval | None
    address: str

    @property
    def is_suppressed(self) -> bool:
        """Whether a number of the week is suppressed."""
        return self.has_figures and (self.count is None or self.base is None)


@dataclass(frozen=True)
class Mark:
    """A week's share in the drawing. low, high: y of the ends of its interval; equal to `y` without an interval."""

    x: float
    y: float
    low: float
    high: float
    point: Point


@dataclass(frozen=True)
class Trend:
    """An indicator by week, oldest first. top: the share at the upper edge. lines: runs of marks without a gap."""

    indicator: Indicator
    points: list[Point]
    top: float
    lines: list[list[Mark]]

    @property
    def marks(self) -> list[Mark]:
        """Every week with a share."""
        return list(itertools.chain.from_iterable(self.lines))

    @property
    def paths(self) -> list[str]:
        """The points of each line as an SVG polyline takes them."""
        return [" ".join(f"{mark.x:.1f},{mark.y:.1f}" for mark in line) for line in self.lines if len(line) > 1]

    @property
    def spreads(self) -> list[str]:
        """The area between the ends of the intervals of each line, as an SVG polygon takes its points."""
        areas = []
        for line in self.lines:
            if len(line) > 1:
                upper = [f"{mark.x:.1f},{mark.high:.1f}" for mark in line]
                lower = [f"{mark.x:.1f},{mark.low:.1f}" for mark in reversed(line)]
                areas.append(" ".join(upper + lower))
        return areas

    @property
    def steps(self) -> list[tuple[float, float]]:
        """Horizontal lines of the grid: (share, y)."""
        return [(self.top * part / 4, _y(self.top * part / 4, self.top)) for part in range(5)]

    @property
    def ends(self) -> list[tuple[float, Week]]:
        """The first, middle and last week, for the labels of the axis: (x, week)."""
        last = len(self.points) - 1
        return [(_x(number, len(self.points)), self.points[number].week) for number in sorted({0, last // 2, last})]


def read_trend(unit_id: int, indicator: Indicator, last: Week, *, exact: bool, weeks: int = WEEKS) -> Trend:
    """The trend of the weeks up to and including `last`; runs the indicator's queries for each week."""
    chosen = [last]
    while len(chosen) < weeks:
        chosen.insert(0, chosen[0].previous)
    with cached_reads():
        return draw_trend(indicator, [_point(unit_id, indicator, week, exact) for week in chosen])


def draw_trend(indicator: Indicator, points: Sequence[Point]) -> Trend:
    """The trend of these points. The upper edge is the lowest of 25, 50 and 100 percent that no interval exceeds."""
    highest = max(map(_upper_end, points), default=0.0)
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
    sums = sum_indicator(indicator, week)
    cell = unit_cell(unit_id)
    figures = sums.figures.get(cell, [])
    share = sums.share(cell, exact)
    interval = indicator.interval(figures) if share is not None else None
    return Point(
        week=week,
        has_figures=bool(figures),
        count=sums.count_shown(cell, exact),
        base=sums.base_shown(cell, exact),
        share=share,
        interval=interval,
        address=indicator.rows_address(unit_id, week),
    )


def _upper_end(point: Point) -> float:
    """The upper end of a point's interval; without an interval its share, without a share 0."""
    if point.interval is not None:
        return point.interval.high
    return point.share or 0.0


def _x(number: int, count: int) -> float:
    part = number / (count - 1) if count > 1 else 0.5
    return _LEFT + (WIDTH - _LEFT - _RIGHT) * part


def _y(share: float, top: float) -> float:
    return _TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - share / top)
