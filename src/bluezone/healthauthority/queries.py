# SPDX-License-Identifier: Apache-2.0
"""What the pages show: issued codes, delivery times, and counts of codes and files; nothing links to a person."""

import collections
import datetime
import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _

from bluezone.healthauthority.codes import practice, tickets
from bluezone.healthauthority.duty import HEALTH_SUPERVISORS
from bluezone.healthauthority.models import CaseClass, IssuedCode, OpenedDeclaration
from bluezone.healthauthority.permissions import visible_codes
from bluezone.identity.models import User
from bluezone.keyserver import statistics as keyserver_statistics
from bluezone.keyserver.codes.issued_codes import CodeState
from bluezone.keyserver.publication import embargo
from bluezone.keyserver.publication.downloads import FileMissing
from bluezone.keyserver.publication.series import EXPORTS_FOLDER
from bluezone.keyserver.service import KeyServer
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet
from bluezone.protocol.exports.files import read_export
from bluezone.refusal import Refused
from bluezone.training import practising

# A count of 1 to 4 in a small place may be a known family.
LEAST_VISIBLE_COUNT = 5
EPOCH = datetime.date(1970, 1, 1)

Cell = int | None
CODES_A_PAGE = 20
SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class DayRow:
    """Codes issued on one local day; None for a count that is not shown."""

    day: datetime.date
    issued: Cell


@dataclass(frozen=True)
class FileRow:
    """An export file: `ended` aware, `keys` real and random ones together, `size` bytes."""

    number: int
    ended: datetime.datetime
    keys: int
    size: int


def code_rows(*, everything: bool) -> list[DayRow]:
    """Codes that are still stored, by local day, newest first, without training. They are deleted after 14 days.

    Used codes are counted nowhere: where few are issued, the count would reveal which were not used.
    everything: the counts for a supervisor; otherwise counts under 5 are not shown.
    """
    counts_by_moment = (
        IssuedCode.everything.filter(training=False).order_by().values_list("issued_at").annotate(Count("pk"))
    )
    counts: dict[datetime.date, int] = collections.Counter()
    for moment, count in counts_by_moment:
        counts[timezone.localdate(moment)] += count
    return [
        DayRow(day, count if everything or count >= LEAST_VISIBLE_COUNT else None)
        for day, count in sorted(counts.items(), reverse=True)
    ]


def total_issued(rows: Sequence[DayRow]) -> Cell:
    """Codes of all days; None if the count of a day is hidden, which the sum would reveal."""
    total = 0
    for row in rows:
        if row.issued is None:
            return None
        total += row.issued
    return total


@dataclass(frozen=True)
class Column:
    """A column of a chart. parts: (name, count) from the bottom up; total None: this day is not shown."""

    label: str
    parts: tuple[tuple[str, int], ...]
    total: int | None


def code_columns(rows: Sequence[DayRow]) -> list[Column]:
    """Codes by day for the chart, oldest first; hides the same counts as the table."""
    columns = {
        row.day: Column(_day_label(row.day), (("issued", row.issued),) if row.issued else (), row.issued)
        for row in reversed(rows)
    }
    return _day_by_day(columns)


def report_columns(reports: Iterable[tuple[datetime.date, CaseClass, int]]) -> list[Column]:
    """Reports by day and class for the chart, oldest first."""
    days: dict[datetime.date, dict[CaseClass, int]] = {}
    for day, klass, count in reports:
        days.setdefault(day, {})[klass] = count
    columns = {}
    for day, counts in days.items():
        parts = tuple((klass.value, counts[klass]) for klass in CaseClass if klass in counts)
        columns[day] = Column(_day_label(day), parts, sum(counts.values()))
    return _day_by_day(columns)


def _day_by_day(columns: dict[datetime.date, Column]) -> list[Column]:
    """The columns of all days from the first to the last, including empty ones, so that time runs evenly."""
    if not columns:
        return []
    first = min(columns)
    last = max(columns)
    days = (first + datetime.timedelta(days=ahead) for ahead in range((last - first).days + 1))
    return [columns.get(day, Column(_day_label(day), (), 0)) for day in days]


def file_columns(files: Sequence[FileRow]) -> list[Column]:
    """Keys of each file for the chart, oldest first; the label is the day on which the file's period ended."""
    return [
        Column(_day_label(timezone.localdate(row.ended)), (("keys", row.keys),), row.keys) for row in reversed(files)
    ]


def _day_label(day: datetime.date) -> str:
    return f"{day.day}/{day.month}"


def reports_per_day(server: KeyServer) -> list[tuple[datetime.date, CaseClass, int]]:
    """Reports received, by day and class, newest first: only for supervisors."""
    names = {1: CaseClass.CONFIRMED, 2: CaseClass.CLINICAL}
    rows = [
        (_date(count.day), names[count.klass], count.uploads)
        for count in keyserver_statistics.uploads_by_day(server.keys_store)
    ]
    return sorted(rows, key=lambda row: (-row[0].toordinal(), row[1]))


def file_rows(server: KeyServer, most: int | None = None) -> list[FileRow]:
    """The `most` newest export files (None: all of two weeks). Anybody can count the keys in the files, too."""
    rows = []
    files = keyserver_statistics.files(server.keys_store)
    if most:
        files = files[-most:]
    for entry in files:
        ended = datetime.datetime.fromtimestamp(entry.end_timestamp, datetime.UTC)
        rows.append(FileRow(entry.number, ended, _key_count_or_zero(server, entry.name), entry.size))
    return list(reversed(rows))


def _key_count_or_zero(server: KeyServer, name: str) -> int:
    try:
        return _key_count(server.downloads.fetch, f"{EXPORTS_FOLDER}/{name}")
    except Refused:
        return 0


@functools.lru_cache(maxsize=1024)
def _key_count(download: Callable[[str], bytes | None], name: str) -> int:
    """Keys in a file; files never change, so each is read once. Raises FileMissing, StoreRefused."""
    content = download(name)
    if content is None:
        raise FileMissing(f"{name} is not here")
    return len(read_export(content).columns)


def statistics_sheets(server: KeyServer, *, everything: bool) -> list[ExportSheet]:
    """The tables of the page for a file to download."""
    return [codes_sheet(everything=everything), files_sheet(server)]


def codes_sheet(*, everything: bool) -> ExportSheet:
    """Codes by day; a hidden count is an empty cell, as a note explains."""
    notes = [_("The number of codes used on a day is not counted: where few are issued, it would show which ones.")]
    if not everything:
        notes.append(_("Empty cells are counts under 5, which are not shown."))
    columns = [ExportColumn(_("Day"), ColumnKind.DAY), ExportColumn(_("Codes issued"), ColumnKind.COUNT)]
    return ExportSheet(_("Codes"), columns, [(row.day, row.issued) for row in code_rows(everything=everything)], notes)


def files_sheet(server: KeyServer) -> ExportSheet:
    """Export files with their numbers of keys, including random ones."""
    columns = [
        ExportColumn(_("File"), ColumnKind.COUNT),
        ExportColumn(_("Day"), ColumnKind.DAY),
        ExportColumn(_("Period ended (UTC)")),
        ExportColumn(_("Keys, random ones included"), ColumnKind.COUNT),
        ExportColumn(_("Bytes"), ColumnKind.COUNT),
    ]
    note = _("Most keys are random. They are added so that no one can tell how many people reported.")
    rows = [(row.number, row.ended.date(), f"{row.ended:%H:%M}", row.keys, row.size) for row in file_rows(server)]
    return ExportSheet(_("Files"), columns, rows, [note])


def _date(day: int) -> datetime.date:
    return EPOCH + datetime.timedelta(days=day)


@dataclass(frozen=True)
class DeliveryTimes:
    """When a report received now reaches phones.

    first: its keys of past days are published; last: every phone that is switched on has fetched them.
    today_first, today_last: the same for the key of today, which is not published before the day is over.
    """

    first: datetime.datetime
    last: datetime.datetime
    today_first: datetime.datetime
    today_last: datetime.datetime


def supervisor_names() -> list[str]:
    """Names of the people who can raise a limit, to show to a worker who has reached one."""
    return [str(user) for user in User.objects.with_roles(HEALTH_SUPERVISORS.roles)]


def page_of_codes(user: User, number: str | None) -> Page[IssuedCode]:
    """A page of codes, newest first. Their states are added in the browser, which has the tickets."""
    return Paginator(visible_codes(user), CODES_A_PAGE).get_page(number)


def code_state(server: KeyServer, issued: IssuedCode, ticket: str) -> CodeState:
    """The state of a code, from the key server, by its ticket. "Used" is shown only from the next day on.

    The key server knows a used code until the end of the week in which its link expires. After that, the state is
    "expired".
    Raises TicketInvalid.
    """
    row_id = tickets.verify_ticket(issued, ticket)
    if practising():
        return practice.practice_states([issued], timezone.now())[issued.handle]
    return server.codes.statuses([row_id])[row_id]


def delivery_times(server: KeyServer, now: datetime.datetime) -> DeliveryTimes:
    """When a report received at `now` reaches phones."""
    times = embargo.reach_times(server.city, now.timestamp())
    seconds = (times.published_at, times.phones_by, times.today_published_at, times.today_phones_by)
    return DeliveryTimes(*(datetime.datetime.fromtimestamp(value, datetime.UTC) for value in seconds))


@dataclass(frozen=True)
class DeclarationRow:
    """A sealed declaration in the list. received: Unix seconds of the hour. opened: the note of it, if any."""

    handle: str
    received: int
    opened: OpenedDeclaration | None


def declaration_rows(declarations: Iterable[tuple[str, int]]) -> list[DeclarationRow]:
    """Sealed declarations (handle, hour) with the notes of their opening, in one query."""
    rows = list(declarations)
    notes = OpenedDeclaration.objects.select_related("opened_by").filter(handle__in=[handle for handle, _ in rows])
    opened = {note.handle: note for note in notes}
    return [DeclarationRow(handle, hour * SECONDS_PER_HOUR, opened.get(handle)) for handle, hour in rows]
