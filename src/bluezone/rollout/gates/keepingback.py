# SPDX-License-Identifier: Apache-2.0
"""What a reader of another agency is not shown of the gates: numbers under 5, and those that would give one away.

A number can be worked out from its column (the other gates and the sums of wards in coverage) and from its row (what
came in is the sum of the classes), so both are looked at; a cell is shown where both allow it.
Source: design.md, "numbers": "cells under 5 suppressed above ward level".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bluezone.rollout.coverage import agency_place, hidden_cells, hidden_places
from bluezone.rollout.gates.models import Verdict
from bluezone.rollout.gates.sums import Sums, came_in, with_smartphone

_SUM = {"came_in": ["with_smartphone", "no_smartphone"], "with_smartphone": ["proven", "fresh", "attested", "other"]}


@dataclass(frozen=True)
class Counted:
    """Passages of a gate or of a day in classes that are never added together; None where kept back.

    other: came with a smartphone on which the app was not running or not installed.
    """

    came_in: int | None
    went_out: int | None
    proven: int | None
    fresh: int | None
    attested: int | None
    other: int | None
    with_smartphone: int | None
    no_smartphone: int | None

    @property
    def share(self) -> float | None:
        """Proven of those with a smartphone, 0..1; None where nobody came with one or it is kept back."""
        return None if self.proven is None or not self.with_smartphone else self.proven / self.with_smartphone

    @property
    def hides_something(self) -> bool:
        """Whether any number is kept back."""
        return any(number is None for number in vars(self).values())

    def without(self, names: Iterable[str]) -> "Counted":
        """The same with the numbers of these names kept back."""
        kept = set(names)
        return Counted(**{name: None if name in kept else number for name, number in vars(self).items()})


def counted(sums: Sums) -> Counted:
    """The classes of what was counted, everything shown."""
    other = sums[Verdict.INSTALLED_OFF] + sums[Verdict.HELPED] + sums[Verdict.TOLD]
    attested = sums[Verdict.SCREEN_SEEN] + sums[Verdict.ASKED_BEFORE]
    return Counted(
        came_in(sums), sums[Verdict.OUT], sums[Verdict.RUNNING], sums[Verdict.VALID_CODE], attested, other,
        with_smartphone(sums), sums[Verdict.NO_SMARTPHONE],
    )  # fmt: skip


def kept_back(everything: Mapping[int, tuple[str, Counted]], shown: Iterable[int]) -> dict[int, set[str]]:
    """For each shown gate the names of the numbers that another agency's reader does not see.

    everything: gate -> (path of its unit, what it counted), all gates of the period, whatever part a page shows.
    """
    found = {pk: _in_the_row(everything[pk][1]) for pk in shown if pk in everything}
    for name in vars(next(iter(everything.values()))[1]) if everything else ():
        column = hidden_places((path, pk, getattr(row, name)) for pk, (path, row) in everything.items())
        for pk, names in found.items():
            if agency_place(pk) in column:
                names.add(name)
    return found


def _in_the_row(row: Counted) -> set[str]:
    values = {name: number or 0 for name, number in vars(row).items()}
    return hidden_cells(_SUM, values, "came_in")
