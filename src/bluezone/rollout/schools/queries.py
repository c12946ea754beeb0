# SPDX-License-Identifier: Apache-2.0
"""Read a week of the schools: their sums, the classes that have not reported, the numbers that are suppressed for
readers outside a school, and the figures for coverage.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.rollout.coverage.api import (
    ROOT,
    Cell,
    Figure,
    Indicator,
    Proof,
    Reporting,
    agency_cell,
    read_once,
    suppressed_cells,
    unit_cell,
)
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools.models import NAMES, ClassReport, SchoolClass
from bluezone.rollout.schools.school_calendar import Breaks, breaks_around, year_of

# For each number, the numbers that include it; a small difference between the two must not be shown either.
_WITHIN = {"pupils": (), "with_smartphone": ("pupils",), "running": ("with_smartphone", "pupils"), "relatives": ()}
SCHOOLS_A_PAGE = 50
SHOWN = ("all", "reported", "missing")


@dataclass(frozen=True)
class ShownCounts:
    """The four numbers of a school or of a sum; a suppressed number is None."""

    pupils: int | None
    with_smartphone: int | None
    running: int | None
    relatives: int | None

    @property
    def share(self) -> float | None:
        """Running pupils among those with a smartphone, 0..1; None if suppressed, or if no pupil has a smartphone."""
        if self.running is None or not self.with_smartphone:
            return None
        return self.running / self.with_smartphone

    @property
    def suppresses_something(self) -> bool:
        """Whether any of the four is suppressed."""
        return any(getattr(self, name) is None for name in NAMES)

    def without(self, names: Iterable[str]) -> "ShownCounts":
        """A copy in which the numbers of these names are suppressed."""
        suppressed = set(names)
        return ShownCounts(**{name: None if name in suppressed else getattr(self, name) for name in NAMES})


@dataclass(frozen=True)
class SchoolSum:
    """The sums over the classes of one school in a week.

    path: of the school's unit. counts: in the order of NAMES. reports: the number of classes that reported.
    """

    school_id: int
    path: str
    counts: tuple[int, int, int, int]
    reports: int

    def number(self, name: str) -> int:
        """One of the four numbers."""
        return self.counts[NAMES.index(name)]


def suppressed_cells_by_count(sums: Iterable[SchoolSum]) -> dict[str, set[Cell]]:
    """The cells to suppress, by name of the number. sums: of all schools of the week, even if a page shows fewer."""
    schools = list(sums)
    suppressed: dict[str, set[Cell]] = {}
    for name in NAMES:
        cells = suppressed_cells((school.path, school.school_id, school.number(name)) for school in schools)
        for wider in _WITHIN[name]:
            differences = [
                (school.path, school.school_id, school.number(wider) - school.number(name)) for school in schools
            ]
            cells |= suppressed_cells(differences)
            # The narrower number is a lower bound of the wider one, so it is suppressed wherever the wider one is.
            cells |= suppressed[wider]
        suppressed[name] = cells
    return suppressed


@dataclass(frozen=True)
class SchoolRow:
    """One school in the table.

    classes: how many owe numbers. received: how many have sent them. missing: names of those that have not.
    counted: None before the first report. closed: why there is no school this week, "" if there is school.
    is_own: whether the reader enters its numbers.
    """

    school: Agency
    classes: int
    received: int
    missing: tuple[str, ...]
    counted: ShownCounts | None
    closed: str
    is_own: bool


@dataclass(frozen=True)
class SchoolTable:
    """One page of the table of a week and unit.

    expected, received: the number of schools that owe numbers, and of those that have sent all.
    classes, classes_received: the same for classes.
    """

    page: Page[Agency]
    rows: list[SchoolRow]
    total: ShownCounts | None
    expected: int
    received: int
    classes: int
    classes_received: int
    suppresses_something: bool

    @property
    def missing(self) -> int:
        """The number of schools that have classes without a report, or no classes entered."""
        return self.expected - self.received


@dataclass(frozen=True)
class _Week:
    """The data of a week. sums, classes: by school. suppressed: the cells by name of the number."""

    sums: dict[int, SchoolSum]
    classes: dict[int, int]
    suppressed: dict[str, set[Cell]]
    breaks: Breaks

    def is_complete(self, school_id: int) -> bool:
        """Whether every class of a school has reported."""
        classes = self.classes.get(school_id, 0)
        sums = self.sums.get(school_id)
        return bool(classes) and sums is not None and sums.reports >= classes


def schools_of_week(week: Week, unit: AdminUnit | None = None) -> QuerySet[Agency]:
    """Schools that the directory has when the week begins. unit: only those in it."""
    schools = Agency.objects.valid_on(week.first_day).filter(kind=AgencyKind.SCHOOL)
    return schools.filter(unit__path__startswith=unit.path) if unit else schools


def classes_of(week: Week) -> QuerySet[SchoolClass]:
    """Classes that owe numbers for a week, unless their school has a break."""
    return SchoolClass.objects.filter(Q(ended_on=None) | Q(ended_on__gte=week.first_day), year=year_of(week))


def valid_reports(week: Week) -> QuerySet[ClassReport]:
    """The reports that count for a week: the newest version of each class, unless it was sent back."""
    return ClassReport.objects.filter(week=week.first_day, is_current=True, returned_at=None)


def school_sums(week: Week) -> list[SchoolSum]:
    """The sums over each school's classes in a week; one query."""
    return read_once(("school sums", week), lambda: _school_sums(week))


def _school_sums(week: Week) -> list[SchoolSum]:
    rows = (
        valid_reports(week)
        .values_list("school_class__school_id", "school_class__school__unit__path")
        .annotate(*(Sum(name) for name in NAMES), Count("pk"))
        .order_by("school_class__school_id")
    )
    return [SchoolSum(pk, path, (a, b, c, d), reports) for pk, path, a, b, c, d, reports in rows]


def school_table(
    week: Week, unit: AdminUnit | None, show: str, words: str, number: str | None, own: frozenset[int]
) -> SchoolTable:
    """The table of a week, read in a constant number of queries.

    unit: only schools in it. show: one of SHOWN. words: part of a name or code. number: of the page.
    own: schools for which the reader enters numbers; their numbers are not suppressed.
    """
    data = _read(week)
    owing = list(schools_of_week(week, unit).select_related("unit").order_by("unit__path", "name", "pk"))
    open_ones = [school for school in owing if not data.breaks.reason_for(school, week)]
    complete = {school.pk for school in open_ones if data.is_complete(school.pk)}
    schools = schools_of_week(week, unit).matching(words)  # type: ignore[attr-defined]
    if show == "reported":
        schools = schools.filter(pk__in=complete)
    elif show == "missing":
        schools = schools.filter(pk__in=[school.pk for school in open_ones if school.pk not in complete])
    page = Paginator(schools.select_related("unit").order_by("unit__path", "name", "pk"), SCHOOLS_A_PAGE).get_page(
        number
    )
    rows = _rows(list(page.object_list), week, data, own)
    total = _total(data, owing, unit, own)
    suppresses = any(row.counted and row.counted.suppresses_something for row in rows) or (
        total and total.suppresses_something
    )
    return SchoolTable(
        page, rows, total, len(open_ones), len(complete),
        sum(data.classes.get(school.pk, 0) for school in open_ones),
        sum(data.sums[school.pk].reports for school in open_ones if school.pk in data.sums),
        bool(suppresses),
    )  # fmt: skip


def all_rows(week: Week, unit: AdminUnit | None, own: frozenset[int]) -> list[SchoolRow]:
    """Every school of a week as a row."""
    schools = schools_of_week(week, unit).select_related("unit").order_by("unit__path", "name", "pk")
    return _rows(list(schools), week, _read(week), own)


def row_of(school: Agency, week: Week, *, is_own: bool) -> SchoolRow:
    """The row of one school. school: read with its unit. is_own: whether the reader enters its numbers."""
    return _rows([school], week, _read(week), frozenset({school.pk} if is_own else ()))[0]


def missing_schools(week: Week, unit: AdminUnit | None) -> list[str]:
    """The names of schools that have not sent all numbers, for a report.

    If some classes of a school have reported, the classes without a report follow its name.
    """
    rows = all_rows(week, unit, frozenset())
    return [_missing_text(row) for row in rows if not row.closed and (row.missing or not row.classes)]


def _missing_text(row: SchoolRow) -> str:
    if not row.missing or not row.received:
        return row.school.name
    more = "…" if len(row.missing) > 8 else ""
    return f"{row.school.name} ({', '.join(row.missing[:8])}{more})"


def count_reporting(week: Week, path: str) -> tuple[int, int]:
    """(schools that have sent all numbers for a week, schools that owe numbers) under a unit's path; five queries."""
    data = _read(week)
    schools = schools_of_week(week).filter(unit__path__startswith=path).order_by().values_list("pk", "unit__path")
    owing = [pk for pk, unit_path in schools if not data.breaks.reason_at(pk, unit_path, week)]
    return sum(data.is_complete(pk) for pk in owing), len(owing)


def units_to_choose(week: Week) -> QuerySet[AdminUnit]:
    """Units to which the table can be narrowed."""
    return AdminUnit.objects.valid_on(week.first_day).exclude(kind=UnitKind.GROUP).order_by("path")


def _read(week: Week) -> _Week:
    sums = school_sums(week)
    classes = classes_of(week).values_list("school_id").annotate(Count("pk")).order_by("school_id")
    return _Week(
        {school.school_id: school for school in sums},
        dict(classes),
        suppressed_cells_by_count(sums),
        breaks_around(week),
    )


def _rows(schools: Sequence[Agency], week: Week, data: _Week, own: frozenset[int]) -> list[SchoolRow]:
    missing = _missing(schools, week)
    rows = []
    for school in schools:
        sums = data.sums.get(school.pk)
        is_own = school.pk in own
        counted = None
        if sums is not None:
            counted = ShownCounts(*sums.counts)
            if not is_own:
                counted = counted.without(_suppressed_names(data, agency_cell(school.pk)))
        closed = data.breaks.reason_for(school, week)
        names = () if closed else tuple(missing.get(school.pk, ()))
        received = sums.reports if sums else 0
        rows.append(SchoolRow(school, data.classes.get(school.pk, 0), received, names, counted, closed, is_own))
    return rows


def _missing(schools: Iterable[Agency], week: Week) -> dict[int, list[str]]:
    sent = valid_reports(week).filter(school_class__school__in=[school.pk for school in schools])
    late = classes_of(week).filter(school__in=[school.pk for school in schools])
    late = late.exclude(pk__in=set(sent.values_list("school_class_id", flat=True)))
    names: defaultdict[int, list[str]] = defaultdict(list)
    for school_id, name in late.order_by("folded", "pk").values_list("school_id", "name"):
        names[school_id].append(name)
    return names


def _total(data: _Week, schools: Sequence[Agency], unit: AdminUnit | None, own: frozenset[int]) -> ShownCounts | None:
    under = [school for school in data.sums.values() if unit is None or school.path.startswith(unit.path)]
    if not under:
        return None
    sums = [sum(column) for column in zip(*(school.counts for school in under), strict=True)]
    if schools and all(school.school_id in own for school in under):
        return ShownCounts(*sums)
    return ShownCounts(*sums).without(_suppressed_names(data, unit_cell(unit.pk) if unit else ROOT))


def _suppressed_names(data: _Week, cell: Cell) -> list[str]:
    return [name for name in NAMES if cell in data.suppressed[name]]


@dataclass(frozen=True)
class PupilFigure(Figure):
    """A school's week. pupils: all pupils, with or without a smartphone."""

    pupils: int = 0


class PupilsRunning(Indicator):
    """The share of pupils with Bluezone running among those with a smartphone, as the classes report for a week."""

    key = "pupils"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("pupils running it, as reported by their school")
    base_name = gettext_lazy("pupils with a smartphone")
    of_phones = True

    def figures(self, week: Week) -> Iterable[Figure]:
        """One figure for each school that reported; one query."""
        days = week.in_vietnamese() if get_language() == "vi" else week.in_english()
        source = _("class reports of the schools, week %(week)s") % {"week": days}
        day = min(week.last_day, timezone.localdate())
        for school in school_sums(week):
            pupils, phones, running, _relatives = school.counts
            yield PupilFigure(school.path, school.school_id, running, phones, source, day, pupils)

    def suppressed_cells(self, figures: Sequence[Figure]) -> tuple[set[Cell], set[Cell]]:
        """As in the table of the schools; also suppressed if few pupils have no smartphone, or few do not run it."""
        suppressed = suppressed_cells_by_count(_sum_of(figure) for figure in figures)
        return suppressed["running"], suppressed["with_smartphone"]

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The table of the schools, narrowed to the unit."""
        return f"{reverse('schools')}?{urlencode({'week': week, 'unit': unit_id})}"

    def reporting(self, unit_path: str, week: Week) -> Reporting | None:
        """Schools in the unit; None if none of them owes numbers."""
        complete, owing = count_reporting(week, unit_path)
        if not owing:
            return None
        unit_id = unit_path.rstrip("/").rsplit("/", 1)[-1]
        address = f"{reverse('schools')}?{urlencode({'week': week, 'unit': unit_id, 'show': 'missing'})}"
        return Reporting(complete, owing, address)

    def missing(self, unit_path: str, week: Week) -> list[str]:
        """Schools under a unit that have not sent all numbers, as `missing_schools` names them."""
        return missing_schools(week, AdminUnit.objects.filter(path=unit_path).first())


def _sum_of(figure: Figure) -> SchoolSum:
    pupils = figure.pupils if isinstance(figure, PupilFigure) else figure.base
    return SchoolSum(figure.agency_id or 0, figure.unit_path, (pupils, figure.base, figure.count, 0), 1)
