# SPDX-License-Identifier: Apache-2.0
"""Sums of one indicator's figures over the tree of units, with what must not be shown of them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from bluezone.rollout.coverage.indicators import Figure
from bluezone.rollout.coverage.suppression import hidden_cells

# A place in the tree: the units, what belongs to a unit itself and to none below it, and the agencies.
Place = tuple[str, int]
ROOT: Place = ("all", 0)


def unit_place(pk: int) -> Place:
    """A unit with everything under it."""
    return ("unit", pk)


def own_place(pk: int) -> Place:
    """What belongs to a unit itself and to none of the units under it, such as the departments of a city."""
    return ("own", pk)


def agency_place(pk: int) -> Place:
    """One agency."""
    return ("agency", pk)


@dataclass
class Sums:
    """Figures by place, their sums, and the places whose sums are hidden above the ward."""

    figures: defaultdict[Place, list[Figure]] = field(default_factory=lambda: defaultdict(list))
    counts: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))
    bases: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))
    hidden_counts: set[Place] = field(default_factory=set)
    hidden_bases: set[Place] = field(default_factory=set)


def sums_of(figures: Iterable[Figure]) -> Sums:
    """Add up figures from the agencies and gates to the topmost unit."""
    sums, figures = Sums(), list(figures)
    for figure in figures:
        for place in places_of(figure.unit_path, figure.agency_id):
            sums.figures[place].append(figure)
            sums.counts[place] += figure.count
            sums.bases[place] += figure.base
    sums.hidden_counts = hidden_places((figure.unit_path, figure.agency_id, figure.count) for figure in figures)
    sums.hidden_bases = hidden_places((figure.unit_path, figure.agency_id, figure.base) for figure in figures)
    return sums


def hidden_places(observations: Iterable[tuple[str, int | None, int]]) -> set[Place]:
    """The places whose sums are kept back above the ward.

    observations: (path of the unit, primary key of the agency or None, number); the whole tree must be given, whatever
    part of it a page shows, or the part left out could be worked out.
    """
    parts: defaultdict[Place, dict[Place, None]] = defaultdict(dict)
    values: defaultdict[Place, int] = defaultdict(int)
    for unit_path, agency_id, number in observations:
        chain = places_of(unit_path, agency_id)
        for above, below in pairwise(chain):
            parts[above][below] = None
        for place in chain:
            values[place] += number
    return hidden_cells({place: list(below) for place, below in parts.items()}, values, ROOT)


def places_of(unit_path: str, agency_id: int | None) -> list[Place]:
    """Every place a figure belongs to, from the top down."""
    units = [int(pk) for pk in unit_path.split("/") if pk]
    chain = [ROOT, *map(unit_place, units), own_place(units[-1])]
    return chain if agency_id is None else [*chain, agency_place(agency_id)]
