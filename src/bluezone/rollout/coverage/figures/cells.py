# SPDX-License-Identifier: Apache-2.0
"""Places in the tree of units and agencies, and at which of them a sum must not be shown."""

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

from bluezone.rollout.coverage.figures.suppression import hidden_cells

# A place in the tree: the units, what belongs to a unit itself and to none below it, and the agencies.
Place = tuple[str, int]
ROOT: Place = ("all", 0)
# A page of a year asks for the same weeks again and again, and working out what is hidden is most of its work.
_REMEMBERED = 256


def unit_place(pk: int) -> Place:
    """A unit with everything under it."""
    return ("unit", pk)


def own_place(pk: int) -> Place:
    """What belongs to a unit itself and to none of the units under it, such as the departments of a city."""
    return ("own", pk)


def agency_place(pk: int) -> Place:
    """One agency."""
    return ("agency", pk)


def places_of(unit_path: str, agency_id: int | None) -> list[Place]:
    """Every place an observation belongs to, from the top down."""
    chain = _units_of(unit_path)
    return [*chain] if agency_id is None else [*chain, agency_place(agency_id)]


@lru_cache(maxsize=4096)
def _units_of(unit_path: str) -> tuple[Place, ...]:
    """The places of a unit's path; many agencies share one."""
    units = [int(pk) for pk in unit_path.split("/") if pk]
    return (ROOT, *map(unit_place, units), own_place(units[-1]))


def hidden_places(observations: Iterable[tuple[str, int | None, int]]) -> set[Place]:
    """The places whose sums are kept back above the ward.

    observations: (path of the unit, primary key of the agency or None, number); the whole tree must be given, whatever
    part of it a page shows, or the part left out could be worked out.
    """
    return set(_hidden(tuple(observations)))


@lru_cache(maxsize=_REMEMBERED)
def _hidden(observations: tuple[tuple[str, int | None, int], ...]) -> frozenset[Place]:
    parts: defaultdict[Place, dict[Place, None]] = defaultdict(dict)
    values: defaultdict[Place, int] = defaultdict(int)
    for unit_path, agency_id, number in observations:
        chain = places_of(unit_path, agency_id)
        for above, below in pairwise(chain):
            parts[above][below] = None
        for place in chain:
            values[place] += number
    return frozenset(hidden_cells({place: list(below) for place, below in parts.items()}, values, ROOT))
