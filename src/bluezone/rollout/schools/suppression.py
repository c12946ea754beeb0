# SPDX-License-Identifier: Apache-2.0
"""What a reader above the school is not shown of it: numbers under 5, and those from which one could be worked out.

Two ways lead to a small number: subtracting schools from their ward, and subtracting columns (pupils minus pupils with
a smartphone are those without). So each column is kept back wherever its own number is small, what
is left of a wider column is, or the wider number is kept back, which a narrower one would bound. Each of these sets is
closed under subtracting schools, and hiding more only tells less.
Source: docs/design.md, "numbers": "Cells under 5 are suppressed above ward level".
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bluezone.rollout.coverage.api import Interval, Place, hidden_places, wilson
from bluezone.rollout.schools.models import NAMES

# Of each column, the wider ones it could be subtracted from.
_WITHIN = {"pupils": (), "with_smartphone": ("pupils",), "running": ("with_smartphone", "pupils"), "relatives": ()}


@dataclass(frozen=True)
class Counted:
    """The four numbers of a school or of a sum; None where kept back."""

    pupils: int | None
    with_smartphone: int | None
    running: int | None
    relatives: int | None

    @property
    def share(self) -> float | None:
        """Running by pupils with a smartphone, 0..1; None where kept back or nobody has one."""
        if self.running is None or not self.with_smartphone:
            return None
        return self.running / self.with_smartphone

    @property
    def interval(self) -> Interval | None:
        """Wilson's interval of `share`."""
        if self.running is None or self.with_smartphone is None:
            return None
        return wilson(self.running, self.with_smartphone)

    @property
    def hides_something(self) -> bool:
        """Whether any of the four is kept back."""
        return any(getattr(self, name) is None for name in NAMES)

    def without(self, names: Iterable[str]) -> "Counted":
        """The same with the numbers of these names kept back."""
        kept = set(names)
        return Counted(**{name: None if name in kept else getattr(self, name) for name in NAMES})


@dataclass(frozen=True)
class SchoolSum:
    """What the classes of one school counted in a week, added up. path: of the school's unit."""

    school_id: int
    path: str
    counts: tuple[int, int, int, int]
    reports: int

    def number(self, name: str) -> int:
        """One of the four numbers."""
        return self.counts[NAMES.index(name)]


def kept_back(sums: Iterable[SchoolSum]) -> dict[str, set[Place]]:
    """For each of the four columns the places where it is kept back; all schools must be given, whatever is shown."""
    everything = list(sums)
    found: dict[str, set[Place]] = {}
    for name in NAMES:
        places = hidden_places((one.path, one.school_id, one.number(name)) for one in everything)
        for wider in _WITHIN[name]:
            left = [(one.path, one.school_id, one.number(wider) - one.number(name)) for one in everything]
            places |= hidden_places(left)
            # Pupils running are no more than pupils: a number beside a wider one that is hidden bounds that one.
            places |= found[wider]
        found[name] = places
    return found
