# SPDX-License-Identifier: Apache-2.0
"""What a reader of another agency is not shown of the gates: numbers under 5, and those that would give one away.

A number can be worked out from its column (the other gates and the sums of wards in coverage) and from its row (what
came in is the sum of the classes), so both are looked at; a cell is shown where both allow it.
Source: docs/design.md, "numbers": "Cells under 5 are suppressed above ward level".

What the gates count: counters of devices, paper slips, the sums of both, and what of them is not shown to whom.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import pairwise

from bluezone.rollout.coverage.api import ROOT, SMALLEST_SHOWN, Cell, cells_of, suppressed_sums
from bluezone.rollout.gates.counters import Sums, came_in, with_smartphone
from bluezone.rollout.gates.models import Verdict

_SUM = {"came_in": ["with_smartphone", "no_smartphone"], "with_smartphone": ["proven", "fresh", "attested", "other"]}


@dataclass(frozen=True)
class PassageCounts:
    """Passages of a gate or of a day in classes that are never added together; None where kept back.

    other:    came with a smartphone on which the app was not running or not installed.
    on_paper: passages in that no tablet counted, by the agency's own slips; in none of the other numbers.
    """

    came_in: int | None
    went_out: int | None
    proven: int | None
    fresh: int | None
    attested: int | None
    other: int | None
    with_smartphone: int | None
    no_smartphone: int | None
    on_paper: int | None

    @property
    def share(self) -> float | None:
        """Proven of those with a smartphone, 0..1; None where nobody came with one or it is kept back."""
        return None if self.proven is None or not self.with_smartphone else self.proven / self.with_smartphone

    @property
    def is_share_suppressed(self) -> bool:
        """Whether the share is kept back, and not merely a share of nobody."""
        return self.proven is None or self.with_smartphone is None

    @property
    def has_suppressed(self) -> bool:
        """Whether any number is kept back."""
        return any(number is None for number in vars(self).values())

    def without(self, names: Iterable[str]) -> "PassageCounts":
        """The same with the numbers of these names kept back."""
        kept = set(names)
        return PassageCounts(**{name: None if name in kept else number for name, number in vars(self).items()})


_NAMES = tuple(one.name for one in fields(PassageCounts))


@dataclass(frozen=True)
class GateWeek:
    """What a gate counted in a week, and where it belongs: path of its unit, primary key of its agency."""

    unit_path: str
    agency_id: int
    counted: PassageCounts


def passage_counts(sums: Sums, on_paper: int = 0) -> PassageCounts:
    """The classes of what was counted, everything shown; on_paper: passages in on the slips of the same time."""
    other = sums[Verdict.INSTALLED_OFF] + sums[Verdict.HELPED] + sums[Verdict.TOLD]
    attested = sums[Verdict.SCREEN_SEEN] + sums[Verdict.ASKED_BEFORE]
    return PassageCounts(
        came_in(sums), sums[Verdict.OUT], sums[Verdict.RUNNING], sums[Verdict.VALID_CODE], attested, other,
        with_smartphone(sums), sums[Verdict.NO_SMARTPHONE], on_paper,
    )  # fmt: skip


def suppressed_by_gate(everything: Mapping[int, GateWeek], shown: Iterable[int]) -> dict[int, set[str]]:
    """For each shown gate the names of the numbers that another agency's reader does not see.

    everything: by gate, all gates of the week, whatever part of them a page shows.
    """
    hidden = suppressed_by_name(everything)
    return {pk: {name for name, cells in hidden.items() if gate_cell(pk) in cells} for pk in shown}


def suppressed_by_name(everything: Mapping[int, GateWeek]) -> dict[str, frozenset[Cell]]:
    """For each number of `PassageCounts` the cells, from the gates to the topmost unit, at which it is kept back.

    Columns and rows are looked at in turn until neither hides anything further: what a row hides beside a small number
    would else be worked out from its column, and the other way round. Coverage hides the same cells (indicators.py).
    """
    return _hidden(tuple(everything.items()))


# Coverage asks for the same week once an indicator, and working this out is most of its work.
@lru_cache(maxsize=32)
def _hidden(gates: tuple[tuple[int, GateWeek], ...]) -> dict[str, frozenset[Cell]]:
    chains = {pk: [*cells_of(gate.unit_path, gate.agency_id), gate_cell(pk)] for pk, gate in gates}
    parts, columns = _tree(chains.values()), _columns(gates, chains)
    hidden: dict[str, set[Cell]] = {name: set() for name in _NAMES}
    # A column in which no number is small, and none is hidden yet, has nothing to hide.
    waiting = {
        name for name, values in columns.items() if any(0 < number < SMALLEST_SHOWN for number in values.values())
    }
    while waiting:
        for name in sorted(waiting):
            hidden[name] = suppressed_sums(parts, columns[name], ROOT, hidden[name])
        waiting = set()
        for pk, gate in gates:
            cell = gate_cell(pk)
            already = {name for name in _NAMES if cell in hidden[name]}
            if already:
                row = {name: getattr(gate.counted, name) or 0 for name in _NAMES}
                for name in suppressed_sums(_SUM, row, "came_in", already) - already:
                    hidden[name].add(cell)
                    waiting.add(name)
    return {name: frozenset(cells) for name, cells in hidden.items()}


def gate_cell(pk: int) -> Cell:
    """One gate, below its agency in the tree of coverage."""
    return ("gate", pk)


def _tree(chains: Iterable[Sequence[Cell]]) -> dict[Cell, list[Cell]]:
    parts: dict[Cell, dict[Cell, None]] = {}
    for chain in chains:
        for above, below in pairwise(chain):
            parts.setdefault(above, {})[below] = None
    return {cell: list(below) for cell, below in parts.items()}


def _columns(gates: Iterable[tuple[int, GateWeek]], chains: Mapping[int, Sequence[Cell]]) -> dict[str, dict[Cell, int]]:
    """The sums of each number at each cell."""
    columns: dict[str, defaultdict[Cell, int]] = {name: defaultdict(int) for name in _NAMES}
    for pk, gate in gates:
        for name, values in columns.items():
            if number := getattr(gate.counted, name):
                for cell in chains[pk]:
                    values[cell] += number
    return {name: dict(values) for name, values in columns.items()}
