# SPDX-License-Identifier: Apache-2.0
"""A list of classes with pupils and teachers, sent in by a school or given away: read, shown, stored as shown."""

import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from bluezone.directory import refusals
from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.imports.headings import Column, heading_key
from bluezone.directory.imports.import_views import ListPages
from bluezone.directory.imports.listings import file_of
from bluezone.directory.imports.raw_sheets import NotACount, RawSheet, count_of, pack, text_of
from bluezone.directory.imports.sent_lists import ImportNotReady, Preview, Reading, RefusedRow, digest_of
from bluezone.directory.imports.tables import Row, Table, read_sheets
from bluezone.directory.models import Agency
from bluezone.directory.request_parameters import chosen_number
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.models import User
from bluezone.identity.objects import Whose, touches
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.refusal import Refused
from bluezone.rollout.schools import views
from bluezone.rollout.schools.classes import catalogue
from bluezone.rollout.schools.classes.catalogue import MOST_CLASSES, NamedClass, fold_name
from bluezone.rollout.schools.classes.pupil_names import refuse_children
from bluezone.rollout.schools.forms import FILED, NO_TEACHER, ClassesFileForm, sentence_of, teachers_of
from bluezone.rollout.schools.models import MOST_PUPILS, ClassesImport, SchoolClass
from bluezone.rollout.schools.school_calendar import shown, year_of
from bluezone.training import practised
from bluezone.vietnamese.spelling import fold

COLUMNS = (
    Column("name", ("Lớp", "Tên lớp", "Lớp học", "Class name", "Class"), required=True),
    Column(
        "pupils",
        ("Sĩ số", "Sĩ số hiện tại", "Sĩ số hiện nay", "Sĩ số thực tế", "Số học sinh", "Tổng số học sinh", "Số HS",
         "Tổng số HS", "TSHS", "Học sinh", "Pupils"),
        begins=("si so", "so hoc sinh"),
    ),
    Column(
        "teacher",
        ("Giáo viên chủ nhiệm", "GVCN", "Họ và tên GVCN", "Họ tên GVCN", "Tên GVCN", "Họ và tên giáo viên chủ nhiệm",
         "Họ tên giáo viên chủ nhiệm", "Giáo viên", "Chủ nhiệm", "GV chủ nhiệm", "Teacher"),
    ),
    Column("school", ("Trường", "Tên trường", "Trường học", "Mã trường", "Đơn vị", "School")),
    Column("year", ("Năm học", "School year")),
)  # fmt: skip
# In the lists of others: the 6 of class A of the sixth grade.
_GRADE = Column("grade", ("Khối", "Khối lớp", "Grade"))
_KNOWN = {heading_key(spelling) for column in (*COLUMNS, _GRADE) for spelling in column.headings}
_OF_A_TEACHER = re.compile(r"\b(gv|gvcn|giao vien|chu nhiem|teacher)\b")
_YEAR = re.compile(r"(20\d\d)(?: *[-–/] *(?:20)?\d\d)?")
KEPT = datetime.timedelta(days=1)


@dataclass(frozen=True)
class ClassRow:
    """One row that can be used. there: the stored class it is about, None for a new one."""

    row: int
    school: Agency
    year: int
    named: NamedClass
    there: SchoolClass | None


@dataclass(frozen=True)
class ClassPlan:
    """What a list would do. unchanged: how many rows. strangers: row and name of teachers who have no account."""

    added: tuple[ClassRow, ...]
    changed: tuple[ClassRow, ...]
    unchanged: int
    refused: tuple[RefusedRow, ...]
    strangers: tuple[tuple[int, str], ...]


def reading_of(school: Agency) -> Reading:
    """How the lists of a school are read."""
    return Reading("classes", (*COLUMNS, _GRADE), school.key)


def receive(user: User, school: Agency, file_name: str, content: bytes, year: int) -> ClassesImport:
    """Keep a list that can be read, until it is stored or discarded. year: of rows that name none.

    Raises a SpreadsheetRefused, or PupilsNamed.
    """
    sheets = read_sheets(content)
    for sheet in sheets:
        refuse_children(_texts(sheet), _is_known)
    reading = reading_of(school)
    return reading.receive(ClassesImport, user, file_name, pack(sheets), school=school, year=year)


def _texts(sheet: RawSheet) -> list[list[str]]:
    return [[cell.strip() if isinstance(cell, str) else "" for cell in row.cells] for row in sheet.rows]


def _is_known(heading: str) -> bool:
    key = heading_key(heading)
    return key in _KNOWN or bool(_OF_A_TEACHER.search(key))


def preview(waiting: ClassesImport) -> Preview[ClassPlan]:
    """What the list would do to the classes of the schools that its sender keeps. Raises a SpreadsheetRefused."""
    table = reading_of(waiting.school).table(waiting)
    if table.legacy is not None:
        return Preview(table, None, digest_of(waiting))
    found = plan(table, waiting)
    said = [(one.row, one.school.pk, one.year, one.named) for one in (*found.added, *found.changed)]
    return Preview(table, found, digest_of(waiting, said, found.unchanged, found.refused))


def plan(table: Table, waiting: ClassesImport) -> ClassPlan:
    """Lay a list over the classes that are there; an empty cell leaves what is stored."""
    known = _Known(waiting)
    added, changed, refused, strangers, unchanged = [], [], [], [], 0
    seen: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for row in table.rows:
        read = known.read(row)
        if isinstance(read, RefusedRow):
            refused.append(read)
            continue
        names = seen[read.school.pk, read.year]
        folded = fold_name(read.named.name)
        if folded in names or len(names) >= MOST_CLASSES:
            refused.append(RefusedRow(row.number, "name", "repeated" if folded in names else "many"))
            continue
        names.add(folded)
        if (teacher := text_of(row.cells.get("teacher"))) and read.named.teacher is None:
            strangers.append((row.number, teacher))
        if read.there is None:
            added.append(read)
        elif read.named.differs(read.there):
            changed.append(read)
        else:
            unchanged += 1
    return ClassPlan(tuple(added), tuple(changed), unchanged, tuple(refused), tuple(strangers))


class _Known:
    """The schools that the sender keeps, their teachers and classes, as a list's rows name them."""

    def __init__(self, waiting: ClassesImport) -> None:
        self._waiting = waiting
        kept = Agency.objects.filter(pk__in=views.own_schools_of(waiting.made_by), kind="school").select_related("unit")
        self._schools: defaultdict[str, set[Agency]] = defaultdict(set)
        for school in kept:
            for name in {school.code or "", *map(fold, (school.name, school.short_name, address(school)))} - {""}:
                self._schools[name].add(school)
        self._teachers: dict[int, list[User]] = {}
        years = (waiting.year, waiting.year + 1)
        stored = SchoolClass.objects.filter(school__in=kept, year__in=years)
        self._classes = {(one.school_id, one.year, one.folded): one for one in stored}

    def read(self, row: Row) -> ClassRow | RefusedRow:
        said = {column.name: " ".join(text_of(row.cells.get(column.name)).split()) for column in COLUMNS}
        grade = re.sub(r"\D", "", text_of(row.cells.get("grade")))
        if grade and not re.search(r"\d", said["name"]):
            said["name"] = f"{grade}{said['name']}"
        if not catalogue.is_name(said["name"]):
            return RefusedRow(row.number, "name", "name")
        try:
            pupils = count_of(row.cells.get("pupils"))
        except NotACount:
            return RefusedRow(row.number, "pupils", "number")
        if pupils is not None and pupils > MOST_PUPILS:
            return RefusedRow(row.number, "pupils", "number")
        year = _year(said["year"], self._waiting.year)
        if year is None:
            return RefusedRow(row.number, "year", "year")
        school = self._school(said["school"])
        if school is None:
            return RefusedRow(row.number, "school", "school")
        teachers = self._called(school, said["teacher"])
        if len(teachers) > 1:
            return RefusedRow(row.number, "teacher", "teacher")
        named = NamedClass(said["name"], pupils, teachers[0] if teachers else None)
        return ClassRow(row.number, school, year, named, self._classes.get((school.pk, year, fold_name(named.name))))

    def _school(self, text: str) -> Agency | None:
        if not text:
            return self._waiting.school
        found = self._schools.get(text) or self._schools.get(fold(text)) or set()
        return next(iter(found)) if len(found) == 1 else None

    def _called(self, school: Agency, text: str) -> list[User]:
        if not text:
            return []
        teachers = self._teachers.setdefault(school.pk, list(teachers_of(school)))
        by_account = [one for one in teachers if one.username == text.lower()]
        name = re.sub(r"^(co|thay) ", "", fold(text))
        return by_account or [one for one in teachers if fold(one.name) in (fold(text), name)]


def address(school: Agency) -> str:
    """The name of a school and the unit it lies in."""
    return f"{school.name}, {school.unit.name}"


def _year(text: str, otherwise: int) -> int | None:
    """The year that "2020-2021" begins in, where it is this one or the next."""
    if not text:
        return otherwise
    found = _YEAR.fullmatch(text)
    year = int(found[1]) if found else None
    return year if year in (otherwise, otherwise + 1) else None


def store(waiting: ClassesImport, digest: str, now: datetime.datetime) -> tuple[int, int]:
    """Do what was shown under `digest`, and forget the list: how many classes are new, and how many changed.

    Raises ImportOutdated or ImportNotReady; nothing is stored then.
    """
    seen = preview(waiting).accepted(digest)
    rows: defaultdict[tuple[Agency, int], list[NamedClass]] = defaultdict(list)
    for one in (*seen.added, *seen.changed):
        rows[one.school, one.year].append(one.named)
    if seen.refused or not rows:
        raise ImportNotReady("nothing can be stored yet")
    made = changed = 0
    with transaction.atomic():
        # A second tap on the button waits here and then finds no list.
        if not ClassesImport.objects.filter(pk=waiting.pk).delete()[0]:
            raise ImportNotReady("it was stored or discarded meanwhile")
        for (school, year), named in rows.items():
            new, others = catalogue.enter(school, year, named, waiting.made_by, now)
            made, changed = made + new, changed + others
    return made, changed


def listing(school: Agency, classes: Iterable[SchoolClass]) -> ExportSheet:
    """The classes of a school as a list that can be imported again."""
    names = [teacher.name for teacher in teachers_of(school)]
    rows = [
        [one.name, "" if one.pupils is None else str(one.pupils), _said(one.teacher, names),
         school.code or address(school), shown(one.year)]
        for one in classes
    ]  # fmt: skip
    return ExportSheet(_("Classes"), [ExportColumn(column.headings[0]) for column in COLUMNS], rows)


def _said(teacher: User | None, names: Sequence[str]) -> str:
    """A teacher by name, or by sign-in name where another one is called so."""
    return "" if teacher is None else teacher.name if names.count(teacher.name) == 1 else teacher.username


@practised
@require_safe
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def class_file(request: OfficeRequest, pk: int, form: str = "xlsx") -> HttpResponse:
    """The classes of this school year that have not ended, as XLSX or CSV; it can be imported again."""
    school = views.kept_school(request, pk)
    year = year_of(views.chosen_week(request))
    classes = SchoolClass.objects.filter(school=school, year=year, ended_on=None).select_related("teacher")
    return file_of(listing(school, classes), f"classes-{year}", form)


class ClassLists(ListPages[ClassesImport]):
    """Lists of the classes of the schools that a person keeps."""

    name, model, who, owner = "class-import", ClassesImport, STAFF_REPORTERS, Whose.ITSELF
    columns: ClassVar = {"classes": COLUMNS}
    changes = "schools/class_changes.html"
    is_practised = True

    @property
    def words(self) -> Mapping[str, str]:
        return {
            "title": _("Classes from a list"),
            "lead": _("First you see what the list would change. Nothing is stored until you accept it."),
            "hint": _(
                "One row for each class. A teacher is found by name among those who have an account of the school. "
                "A list in which pupils are named is thrown away."
            ),
            "button": _("Accept and store"),
        }

    @property
    def titles(self) -> Mapping[str, str]:
        return {"classes": _("Classes")}

    def new_form(self, request: OfficeRequest, *typed: Any) -> Form:
        schools = Agency.objects.filter(pk__in=views.own_schools(request), kind="school").order_by("name", "pk")
        return ClassesFileForm(*typed, schools=schools, initial={"school": chosen_number(request, "school")})

    def receive(self, request: OfficeRequest, said: Mapping[str, Any], file_name: str, content: bytes) -> ClassesImport:
        return receive(request.user, said["school"], file_name, content, year_of(views.latest_week()))

    def mine(self, request: OfficeRequest) -> "QuerySet[ClassesImport]":
        found = ClassesImport.objects.filter(made_by=request.user, school__in=views.own_schools(request))
        return found.select_related("school__unit", "made_by").defer("content")

    def reading(self, waiting: ClassesImport) -> Reading:
        return reading_of(waiting.school)

    def preview(self, waiting: ClassesImport) -> Preview[ClassPlan]:
        return preview(waiting)

    def store(self, request: OfficeRequest, waiting: ClassesImport, digest: str) -> HttpResponse:
        made, changed = store(waiting, digest, timezone.now())
        told = _("%(made)s classes are new, %(changed)s were changed.") % {"made": made, "changed": changed}
        messages.success(request, told)
        return redirect(reverse("school-classes", args=[waiting.school_id]))

    def doubts(self, plan: ClassPlan) -> Sequence[tuple[int, str]]:
        return [(row, str(NO_TEACHER) % {"row": refusals.row_name(row), "name": name}) for row, name in plan.strangers]

    def reason(self, code: str) -> str:
        return str(FILED[code])

    def sentence_of(self, refused: Refused) -> str:
        return sentence_of(refused)

    def place(self, waiting: ClassesImport) -> str:
        return waiting.school.name


LISTS = ClassLists()


def purge(now: datetime.datetime) -> None:
    """Forget lists a day after they came."""
    ClassesImport.everything.filter(made_at__lte=now - KEPT).delete()
