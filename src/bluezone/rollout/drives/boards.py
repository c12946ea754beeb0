# SPDX-License-Identifier: Apache-2.0
"""The numbers of drives and help by drive, ward, team and unit, and the indicators for coverage."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.directory.kinds import Quantity
from bluezone.directory.models import AdminUnit, Denominator
from bluezone.rollout.coverage.api import Figure, Indicator, Proof, agency_cell, read_once, suppressed_cells
from bluezone.rollout.drives.help_queue import free_requests
from bluezone.rollout.drives.models import (
    Drive,
    DriveState,
    DriveTally,
    HelpOutcome,
    HelpProof,
    HelpRequest,
    HelpResult,
    HelpState,
    Hindrance,
    Team,
)
from bluezone.rollout.report_week import Week

NAMES = ("proven", "attested", "other", "no_smartphone", "could_not")


@dataclass
class HelpNumbers:
    """Numbers of closed requests, in classes that are never added together; None if suppressed.

    proven, attested: phones on which Bluezone ran. other: helped with something else. no_smartphone: could not be
    helped for that reason. could_not: could not be helped for another reason.
    """

    proven: int | None = 0
    attested: int | None = 0
    other: int | None = 0
    no_smartphone: int | None = 0
    could_not: int | None = 0

    @property
    def suppresses_something(self) -> bool:
        """Whether any number is suppressed."""
        return any(number is None for number in vars(self).values())

    def share_of(self, figure: Denominator | None) -> float | None:
        """Proven phones as a share of a denominator, 0..1; None if either is missing."""
        if self.proven is None or figure is None or not figure.value:
            return None
        return self.proven / figure.value


@dataclass
class WardRow:
    """One ward: how many requests are open, its numbers, and its newest denominators by kind."""

    unit: AdminUnit
    numbers: HelpNumbers
    waiting: int = 0
    figures: dict[str, Denominator] = field(default_factory=dict)

    @property
    def population(self) -> Denominator | None:
        """The newest population with its source."""
        return self.figures.get(Quantity.POPULATION)

    @property
    def smartphones(self) -> Denominator | None:
        """The newest number of smartphones with its source."""
        return self.figures.get(Quantity.SMARTPHONES)

    @property
    def of_population(self) -> float | None:
        """Proven phones per resident, 0..1."""
        return self.numbers.share_of(self.population)

    @property
    def of_smartphones(self) -> float | None:
        """Proven phones per smartphone, 0..1."""
        return self.numbers.share_of(self.smartphones)


@dataclass
class TeamRow:
    """One team: its numbers, and how many of its drives were opened."""

    team: Team
    numbers: HelpNumbers
    drives: int


def drive_numbers(drive: Drive) -> HelpNumbers:
    """The numbers of one drive, never suppressed; phones running on its tally sheets count as attested."""
    outcomes = HelpOutcome.objects.filter(drive=drive)
    tallies = DriveTally.objects.filter(drive=drive)
    return _numbers_by(outcomes, tallies, "drive", "drive").get(drive.pk, HelpNumbers())


def ward_rows(campaign_id: int | None, own: frozenset[int], now: datetime.datetime) -> list[WardRow]:
    """The wards with any number or open request, by name. own: units for which no number is suppressed.

    campaign_id: only its drives count in the numbers; None for all requests.
    """
    outcomes, tallies = _of_campaign(campaign_id)
    counted = _numbers_by(outcomes.exclude(unit=None), tallies, "unit", "drive__unit")
    open_now = HelpRequest.objects.filter(free_requests(now) | Q(state=HelpState.CLAIMED)).exclude(unit=None).order_by()
    waiting = dict(open_now.values_list("unit").annotate(count=Count("pk")))
    units = AdminUnit.objects.filter(pk__in={*counted, *waiting}).order_by("name")
    figures: defaultdict[int, dict[str, Denominator]] = defaultdict(dict)
    for figure in Denominator.objects.filter(unit__in=units, as_of__lte=timezone.localdate(now)).order_by("as_of"):
        figures[figure.unit_id or 0][figure.kind] = figure
    rows = [
        WardRow(unit, counted.get(unit.pk, HelpNumbers()), waiting.get(unit.pk, 0), figures[unit.pk]) for unit in units
    ]
    _suppress([(row.unit.path, 0, row.numbers, row.unit.pk in own) for row in rows])
    return rows


def team_rows(campaign_id: int | None, own: frozenset[int]) -> list[TeamRow]:
    """The teams with any number or drive, most proven phones first. own: agencies with no suppressed number.

    campaign_id: only its drives count; None for all.
    """
    outcomes, tallies = _of_campaign(campaign_id)
    counted = _numbers_by(outcomes, tallies, "team", "drive__team")
    drives = Drive.objects.filter(opened_at__isnull=False)
    drives = drives.filter(campaign=campaign_id) if campaign_id else drives
    times = dict(drives.order_by().values_list("team").annotate(count=Count("pk")))
    teams = Team.objects.filter(pk__in={*counted, *times}).select_related("agency__unit")
    rows = [TeamRow(team, counted.get(team.pk, HelpNumbers()), times.get(team.pk, 0)) for team in teams]
    rows.sort(key=lambda row: (-(row.numbers.proven or 0), row.team.name, row.team.pk))
    _suppress([(row.team.agency.unit.path, row.team.pk, row.numbers, row.team.agency_id in own) for row in rows])
    return rows


def _of_campaign(campaign_id: int | None) -> tuple[QuerySet[HelpOutcome], QuerySet[DriveTally]]:
    """The outcomes and tally sheets of the campaign's drives; None for all outcomes and sheets."""
    outcomes = HelpOutcome.objects.all()
    tallies = DriveTally.objects.all()
    if campaign_id:
        return outcomes.filter(drive__campaign=campaign_id), tallies.filter(drive__campaign=campaign_id)
    return outcomes, tallies


def _numbers_by(
    outcomes: QuerySet[HelpOutcome], tallies: QuerySet[DriveTally], key: str, tally_key: str
) -> dict[int, HelpNumbers]:
    """The numbers by the values of a field, which outcomes call `key` and tally sheets `tally_key`."""
    numbers_by_key: defaultdict[int, HelpNumbers] = defaultdict(HelpNumbers)
    rows = outcomes.order_by().values_list(key, "result", "proof", "hindrance").annotate(count=Count("pk"))
    for pk, result, proof, hindrance, count in rows:
        _add(numbers_by_key[pk], _class_of(result, proof, hindrance), count)
    sheets = (
        tallies.order_by()
        .values_list(tally_key)
        .annotate(
            attested=Sum("running"), other=Sum("other_help"), none=Sum("no_smartphone"), not_helped=Sum("could_not")
        )
    )
    for pk, attested, other, none, not_helped in sheets:
        _add(numbers_by_key[pk], "attested", attested)
        _add(numbers_by_key[pk], "other", other)
        _add(numbers_by_key[pk], "no_smartphone", none)
        _add(numbers_by_key[pk], "could_not", not_helped)
    return dict(numbers_by_key)


def _class_of(result: str, proof: str, hindrance: str) -> str:
    """The name in Numbers under which an outcome counts."""
    if result == HelpResult.RUNNING:
        return "proven" if proof == HelpProof.PROVEN else "attested"
    if hindrance == Hindrance.NO_SMARTPHONE:
        return "no_smartphone"
    return "other" if result == HelpResult.OTHER else "could_not"


def _add(numbers: HelpNumbers, name: str, count: int) -> None:
    setattr(numbers, name, (getattr(numbers, name) or 0) + count)


def _suppress(rows: list[tuple[str, int, HelpNumbers, bool]]) -> None:
    """Suppress numbers under 5, and those that would reveal one, in rows that are not the reader's own.

    rows: (path of the unit, key of the team or 0, numbers, whether they are the reader's own); numbers are changed.
    """
    for name in NAMES:
        suppressed = suppressed_cells((path, pk, getattr(numbers, name)) for path, pk, numbers, _own in rows)
        for path, pk, numbers, own in rows:
            cell = agency_cell(pk) if pk else ("unit", int(path.rstrip("/").rsplit("/", 1)[-1]))
            if not own and cell in suppressed:
                setattr(numbers, name, None)


def open_requests_by_unit(now: datetime.datetime) -> tuple[dict[int, int], dict[int, int]]:
    """By unit: the number of requests that are free, and the number of those that a team has."""
    live = HelpRequest.objects.exclude(unit=None).order_by()
    open_now = live.filter(free_requests(now)).values_list("unit").annotate(count=Count("pk"))
    claimed = (
        live.filter(state=HelpState.CLAIMED, claimed_until__gt=now).values_list("unit").annotate(count=Count("pk"))
    )
    return dict(open_now), dict(claimed)


def closed_requests_by_unit(since: datetime.date, until: datetime.date) -> tuple[Counter[int], Counter[int]]:
    """By unit: the number of people helped, and of those who could not be; requests and tally sheets together.

    since, until: local days, both included.
    """
    done: Counter[int] = Counter()
    could_not: Counter[int] = Counter()
    outcomes = HelpOutcome.objects.filter(day__range=(since, until)).exclude(unit=None).order_by()
    for unit_id, result, count in outcomes.values_list("unit", "result").annotate(count=Count("pk")):
        counter = could_not if result == HelpResult.CANNOT else done
        counter[unit_id] += count
    tallies = DriveTally.objects.filter(drive__begins__date__range=(since, until)).order_by()
    rows = tallies.values_list("drive__unit").annotate(
        done=Sum("running") + Sum("other_help"), could_not=Sum("could_not") + Sum("no_smartphone")
    )
    for unit_id, helped, not_helped in rows:
        done[unit_id] += helped
        could_not[unit_id] += not_helped
    return done, could_not


def helper_hours(since: datetime.date, until: datetime.date, now: datetime.datetime) -> dict[int, float]:
    """Hours of drives in a span, times the people of their teams, by unit. since, until: local days, both included.

    A live drive counts until `now`, but not beyond its planned end.
    """
    first = timezone.make_aware(datetime.datetime.combine(since, datetime.time.min))
    after = timezone.make_aware(datetime.datetime.combine(until + datetime.timedelta(days=1), datetime.time.min))
    hours: dict[int, float] = {}
    drives = Drive.objects.filter(opened_at__isnull=False, opened_at__lt=after).filter(
        Q(closed_at__isnull=True) | Q(closed_at__gt=first)
    )
    for unit_id, opened, closed, planned, people in drives.values_list(
        "unit", "opened_at", "closed_at", "ends", "team__people"
    ):
        if opened is None:
            continue
        # A team may forget to close its drive, and close it late: no drive counts beyond its planned end.
        end = min(closed or now, max(planned, opened), after)
        seconds = max(0.0, (end - max(opened, first)).total_seconds())
        hours[unit_id] = hours.get(unit_id, 0.0) + people * seconds / 3600
    return hours


def free_teams() -> dict[int, int]:
    """How many teams are free now, by the unit that their union serves."""
    at_work = Drive.objects.filter(team=OuterRef("pk"), state=DriveState.LIVE)
    busy = HelpRequest.objects.filter(team=OuterRef("pk"), state=HelpState.CLAIMED)
    teams = Team.objects.filter(ended_at=None).exclude(Exists(at_work)).exclude(Exists(busy)).order_by()
    return dict(teams.values_list("agency__unit").annotate(count=Count("pk")))


def _outcomes(days: tuple[datetime.date, datetime.date]) -> list[tuple[str, int, datetime.date, str, int]]:
    """Closed requests of people with a smartphone: (unit path, union, day, proof, number of requests)."""
    outcomes = HelpOutcome.objects.filter(day__range=days).exclude(unit=None)
    rows = outcomes.exclude(hindrance=Hindrance.NO_SMARTPHONE).order_by()
    return list(rows.values_list("unit__path", "team__agency", "day", "proof").annotate(count=Count("pk")))


def _sheets(days: tuple[datetime.date, datetime.date]) -> list[tuple[str, int, datetime.date, int, int]]:
    """Tally sheets: (unit path, union, day, number of phones seen running, number of people with a smartphone)."""
    tallies = DriveTally.objects.filter(drive__begins__date__range=days).order_by()
    rows = tallies.values_list("drive__unit__path", "drive__team__agency", "drive__begins__date").annotate(
        seen=Sum("running"), base=Sum("running") + Sum("other_help") + Sum("could_not")
    )
    return [row for row in rows if row[4]]


class ProvenWithHelp(Indicator):
    """Phones that proved at a drive's radio that they run, among closed requests of people with a smartphone."""

    key = "help-proven"
    proof = Proof.PROVEN
    name = gettext_lazy("running after help, proven at the drive’s radio")
    base_name = gettext_lazy("requests for help closed, with a smartphone")
    of_phones = True
    # A phone counts for one request only, so weeks may be added.
    adds_up = True
    counts: ClassVar[HelpProof] = HelpProof.PROVEN

    def figures(self, week: Week) -> Iterable[Figure]:
        """One figure for each unit, union and day; two queries, shared by both classes of proof."""
        counted: Counter[tuple[str, int, datetime.date]] = Counter()
        bases: Counter[tuple[str, int, datetime.date]] = Counter()
        days = (week.first_day, week.last_day)
        for path, agency_id, day, proof, count in read_once(("help outcomes", week), lambda: _outcomes(days)):
            bases[path, agency_id, day] += count
            if proof == self.counts:
                counted[path, agency_id, day] += count
        for path, agency_id, day, running, base in read_once(("drive sheets", week), lambda: _sheets(days)):
            bases[path, agency_id, day] += base
            counted[path, agency_id, day] += self.on_paper(running)
        source = _("requests for help closed by teams of the unions")
        for place, base in sorted(bases.items(), key=str):
            path, agency_id, day = place
            yield Figure(path, agency_id, counted[place], base, source, day)

    def on_paper(self, running: int) -> int:
        """How many of the phones seen running on a tally sheet count here: none, as nothing on paper is proven."""
        return 0

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The board of drives."""
        return f"{reverse('drives')}#unit-{unit_id}"


class SeenWithHelp(ProvenWithHelp):
    """Phones that a helper saw running, without proof at a radio, among the same requests; never counted as proven."""

    key = "help-attested"
    proof = Proof.ATTESTED
    name = gettext_lazy("running after help, seen by the helper")
    counts = HelpProof.ATTESTED

    def on_paper(self, running: int) -> int:
        """All of them: a helper saw them."""
        return running
