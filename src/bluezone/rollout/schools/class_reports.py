# SPDX-License-Identifier: Apache-2.0
"""The numbers of classes: store reports and corrections, parse pasted spreadsheet rows, and send numbers back."""

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.imports.headings import heading_key
from bluezone.directory.imports.raw_sheets import NotACount, count_of
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools.classes.catalogue import fold_name
from bluezone.rollout.schools.classes.pupil_names import looks_like_a_person, refuse_names
from bluezone.rollout.schools.models import NAMES, Channel, ClassCounts, ClassCountsRefused, ClassReport, SchoolClass
from bluezone.rollout.schools.school_calendar import check_open, year_of
from bluezone.vietnamese.legacy_fonts import TextEncoding, to_unicode

LINK_ACTOR = "class link"


class ClassOutOfYear(Refused):
    """The class belongs to another school year or school, or has ended."""

    code = "class_out_of_year"


class ReturnRefused(Refused):
    """The numbers cannot be sent back: there are none, they were sent back already, or the reason is missing."""

    code = "class_return_refused"


def record_reports(
    school: Agency,
    counted: Sequence[tuple[SchoolClass, ClassCounts]],
    week: Week,
    channel: Channel,
    by: User | None,
    now: datetime.datetime,
) -> int:
    """Store the counts of classes of a school in a week, all or none. school: read with its unit.

    The same numbers again change nothing, unless they were sent back before. by: the reporter, None for a class link.
    Returns how many classes have new numbers. Raises SchoolWeekClosed, ClassOutOfYear.
    """
    with transaction.atomic():
        # The lock makes two reports for the same class wait for each other; SQLite has one writer at a time anyway.
        numbers = [school_class.pk for school_class, _counts in counted]
        locked = SchoolClass.objects.select_for_update().filter(pk__in=numbers)
        classes = {school_class.pk: school_class for school_class in locked}
        check_open(school, week, timezone.localdate(now))
        for school_class, _counts in counted:
            _check_class(classes.get(school_class.pk), school, week)
        current = {
            report.school_class_id: report
            for report in ClassReport.objects.filter(school_class__in=classes, week=week.first_day, is_current=True)
        }
        stored = 0
        for school_class, counts in counted:
            if _store(school_class, current.get(school_class.pk), week, counts, channel, by, now):
                stored += 1
        if stored:
            hash_chain.record(
                by.username if by else LINK_ACTOR, "classes_reported", school.key, now=now, week=str(week),
                classes=stored, channel=str(channel),
            )  # fmt: skip
    return stored


def send_reports_back(reports: Sequence[ClassReport], reason: str, by: User, now: datetime.datetime) -> int:
    """Send numbers of one school back for correction; they count in no sum until new ones come.

    reports: read with school_class__school__unit. Returns how many were sent back.
    Raises ReturnRefused; SchoolWeekClosed if the week takes no more corrections.
    """
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise ReturnRefused("no reason was given")
    with transaction.atomic():
        locked = ClassReport.objects.select_for_update(of=("self",)).filter(
            pk__in=[report.pk for report in reports], is_current=True, returned_at=None
        )
        returned = list(locked.select_related("school_class__school__unit"))
        if not returned:
            raise ReturnRefused("there are no numbers to send back")
        school = returned[0].school_class.school
        week = Week(returned[0].week)
        check_open(school, week, timezone.localdate(now))
        for report in returned:
            report.returned_at = now
            report.return_reason = reason
            report.returned_by = by
            report.save(update_fields=["returned_at", "return_reason", "returned_by"])
        hash_chain.record(by.username, "classes_returned", school.key, now=now, week=str(week), classes=len(returned))
    return len(returned)


def _check_class(school_class: SchoolClass | None, school: Agency, week: Week) -> None:
    if school_class is None or school_class.school_id != school.pk or school_class.year != year_of(week):
        raise ClassOutOfYear("the class belongs to another school or year")
    if school_class.ended_on is not None and school_class.ended_on < week.first_day:
        raise ClassOutOfYear("the class has ended")


def _store(
    school_class: SchoolClass,
    previous: ClassReport | None,
    week: Week,
    counts: ClassCounts,
    channel: Channel,
    by: User | None,
    now: datetime.datetime,
) -> bool:
    if previous is not None:
        if previous.returned_at is None and all(getattr(previous, name) == getattr(counts, name) for name in NAMES):
            return False
        previous.is_current = False
        previous.save(update_fields=["is_current"])
    ClassReport.objects.create(
        school_class=school_class,
        week=week.first_day,
        version=previous.version + 1 if previous else 1,
        channel=channel,
        reported_by=by,
        reported_at=now,
        **asdict(counts),
    )
    return True


COLUMNS = ("class", *NAMES)
HEADINGS = {
    "class": ("lop", "ten lop", "class"),
    "pupils": ("si so", "so hoc sinh", "tong so hoc sinh", "tong so hs", "so hs", "tong so", "pupils"),
    "with_smartphone": (
        "co dien thoai thong minh", "dien thoai thong minh", "so dien thoai thong minh", "co dttm", "dttm", "so dttm",
        "hoc sinh co dttm", "with a smartphone", "with smartphone",
    ),
    "running": (
        "dang chay", "bluezone dang chay", "so may dang chay", "da cai va dang chay", "running", "bluezone running",
    ),
    "relatives": (
        "nguoi than", "nguoi than da giup", "so nguoi than da giup", "giup nguoi than", "nguoi than duoc giup",
        "relatives", "relatives helped",
    ),
}  # fmt: skip
_MEANING = {heading: column for column, headings in HEADINGS.items() for heading in headings}
_SUMS = frozenset({"tong", "tong so", "tong cong", "cong", "toan truong", "total"})


@dataclass(frozen=True)
class PastedClass:
    """A pasted line. number: from 1. refusal: "", a key of forms.ROWS, or "counts" with the rule in `rule`."""

    number: int
    label: str
    school_class: SchoolClass | None = None
    counts: ClassCounts | None = None
    refusal: str = ""
    rule: str = ""


def read_rows(text: str, classes: Iterable[SchoolClass]) -> list[PastedClass]:
    """Parse pasted text with the columns class, pupils, with a smartphone, running, relatives; headings are optional.

    Raises PupilsNamed, before it parses anything, if a heading or cell names people.
    """
    classes_by_name = {fold_name(school_class.name): school_class for school_class in classes}
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            lines.append((number, line.split("\t")))
    # Some headings look like names of people.
    headings = {heading for heading in _MEANING if looks_like_a_person(heading)}
    allowed = [*(school_class.name for school_class in classes_by_name.values()), *headings]
    cells_to_check = []
    for _number, cells in lines:
        cells_to_check.append([cell for cell in cells if not _is_heading(cell)])
    refuse_names(cells_to_check, allowed)
    order: Sequence[str | None] | None = None
    rows: list[PastedClass] = []
    for number, cells in lines:
        columns = [_meaning(cell) for cell in cells]
        if sum(column is not None for column in columns) >= 2:
            order = columns
        elif not _is_sum(cells) and sum(bool(cell.strip()) for cell in cells) > 1:
            rows.append(_read(number, [cell.strip() for cell in cells], order, classes_by_name))
    row_counts = Counter(row.school_class.pk for row in rows if row.school_class)
    for number, row in enumerate(rows):
        if row.school_class and row_counts[row.school_class.pk] > 1:
            rows[number] = replace(row, refusal="repeated")
    return rows


def _read(
    number: int, cells: list[str], order: Sequence[str | None] | None, classes_by_name: dict[str, SchoolClass]
) -> PastedClass:
    if order is not None:
        by_column = {column: cell for column, cell in zip(order, cells, strict=False) if column}
    else:
        if len(cells) > len(COLUMNS) and cells[0].rstrip(".").isdigit():
            cells = cells[1:]  # without the running number
        by_column = dict(zip(COLUMNS, cells, strict=False))
    label = by_column.get("class", "")[:20]
    if set(by_column) != set(COLUMNS):
        return PastedClass(number, label, refusal="cells")
    school_class = classes_by_name.get(fold_name(by_column["class"]))
    if school_class is None:
        return PastedClass(number, label, refusal="unknown")
    try:
        counts = [count_of(by_column[name] or None) for name in NAMES]
        if None in counts:
            return PastedClass(number, label, school_class, refusal="number")
        return PastedClass(number, label, school_class, ClassCounts(*[count or 0 for count in counts]))
    except NotACount:
        return PastedClass(number, label, school_class, refusal="number")
    except ClassCountsRefused as refused:
        return PastedClass(number, label, school_class, refusal="counts", rule=refused.rule)


def _is_sum(cells: Sequence[str]) -> bool:
    label = next((cell for cell in cells if cell.strip() and not cell.strip().isdigit()), "")
    return heading_key(label) in _SUMS


def _is_heading(cell: str) -> bool:
    return _meaning(cell) is not None


def _meaning(cell: str) -> str | None:
    readings = (cell, to_unicode(cell, TextEncoding.TCVN3), to_unicode(cell, TextEncoding.VNI))
    return next((_MEANING[key] for key in map(heading_key, readings) if key in _MEANING), None)
