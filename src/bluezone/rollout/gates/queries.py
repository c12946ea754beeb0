# SPDX-License-Identifier: Apache-2.0
"""The table of gates of a week, in classes of proof that stand side by side; the page of one gate; how many people are
inside; and what goes into coverage.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import grants_for
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.models import User
from bluezone.identity.roles import ROLES
from bluezone.rollout.coverage.api import (
    Cell,
    Figure,
    Interval,
    Proof,
    RunningShare,
    bootstrap_interval,
    read_once,
    suppressed_cells,
)
from bluezone.rollout.gates.counters import Sums, gate_days, gate_sums, with_smartphone, without_a_day
from bluezone.rollout.gates.models import Direction, Gate, GateDay, Gatekeeper, GateKind, Shift, Verdict
from bluezone.rollout.gates.paper_slips import PaperSums, came_in_on_paper, paper_days, paper_sums
from bluezone.rollout.gates.suppression import (
    GateWeek,
    PassageCounts,
    passage_counts,
    suppressed_by_gate,
    suppressed_by_name,
)
from bluezone.rollout.report_week import Week
from bluezone.vietnamese.spelling import holds

GATES_A_PAGE = 50


@dataclass(frozen=True)
class GateRow:
    """One gate in a week. is_own: whether the reader sees it as it was counted."""

    gate: Gate
    counted: PassageCounts
    is_own: bool


def gate_rows(
    gates: QuerySet[Gate], week: Week, number: str | None, own: frozenset[int]
) -> tuple[Page[Gate], list[GateRow]]:
    """One page of gates with what they counted in a week, in a constant number of queries."""
    page = Paginator(gates.select_related("agency__unit"), GATES_A_PAGE).get_page(number)
    return page, rows_of(list(page.object_list), week, own)


def rows_of(gates: list[Gate], week: Week, own: frozenset[int]) -> list[GateRow]:
    """Gates, read with agency and unit, with what they counted in a week; kept back where small and not the reader's.

    own: agencies whose gates the reader sees as they were counted.
    """
    everything = everything_of(week)
    others = [gate.pk for gate in gates if gate.agency_id not in own]
    hidden = suppressed_by_gate(everything, others) if others else {}
    rows = []
    for gate in gates:
        row = everything[gate.pk].counted if gate.pk in everything else passage_counts(Sums())
        rows.append(GateRow(gate, row.without(hidden.get(gate.pk, ())), gate.agency_id in own))
    return rows


def everything_of(week: Week) -> dict[int, GateWeek]:
    """What every gate counted in a week, by tablet and on paper, with where it belongs; three queries."""
    sums, slips = gate_sums(week.first_day, week.last_day), paper_sums(week.first_day, week.last_day)
    gates = Gate.objects.filter(pk__in={*sums, *slips}).order_by("pk")
    return {
        pk: GateWeek(path, agency, passage_counts(sums.get(pk, Sums()), came_in_on_paper(slips.get(pk, PaperSums()))))
        for pk, agency, path in gates.values_list("pk", "agency_id", "agency__unit__path")
    }


def gates_under(unit: AdminUnit | None) -> QuerySet[Gate]:
    """Gates at sites of agencies that serve a unit or a part of it; all without one."""
    sites = Gate.objects.filter(kind=GateKind.SITE)
    return sites.filter(agency__unit__path__startswith=unit.path) if unit else sites


def named(today: datetime.date) -> Q:
    """Nominations that hold today or later."""
    return Q(until__isnull=True) | Q(until__gte=today)


def without_gatekeeper(unit: AdminUnit | None, today: datetime.date) -> QuerySet[Agency]:
    """Agencies in force that have nominated nobody for an open gate (clause 1, "cử người")."""
    nominated = Gatekeeper.objects.filter(named(today), gate__agency=OuterRef("pk"), gate__closed_at__isnull=True)
    found = Agency.objects.valid_on(day_to_show(Agency, today)).exclude(Exists(nominated))
    found = found.filter(unit__path__startswith=unit.path) if unit else found
    return found.select_related("unit").order_by("unit__path", "name", "pk")


TREND_WEEKS = 8
SHIFT_DAYS = 14
MOST_SHIFTS_SHOWN = 100
_WEEK = datetime.timedelta(days=7)
_ONE_DAY = datetime.timedelta(days=1)
# The drawing: a column a week, in the units of its viewBox.
COLUMN, BAR, HEIGHT = 44, 36, 90


@dataclass(frozen=True)
class TrendWeek:
    """One week of the trend. x, y, height: of its column in the drawing, none where nobody came with a smartphone."""

    week: Week
    counted: PassageCounts
    x: int

    @property
    def height(self) -> int:
        """Height of the column, at least 1 so that a small share is seen."""
        return max(1, round(HEIGHT * self.counted.share)) if self.counted.share is not None else 0

    @property
    def y(self) -> int:
        """Its upper edge."""
        return HEIGHT - self.height

    @property
    def middle(self) -> int:
        """Where its label stands."""
        return self.x + BAR // 2


# How many people are inside: in minus out, over midnight, as far as tablets have reported and slips were entered. A day
# that ends below zero, because some came in uncounted, is followed by one that starts at zero. Where no exit was
# counted for seven days, nothing can be carried: such a place starts each day at zero, and its page says so.
EXIT_DAYS = 7


@dataclass
class _Passages:
    came_in: int = 0
    went_out: int = 0


@dataclass(frozen=True)
class Inside:
    """before: people inside when the day began. today: in minus out. counts_exits: whether any is carried over."""

    before: int
    today: int
    counts_exits: bool

    @property
    def now(self) -> int:
        """People inside now; below zero where some came in uncounted."""
        return self.before + self.today


def people_inside(gate: Gate, day: datetime.date) -> Inside:
    """People inside of a gate on a day, by tablets and slips; two queries."""
    days = _passages(gate, day)
    before = gate.inside_before
    at = gate.inside_since
    counts_exits = True
    for since in range(max(0, (day - at).days)):
        at = gate.inside_since + since * _ONE_DAY
        passages = days.get(at, _Passages())
        counts_exits = _counts_exits(days, at, gate.inside_since)
        before = max(0, before + passages.came_in - passages.went_out) if counts_exits else 0
    today = days.get(day, _Passages())
    return Inside(before, today.came_in - today.went_out, counts_exits)


def _passages(gate: Gate, day: datetime.date) -> dict[datetime.date, _Passages]:
    first = min(gate.inside_since, day) - EXIT_DAYS * _ONE_DAY
    found: dict[datetime.date, _Passages] = {}
    rows = GateDay.objects.filter(gate=gate, day__range=(first, day)).values_list("day", "direction")
    for of, direction, total in rows.annotate(total=Sum("count")).order_by():
        passages = found.setdefault(of, _Passages())
        if direction == Direction.IN:
            passages.came_in += total
        else:
            passages.went_out += total
    for (_gate, of), numbers in paper_days(first, day, Gate.objects.filter(pk=gate.pk)).items():
        passages = found.setdefault(of, _Passages())
        passages.came_in += came_in_on_paper(numbers)
        passages.went_out += numbers["went_out"]
    return found


def _counts_exits(days: dict[datetime.date, _Passages], at: datetime.date, since: datetime.date) -> bool:
    """Whether exits are counted at a gate by what it counted until the end of a day.

    On the first day on which it counts at all perhaps no person has left yet.
    """
    before = [days[of] for number in range(EXIT_DAYS) if (of := at - number * _ONE_DAY) in days]
    return len(before) <= 1 or any(passages.went_out for passages in before)


@dataclass(frozen=True)
class OneGate:
    """Everything of a gate and week that its own agency sees.

    inside: people inside now, paper included. undated: passages of the last 30 days without a known day, in no other
    number here.
    """

    days: list[tuple[datetime.date, PassageCounts]]
    total: PassageCounts
    interval: Interval | None
    trend: list[TrendWeek]
    inside: Inside
    undated: int
    gatekeepers: list[Gatekeeper]
    shifts: list[Shift]


def one_gate(gate: Gate, week: Week, now: datetime.datetime) -> OneGate:
    """Read a gate's page: eight queries."""
    first = week.first_day - (TREND_WEEKS - 1) * _WEEK
    alone, today = Gate.objects.filter(pk=gate.pk), timezone.localdate(now)
    found = {day: sums for (_, day), sums in gate_days(first, week.last_day, alone).items()}
    slips = {day: numbers for (_, day), numbers in paper_days(first, max(week.last_day, today), alone).items()}
    week_days = [week.first_day + datetime.timedelta(days=number) for number in range(7)]
    days = [(day, _row(found, slips, day)) for day in week_days if day in found or day in slips]
    trend = []
    for number in range(TREND_WEEKS):
        one = Week(first + number * _WEEK)
        on_paper = sum(came_in_on_paper(numbers) for day, numbers in slips.items() if _is_in(day, one))
        trend.append(TrendWeek(one, passage_counts(_added(found, one), on_paper), number * COLUMN))
    return OneGate(
        days=days,
        total=trend[-1].counted,
        interval=bootstrap_interval([(row.proven or 0, row.with_smartphone or 0) for _, row in days]),
        trend=trend,
        inside=people_inside(gate, today),
        undated=without_a_day(gate),
        gatekeepers=list(gate.gatekeepers.filter(named(today))),
        shifts=list(
            gate.shifts.filter(started_at__gte=now - datetime.timedelta(days=SHIFT_DAYS)).select_related("gatekeeper")[
                :MOST_SHIFTS_SHOWN
            ]
        ),
    )


def _added(found: dict[datetime.date, Sums], week: Week) -> Sums:
    total = Sums()
    for day, sums in found.items():
        if _is_in(day, week):
            total.update(sums)
    return total


def _row(found: dict[datetime.date, Sums], slips: dict[datetime.date, PaperSums], day: datetime.date) -> PassageCounts:
    return passage_counts(found.get(day, Sums()), came_in_on_paper(slips.get(day, PaperSums())))


def _is_in(day: datetime.date, week: Week) -> bool:
    return week.first_day <= day <= week.last_day


def _days_and_cells(week: Week) -> tuple[dict[tuple[int, datetime.date], Sums], dict[int, tuple[str, int]]]:
    """A week's sums by gate and day, and the unit's path and agency of each gate; two queries."""
    sums = gate_days(week.first_day, week.last_day)
    found = Gate.objects.filter(pk__in={gate_id for gate_id, _day in sums})
    # Rows of numbers: making gates, agencies and units of them takes most of a page's time.
    places = found.values_list("pk", "agency__unit__path", "agency_id")
    return sums, {pk: (path, agency_id) for pk, path, agency_id in places}


class RunningAtGates(RunningShare):
    """Proven IN passages / IN passages with a smartphone, one figure a gate and day.

    counts_of_row, bases_of_row: which numbers of a gate's row the figures add up to.
    """

    counts_of_row: ClassVar[str] = "proven"
    bases_of_row: ClassVar[str] = "with_smartphone"
    verdicts: ClassVar[frozenset[Verdict]] = frozenset({Verdict.RUNNING})

    def figures(self, week: Week) -> Iterable[Figure]:
        """Three queries."""
        sums, places = read_once(("gate days", week), lambda: _days_and_cells(week))
        source = _("counted at the gates; passages without a known day are left out")
        for (gate_id, day), passages in sorted(sums.items()):
            base = with_smartphone(passages)
            if base:
                path, agency_id = places[gate_id]
                count = sum(passages[verdict] for verdict in self.verdicts)
                yield Figure(path, agency_id, count, base, source, day)

    def suppressed_cells(self, figures: Sequence[Figure]) -> tuple[set[Cell], set[Cell]]:
        """As the table of gates keeps them back, so that neither page gives away what the other hides."""
        if not figures:
            return set(), set()
        week = Week.of(figures[0].as_of)
        hidden = read_once(("gates hidden", week), lambda: suppressed_by_name(everything_of(week)))
        return set(hidden[self.counts_of_row]), set(hidden[self.bases_of_row])

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The gates of the unit in that week."""
        return f"{reverse('gates')}?{urlencode({'week': week, 'unit': unit_id})}"


class CodeFresh(RunningAtGates):
    """Fresh codes whose Bluetooth was not checked; never counted as running."""

    key = "fresh-code"
    proof = Proof.FRESH
    name = gettext_lazy("valid code shown at the gates")
    counts_of_row = "fresh"
    verdicts = frozenset({Verdict.VALID_CODE})


class SeenAtGates(RunningAtGates):
    """The attendant saw the app, or asked before in the same half-day; never counted as running."""

    key = "screen-seen"
    proof = Proof.ATTESTED
    name = gettext_lazy("screen seen by the attendant")
    counts_of_row = "attested"
    verdicts = frozenset({Verdict.SCREEN_SEEN, Verdict.ASKED_BEFORE})


class SeenOnPaper(RunningAtGates):
    """Screens seen by the paper slips of gates without a tablet: the agency's own word, never counted as running."""

    key = "paper-slips"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("screen seen, according to the gates’ paper slips")
    base_name = gettext_lazy("passages in on paper")
    bases_of_row = "on_paper"

    def figures(self, week: Week) -> Iterable[Figure]:
        """Two queries."""
        sums = paper_days(week.first_day, week.last_day)
        gates = Gate.objects.select_related("agency__unit").in_bulk({pk for pk, _day in sums})
        source = _("paper slips of the gates")
        for (gate_id, day), numbers in sorted(sums.items()):
            if base := came_in_on_paper(numbers):
                agency = gates[gate_id].agency
                yield Figure(agency.unit.path, agency.pk, numbers["screen_seen"], base, source, day)

    def suppressed_cells(self, figures: Sequence[Figure]) -> tuple[set[Cell], set[Cell]]:
        """The bases as the table of gates keeps them back; the counts are in no other table."""
        if not figures:
            return set(), set()
        counts = suppressed_cells((figure.unit_path, figure.agency_id, figure.count) for figure in figures)
        week = Week.of(figures[0].as_of)
        hidden = read_once(("gates hidden", week), lambda: suppressed_by_name(everything_of(week)))
        return counts, set(hidden[self.bases_of_row])


def search(user: User, words: str) -> list[Hit]:
    """Gates that are open, whose pages everybody signed in may read, by name and agency."""
    if not grants_for(user, ROLES):
        return []
    gates = Gate.objects.filter(closed_at=None, kind=GateKind.SITE).select_related("agency")
    found = [
        one for one in gates.order_by("agency__name", "name")[:5000] if holds(f"{one.name} {one.agency.name}", words)
    ]
    return [Hit(_("Gate"), one.name, reverse("gate", args=[one.pk]), one.agency.name) for one in found[:MOST_HITS]]
