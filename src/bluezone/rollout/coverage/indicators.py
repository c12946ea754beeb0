# SPDX-License-Identifier: Apache-2.0
"""What another part brings into coverage: an indicator, the figures it counts, and the share running.

Source: docs/design.md, "share running".
"""

import abc
import datetime
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bluezone.duties.catalogue import DUTIES
from bluezone.duties.duty import load
from bluezone.rollout.coverage.figures.intervals import Interval, ShareImpossible, bootstrap, wilson
from bluezone.rollout.coverage.figures.suppression import Cell, hidden_cells_of
from bluezone.rollout.coverage.figures.weeks import Week

Text = str | Promise


class Proof(enum.Enum):
    """How a number is known, surest first; each is a column of its own.

    PROVEN:        the phone answered the gate over Bluetooth.
    FRESH:         a signed code of the last seconds, Bluetooth not checked.
    ATTESTED:      an attendant or canvasser says they saw it.
    SELF_REPORTED: the unit says so of itself.
    """

    PROVEN = "proven"
    FRESH = "fresh"
    ATTESTED = "attested"
    SELF_REPORTED = "self_reported"


@dataclass(frozen=True)
class Figure:
    """One observation that an indicator counts: an agency's week, a gate's day, a school's week.

    unit_path: path of the AdminUnit it belongs to ("3/17/52/"). agency_id: the Agency, None for the unit itself.
    count:     numerator. base: denominator, count <= base. source: who counted the base, in the reader's language.
    as_of:     the day both are true of.
    Raises ShareImpossible unless 0 <= count <= base.
    """

    unit_path: str
    agency_id: int | None
    count: int
    base: int
    source: str
    as_of: datetime.date

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.base:
            raise ShareImpossible(f"{self.count} of {self.base} is no share")


@dataclass(frozen=True)
class Reporting:
    """How many of those that owe an indicator's report for a week have sent it, and the address of who has not."""

    received: int
    expected: int
    address: str


class Indicator(abc.ABC):
    """A share that one part of the rollout counts in one class of proof.

    key:       stable, unique, for addresses and tests. proof: its column.
    name:      in the reader's language, such as "running, proven at the gates".
    base_name: its denominator, such as "passages in with a smartphone".
    of_phones: its count is of phones or their owners, and not of passages, so that it may stand beside a population.
    adds_up:   its counts of different weeks are of different phones (as of a drive), so that weeks may be added.
    """

    key: ClassVar[str]
    proof: ClassVar[Proof]
    name: ClassVar[Text]
    base_name: ClassVar[Text]
    of_phones: ClassVar[bool] = False
    adds_up: ClassVar[bool] = False

    @abc.abstractmethod
    def figures(self, week: Week) -> Iterable[Figure]:
        """Everything counted in a week, in a constant number of queries; never anything of training mode."""

    @abc.abstractmethod
    def rows_address(self, unit_id: int, week: Week) -> str:
        """The address of the page with the rows behind the number of a unit and week."""

    def interval(self, figures: Sequence[Figure]) -> Interval | None:
        """The interval of the sum of `figures`; Wilson's, unless the observations call for another."""
        return wilson(sum(figure.count for figure in figures), sum(figure.base for figure in figures))

    def kept_back(self, figures: Sequence[Figure]) -> tuple[set[Cell], set[Cell]]:
        """The cells whose counts, and whose bases, are not shown above the ward; `figures` are all of a week.

        A count beside a base that is hidden would say how large that base is at least.
        """
        bases = hidden_cells_of((figure.unit_path, figure.agency_id, figure.base) for figure in figures)
        return hidden_cells_of((figure.unit_path, figure.agency_id, figure.count) for figure in figures) | bases, bases

    def reporting(self, unit_path: str, week: Week) -> Reporting | None:
        """Who under a unit has reported for a week; None where nothing is reported, as at gates."""
        return None

    def missing(self, unit_path: str, week: Week) -> list[str]:
        """Names of those under a unit that owe a report for a week and have not sent it, for the report sent up."""
        return []


@cache
def _known() -> dict[str, Indicator]:
    made: list[Indicator] = [load(name)() for duty in DUTIES for name in duty.indicators]
    return {indicator.key: indicator for indicator in made}


def registered() -> list[Indicator]:
    """Every indicator that a duty names, surest class first, then in the order of the duties."""
    order = list(Proof)
    return sorted(_known().values(), key=lambda indicator: order.index(indicator.proof))


RUNNING = "running"


class RunningShare(Indicator):
    """Proven IN passages / IN passages with a smartphone at a unit's gates, interval by bootstrap over gate-days.

    A subclass gives one figure a gate and day: count is the IN passages whose phone answered over Bluetooth, base the
    IN passages of people with a smartphone, whatever their verdict. Passages without a smartphone are in neither, and
    fresh codes, seen screens and the web edition are in the base alone. It is a share of passages, not of phones: how
    many phones there are, only drives and doors know.
    Source: docs/design.md, "share running".
    """

    key = RUNNING
    proof = Proof.PROVEN
    name = _("running, proven at the gates")
    base_name: ClassVar = _("passages in with a smartphone")

    def interval(self, figures: Sequence[Figure]) -> Interval | None:
        """Bootstrap over gate-days; None for fewer than two."""
        return bootstrap([(figure.count, figure.base) for figure in figures])
