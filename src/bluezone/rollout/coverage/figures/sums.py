# SPDX-License-Identifier: Apache-2.0
"""Sums of one indicator's figures over the tree of units, and what several indicators count from, read once for one
page.
"""

import contextlib
import datetime
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bluezone.directory.models import AdminUnit, Denominator
from bluezone.rollout.coverage.figures.suppression import Cell, cells_of
from bluezone.rollout.coverage.figures.weeks import Week
from bluezone.rollout.coverage.indicators import Figure, Indicator


@dataclass
class Sums:
    """Figures by cell, their sums, and the cells whose sums are hidden above the ward."""

    figures: defaultdict[Cell, list[Figure]] = field(default_factory=lambda: defaultdict(list))
    counts: defaultdict[Cell, int] = field(default_factory=lambda: defaultdict(int))
    bases: defaultdict[Cell, int] = field(default_factory=lambda: defaultdict(int))
    hidden_counts: set[Cell] = field(default_factory=set)
    hidden_bases: set[Cell] = field(default_factory=set)

    def share(self, cell: Cell, exact: bool) -> float | None:
        """Count by base, 0..1; None where either is hidden or the base is 0."""
        hidden = not exact and (cell in self.hidden_counts or cell in self.hidden_bases)
        return None if hidden or not self.bases[cell] else self.counts[cell] / self.bases[cell]


def sums_of(indicator: Indicator, week: Week) -> Sums:
    """Add up an indicator's figures of a week from the agencies and gates to the topmost unit."""
    sums, figures = Sums(), list(indicator.figures(week))
    kept = sums.figures
    for figure in figures:
        for cell in cells_of(figure.unit_path, figure.agency_id):
            kept[cell].append(figure)
    for cell, its_own in kept.items():
        sums.counts[cell] = sum([figure.count for figure in its_own])
        sums.bases[cell] = sum([figure.base for figure in its_own])
    sums.hidden_counts, sums.hidden_bases = indicator.kept_back(figures)
    return sums


def newest_of(units: Iterable[AdminUnit], on: datetime.date) -> dict[tuple[int, str], Denominator]:
    """(primary key of the unit, kind) -> its newest figure that was true by `on`; one query."""
    found = Denominator.objects.filter(unit__in=[unit.pk for unit in units], as_of__lte=on).order_by("as_of")
    return {(figure.unit_id or 0, figure.kind): figure for figure in found}


_Read = TypeVar("_Read")
_kept: ContextVar[dict[Hashable, Any] | None] = ContextVar("read for one page", default=None)


@contextlib.contextmanager
def reading_once() -> Iterator[None]:
    """Within it `once` reads each key once; afterwards everything is forgotten."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def once(key: Hashable, read: Callable[[], _Read]) -> _Read:
    """What `read` gives; outside `reading_once` it is read anew each time. The caller must not change it."""
    kept = _kept.get()
    if kept is None:
        return read()
    if key not in kept:
        kept[key] = read()
    found: _Read = kept[key]
    return found
