# SPDX-License-Identifier: Apache-2.0
"""Suppress numbers above the ward: those under 5, and those from which a reader could compute a number under 5.

The numbers are the cells of a tree: units, the units in them, and agencies.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TypeVar

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.kinds import WARDS, UnitKind
from bluezone.directory.models import AdminUnit
from bluezone.directory.scopes import has_role, served_units
from bluezone.identity.audiences import OfficeRequest
from bluezone.rollout.coverage.duty import LEADERS

WARD_AND_BELOW = (*WARDS, UnitKind.GROUP)

Node = TypeVar("Node", bound=Hashable)
Bounds = tuple[float, float]

_UNBOUNDED = float("inf")
SMALLEST_SHOWN = 5
Key = TypeVar("Key", bound=Hashable)
# A cell of the tree: a unit, the part of a unit that is in no unit below it, or an agency.
Cell = tuple[str, int]
ROOT: Cell = ("all", 0)
# Pages of several weeks need the same tables again and again, and computing these takes most of their time.
_CACHED_TABLES = 256


def deduce_bounds(
    parts: Mapping[Node, Sequence[Node]], values: Mapping[Node, int], root: Node, suppressed: Collection[Node]
) -> dict[Node, Bounds]:
    """For each cell with a number, the smallest and the largest value that a reader of the table can deduce.

    parts, values, root: as in `suppressed_sums`. suppressed: the cells that are not shown.
    """
    bounds: dict[Node, Bounds] = {}
    _from_below(parts, values, root, suppressed, bounds)
    _from_above(parts, root, bounds)
    return bounds


def _from_below(
    parts: Mapping[Node, Sequence[Node]],
    values: Mapping[Node, int],
    key: Node,
    suppressed: Collection[Node],
    bounds: dict[Node, Bounds],
) -> None:
    """Set the bounds of `key` and of the cells under it: the bounds of a suppressed cell follow from its parts."""
    below = [part for part in parts.get(key, ()) if values.get(part, 0)]
    for part in below:
        _from_below(parts, values, part, suppressed, bounds)
    if key not in suppressed:
        bounds[key] = (values.get(key, 0), values.get(key, 0))
    elif below:
        bounds[key] = (sum(bounds[part][0] for part in below), sum(bounds[part][1] for part in below))
    else:
        bounds[key] = (1, _UNBOUNDED)


def _from_above(parts: Mapping[Node, Sequence[Node]], key: Node, bounds: dict[Node, Bounds]) -> None:
    """Narrow the bounds of the parts of `key`: they add up to its value, so that each is that minus the others."""
    below = [part for part in parts.get(key, ()) if part in bounds]
    smallest = sum(bounds[part][0] for part in below)
    endless = sum(bounds[part][1] == _UNBOUNDED for part in below)
    largest = sum(bounds[part][1] for part in below if bounds[part][1] != _UNBOUNDED)
    low, high = bounds[key]
    for part in below:
        least, most = bounds[part]
        others = largest if most == _UNBOUNDED else largest - most
        if endless > (most == _UNBOUNDED):
            others = _UNBOUNDED
        bounds[part] = (max(least, low - others), min(most, high - (smallest - least)))
    for part in below:
        _from_above(parts, part, bounds)


def suppressed_sums(
    parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], root: Key, already: Collection[Key] = ()
) -> set[Key]:
    """The cells of a tree of sums that must not be shown.

    parts: the parts of each sum, from `root` down; a cell without parts is an observation.
    values: the number of each cell; a missing number is 0. A 0 is shown, since it is about no one.
    already: cells that another table suppresses. The result contains them, and the cells that would reveal them.
    """
    suppressed: set[Key] = {key for key in already if values.get(key, 0)}
    _suppress_small(parts, values, root, suppressed)
    if 0 < values.get(root, 0) < SMALLEST_SHOWN:
        suppressed.add(root)
    _suppress_below(parts, values, root, suppressed)
    above: dict[Key, Key] = {}
    for key, below in parts.items():
        above.update(dict.fromkeys(below, key))
    while revealed := _revealed(parts, values, root, suppressed):
        _suppress_another(parts, values, above, revealed, suppressed)
    return suppressed


def _revealed(
    parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], root: Key, suppressed: set[Key]
) -> Key | None:
    """A suppressed cell that a reader can deduce to be under 5; None if there is no such cell."""
    bounds = deduce_bounds(parts, values, root, suppressed)
    candidates = (key for key, (_low, high) in bounds.items() if key in suppressed and high < SMALLEST_SHOWN)
    return min(candidates, key=str, default=None)


def _suppress_another(
    parts: Mapping[Key, Sequence[Key]],
    values: Mapping[Key, int],
    above: Mapping[Key, Key],
    key: Key,
    suppressed: set[Key],
) -> None:
    """Suppress one more cell, as near to `key` as possible: its smallest shown neighbour, else the sum above both."""
    while True:
        key = above[key]
        neighbours = [part for part in parts[key] if values.get(part, 0) and part not in suppressed]
        if neighbours:
            suppressed.add(min(neighbours, key=lambda part: (values[part], str(part))))
            return
        if key not in suppressed:
            suppressed.add(key)
            return


def _suppress_small(
    parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], key: Key, suppressed: set[Key]
) -> None:
    """Suppress the small cells, from the observations up, and enough others to keep each of them unknown."""
    below = [part for part in parts.get(key, ()) if values.get(part, 0)]
    for part in below:
        _suppress_small(parts, values, part, suppressed)
        if values[part] < SMALLEST_SHOWN:
            suppressed.add(part)
    visible = sorted((part for part in below if part not in suppressed), key=lambda part: (values[part], str(part)))
    covered = [values[part] for part in below if part in suppressed]
    while covered and not _is_unknown(covered):
        if not visible:
            suppressed.add(key)
            return
        suppressed.add(visible[0])
        covered.append(values[visible.pop(0)])


def _is_unknown(covered: Sequence[int]) -> bool:
    """Whether suppressed parts may each be 5 or more for a reader who can compute only their sum."""
    others = len(covered) - 1
    return others > 0 and sum(covered) - others >= SMALLEST_SHOWN


def _suppress_below(
    parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], key: Key, suppressed: set[Key]
) -> None:
    """Where all parts of a suppressed sum are shown, suppress the smallest part too, as a reader could add them up.

    From the top down.
    """
    below = [part for part in parts.get(key, ()) if values.get(part, 0)]
    if key in suppressed and below and suppressed.isdisjoint(below):
        suppressed.add(min(below, key=lambda part: (values[part], str(part))))
    for part in below:
        _suppress_below(parts, values, part, suppressed)


def may_see_small_numbers(request: OfficeRequest, unit: AdminUnit) -> bool:
    """Whether the reader may see small numbers of a unit.

    Leaders of the unit or of one above it may, and those who enter the numbers of a ward may see that ward's. A report
    leaves the office and never shows them.
    """
    if unit.kind in WARD_AND_BELOW and has_role(request.user, STAFF_REPORTERS.roles, unit=unit):
        return True
    return served_units(request.user, LEADERS.roles).filter(pk=unit.pk).exists()


def unit_cell(pk: int) -> Cell:
    """A unit with everything under it."""
    return ("unit", pk)


def own_cell(pk: int) -> Cell:
    """What is in a unit but in none of the units under it, such as the departments of a city."""
    return ("own", pk)


def agency_cell(pk: int) -> Cell:
    """One agency."""
    return ("agency", pk)


def cells_of(unit_path: str, agency_id: int | None) -> list[Cell]:
    """Every cell to which an observation belongs, from the top down."""
    chain = _units_of(unit_path)
    return [*chain] if agency_id is None else [*chain, agency_cell(agency_id)]


@lru_cache(maxsize=4096)
def _units_of(unit_path: str) -> tuple[Cell, ...]:
    """The cells of a unit's path; cached, since many agencies have the same path."""
    units = [int(pk) for pk in unit_path.split("/") if pk]
    return (ROOT, *map(unit_cell, units), own_cell(units[-1]))


def suppressed_cells(observations: Iterable[tuple[str, int | None, int]]) -> set[Cell]:
    """The cells of units and agencies that are suppressed above the ward.

    observations: (path of the unit, primary key of the agency or None, number). They must cover the whole tree, even
        for a page that shows a part of it: otherwise the suppressed numbers could be computed from other pages.
    """
    return set(_suppressed(tuple(observations)))


@lru_cache(maxsize=_CACHED_TABLES)
def _suppressed(observations: tuple[tuple[str, int | None, int], ...]) -> frozenset[Cell]:
    parts: defaultdict[Cell, dict[Cell, None]] = defaultdict(dict)
    values: defaultdict[Cell, int] = defaultdict(int)
    for unit_path, agency_id, number in observations:
        chain = cells_of(unit_path, agency_id)
        for above, below in pairwise(chain):
            parts[above][below] = None
        for cell in chain:
            values[cell] += number
    return frozenset(suppressed_sums({cell: list(below) for cell, below in parts.items()}, values, ROOT))
