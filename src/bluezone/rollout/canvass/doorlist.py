# SPDX-License-Identifier: Apache-2.0
"""A ward's list of households as rows: which are new, which change something, which cannot be used; nothing is stored.

Old fonts, title rows, merged headings and XLSX, XLS or CSV are read by agencies.spreadsheets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bluezone.agencies.cellvalues import NotACount, count_of, text_of
from bluezone.agencies.folding import fold
from bluezone.agencies.headings import Column
from bluezone.agencies.spreadsheets import Row, Table
from bluezone.rollout.canvass.deciding import shown_text
from bluezone.rollout.canvass.entries import LONGEST, MOST_PHONES
from bluezone.rollout.canvass.models import Household

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
