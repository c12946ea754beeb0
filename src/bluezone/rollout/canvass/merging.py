# SPDX-License-Identifier: Apache-2.0
"""What a fact of a household is, from everything that was ever said of it: the same in whatever order it came.

Each change names the versions that its author saw. A change that rests on one nobody has sent yet is not taken: the
gap is shown. Two changes that rest on the same version and say different things stand side by side: the newer is
shown, both are kept, and somebody at the ward chooses. The answer depends on the set of changes alone.
Source: specs/rollout.md A3; a multi-value register (Shapiro et al., 2011), with versions named instead of counted.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bluezone.rollout.canvass.clocks import FIRST

FIELDS = ("head", "address", "group", "smartphones", "note")


@dataclass(frozen=True, order=True)
class Said:
    """One change. clock first, so that they sort by it; bases: clocks of the versions it replaces."""

    clock: str
    entry: str
    value: str
    bases: tuple[str, ...]
    forced: bool = False


@dataclass(frozen=True)
class Merged:
    """The fact.

    shown:   the change whose value is shown, None while none can be taken.
    rivals:  versions that nobody has replaced, newest first, one for each value; more than one is a dispute.
    standing: clocks of all versions that nobody has replaced; a decision rests on them.
    missing: changes that wait for one before them.
    """

    shown: Said | None
    rivals: tuple[Said, ...]
    missing: tuple[Said, ...]
    standing: tuple[str, ...] = ()

    @property
    def is_disputed(self) -> bool:
        """Whether two values stand side by side."""
        return len(self.rivals) > 1


def merge(changes: Iterable[Said]) -> Merged:
    """Merge the changes of one field. A base is always earlier than the change that names it (entries.py holds it)."""
    taken: list[Said] = []
    missing: list[Said] = []
    known = {FIRST}
    for change in sorted(changes):
        if change.forced or known.issuperset(change.bases):
            taken.append(change)
            known.add(change.clock)
        else:
            missing.append(change)
    replaced = {base for change in taken for base in change.bases}
    standing = [change for change in reversed(taken) if change.clock not in replaced]
    rivals: dict[str, Said] = {}
    for change in standing:
        rivals.setdefault(change.value, change)
    clocks = tuple(change.clock for change in standing)
    return Merged(standing[0] if standing else None, tuple(rivals.values()), tuple(missing), clocks)
