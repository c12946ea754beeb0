# SPDX-License-Identifier: Apache-2.0
"""What a reader who subtracts can work out of a tree of sums in which some cells are hidden.

The reader knows every shown number, that each sum is the sum of its parts, and that a hidden number is 1 or more, since
zeros are shown. In a tree the smallest and largest value of each cell follow from two walks: from the parts up, and
from the sum and the neighbours down.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Bounds = tuple[float, float]

_UNBOUNDED = float("inf")


def deduced(
    parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], root: Key, hidden: Collection[Key]
) -> dict[Key, Bounds]:
    """The smallest and largest value that each cell with a number can have, as far as the reader knows.

    parts, values, root: as `suppression.hidden_cells` has them. hidden: the cells that are not shown.
    """
    bounds: dict[Key, Bounds] = {}
    _from_below(parts, values, root, hidden, bounds)
    _from_above(parts, root, bounds)
    return bounds


def _from_below(
    parts: Mapping[Key, Sequence[Key]],
    values: Mapping[Key, int],
    key: Key,
    hidden: Collection[Key],
    bounds: dict[Key, Bounds],
) -> None:
    below = [part for part in parts.get(key, ()) if values.get(part, 0)]
    for part in below:
        _from_below(parts, values, part, hidden, bounds)
    if key not in hidden:
        bounds[key] = (values.get(key, 0), values.get(key, 0))
    elif below:
        bounds[key] = (sum(bounds[part][0] for part in below), sum(bounds[part][1] for part in below))
    else:
        bounds[key] = (1, _UNBOUNDED)


def _from_above(parts: Mapping[Key, Sequence[Key]], key: Key, bounds: dict[Key, Bounds]) -> None:
    below = [part for part in parts.get(key, ()) if part in bounds]
    smallest = sum(bounds[part][0] for part in below)
    endless = sum(bounds[part][1] == _UNBOUNDED for part in below)
    largest = sum(bounds[part][1] for part in below if bounds[part][1] != _UNBOUNDED)
    low, high = bounds[key]
    for part in below:
        least, most = bounds[part]
        others = _UNBOUNDED if endless > (most == _UNBOUNDED) else largest - (0 if most == _UNBOUNDED else most)
        bounds[part] = (max(least, low - others), min(most, high - (smallest - least)))
    for part in below:
        _from_above(parts, part, bounds)
