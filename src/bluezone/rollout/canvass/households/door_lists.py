# SPDX-License-Identifier: Apache-2.0
"""A ward's list of households as rows, and its import: read, shown with what is new, changed or refused, then done
exactly as shown or not at all.

What was accepted is kept with the list and stored in pieces (bluezone.directory.imports.pieces).
"""

import contextlib
import datetime
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max
from django.utils.translation import gettext as _

from bluezone.audit import hash_chain
from bluezone.directory.imports.headings import Column
from bluezone.directory.imports.list_imports import CONVERT, KEEP, ImportOutdated
from bluezone.directory.imports.pieces import ROWS_A_TRANSACTION, RUNNING, Pieces, State
from bluezone.directory.imports.plans import ImportNotReady
from bluezone.directory.imports.raw_sheets import NotACount, count_of, text_of
from bluezone.directory.imports.tables import Row, Table, read_table
from bluezone.directory.models import AdminUnit
from bluezone.directory.records.store import ImportUnderWay
from bluezone.identity.models import User
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.rollout.canvass.households import decisions
from bluezone.rollout.canvass.households.decisions import shown_text
from bluezone.rollout.canvass.households.facts import FIELDS, new_key
from bluezone.rollout.canvass.households.projection import fold_again, show
from bluezone.rollout.canvass.models import DoorsImport, Household
from bluezone.rollout.canvass.visits.entries import LONGEST, MOST_PHONES
from bluezone.training import practice
from bluezone.vietnamese.spelling import fold

COLUMNS = (
    Column(
        "head",
        ("Chủ hộ", "Họ và tên chủ hộ", "Họ tên chủ hộ", "Tên chủ hộ", "Họ và tên", "Householder", "Head of household"),
    ),
    Column("address", ("Địa chỉ", "Số nhà", "Số nhà, đường", "Nơi ở", "Chỗ ở hiện nay", "Address")),
    Column(
        "group",
        ("Tổ dân phố", "Tổ", "Thôn", "Thôn, tổ", "Thôn, tổ dân phố", "Thôn/Tổ", "Khu phố", "Residential group"),
        required=True,
    ),
    Column("smartphones", ("Số điện thoại thông minh", "Điện thoại thông minh", "Số ĐTTM", "ĐTTM", "Smartphones")),
    Column("note", ("Ghi chú", "Ghi chú đường đi", "Note")),
)  # fmt: skip


@dataclass(frozen=True)
class DoorRow:
    """One row that can be used. household: the stored one it is about, None for a new one; changes: field -> value."""

    number: int
    values: Mapping[str, str]
    household: Household | None = None
    changes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RefusedRow:
    """One row that cannot: its number, the letter of the column at fault ("" for the row), and a code of REASONS."""

    number: int
    letter: str
    reason: str


@dataclass(frozen=True)
class DoorPlan:
    """What a list would do. unchanged: how many rows say what is stored already."""

    added: tuple[DoorRow, ...]
    changed: tuple[DoorRow, ...]
    unchanged: int
    refused: tuple[RefusedRow, ...]
    ignored: tuple[str, ...]

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return len(self.added) + len(self.changed) + self.unchanged + len(self.refused)

    @property
    def good(self) -> int:
        """How many of them can be used."""
        return self.rows - len(self.refused)


def plan(table: Table, stored: Iterable[Household]) -> DoorPlan:
    """Lay a table over the stored households of a ward; an empty cell leaves what is stored."""
    known = {identity(door.group, door.head, door.address): door for door in stored}
    seen: dict[tuple[str, str, str], int] = {}
    added, changed, refused, unchanged = [], [], [], 0
    for row in table.rows:
        read = _read(row, table.letters)
        if isinstance(read, RefusedRow):
            refused.append(read)
            continue
        who = identity(read["group"], read["head"], read["address"])
        if who in seen:
            refused.append(RefusedRow(row.number, "", "repeated"))
            continue
        seen[who] = row.number
        household = known.get(who)
        if household is None:
            added.append(DoorRow(row.number, read))
            continue
        new = {name: value for name, value in read.items() if value and value != shown_text(household, name)}
        # Marks and capitals of name and address are taken over; the door is the same.
        if new:
            changed.append(DoorRow(row.number, read, household, new))
        else:
            unchanged += 1
    return DoorPlan(tuple(added), tuple(changed), unchanged, tuple(refused), table.ignored)


def identity(group: str, head: str, address: str) -> tuple[str, str, str]:
    """By what a row finds its household: group, householder and address without marks and capitals."""
    return fold(group), fold(head), fold(address)


def _read(row: Row, letters: Mapping[str, str]) -> dict[str, str] | RefusedRow:
    values = {name: " ".join(text_of(row.cells.get(name)).split()) for name in LONGEST}
    for name, longest in LONGEST.items():
        if len(values[name]) > longest:
            return RefusedRow(row.number, letters.get(name, ""), "too_long")
    if not values["group"]:
        return RefusedRow(row.number, letters.get("group", ""), "no_group")
    if not values["head"] and not values["address"]:
        return RefusedRow(row.number, "", "no_name")
    try:
        phones = count_of(row.cells.get("smartphones"))
    except NotACount:
        return RefusedRow(row.number, letters.get("smartphones", ""), "no_count")
    if phones is not None and phones > MOST_PHONES:
        return RefusedRow(row.number, letters.get("smartphones", ""), "no_count")
    if values["group"].isdigit():
        # "5" in a column headed "Tổ" is Tổ 5.
        values["group"] = f"Tổ {values['group']}"
    return {**values, "smartphones": "" if phones is None else str(phones)}


@dataclass(frozen=True)
class DoorPreview:
    """What a person is shown. plan: None while it is open whether to convert an old font."""

    table: Table
    plan: DoorPlan | None
    digest: str


def receive(user: User, unit: AdminUnit, file_name: str, content: bytes) -> DoorsImport:
    """Keep a list that can be read, until it is applied or discarded. Raises a SpreadsheetRefused."""
    read_table(io.BytesIO(content), COLUMNS)
    return DoorsImport.objects.create(
        unit=unit,
        file_name="".join(filter(str.isprintable, file_name))[-200:],
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        made_by=user,
    )


def decide(waiting: DoorsImport, conversion: str) -> None:
    """Answer whether text of an old font is converted."""
    waiting.conversion = CONVERT if conversion == CONVERT else KEEP
    waiting.save(update_fields=["conversion"])


def preview(waiting: DoorsImport) -> DoorPreview:
    """What the list would do to the ward's doors as they are now."""
    table = read_table(io.BytesIO(bytes(waiting.content)), COLUMNS)
    if waiting.conversion == CONVERT:
        table = table.converted()
    elif waiting.conversion == KEEP:
        table = table.left_as_is()
    if table.legacy is not None:
        return DoorPreview(table, None, "")
    found = plan(table, Household.objects.filter(unit=waiting.unit, merged_into=None))
    shown = repr([(row.number, dict(row.changes), row.household and row.household.pk) for row in found.changed])
    bound = f"{waiting.sha256} {waiting.conversion} {waiting.unit_id} {len(found.added)} {shown} {found.refused!r}"
    return DoorPreview(table, found, hashlib.sha256(bound.encode()).hexdigest())


def accept(waiting: DoorsImport, digest: str) -> DoorsImport:
    """Keep what the plan that was shown under `digest` would do, to be stored by `carry_out`, and forget the file.

    Rows that were refused are left out only where the reader has seen them: the digest names them, too.
    Raises ImportOutdated, ImportNotReady, ImportUnderWay; nothing will be stored.
    """
    before = _extent(waiting)
    seen = preview(waiting)
    if seen.plan is None or not (seen.plan.added or seen.plan.changed):
        raise ImportNotReady("nothing can be stored yet")
    outdated = ImportOutdated("the doors changed since the preview was made; look at the new preview")
    if seen.digest != digest:
        raise outdated
    accepted = _as_json(seen.plan)
    with transaction.atomic():
        # A second tap on the button waits here and then finds the list accepted.
        held = DoorsImport.objects.select_for_update().defer("content").filter(pk=waiting.pk, state=State.LOOKED_AT)
        if not held:
            raise ImportNotReady("it was accepted or discarded meanwhile")
        if DoorsImport.objects.filter(unit=waiting.unit, state__in=RUNNING).exists():
            raise ImportUnderWay("another list of this ward is being stored")
        if _extent(waiting) != before:
            raise outdated
        held.update(
            state=State.STORING, accepted=accepted, content=b"", added=len(seen.plan.added),
            changed=len(seen.plan.changed),
        )  # fmt: skip
    return DoorsImport.objects.defer("content", "accepted").select_related("unit", "made_by").get(pk=waiting.pk)


def _extent(waiting: DoorsImport) -> object:
    """What differs when doors of the ward come or go; read in a moment."""
    doors = Household.everything.filter(unit=waiting.unit_id, training=waiting.training).order_by()
    return doors.aggregate(Count("pk"), Max("made_at"))


def _as_json(found: DoorPlan) -> dict[str, list[object]]:
    """added: values of each row. changed: of each row the door's key, and field -> [value before, value after]."""
    return {
        "added": [dict(row.values) for row in found.added],
        "changed": [
            [str(row.household.pk), {name: [shown_text(row.household, name), to] for name, to in row.changes.items()}]
            for row in found.changed
            if row.household is not None
        ],
    }


def _store_some(held: DoorsImport, accepted: Mapping[str, Any], now: datetime.datetime) -> None:
    rows = accepted["added"][held.done : held.done + ROWS_A_TRANSACTION]
    if not rows:
        _show_all(held)
        return
    doors = [_household(held, values, now) for values in rows]
    with transaction.atomic():
        if _PIECES.moved_on(held, done=held.done + len(rows)):
            Household.everything.bulk_create(doors)


def _show_all(held: DoorsImport) -> None:
    """Let everybody see the new doors, in one statement."""
    with transaction.atomic():
        if _PIECES.moved_on(held, state=State.CHANGING, done=0):
            Household.everything.filter(arriving=held).update(arriving=None)
            hash_chain.record(held.made_by.username, "households_imported", held.sha256, unit=held.unit_id,
                              added=held.added, changed=held.changed)  # fmt: skip


def _change_some(held: DoorsImport, accepted: Mapping[str, Any], now: datetime.datetime) -> None:
    rows = accepted["changed"][held.done : held.done + ROWS_A_TRANSACTION]
    if not rows:
        _PIECES.moved_on(held, state=State.SETTLING, done=0)
        return
    with transaction.atomic():
        if not _PIECES.moved_on(held, done=held.done + len(rows)):
            return
        doors = Household.objects.select_for_update().order_by("pk").filter(merged_into=None)
        found = {str(door.pk): door for door in doors.filter(pk__in=[key for key, _values in rows])}
        said = [
            (found[key], {name: after for name, (_before, after) in values.items()})
            for key, values in rows
            if key in found and all(shown_text(found[key], name) == before for name, (before, _to) in values.items())
        ]
        decisions.say_all(held.made_by.username, said, now)
        if len(said) < len(rows):
            DoorsImport.everything.filter(pk=held.pk).update(left=F("left") + len(rows) - len(said))


def _look_for_doubles(held: DoorsImport, _accepted: Mapping[str, Any], now: datetime.datetime) -> None:
    decisions.propose(held.unit, now)
    _PIECES.moved_on(held, state=State.DONE, accepted={})


def _take_some_back(held: DoorsImport, _accepted: Mapping[str, Any], _now: datetime.datetime) -> None:
    with transaction.atomic():
        keys = Household.everything.filter(arriving=held).order_by().values_list("pk", flat=True)
        doors = list(keys[:ROWS_A_TRANSACTION])
        if doors:
            Household.everything.filter(pk__in=doors).delete()
        else:
            DoorsImport.everything.filter(pk=held.pk).delete()


_PIECES = Pieces(
    DoorsImport,
    {
        State.STORING: _store_some,
        State.CHANGING: _change_some,
        State.SETTLING: _look_for_doubles,
        State.TAKING_BACK: _take_some_back,
    },
    within=lambda held: practice() if held.training else contextlib.nullcontext(),
)
carry_out, go_on, take_back, forget = _PIECES.carry_out, _PIECES.go_on, _PIECES.take_back, _PIECES.forget


def marked(waiting: DoorsImport, reasons: dict[int, str]) -> ExportSheet:
    """The list given back with the reason beside each refused row. reasons: number of the row -> sentence."""
    table = preview(waiting).table
    present = [column for column in COLUMNS if column.name in table.letters]
    return ExportSheet(
        _("To correct"),
        [*(ExportColumn(column.headings[0]) for column in present), ExportColumn(_("Remark"))],
        [
            [*(text_of(row.cells.get(column.name)) for column in present), reasons.get(row.number, "")]
            for row in table.rows
        ],
    )


def template() -> ExportSheet:
    """An empty list with every heading."""
    return ExportSheet(_("Households"), [ExportColumn(column.headings[0]) for column in COLUMNS], [])


def _household(held: DoorsImport, values: Mapping[str, str], now: datetime.datetime) -> Household:
    household = Household(key=new_key(now), unit=held.unit, made_at=now, touched_at=now, arriving=held)
    for name in FIELDS:
        show(household, name, values[name])
    fold_again(household)
    return household
