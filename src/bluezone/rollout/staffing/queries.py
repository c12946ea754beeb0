# SPDX-License-Identifier: Apache-2.0
"""The agency table of a week: the reports, the agencies without one, and the suppressed numbers; and the figures for
coverage.
"""

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.rollout.coverage.api import (
    ROOT,
    Cell,
    Figure,
    Indicator,
    Proof,
    Reporting,
    agency_cell,
    suppressed_cells,
    unit_cell,
)
from bluezone.rollout.report_week import Week
from bluezone.rollout.staffing.counts import NAMES
from bluezone.rollout.staffing.models import StaffReport, WeekReopening

AGENCIES_A_PAGE = 50
SHOWN = ("all", "reported", "missing")


@dataclass(frozen=True)
class ShownCounts:
    """The five numbers of an agency or of a sum; a suppressed number is None."""

    staff: int | None
    with_smartphone: int | None
    running: int | None
    web_edition: int | None
    reminded: int | None

    @property
    def of_staff(self) -> float | None:
        """Running staff as a share of all staff, 0..1; None if unknown."""
        return _share(self.running, self.staff)

    @property
    def of_smartphones(self) -> float | None:
        """Running staff as a share of staff with a smartphone, 0..1; None if unknown."""
        return _share(self.running, self.with_smartphone)

    @property
    def suppresses_something(self) -> bool:
        """Whether any of the five is suppressed."""
        return any(getattr(self, name) is None for name in NAMES)


@dataclass(frozen=True)
class AgencyRow:
    """One agency in the table. is_own: whether the reader reports for it.

    counted, reported_at: None if it has not reported; then `version` is 0.
    """

    agency: Agency
    counted: ShownCounts | None
    version: int
    reported_at: datetime.datetime | None
    is_own: bool


@dataclass(frozen=True)
class AgencyTable:
    """One page of the table of a week and unit.

    expected: the number of agencies that owe a report. received: the number of those that have sent it.
    """

    page: Page[Agency]
    rows: list[AgencyRow]
    total: ShownCounts | None
    expected: int
    received: int
    suppresses_something: bool

    @property
    def missing(self) -> int:
        """The number of agencies that have not reported."""
        return self.expected - self.received


@dataclass(frozen=True)
class _Stored:
    """The values of a current report that the table needs."""

    agency_id: int
    unit_path: str
    version: int
    reported_at: datetime.datetime
    counts: tuple[int, ...]


def expected_agencies(week: Week, unit: AdminUnit | None = None) -> QuerySet[Agency]:
    """Agencies that owe a report for a week: those that the directory has when it begins. unit: only those in it."""
    agencies = Agency.objects.valid_on(week.first_day)
    return agencies.filter(unit__path__startswith=unit.path) if unit else agencies


def agency_table(
    week: Week,
    unit: AdminUnit | None,
    show: str,
    words: str,
    number: str | None,
    *,
    own: frozenset[int],
    training: bool = False,
) -> AgencyTable:
    """The table of a week, read in a constant number of queries.

    unit: only agencies in it. show: one of SHOWN. words: part of a name or code. number: of the page.
    own: agencies for which the reader reports; their numbers are not suppressed.
    """
    stored = _read_reports(week, training)
    suppressed = _suppressed_cells(stored)
    owing = expected_agencies(week, unit)
    by_agency = {report.agency_id: report for report in stored}
    agencies = _agencies_to_show(owing, by_agency, show, words)
    page = Paginator(agencies, AGENCIES_A_PAGE).get_page(number)
    under = [report for report in stored if unit is None or report.unit_path.startswith(unit.path)]
    rows = [_row(agency, by_agency.get(agency.pk), suppressed, own) for agency in page.object_list]
    cell = unit_cell(unit.pk) if unit else ROOT
    all_own = all(report.agency_id in own for report in under)
    total = _total(under, [cell in column and not all_own for column in suppressed])
    suppresses = any(row.counted and row.counted.suppresses_something for row in rows) or (
        total and total.suppresses_something
    )
    received = owing.filter(pk__in=by_agency).count()
    return AgencyTable(page, rows, total, owing.count(), received, bool(suppresses))


def all_rows(week: Week, unit: AdminUnit | None, *, own: frozenset[int], training: bool = False) -> list[AgencyRow]:
    """Every agency in a unit that owes a report for a week, or every agency if `unit` is None."""
    stored = _read_reports(week, training)
    suppressed = _suppressed_cells(stored)
    by_agency = {report.agency_id: report for report in stored}
    agencies = expected_agencies(week, unit).select_related("unit").order_by("unit__path", "name", "pk")
    return [_row(agency, by_agency.get(agency.pk), suppressed, own) for agency in agencies]


def report_versions(agency: Agency, week: Week, *, training: bool = False) -> list[StaffReport]:
    """All versions of an agency's report for a week, newest first."""
    reports = StaffReport.everything.filter(agency=agency, week=week.first_day, training=training)
    return list(reports.select_related("reported_by").order_by("-version"))


def last_report_before(agency: Agency, week: Week, *, training: bool = False) -> StaffReport | None:
    """The current report of an agency for the week, or else for the last week before it; None without any."""
    reports = StaffReport.everything.filter(agency=agency, week__lte=week.first_day, training=training, is_current=True)
    return reports.order_by("-week").first()


def reopenings(agency: Agency, week: Week) -> list[WeekReopening]:
    """The reopenings of a week for an agency, newest first."""
    return list(WeekReopening.objects.filter(agency=agency, week=week.first_day).select_related("opened_by"))


def units_to_choose(week: Week) -> QuerySet[AdminUnit]:
    """Units to which the table can be narrowed."""
    return AdminUnit.objects.valid_on(week.first_day).exclude(kind=UnitKind.GROUP).order_by("path")


def _agencies_to_show(owing: QuerySet[Agency], reported: Collection[int], show: str, words: str) -> QuerySet[Agency]:
    """The agencies to show, in order. reported: primary keys of agencies.

    They are a parameter, as without table statistics PostgreSQL takes minutes to join the reports.
    """
    agencies = owing.matching(words)  # type: ignore[attr-defined]
    if show == "reported":
        agencies = agencies.filter(pk__in=reported)
    elif show == "missing":
        agencies = agencies.exclude(pk__in=reported)
    return agencies.select_related("unit").order_by("unit__path", "name", "pk")  # type: ignore[no-any-return]


def _read_reports(week: Week, training: bool) -> list[_Stored]:
    rows = StaffReport.everything.filter(week=week.first_day, training=training, is_current=True).values_list(
        "agency_id", "agency__unit__path", "version", "reported_at", *NAMES
    )
    return [_Stored(pk, path, version, at, counts) for pk, path, version, at, *counts in rows]


def _suppressed_cells(stored: list[_Stored]) -> list[set[Cell]]:
    """The cells to suppress for each of the five numbers."""
    return [
        suppressed_cells((report.unit_path, report.agency_id, report.counts[column]) for report in stored)
        for column in range(len(NAMES))
    ]


def _row(agency: Agency, report: _Stored | None, suppressed: list[set[Cell]], own: frozenset[int]) -> AgencyRow:
    is_own = agency.pk in own
    if report is None:
        return AgencyRow(agency, None, 0, None, is_own)
    is_column_suppressed = [not is_own and agency_cell(agency.pk) in column for column in suppressed]
    counts = [
        None if is_suppressed else count
        for count, is_suppressed in zip(report.counts, is_column_suppressed, strict=True)
    ]
    return AgencyRow(agency, ShownCounts(*counts), report.version, report.reported_at, is_own)


def _total(reports: list[_Stored], suppressed: list[bool]) -> ShownCounts | None:
    if not reports:
        return None
    sums = [sum(column) for column in zip(*(report.counts for report in reports), strict=True)]
    return ShownCounts(
        *(None if is_suppressed else value for value, is_suppressed in zip(sums, suppressed, strict=True))
    )


def _share(count: int | None, base: int | None) -> float | None:
    if count is None or not base:
        return None
    return count / base


class StaffRunning(Indicator):
    """The share of staff with Bluezone running among those with a smartphone, as their agencies report for a week."""

    key = "staff"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("staff running it, as reported by their agency")
    base_name = gettext_lazy("staff with a smartphone")
    of_phones = True

    def figures(self, week: Week) -> Iterable[Figure]:
        """One figure for each agency that reported; one query."""
        days = week.in_vietnamese() if get_language() == "vi" else week.in_english()
        source = _("staff reports of the agencies, week %(week)s") % {"week": days}
        rows = StaffReport.objects.filter(week=week.first_day, is_current=True).values_list(
            "agency__unit__path", "agency_id", "running", "with_smartphone", "reported_at"
        )
        zone = timezone.get_current_timezone()
        return [
            Figure(path, agency_id, running, phones, source, at.astimezone(zone).date())
            for path, agency_id, running, phones, at in rows
        ]

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The agency table, narrowed to the unit."""
        return f"{reverse('staff')}?{urlencode({'week': week, 'unit': unit_id, 'show': 'reported'})}"

    def reporting(self, unit_path: str, week: Week) -> Reporting:
        """Agencies in the unit; two queries."""
        owing = Agency.objects.valid_on(week.first_day).filter(unit__path__startswith=unit_path)
        sent = StaffReport.objects.filter(week=week.first_day, is_current=True, agency__in=owing)
        unit_id = unit_path.rstrip("/").rsplit("/", 1)[-1]
        address = f"{reverse('staff')}?{urlencode({'week': week, 'unit': unit_id, 'show': 'missing'})}"
        return Reporting(sent.count(), owing.count(), address)

    def missing(self, unit_path: str, week: Week) -> list[str]:
        """Agencies under a unit that have not reported, by name; one query."""
        sent = StaffReport.objects.filter(week=week.first_day, is_current=True).values("agency_id")
        owing = Agency.objects.valid_on(week.first_day).filter(unit__path__startswith=unit_path).exclude(pk__in=sent)
        return list(owing.order_by("unit__path", "name", "pk").values_list("name", flat=True))
