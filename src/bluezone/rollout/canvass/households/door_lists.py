# SPDX-License-Identifier: Apache-2.0
"""A ward's list of households as rows, and its import: read, shown with what is new, changed or refused, then done
exactly as shown or not at all.

What was accepted is kept with the list and stored a few rows at a time (bluezone.directory.imports.list_storage).
"""

import contextlib
import datetime
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max
from django.utils.translation import gettext as _

from bluezone.audit import hash_chain
from bluezone.directory.imports.files.raw_sheets import NotACount, cell_count, cell_text
from bluezone.directory.imports.heading_rows import Column
from bluezone.directory.imports.list_storage import ROWS_A_TRANSACTION, RUNNING, ListStorage, State
from bluezone.directory.imports.sent_lists import (
    ImportNotReady,
    ImportOutdated,
    Preview,
    Reading,
    RefusedRow,
    digest_of,
)
from bluezone.directory.imports.tables import Row, Table
from bluezone.directory.models import AdminUnit
from bluezone.directory.records.store import ImportUnderWay
from bluezone.identity.models import User
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.rollout.canvass.households import decisions
from bluezone.rollout.canvass.households.decisions import shown_text
from bluezone.rollout.canvass.households.facts import FIELDS, new_key
from bluezone.rollout.canvass.households.projection import fold_again, show, store
from bluezone.rollout.canvass.models import DoorsImport, Household
from bluezone.rollout.canvass.visits.entries import LONGEST, MOST_PHONES
from bluezone.training import practice
from bluezone.vietnamese.spelling import fold

COLUMNS = (
    Column(
        "head",
        ("Chủ hộ", "Họ và tên chủ hộ", "Họ tên chủ hộ", "Tên chủ hộ", "Họ và tên", "Householder", "Head of household"),
        begins=("chu ho", "ho va ten chu ho", "ho ten chu ho"),
    ),
    Column(
        "address",
        ("Địa chỉ", "Số nhà", "Số nhà, đường", "Nơi ở", "Chỗ ở hiện nay", "Address"),
        begins=("dia chi", "noi o", "cho o", "noi thuong tru"),
    ),
    Column(
        "group",
        ("Tổ dân phố", "Tổ", "TDP", "Thôn", "Thôn, tổ", "Thôn, tổ dân phố", "Thôn/Tổ", "Khu phố", "Ấp", "Xóm", "Bản",
         "Residential group"),
        required=True,
        above=re.compile(r"(to|tdp|thon|ban|xom|ap|khu|khom|buon|lang|cum|tieu khu) .{1,60}"),
    ),
    Column("smartphones", ("Số điện thoại thông minh", "Điện thoại thông minh", "Số ĐTTM", "ĐTTM", "Smartphones")),
    Column("note", ("Ghi chú", "Ghi chú đường đi", "Note")),
    Column("position", ("Tọa độ", "Vị trí", "Coordinates")),
)  # fmt: skip
# What the lists of others have besides: parts of an address, and whoever else lives there.
_PARTS = (
    Column("lane", ("Ngõ", "Ngách", "Ngõ/Ngách", "Ngõ, ngách", "Hẻm", "Kiệt", "Alley")),
    Column("street", ("Đường", "Phố", "Đường/Phố", "Đường, phố", "Tên đường", "Đường phố", "Street")),
    Column("relation", ("Quan hệ với chủ hộ", "Quan hệ", "Quan hệ chủ hộ", "QH với chủ hộ", "Relation to the head")),
)


# "22.1478, 105.8348" as maps copy it, "22,1478; 105,8348" as spreadsheets here write it.
_POSITION = re.compile(r"(-?\d{1,3}[.,]\d+)\s*[,;\s]\s*(-?\d{1,3}[.,]\d+)")


@dataclass(frozen=True)
class DoorRow:
    """One row that can be used. household: the stored one it is about, None for a new one; changes: field -> value."""

    number: int
    values: Mapping[str, str]
    household: Household | None = None
    changes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DoorPlan:
    """What a list would do. unchanged: how many rows say what is stored already."""

    added: tuple[DoorRow, ...]
    changed: tuple[DoorRow, ...]
    unchanged: int
    refused: tuple[RefusedRow, ...]


def plan(table: Table, stored: Iterable[Household]) -> DoorPlan:
    """Lay a table over the stored households of a ward; an empty cell leaves what is stored."""
    known: defaultdict[tuple[str, str, str], list[Household]] = defaultdict(list)
    for door in stored:
        known[identity(door.group, door.head, door.address)].append(door)
    seen: set[tuple[str, str, str]] = set()
    added, changed, refused, unchanged = [], [], [], 0
    for row in table.rows:
        read = _read(row)
        if isinstance(read, RefusedRow):
            refused.append(read)
            continue
        who = identity(read["group"], read["head"], read["address"])
        if who not in known:
            read["group"] = _group(read["group"])
            who = identity(read["group"], read["head"], read["address"])
        household = _same(known[who], read)
        if household is None:
            if who in seen:
                refused.append(RefusedRow(row.number, "", "repeated"))
            elif missing := _missing(row.number, read):
                refused.append(missing)
            else:
                added.append(DoorRow(row.number, read))
            seen.add(who)
            continue
        seen.add(who)
        known[who].remove(household)
        new = _news(household, read)
        # Marks and capitals of name and address are taken over; the door is the same.
        if new:
            changed.append(DoorRow(row.number, read, household, new))
        else:
            unchanged += 1
    return DoorPlan(tuple(added), tuple(changed), unchanged, tuple(refused))


def _same(doors: list[Household], read: Mapping[str, str]) -> Household | None:
    """The stored door of a row; of several that are called alike, the one that says the same."""
    return min(doors, key=lambda door: len(_news(door, read)), default=None)


def _news(door: Household, read: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in read.items() if value and value != shown_text(door, name)}


def _missing(number: int, read: Mapping[str, str]) -> RefusedRow | None:
    """What a new door needs; one that is stored without it stays as it is."""
    if not read["group"]:
        return RefusedRow(number, "group", "no_group")
    if not read["head"] and not read["address"]:
        return RefusedRow(number, "", "no_name")
    return None


def identity(group: str, head: str, address: str) -> tuple[str, str, str]:
    """By what a row finds its household: group, householder and address without marks and capitals."""
    return fold(group), fold(head), fold(address)


def _heads_alone(table: Table) -> Table:
    """A list of all inhabitants as one of its householders: the others are no doors of their own."""
    others = {row.number for row in table.rows if fold(cell_text(row.cells.get("relation"))) not in _HEADS}
    rows = tuple(row for row in table.rows if row.number not in others)
    return replace(table, rows=rows, left_out=tuple(sorted((*table.left_out, *others))))


_HEADS = frozenset(("", "chu ho", "ch", "head"))
_GROUP = re.compile(r"(?:(?:to dan pho|tdp|to)(?: so)? ?)?0*([0-9]+[a-z]?)")


def _group(text: str) -> str:
    """A residential group as the office calls it: "TỔ DÂN PHỐ SỐ 5" and, in a column headed "Tổ", "5" are "Tổ 5"; "THÔN
    NÀ PÈN" is "Thôn Nà Pèn".
    """
    found = _GROUP.fullmatch(fold(text))
    if found:
        return f"Tổ {found[1].upper()}"
    return text.title() if len(text) > 4 and text.isupper() else text


def _address(row: Row) -> str:
    """House, lane and street as one line."""
    parts = [" ".join(cell_text(row.cells.get(name)).split()) for name in ("address", "lane", "street")]
    if any(parts[1:]) and parts[0].isdigit():
        parts[0] = f"Số {parts[0]}"
    return ", ".join(filter(None, parts))


def _read(row: Row) -> dict[str, str] | RefusedRow:
    values = {name: " ".join(cell_text(row.cells.get(name)).split()) for name in LONGEST}
    values["address"] = _address(row)
    for name, longest in LONGEST.items():
        if len(values[name]) > longest:
            return RefusedRow(row.number, name, "too_long")
    try:
        phones = cell_count(row.cells.get("smartphones"))
    except NotACount:
        return RefusedRow(row.number, "smartphones", "no_count")
    if phones is not None and phones > MOST_PHONES:
        return RefusedRow(row.number, "smartphones", "no_count")
    try:
        position = _position(cell_text(row.cells.get("position")))
    except ValueError:
        return RefusedRow(row.number, "position", "no_position")
    return {**values, "smartphones": "" if phones is None else str(phones), "position": position}


def _position(text: str) -> str:
    """Latitude and longitude as `Household.position` says them, "" for none. Raises ValueError."""
    if not text.strip():
        return ""
    found = _POSITION.fullmatch(text.strip())
    if found is None:
        raise ValueError("no latitude and longitude")
    latitude, longitude = (float(value.replace(",", ".")) for value in found.groups())
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise ValueError("outside the Earth")
    return f"{latitude:.5f}, {longitude:.5f}"


def _put(household: Household, position: str) -> None:
    if position:
        household.latitude, household.longitude = map(float, position.split(", "))


def reading_of(ward: str) -> Reading:
    """How the lists of a ward are read. ward: key of the unit."""
    return Reading("households", (*COLUMNS, *_PARTS), ward)


def receive(user: User, unit: AdminUnit, file_name: str, content: bytes) -> DoorsImport:
    """Keep a list that can be read, until it is applied or discarded. Raises a SpreadsheetRefused."""
    return reading_of(unit.key).store_upload(DoorsImport, user, file_name, content, unit=unit)


def preview(waiting: DoorsImport) -> Preview[DoorPlan]:
    """What the list would do to the ward's doors as they are now.

    Raises a SpreadsheetRefused where a person has to say first which column is which.
    """
    table = _heads_alone(reading_of(waiting.unit.key).read_table(waiting))
    if table.legacy is not None:
        return Preview(table, None, digest_of(waiting))
    found = plan(table, Household.objects.filter(unit=waiting.unit, merged_into=None))
    changed = [(row.number, dict(row.changes), row.household and row.household.pk) for row in found.changed]
    return Preview(table, found, digest_of(waiting, waiting.unit_id, len(found.added), changed, found.refused))


def accept(waiting: DoorsImport, digest: str) -> DoorsImport:
    """Keep what the plan that was shown under `digest` would do, to be stored by `carry_out`, and forget the file.

    Rows that were refused are left out only where the reader has seen them: the digest names them, too.
    Raises ImportOutdated, ImportNotReady, ImportUnderWay; nothing will be stored.
    """
    before = _extent(waiting)
    seen = preview(waiting).plan_for(digest)
    if not (seen.added or seen.changed):
        raise ImportNotReady("nothing can be stored yet")
    accepted = _as_json(seen)
    with transaction.atomic():
        # A second tap on the button waits here and then finds the list accepted.
        held = DoorsImport.objects.select_for_update().defer("content").filter(pk=waiting.pk, state=State.PREVIEWED)
        if not held:
            raise ImportNotReady("it was accepted or discarded meanwhile")
        if DoorsImport.objects.filter(unit=waiting.unit, state__in=RUNNING).exists():
            raise ImportUnderWay("another list of this ward is being stored")
        if _extent(waiting) != before:
            raise ImportOutdated("the doors changed since the preview was made; look at the new preview")
        held.update(
            state=State.STORING, accepted=accepted, content=b"", added=len(seen.added), changed=len(seen.changed)
        )
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
        if LIST_STORAGE.save_progress(held, done=held.done + len(rows)):
            Household.everything.bulk_create(doors)


def _show_all(held: DoorsImport) -> None:
    """Let everybody see the new doors, in one statement."""
    with transaction.atomic():
        if LIST_STORAGE.save_progress(held, state=State.CHANGING, done=0):
            Household.everything.filter(arriving=held).update(arriving=None)
            hash_chain.record(held.made_by.username, "households_imported", held.sha256, unit=held.unit_id,
                              added=held.added, changed=held.changed)  # fmt: skip


def _change_some(held: DoorsImport, accepted: Mapping[str, Any], now: datetime.datetime) -> None:
    rows = accepted["changed"][held.done : held.done + ROWS_A_TRANSACTION]
    if not rows:
        LIST_STORAGE.save_progress(held, state=State.SETTLING, done=0)
        return
    with transaction.atomic():
        if not LIST_STORAGE.save_progress(held, done=held.done + len(rows)):
            return
        doors = Household.objects.select_for_update().order_by("pk").filter(merged_into=None)
        found = {str(door.pk): door for door in doors.filter(pk__in=[key for key, _values in rows])}
        said = [
            (found[key], {name: after for name, (_before, after) in values.items()})
            for key, values in rows
            if key in found and all(shown_text(found[key], name) == before for name, (before, _to) in values.items())
        ]
        for door, values in said:
            _put(door, values.pop("position", ""))
        # Doors of which something else is said as well are stored with that.
        store([door for door, values in said if not values])
        decisions.say_all(held.made_by.username, [(door, values) for door, values in said if values], now)
        if len(said) < len(rows):
            DoorsImport.everything.filter(pk=held.pk).update(left=F("left") + len(rows) - len(said))


def _look_for_doubles(held: DoorsImport, _accepted: Mapping[str, Any], now: datetime.datetime) -> None:
    decisions.propose(held.unit, now)
    LIST_STORAGE.save_progress(held, state=State.DONE, accepted={})


def _delete_some(held: DoorsImport, _accepted: Mapping[str, Any], _now: datetime.datetime) -> None:
    with transaction.atomic():
        keys = Household.everything.filter(arriving=held).order_by().values_list("pk", flat=True)
        doors = list(keys[:ROWS_A_TRANSACTION])
        if doors:
            Household.everything.filter(pk__in=doors).delete()
        else:
            DoorsImport.everything.filter(pk=held.pk).delete()


LIST_STORAGE = ListStorage(
    DoorsImport,
    {
        State.STORING: _store_some,
        State.CHANGING: _change_some,
        State.SETTLING: _look_for_doubles,
        State.WITHDRAWING: _delete_some,
    },
    within=lambda held: practice() if held.training else contextlib.nullcontext(),
)
carry_out, go_on, take_back, forget = (
    LIST_STORAGE.continue_list,
    LIST_STORAGE.continue_all,
    LIST_STORAGE.withdraw,
    LIST_STORAGE.delete_older,
)


def listing(doors: Iterable[Household]) -> ExportSheet:
    """The households with every fact, as a list that can be imported again."""
    columns = [ExportColumn(column.headings[0]) for column in COLUMNS]
    rows = [[shown_text(door, column.name) for column in COLUMNS] for door in doors]
    return ExportSheet(_("Households"), columns, rows)


def _household(held: DoorsImport, values: Mapping[str, str], now: datetime.datetime) -> Household:
    household = Household(key=new_key(now), unit=held.unit, made_at=now, touched_at=now, arriving=held)
    for name in FIELDS:
        show(household, name, values[name])
    _put(household, values.get("position", ""))
    fold_again(household)
    return household
