# SPDX-License-Identifier: Apache-2.0
"""Read the schools of a week: what each counted, which classes have not reported, what is kept back from readers above
the school, and what goes into coverage.
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
    Week,
    agency_cell,
    hidden_cells_of,
    once,
    unit_cell,
)
from bluezone.rollout.schools.models import NAMES, ClassReport, SchoolClass
from bluezone.rollout.schools.school_calendar import Breaks, breaks_around, year_of

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


def kept_back(sums: Iterable[SchoolSum]) -> dict[str, set[Cell]]:
    """For each of the four columns the cells where it is kept back; all schools must be given, whatever is shown."""
    everything = list(sums)
    found: dict[str, set[Cell]] = {}
    for name in NAMES:
        cells = hidden_cells_of((one.path, one.school_id, one.number(name)) for one in everything)
        for wider in _WITHIN[name]:
            left = [(one.path, one.school_id, one.number(wider) - one.number(name)) for one in everything]
            cells |= hidden_cells_of(left)
            # Pupils running are no more than pupils: a number beside a wider one that is hidden bounds that one.
            cells |= found[wider]
        found[name] = cells
    return found


SCHOOLS_A_PAGE = 50
SHOWN = ("all", "reported", "missing")


@dataclass(frozen=True)
class SchoolRow:
    """One school in the table. counted: None where nothing came; missing: classes that owe numbers, by name.

    closed: why there is no school this week, "" where there is. is_own: whether the reader enters its numbers.
    """

    school: Agency
    classes: int
    received: int
    missing: tuple[str, ...]
    counted: Counted | None
    closed: str
    is_own: bool


@dataclass(frozen=True)
class SchoolTable:
    """The table of a week and unit, one page of it. expected, received: schools that owe numbers, and sent all."""

    page: Page[Agency]
    rows: list[SchoolRow]
    total: Counted | None
    expected: int
    received: int
    classes: int
    classes_received: int
    hides_something: bool

    @property
    def missing(self) -> int:
        """Schools of which classes have not reported, or that have not entered any."""
        return self.expected - self.received


@dataclass(frozen=True)
class _Week:
    """Everything of a week by school: sums, how many classes there are and how many have reported."""

    sums: dict[int, SchoolSum]
    classes: dict[int, int]
    hidden: dict[str, set[Cell]]
    breaks: Breaks

    def is_complete(self, school_id: int) -> bool:
        """Whether every class of a school has reported."""
        classes, sums = self.classes.get(school_id, 0), self.sums.get(school_id)
        return bool(classes) and sums is not None and sums.reports >= classes


def schools_in_force(week: Week, unit: AdminUnit | None = None) -> QuerySet[Agency]:
    """Schools of the directory in force when the week begins, of a unit where one is given."""
    found = Agency.objects.in_force(week.first_day).filter(kind=AgencyKind.SCHOOL)
    return found.filter(unit__path__startswith=unit.path) if unit else found


def classes_of(week: Week) -> QuerySet[SchoolClass]:
    """Classes that owe numbers for a week where their school has school."""
    return SchoolClass.objects.filter(Q(ended_on=None) | Q(ended_on__gte=week.first_day), year=year_of(week))


def valid_reports(week: Week) -> QuerySet[ClassReport]:
    """What counts of a week: the newest version of each class, unless it was sent back."""
    return ClassReport.objects.filter(week=week.first_day, is_current=True, returned_at=None)


def school_sums(week: Week) -> list[SchoolSum]:
    """What each school's classes counted in a week, added up; one query."""
    return once(("school sums", week), lambda: _school_sums(week))


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
    """Read the table in a constant number of queries.

    unit: narrow to it. show: one of SHOWN. words: part of a name or code. number: of the page.
    own: schools whose numbers the reader enters, and so sees whatever their size.
    """
    read = _read(week)
    owing = list(schools_in_force(week, unit).select_related("unit").order_by("unit__path", "name", "pk"))
    open_ones = [one for one in owing if not read.breaks.of(one, week)]
    complete = {one.pk for one in open_ones if read.is_complete(one.pk)}
    found = schools_in_force(week, unit).matching(words)  # type: ignore[attr-defined]
    if show == "reported":
        found = found.filter(pk__in=complete)
    elif show == "missing":
        found = found.filter(pk__in=[one.pk for one in open_ones if one.pk not in complete])
    page = Paginator(found.select_related("unit").order_by("unit__path", "name", "pk"), SCHOOLS_A_PAGE).get_page(number)
    rows = _rows(list(page.object_list), week, read, own)
    total = _total(read, owing, unit, own)
    hides = any(row.counted and row.counted.hides_something for row in rows) or (total and total.hides_something)
    return SchoolTable(
        page, rows, total, len(open_ones), len(complete),
        sum(read.classes.get(one.pk, 0) for one in open_ones),
        sum(read.sums[one.pk].reports for one in open_ones if one.pk in read.sums),
        bool(hides),
    )  # fmt: skip


def all_rows(week: Week, unit: AdminUnit | None, own: frozenset[int]) -> list[SchoolRow]:
    """Every school of a week, for the file and for one school's page."""
    schools = schools_in_force(week, unit).select_related("unit").order_by("unit__path", "name", "pk")
    return _rows(list(schools), week, _read(week), own)


def row_of(school: Agency, week: Week, *, is_own: bool) -> SchoolRow:
    """One school, read with its unit, as its own people or others see it."""
    return _rows([school], week, _read(week), frozenset({school.pk} if is_own else ()))[0]


def missing_schools(week: Week, unit: AdminUnit | None) -> list[str]:
    """Schools that have not sent everything, each with the classes that are missing, in words for a report."""
    rows = all_rows(week, unit, frozenset())
    late = [row for row in rows if not row.closed and (row.missing or not row.classes)]
    return [
        f"{row.school.name} ({', '.join(row.missing[:8])}{'…' if len(row.missing) > 8 else ''})"
        if row.missing and row.received
        else row.school.name
        for row in late
    ]


def reporting(week: Week, path: str) -> tuple[int, int]:
    """Schools under a path that owe numbers for a week: (complete, owing); five queries."""
    read = _read(week)
    schools = schools_in_force(week).filter(unit__path__startswith=path).order_by().values_list("pk", "unit__path")
    owing = [pk for pk, unit_path in schools if not read.breaks.at(pk, unit_path, week)]
    return sum(read.is_complete(pk) for pk in owing), len(owing)


def units_to_choose(week: Week) -> QuerySet[AdminUnit]:
    """Units by which the table can be narrowed."""
    return AdminUnit.objects.in_force(week.first_day).exclude(kind=UnitKind.GROUP).order_by("path")


def _read(week: Week) -> _Week:
    sums = school_sums(week)
    classes = classes_of(week).values_list("school_id").annotate(Count("pk")).order_by("school_id")
    return _Week({one.school_id: one for one in sums}, dict(classes), kept_back(sums), breaks_around(week))


def _rows(schools: Sequence[Agency], week: Week, read: _Week, own: frozenset[int]) -> list[SchoolRow]:
    missing = _missing(schools, week)
    rows = []
    for school in schools:
        sums, is_own = read.sums.get(school.pk), school.pk in own
        counted = None
        if sums is not None:
            counted = Counted(*sums.counts)
            if not is_own:
                counted = counted.without(_hidden_at(read, agency_cell(school.pk)))
        closed = read.breaks.of(school, week)
        names = () if closed else tuple(missing.get(school.pk, ()))
        received = sums.reports if sums else 0
        rows.append(SchoolRow(school, read.classes.get(school.pk, 0), received, names, counted, closed, is_own))
    return rows


def _missing(schools: Iterable[Agency], week: Week) -> dict[int, list[str]]:
    sent = valid_reports(week).filter(school_class__school__in=[one.pk for one in schools])
    late = classes_of(week).filter(school__in=[one.pk for one in schools])
    late = late.exclude(pk__in=set(sent.values_list("school_class_id", flat=True)))
    names: defaultdict[int, list[str]] = defaultdict(list)
    for school_id, name in late.order_by("folded", "pk").values_list("school_id", "name"):
        names[school_id].append(name)
    return names


def _total(read: _Week, schools: Sequence[Agency], unit: AdminUnit | None, own: frozenset[int]) -> Counted | None:
    under = [one for one in read.sums.values() if unit is None or one.path.startswith(unit.path)]
    if not under:
        return None
    sums = [sum(column) for column in zip(*(one.counts for one in under), strict=True)]
    if schools and all(one.school_id in own for one in under):
        return Counted(*sums)
    return Counted(*sums).without(_hidden_at(read, unit_cell(unit.pk) if unit else ROOT))


def _hidden_at(read: _Week, cell: Cell) -> list[str]:
    return [name for name in NAMES if cell in read.hidden[name]]


@dataclass(frozen=True)
class PupilFigure(Figure):
    """A school's week; pupils: all of them, from whom those without a smartphone could be worked out."""

    pupils: int = 0


class PupilsRunning(Indicator):
    """Pupils whose phone runs Bluezone / pupils with a smartphone, as schools report of their classes for a week."""

    key = "pupils"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("pupils running it, by their school’s word")
    base_name = gettext_lazy("pupils with a smartphone")
    of_phones = True

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each school that reported; one query."""
        shown = week.in_vietnamese() if get_language() == "vi" else week.in_english()
        source = _("class reports of the schools, week %(week)s") % {"week": shown}
        day = min(week.last_day, timezone.localdate())
        for one in school_sums(week):
            pupils, phones, running, _relatives = one.counts
            yield PupilFigure(one.path, one.school_id, running, phones, source, day, pupils)

    def kept_back(self, figures: Sequence[Figure]) -> tuple[set[Cell], set[Cell]]:
        """As in the table of the schools: also where those without a smartphone or not running are few."""
        sums = [
            SchoolSum(
                figure.agency_id or 0, figure.unit_path,
                (figure.pupils if isinstance(figure, PupilFigure) else figure.base, figure.base, figure.count, 0), 1,
            )
            for figure in figures
        ]  # fmt: skip
        hidden = kept_back(sums)
        return hidden["running"], hidden["with_smartphone"]

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The table of the schools, narrowed to the unit."""
        return f"{reverse('schools')}?{urlencode({'week': week, 'unit': unit_id})}"

    def reporting(self, unit_path: str, week: Week) -> Reporting | None:
        """Schools that serve the unit or a part of it; None where there is no school."""
        complete, owing = reporting(week, unit_path)
        if not owing:
            return None
        unit_id = unit_path.rstrip("/").rsplit("/", 1)[-1]
        address = f"{reverse('schools')}?{urlencode({'week': week, 'unit': unit_id, 'show': 'missing'})}"
        return Reporting(complete, owing, address)

    def missing(self, unit_path: str, week: Week) -> list[str]:
        """Schools that have not sent everything, with the classes that are missing."""
        return missing_schools(week, AdminUnit.objects.filter(path=unit_path).first())
