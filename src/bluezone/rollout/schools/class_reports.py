# SPDX-License-Identifier: Apache-2.0
"""What is done to the numbers of classes: reported, pasted from a spreadsheet, corrected by a further version, sent
back, locked.
"""

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
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.schools.classes.catalogue import fold_name
from bluezone.rollout.schools.classes.pupil_names import looks_like_a_person, refuse_names
from bluezone.rollout.schools.models import NAMES, Channel, ClassCounts, ClassCountsRefused, ClassReport, SchoolClass
from bluezone.rollout.schools.school_calendar import check_open, year_of
from bluezone.vietnamese.legacy_fonts import TextEncoding, to_unicode

LINK_ACTOR = "class link"


class ClassOutOfYear(Refused):
    """A class of another school year, another school, or one that has ended."""

    code = "class_out_of_year"


class ReturnRefused(Refused):
    """Numbers that cannot be sent back: there are none, they are back already, or no reason was given."""

    code = "class_return_refused"


def record_all(
    school: Agency,
    said: Sequence[tuple[SchoolClass, ClassCounts]],
    week: Week,
    channel: Channel,
    by: User | None,
    now: datetime.datetime,
) -> int:
    """Store what was counted in classes of a school, read with its unit, in a week: all or nothing.

    The same numbers again change nothing, unless they were sent back. by: None for a class link.
    Returns how many classes have new numbers. Raises SchoolWeekClosed, ClassOutOfYear.
    """
    with transaction.atomic():
        # Two who report one class at once wait for each other here; SQLite lets one write at a time anyway.
        held = SchoolClass.objects.select_for_update().filter(pk__in=[one.pk for one, _counts in said])
        classes = {one.pk: one for one in held}
        check_open(school, week, timezone.localdate(now))
        for one, _counts in said:
            _check_class(classes.get(one.pk), school, week)
        current = {
            report.school_class_id: report
            for report in ClassReport.objects.filter(school_class__in=classes, week=week.first_day, is_current=True)
        }
        stored = sum(_store(one, current.get(one.pk), week, counts, channel, by, now) for one, counts in said)
        if stored:
            hash_chain.record(
                by.username if by else LINK_ACTOR, "classes_reported", school.key, now=now, week=str(week),
                classes=stored, channel=str(channel),
            )  # fmt: skip
    return stored


def send_back(reports: Sequence[ClassReport], reason: str, by: User, now: datetime.datetime) -> int:
    """Send numbers of one school back to be corrected: they count in no sum until new ones come.

    reports: read with school_class__school__unit. Returns how many were sent back.
    Raises ReturnRefused, SchoolWeekClosed where the week takes no correction any more.
    """
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise ReturnRefused("no reason was given")
    with transaction.atomic():
        held = ClassReport.objects.select_for_update(of=("self",)).filter(
            pk__in=[report.pk for report in reports], is_current=True, returned_at=None
        )
        found = list(held.select_related("school_class__school__unit"))
        if not found:
            raise ReturnRefused("there are no numbers to send back")
        school = found[0].school_class.school
        week = Week(found[0].week)
        check_open(school, week, timezone.localdate(now))
        for report in found:
            report.returned_at, report.return_reason, report.returned_by = now, reason, by
            report.save(update_fields=["returned_at", "return_reason", "returned_by"])
        hash_chain.record(by.username, "classes_returned", school.key, now=now, week=str(week), classes=len(found))
    return len(found)


def _check_class(one: SchoolClass | None, school: Agency, week: Week) -> None:
    if one is None or one.school_id != school.pk or one.year != year_of(week):
        raise ClassOutOfYear("the class is none of this school and year")
    if one.ended_on is not None and one.ended_on < week.first_day:
        raise ClassOutOfYear("the class has ended")


def _store(
    one: SchoolClass,
    before: ClassReport | None,
    week: Week,
    counts: ClassCounts,
    channel: Channel,
    by: User | None,
    now: datetime.datetime,
) -> bool:
    if before is not None:
        if before.returned_at is None and all(getattr(before, name) == getattr(counts, name) for name in NAMES):
            return False
        before.is_current = False
        before.save(update_fields=["is_current"])
    ClassReport.objects.create(
        school_class=one,
        week=week.first_day,
        version=before.version + 1 if before else 1,
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
    """One line. number: from 1, as pasted. refusal: "" or a key of sentences.ROWS, "counts" with the rule in `rule`."""

    number: int
    label: str
    school_class: SchoolClass | None = None
    counts: ClassCounts | None = None
    refusal: str = ""
    rule: str = ""


def read_rows(text: str, classes: Iterable[SchoolClass]) -> list[PastedClass]:
    """Understand pasted text: class, pupils, with a smartphone, running, relatives; headings or none.

    Raises PupilsNamed before anything is understood when a heading or cell names people.
    """
    known = {fold_name(one.name): one for one in classes}
    lines = [(number, line.split("\t")) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    headings = {heading for heading in _MEANING if looks_like_a_person(heading)}
    fine = [*(one.name for one in known.values()), *headings]
    refuse_names([[cell for cell in cells if not _is_heading(cell)] for _number, cells in lines], fine)
    order: Sequence[str | None] | None = None
    rows: list[PastedClass] = []
    for number, cells in lines:
        meant = [_meaning(cell) for cell in cells]
        if sum(column is not None for column in meant) >= 2:
            order = meant
        elif not _is_sum(cells) and sum(bool(cell.strip()) for cell in cells) > 1:
            rows.append(_read(number, [cell.strip() for cell in cells], order, known))
    times = Counter(row.school_class.pk for row in rows if row.school_class)
    return [
        replace(row, refusal="repeated") if row.school_class and times[row.school_class.pk] > 1 else row for row in rows
    ]


def _read(
    number: int, cells: list[str], order: Sequence[str | None] | None, known: dict[str, SchoolClass]
) -> PastedClass:
    if order is not None:
        found = {column: cell for column, cell in zip(order, cells, strict=False) if column}
    else:
        numbered = len(cells) > len(COLUMNS) and cells[0].rstrip(".").isdigit()
        found = dict(zip(COLUMNS, cells[1:] if numbered else cells, strict=False))
    label = found.get("class", "")[:20]
    if set(found) != set(COLUMNS):
        return PastedClass(number, label, refusal="cells")
    one = known.get(fold_name(found["class"]))
    if one is None:
        return PastedClass(number, label, refusal="unknown")
    try:
        counts = [count_of(found[name] or None) for name in NAMES]
        if None in counts:
            return PastedClass(number, label, one, refusal="number")
        return PastedClass(number, label, one, ClassCounts(*[count or 0 for count in counts]))
    except NotACount:
        return PastedClass(number, label, one, refusal="number")
    except ClassCountsRefused as refused:
        return PastedClass(number, label, one, refusal="counts", rule=refused.rule)


def _is_sum(cells: Sequence[str]) -> bool:
    named = next((cell for cell in cells if cell.strip() and not cell.strip().isdigit()), "")
    return heading_key(named) in _SUMS


def _is_heading(cell: str) -> bool:
    return _meaning(cell) is not None


def _meaning(cell: str) -> str | None:
    readings = (cell, to_unicode(cell, TextEncoding.TCVN3), to_unicode(cell, TextEncoding.VNI))
    return next((_MEANING[key] for key in map(heading_key, readings) if key in _MEANING), None)
