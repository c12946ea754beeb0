# SPDX-License-Identifier: Apache-2.0
"""Which numbers are not shown above the ward: those under 5, and those that would give one of them away.

A table shows parts and their sum. If one part is hidden, the sum minus the others is that part; if two are hidden and
their sum is small, each is known to one or two. So further parts are hidden until what is left over could be 5 or
more for any of them, and where that cannot be had, the sum is hidden too, and then counts as hidden in the table above.
A reader has all tables at once: two hidden wards of a known sum, whose shown agencies leave three to be shared out,
would tell on both. So what such a reader can work out is worked out here (deduction.py), and more is hidden until no
number under 5 is known to be one.
Source: design.md, "numbers": "cells under 5 suppressed above ward level".
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from typing import TypeVar

from bluezone.rollout.coverage.deduction import deduced

SMALLEST_SHOWN = 5

Key = TypeVar("Key", bound=Hashable)


def hidden_cells(
    parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], root: Key, already: Collection[Key] = ()
) -> set[Key]:
    """The cells of a tree of sums that are not shown.

    parts:  each sum and what it is the sum of, from `root` down; a key without parts is an observation.
    values: the number of each key; a missing one is 0, and 0 is shown, since it is about nobody.
    already: cells that another table hides; they are in the answer, with what must be hidden beside them.
    """
    hidden: set[Key] = {key for key in already if values.get(key, 0)}
    _hide_small(parts, values, root, hidden)
    if 0 < values.get(root, 0) < SMALLEST_SHOWN:
        hidden.add(root)
    _hide_below(parts, values, root, hidden)
    above = {part: key for key, below in parts.items() for part in below}
    while given_away := _given_away(parts, values, root, hidden):
        _hide_another(parts, values, above, given_away, hidden)
    return hidden


def _given_away(
    parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], root: Key, hidden: set[Key]
) -> Key | None:
    """A small number that a reader of everything shown knows to be under 5, None when there is none."""
    bounds = deduced(parts, values, root, hidden)
    found = (key for key, (_low, high) in bounds.items() if key in hidden and high < SMALLEST_SHOWN)
    return min(found, key=str, default=None)


def _hide_another(
    parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], above: Mapping[Key, Key], key: Key, hidden: set[Key]
) -> None:
    """Hide one more cell, as near to `key` as there is one: its smallest shown neighbour, else the sum over both."""
    while True:
        key = above[key]
        shown = [part for part in parts[key] if values.get(part, 0) and part not in hidden]
        if shown:
            hidden.add(min(shown, key=lambda part: (values[part], str(part))))
            return
        if key not in hidden:
            hidden.add(key)
            return


def _hide_small(parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], key: Key, hidden: set[Key]) -> None:
    """From the observations up: small cells, and as many others as keep them unknown."""
    below = [part for part in parts.get(key, ()) if values.get(part, 0)]
    for part in below:
        _hide_small(parts, values, part, hidden)
        if values[part] < SMALLEST_SHOWN:
            hidden.add(part)
    shown = sorted((part for part in below if part not in hidden), key=lambda part: (values[part], str(part)))
    covered = [values[part] for part in below if part in hidden]
    while covered and not _is_unknown(covered):
        if not shown:
            hidden.add(key)
            return
        hidden.add(shown[0])
        covered.append(values[shown.pop(0)])


def _is_unknown(covered: Sequence[int]) -> bool:
    """Whether parts of which only the sum can be worked out may each be 5 or more, as far as a reader knows."""
    others = len(covered) - 1
    return others > 0 and sum(covered) - others >= SMALLEST_SHOWN


def _hide_below(parts: Mapping[Key, Sequence[Key]], values: Mapping[Key, int], key: Key, hidden: set[Key]) -> None:
    """From the top down: a hidden sum whose parts are all shown is no secret, so its smallest part is hidden too."""
    below = [part for part in parts.get(key, ()) if values.get(part, 0)]
    if key in hidden and below and hidden.isdisjoint(below):
        hidden.add(min(below, key=lambda part: (values[part], str(part))))
    for part in below:
        _hide_below(parts, values, part, hidden)
