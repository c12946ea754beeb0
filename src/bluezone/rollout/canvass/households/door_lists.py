# SPDX-License-Identifier: Apache-2.0
"""A ward's list of households as rows, and its import: read, shown with what is new, changed or refused, then done
exactly as shown or not at all.
"""

import datetime
import hashlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from bluezone.audit import hash_chain
from bluezone.directory.imports.headings import Column
from bluezone.directory.imports.list_imports import CONVERT, KEEP, ImportOutdated
from bluezone.directory.imports.plans import ImportNotReady
from bluezone.directory.imports.raw_sheets import NotACount, count_of, text_of
from bluezone.directory.imports.tables import Row, Table, read_table
from bluezone.directory.models import AdminUnit
from bluezone.identity.models import User
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.rollout.canvass.households import decisions
from bluezone.rollout.canvass.households.decisions import say, shown_text
from bluezone.rollout.canvass.households.facts import FIELDS, new_key
from bluezone.rollout.canvass.households.projection import fold_again, show
from bluezone.rollout.canvass.models import DoorsImport, Household
from bluezone.rollout.canvass.visits.entries import LONGEST, MOST_PHONES
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


_ROWS_A_STATEMENT = 500


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


def apply(actor: str, waiting: DoorsImport, digest: str, now: datetime.datetime) -> DoorPlan:
    """Store the good rows of the plan that was shown under `digest`, propose doubles, forget the file.

    Rows that were refused are left out only where the reader has seen them: the digest names them, too.
    Raises ImportOutdated, ImportNotReady; nothing is stored.
    """
    with transaction.atomic():
        # A second tap on the button waits here and then finds the list gone.
        held = DoorsImport.objects.select_for_update().select_related("unit").get(pk=waiting.pk)
        seen = preview(held)
        if seen.plan is None or not (seen.plan.added or seen.plan.changed):
            raise ImportNotReady("nothing can be stored yet")
        if seen.digest != digest:
            raise ImportOutdated("the doors changed since the preview was made; look at the new preview")
        Household.everything.bulk_create(
            (_household(held.unit, row.values, now) for row in seen.plan.added), batch_size=_ROWS_A_STATEMENT
        )
        for row in seen.plan.changed:
            assert row.household is not None
            say(actor, Household.objects.select_for_update().get(pk=row.household.pk), dict(row.changes), now)
        hash_chain.record(actor, "households_imported", held.sha256, unit=held.unit_id, added=len(seen.plan.added),
                        changed=len(seen.plan.changed))  # fmt: skip
        decisions.propose(held.unit, now)
        held.delete()
    return seen.plan


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


def _household(unit: AdminUnit, values: Mapping[str, str], now: datetime.datetime) -> Household:
    household = Household(key=new_key(now), unit=unit, made_at=now, touched_at=now)
    for name in FIELDS:
        show(household, name, values[name])
    fold_again(household)
    return household
