# SPDX-License-Identifier: Apache-2.0
"""Lists of classes with numbers of pupils and with teachers.

A school uploads a list, sees the changes and stores them; or it downloads the list of its classes.
"""

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
from bluezone.directory.imports.files.file_types import read_sheets
from bluezone.directory.imports.files.raw_sheets import NotACount, RawSheet, cell_count, cell_text, pack_sheets
from bluezone.directory.imports.heading_rows import Column, heading_key
from bluezone.directory.imports.import_views import ListPages
from bluezone.directory.imports.listings import spreadsheet_response
from bluezone.directory.imports.sent_lists import ImportNotReady, Preview, Reading, RefusedRow, digest_of
from bluezone.directory.imports.tables import Row, Table
from bluezone.directory.models import Agency
from bluezone.directory.request_parameters import chosen_number
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.refusal import Refused
from bluezone.rollout.schools import page_input, permissions
from bluezone.rollout.schools.classes import catalogue
from bluezone.rollout.schools.classes.catalogue import MOST_CLASSES, ListedClass, fold_name
from bluezone.rollout.schools.classes.pupil_names import refuse_children
from bluezone.rollout.schools.forms import FILED, NO_TEACHER, ClassesFileForm, sentence_of, teachers_of
from bluezone.rollout.schools.models import MOST_PUPILS, ClassesImport, SchoolClass
from bluezone.rollout.schools.school_calendar import year_label, year_of
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
# Some lists have the grade of a class, the 6 of 6A, in a separate column.
_GRADE = Column("grade", ("Khối", "Khối lớp", "Grade"))
_KNOWN_HEADINGS: set[str] = set()
for _column in (*COLUMNS, _GRADE):
    _KNOWN_HEADINGS.update(map(heading_key, _column.headings))
_OF_A_TEACHER = re.compile(r"\b(gv|gvcn|giao vien|chu nhiem|teacher)\b")
_YEAR = re.compile(r"(20\d\d)(?: *[-–/] *(?:20)?\d\d)?")
KEPT = datetime.timedelta(days=1)


@dataclass(frozen=True)
class ClassRow:
    """One accepted row of a list. row: its number. named: its values. stored: the class of that name, None if new."""

    row: int
    school: Agency
    year: int
    named: ListedClass
    stored: SchoolClass | None


@dataclass(frozen=True)
class ClassPlan:
    """The changes that a list would make. unchanged: the number of rows that change nothing.

    unknown_teachers: (number of the row, name of its teacher) for teachers without an account.
    """

    added: tuple[ClassRow, ...]
    changed: tuple[ClassRow, ...]
    unchanged: int
    refused: tuple[RefusedRow, ...]
    unknown_teachers: tuple[tuple[int, str], ...]


def reading_of(school: Agency) -> Reading:
    """How the lists of a school are read: their columns, and the settings stored for the school."""
    return Reading("classes", (*COLUMNS, _GRADE), school.key)


def receive_list(user: User, school: Agency, file_name: str, content: bytes, year: int) -> ClassesImport:
    """Retain a readable list until its changes are stored or it is discarded. year: for rows without a school year.

    Raises a SpreadsheetRefused, or PupilsNamed.
    """
    sheets = read_sheets(content)
    for sheet in sheets:
        refuse_children(_texts(sheet), _is_known)
    reading = reading_of(school)
    return reading.store_upload(ClassesImport, user, file_name, pack_sheets(sheets), school=school, year=year)


def _texts(sheet: RawSheet) -> list[list[str]]:
    return [[cell.strip() if isinstance(cell, str) else "" for cell in row.cells] for row in sheet.rows]


def _is_known(heading: str) -> bool:
    key = heading_key(heading)
    return key in _KNOWN_HEADINGS or bool(_OF_A_TEACHER.search(key))


def preview_list(sent_list: ClassesImport) -> Preview[ClassPlan]:
    """The changes that a list would make in the schools of the person who uploaded it. Raises a SpreadsheetRefused."""
    table = reading_of(sent_list.school).read_table(sent_list)
    if table.legacy is not None:
        return Preview(table, None, digest_of(sent_list))
    changes = plan_list(table, sent_list)
    contents = [(row.row, row.school.pk, row.year, row.named) for row in (*changes.added, *changes.changed)]
    return Preview(table, changes, digest_of(sent_list, contents, changes.unchanged, changes.refused))


def plan_list(table: Table, sent_list: ClassesImport) -> ClassPlan:
    """The differences between a list and the stored classes; an empty cell changes nothing."""
    reader = _RowReader(sent_list)
    added = []
    changed = []
    unchanged = 0
    refused = []
    unknown_teachers = []
    seen: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for row in table.rows:
        class_row = reader.read(row)
        if isinstance(class_row, RefusedRow):
            refused.append(class_row)
            continue
        names = seen[class_row.school.pk, class_row.year]
        folded = fold_name(class_row.named.name)
        if folded in names:
            refused.append(RefusedRow(row.number, "name", "repeated"))
            continue
        if len(names) >= MOST_CLASSES:
            refused.append(RefusedRow(row.number, "name", "many"))
            continue
        names.add(folded)
        if (teacher := cell_text(row.cells.get("teacher"))) and class_row.named.teacher is None:
            unknown_teachers.append((row.number, teacher))
        if class_row.stored is None:
            added.append(class_row)
        elif class_row.named.differs(class_row.stored):
            changed.append(class_row)
        else:
            unchanged += 1
    return ClassPlan(tuple(added), tuple(changed), unchanged, tuple(refused), tuple(unknown_teachers))


class _RowReader:
    """Reads rows of a list: finds the schools, teachers and classes that they name, of the person who uploaded it."""

    def __init__(self, sent_list: ClassesImport) -> None:
        self._sent_list = sent_list
        own_schools = permissions.own_schools_of(sent_list.made_by)
        schools = Agency.objects.filter(pk__in=own_schools, kind="school").select_related("unit")
        self._schools: defaultdict[str, set[Agency]] = defaultdict(set)
        for school in schools:
            for name in {school.code or "", *map(fold, (school.name, school.short_name, address(school)))} - {""}:
                self._schools[name].add(school)
        self._teachers: dict[int, list[User]] = {}
        years = (sent_list.year, sent_list.year + 1)
        stored = SchoolClass.objects.filter(school__in=schools, year__in=years)
        self._classes = {
            (school_class.school_id, school_class.year, school_class.folded): school_class for school_class in stored
        }

    def read(self, row: Row) -> ClassRow | RefusedRow:
        texts = {column.name: " ".join(cell_text(row.cells.get(column.name)).split()) for column in COLUMNS}
        grade = re.sub(r"\D", "", cell_text(row.cells.get("grade")))
        if grade and not re.search(r"\d", texts["name"]):
            texts["name"] = f"{grade}{texts['name']}"
        if not catalogue.is_class_name(texts["name"]):
            return RefusedRow(row.number, "name", "name")
        try:
            pupils = cell_count(row.cells.get("pupils"))
        except NotACount:
            return RefusedRow(row.number, "pupils", "number")
        if pupils is not None and pupils > MOST_PUPILS:
            return RefusedRow(row.number, "pupils", "number")
        year = _year(texts["year"], self._sent_list.year)
        if year is None:
            return RefusedRow(row.number, "year", "year")
        school = self._school(texts["school"])
        if school is None:
            return RefusedRow(row.number, "school", "school")
        teachers = self._teachers_named(school, texts["teacher"])
        if len(teachers) > 1:
            return RefusedRow(row.number, "teacher", "teacher")
        entry = ListedClass(texts["name"], pupils, teachers[0] if teachers else None)
        stored = self._classes.get((school.pk, year, fold_name(entry.name)))
        return ClassRow(row.number, school, year, entry, stored)

    def _school(self, text: str) -> Agency | None:
        if not text:
            return self._sent_list.school
        matches = self._schools.get(text) or self._schools.get(fold(text)) or set()
        return next(iter(matches)) if len(matches) == 1 else None

    def _teachers_named(self, school: Agency, text: str) -> list[User]:
        if not text:
            return []
        teachers = self._teachers.setdefault(school.pk, list(teachers_of(school)))
        by_account = [teacher for teacher in teachers if teacher.username == text.lower()]
        name = re.sub(r"^(co|thay) ", "", fold(text))
        return by_account or [teacher for teacher in teachers if fold(teacher.name) in (fold(text), name)]


def address(school: Agency) -> str:
    """The name of a school and of its unit."""
    return f"{school.name}, {school.unit.name}"


def _year(text: str, default: int) -> int | None:
    """The first year in "2020-2021", if it is `default` or the year after, else None; `default` for an empty text."""
    if not text:
        return default
    match = _YEAR.fullmatch(text)
    year = int(match[1]) if match else None
    return year if year in (default, default + 1) else None


def store_list(sent_list: ClassesImport, digest: str, now: datetime.datetime) -> tuple[int, int]:
    """Store the changes of the preview with this digest, and delete the list.

    Returns (number of new classes, number of changed classes). Raises ImportOutdated, ImportNotReady; then nothing is
    stored.
    """
    class_plan = preview_list(sent_list).plan_for(digest)
    rows: defaultdict[tuple[Agency, int], list[ListedClass]] = defaultdict(list)
    for row in (*class_plan.added, *class_plan.changed):
        rows[row.school, row.year].append(row.named)
    if class_plan.refused or not rows:
        raise ImportNotReady("nothing can be stored yet")
    added = changed = 0
    with transaction.atomic():
        # After a second tap on the button, this statement waits for the first one, and then there is no list.
        if not ClassesImport.objects.filter(pk=sent_list.pk).delete()[0]:
            raise ImportNotReady("it was stored or discarded meanwhile")
        for (school, year), entries in rows.items():
            new, updated = catalogue.add_classes(school, year, entries, sent_list.made_by, now)
            added += new
            changed += updated
    return added, changed


def class_listing(school: Agency, classes: Iterable[SchoolClass]) -> ExportSheet:
    """The classes of a school as a list that can be imported again."""
    names = [teacher.name for teacher in teachers_of(school)]
    rows = [
        [
            school_class.name,
            "" if school_class.pupils is None else str(school_class.pupils),
            _teacher_cell(school_class.teacher, names),
            school.code or address(school),
            year_label(school_class.year),
        ]
        for school_class in classes
    ]
    return ExportSheet(_("Classes"), [ExportColumn(column.headings[0]) for column in COLUMNS], rows)


def _teacher_cell(teacher: User | None, names: Sequence[str]) -> str:
    """A teacher's name, or the sign-in name if several teachers have the same name; "" for None."""
    if teacher is None:
        return ""
    return teacher.name if names.count(teacher.name) == 1 else teacher.username


@practised
@require_safe
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def class_file(request: OfficeRequest, pk: int, form: str = "xlsx") -> HttpResponse:
    """The classes of this school year that have not ended, as XLSX or CSV; the file can be imported again."""
    school = permissions.own_school(request, pk)
    year = year_of(page_input.chosen_week(request))
    classes = SchoolClass.objects.filter(school=school, year=year, ended_on=None).select_related("teacher")
    return spreadsheet_response(class_listing(school, classes), f"classes-{year}", form)


class ClassLists(ListPages[ClassesImport]):
    """The pages for lists of classes: upload, preview, store."""

    name, model, who, owner = "class-import", ClassesImport, STAFF_REPORTERS, Ownership.ITSELF
    columns: ClassVar = {"classes": COLUMNS}
    changes = "schools/class_changes.html"
    is_practised = True

    @property
    def words(self) -> Mapping[str, str]:
        return {
            "title": _("Classes from a list"),
            "lead": _("First you see what the list would change. Nothing is stored until you accept it."),
            "hint": _(
                "One row for each class. Teachers are matched by name with the school’s accounts. A list that names "
                "pupils is discarded."
            ),
            "button": _("Accept and store"),
        }

    @property
    def titles(self) -> Mapping[str, str]:
        return {"classes": _("Classes")}

    def new_form(self, request: OfficeRequest, *typed: Any) -> Form:
        schools = Agency.objects.filter(pk__in=permissions.own_schools(request), kind="school").order_by("name", "pk")
        return ClassesFileForm(*typed, schools=schools, initial={"school": chosen_number(request, "school")})

    def receive(
        self, request: OfficeRequest, values: Mapping[str, Any], file_name: str, content: bytes
    ) -> ClassesImport:
        return receive_list(request.user, values["school"], file_name, content, year_of(page_input.latest_week()))

    def own_lists(self, request: OfficeRequest) -> "QuerySet[ClassesImport]":
        lists = ClassesImport.objects.filter(made_by=request.user, school__in=permissions.own_schools(request))
        return lists.select_related("school__unit", "made_by").defer("content")

    def reading(self, sent_list: ClassesImport) -> Reading:
        return reading_of(sent_list.school)

    def preview(self, sent_list: ClassesImport) -> Preview[ClassPlan]:
        return preview_list(sent_list)

    def store(self, request: OfficeRequest, sent_list: ClassesImport, digest: str) -> HttpResponse:
        added, changed = store_list(sent_list, digest, timezone.now())
        notice = _("%(made)s classes added, %(changed)s changed.") % {"made": added, "changed": changed}
        messages.success(request, notice)
        return redirect(reverse("school-classes", args=[sent_list.school_id]))

    def doubts(self, plan: ClassPlan) -> Sequence[tuple[int, str]]:
        return [
            (row, str(NO_TEACHER) % {"row": refusals.row_name(row), "name": name})
            for row, name in plan.unknown_teachers
        ]

    def reason_sentence(self, code: str) -> str:
        return str(FILED[code])

    def sentence_of(self, refused: Refused) -> str:
        return sentence_of(refused)

    def place_name(self, sent_list: ClassesImport) -> str:
        return sent_list.school.name


LISTS = ClassLists()


def purge(now: datetime.datetime) -> None:
    """Delete lists a day after they were uploaded."""
    ClassesImport.everything.filter(made_at__lte=now - KEPT).delete()
