# SPDX-License-Identifier: Apache-2.0
"""What a list that was sent in says: its sheets under the headings that are known, where a person said the columns
are, and with the rows that a person corrected.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from bluezone.directory.imports.headings import (
    Column,
    have_headings,
    heading_key,
    headings_of,
    is_blank,
    missing_columns,
    propose_places,
)
from bluezone.directory.imports.raw_sheets import (
    MAX_CELL_CHARACTERS,
    RawSheet,
    SpreadsheetColumnsMissing,
    SpreadsheetHeaderMissing,
    SpreadsheetHeadingMerged,
    SpreadsheetHeadingRepeated,
    SpreadsheetOfPeople,
    column_letter,
    pack,
    text_of,
)
from bluezone.directory.imports.tables import Layout, Row, Table, read_sheets, table_of
from bluezone.directory.models import RememberedHeading, SentList
from bluezone.identity.models import User
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.refusal import Refused

CONVERT, KEEP = "convert", "keep"
List = TypeVar("List", bound=SentList)
Plan = TypeVar("Plan")
# What a person settles by saying which column is which.
LAYOUT_OPEN = (
    SpreadsheetColumnsMissing,
    SpreadsheetHeaderMissing,
    SpreadsheetHeadingMerged,
    SpreadsheetHeadingRepeated,
    SpreadsheetOfPeople,
)
# More rows and columns than a page of examples needs.
ROWS_OF_EXAMPLE = 12
COLUMNS_OF_EXAMPLE = 30


class ImportNotReady(Refused):
    """A conversion that nobody confirmed or declined, or rows that were refused; nothing was stored."""

    code = "import_not_ready"


class ImportOutdated(Refused):
    """The preview that was accepted is no longer what the list would do: something changed meanwhile."""

    code = "import_outdated"


@dataclasses.dataclass(frozen=True)
class RefusedRow:
    """A row that cannot be used: its number, the name of the column at fault ("" for the row), and a reason's code."""

    row: int
    column: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Preview(Generic[Plan]):
    """What a person is shown of a list.

    plan:   None while it is open whether to convert an old font.
    digest: 64 hex digits of the list as it is read and of what it would do; accepting the preview names them.
    """

    table: Table
    plan: Plan | None
    digest: str

    def accepted(self, digest: str) -> Plan:
        """The plan, where it is still the one that was shown under `digest`.

        Raises ImportOutdated, and ImportNotReady while it is open whether to convert an old font.
        """
        if self.plan is None:
            raise ImportNotReady("the question whether to convert the text is still open")
        if self.digest != digest:
            raise ImportOutdated("what the list would do changed since the preview was made; look at the new preview")
        return self.plan


@dataclasses.dataclass(frozen=True)
class Reading:
    """How the lists of one kind are read.

    about: the kind. place: whose lists, "" for the city's: what a heading means is remembered for each.
    of_people: a list with a heading for each of these is of people, and is not taken before a person says which column
               is which.
    """

    about: str
    columns: Sequence[Column]
    place: str = ""
    of_people: Sequence[Column] = ()

    def remembered(self) -> Mapping[str, str]:
        """What was said of headings: by `heading_key`, the name of a column or "" for none."""
        names = {"", *(column.name for column in self.columns)}
        found = RememberedHeading.objects.filter(about=self.about, place=self.place)
        return {heading: column for heading, column in found.values_list("heading", "column") if column in names}

    def receive(self, model: type[List], user: User, file_name: str, content: bytes, **fields: object) -> List:
        """Keep a list that can be read, until it is stored or discarded. fields: further ones of the model.

        Raises a SpreadsheetRefused.
        """
        return model._default_manager.create(
            file_name="".join(filter(str.isprintable, file_name))[-200:],
            content=self.take(content),
            sha256=hashlib.sha256(content).hexdigest(),
            made_by=user,
            **fields,
        )

    def take(self, content: bytes) -> bytes:
        """A file as it is kept, parsed once. A list whose columns are not found is kept too, for a person to say.

        Raises a SpreadsheetRefused for what is no list.
        """
        sheets = read_sheets(content)
        try:
            self._look(sheets)
        except LAYOUT_OPEN:
            if not any(sheet.rows for sheet in sheets):
                raise
        return pack(sheets)

    def table(self, waiting: SentList) -> Table:
        """The list with everything that a person said of it. Raises a SpreadsheetRefused, of LAYOUT_OPEN among them."""
        sheets = read_sheets(bytes(waiting.content))
        said = waiting.layout
        if said:
            layout = Layout(tuple(said["sheets"]), said["header_row"], said["places"])
            table = table_of(sheets, self.columns, None, layout)
        else:
            table = self._look(sheets)
        if waiting.conversion == CONVERT:
            table = table.converted()
        elif waiting.conversion == KEEP:
            table = table.left_as_is()
        return corrected(table, waiting.fixes)

    def lists_people(self, sheets: Sequence[RawSheet]) -> bool:
        """Whether these sheets hold a list of people where it is no list of this kind."""
        return bool(self.of_people) and have_headings(sheets, self.of_people)

    def _look(self, sheets: Sequence[RawSheet]) -> Table:
        """The list under the headings that are known. Raises a SpreadsheetRefused."""
        if self.lists_people(sheets):
            raise SpreadsheetOfPeople(f"a list of people, expected one of {self.about}")
        return table_of(sheets, self.columns, self.remembered())

    def choose(self, waiting: SentList, sheets: Sequence[int], header_row: int, places: Mapping[str, int]) -> None:
        """Keep where a person said the columns are, and what that says of their headings, for the next list.

        Raises a SpreadsheetRefused when the list cannot be read so; nothing is kept then.
        """
        found = read_sheets(bytes(waiting.content))
        missing = [column.headings[0] for column in missing_columns(self.columns, places)]
        if missing:
            raise SpreadsheetColumnsMissing(f"no column was said to be: {', '.join(missing)}")
        table_of(found, self.columns, None, Layout(tuple(sheets), header_row, places))
        waiting.layout = {"sheets": list(sheets), "header_row": header_row, "places": dict(places)}
        waiting.fixes = {}
        meant = {index: name for name, index in places.items()}
        known = {heading_key(spelling) for column in self.columns for spelling in column.headings}
        with transaction.atomic():
            waiting.save(update_fields=["layout", "fixes"])
            for index, heading in headings_of(found[sheets[0]], header_row).items():
                key, name = heading_key(heading)[:200], meant.get(index, "")
                if key and (name or key in known):
                    RememberedHeading.objects.update_or_create(
                        about=self.about, place=self.place, heading=key, defaults={"column": name}
                    )


def decide(waiting: SentList, conversion: str) -> None:
    """Answer the question whether text of an old font is converted: CONVERT or KEEP."""
    waiting.conversion = CONVERT if conversion == CONVERT else KEEP
    waiting.save(update_fields=["conversion"])


def digest_of(waiting: SentList, *would_do: object) -> str:
    """64 hex digits of a list as it is read, and of what it would do."""
    said = json.dumps([waiting.sha256, waiting.conversion, waiting.layout, waiting.fixes], sort_keys=True)
    return hashlib.sha256(f"{said} {would_do!r}".encode()).hexdigest()


def marked_list(table: Table, columns: Sequence[Column], remarks: Mapping[int, Sequence[str]]) -> ExportSheet:
    """Every row of a list in its columns, all as text, with what is to be said of it. remarks: by number of the row.

    Columns nobody asked for are not given back. The result can be imported again: its headings are the first spelling
    of each column, and the last one is ignored.
    """
    present = [column for column in columns if column.name in table.letters]
    return ExportSheet(
        _("To correct"),
        [*(ExportColumn(column.headings[0]) for column in present), ExportColumn(_("Remark"))],
        [
            [*(text_of(row.cells.get(column.name)) for column in present), "; ".join(remarks.get(row.number, ()))]
            for row in table.rows
        ],
    )


def empty_list(title: str, columns: Sequence[Column]) -> ExportSheet:
    """An empty list with every heading, to be filled in."""
    return ExportSheet(title, [ExportColumn(column.headings[0]) for column in columns], [])


def corrected(table: Table, fixes: Mapping[str, Any]) -> Table:
    """The list with the cells that a person typed over, and without the rows that a person left out."""
    if not fixes:
        return table
    rows, out = [], []
    for row in table.rows:
        fixed = fixes.get(str(row.number), {})
        if fixed is None:
            out.append(row.number)
        else:
            rows.append(Row(row.number, {**row.cells, **{name: text or None for name, text in fixed.items()}}))
    return dataclasses.replace(table, rows=tuple(rows), left_out=tuple(sorted({*table.left_out, *out})))


def fix(waiting: SentList, columns: Sequence[Column], said: Mapping[str, str]) -> None:
    """Keep what a person corrected: "fix-ROW-COLUMN" is a cell's text, "out-ROW" leaves the row out.

    Safe to repeat: sent twice it says the same.
    """
    names = {column.name for column in columns}
    fixes: dict[str, Any] = dict(waiting.fixes)
    for name, text in said.items():
        what, _, rest = name.partition("-")
        row, _, column = rest.partition("-")
        if not row.isdecimal() or len(row) > 9:
            continue
        if what == "fix" and column in names:
            fixes[row] = {**(fixes.get(row) or {}), column: text.strip()[:MAX_CELL_CHARACTERS]}
    for name in said:
        if name.startswith("out-") and name[4:].isdecimal() and len(name) < 14:
            fixes[name[4:]] = None
    waiting.fixes = fixes
    waiting.save(update_fields=["fixes"])


@dataclasses.dataclass(frozen=True)
class FixCell:
    """One cell of a refused row: name of its field, its heading, what stands there, and whether it is at fault.

    choices: what it can say, where there is a list of that.
    """

    field: str
    heading: str
    text: str
    wrong: bool
    choices: Sequence[tuple[str, Any]]


def fix_cells(table: Table, columns: Sequence[Column], refused: RefusedRow) -> list[FixCell]:
    """The cells of a refused row as fields to be typed over: those the list has, and the one that is missing."""
    row = next((one for one in table.rows if one.number == refused.row), None)
    if row is None:
        return []
    at_fault = refused.column
    return [
        FixCell(
            f"fix-{row.number}-{one.name}",
            one.label,
            text_of(row.cells.get(one.name)),
            one.name == at_fault,
            one.choices,
        )
        for one in columns
        if one.name in table.letters or one.required or one.name == at_fault or row.cells.get(one.name) is not None
    ]


@dataclasses.dataclass(frozen=True)
class Example:
    """One sheet as a page shows it: its first rows, and for each column its letter and what it seems to be."""

    number: int
    title: str
    rows: list[tuple[int, list[str]]]
    letters: list[tuple[int, str, str]]
    header_row: int


def examples(sheets: Sequence[RawSheet], reading: Reading, layout: Mapping[str, Any]) -> list[Example]:
    """The sheets of a list for a person who says which column is which."""
    found = []
    remembered = reading.remembered()
    for number, sheet in enumerate(sheets):
        chosen = layout if layout and number in layout["sheets"] else None
        header_row = chosen["header_row"] if chosen else _header_row(sheet)
        places = chosen["places"] if chosen else {}
        if not chosen and not reading.lists_people([sheet]):
            places = propose_places(sheet, reading.columns, header_row)
            for index, heading in headings_of(sheet, header_row).items():
                name = remembered.get(heading_key(heading))
                if name:
                    places = {**{one: at for one, at in places.items() if at != index}, name: index}
        meant = {index: name for name, index in places.items()}
        shown = [row for row in sheet.rows if row.number >= header_row - 2][:ROWS_OF_EXAMPLE]
        width = min(max((len(row.cells) for row in shown), default=0), COLUMNS_OF_EXAMPLE)
        rows = [(row.number, [_cell_text(row.cells, index) for index in range(width)]) for row in shown]
        letters = [(index, column_letter(index), meant.get(index, "")) for index in range(width)]
        found.append(Example(number, sheet.title, rows, letters, header_row))
    return found


def _cell_text(cells: Sequence[Any], index: int) -> str:
    return str(cells[index]).strip()[:60] if index < len(cells) and not is_blank(cells[index]) else ""


def _header_row(sheet: RawSheet) -> int:
    """The row that most looks like headings: the first whose cells are texts in as many columns as any row has."""
    rows = sheet.rows[: ROWS_OF_EXAMPLE * 2]
    widest = max((_filled(row.cells) for row in rows), default=0)
    for row in rows:
        texts = [cell for cell in row.cells if isinstance(cell, str) and cell.strip()]
        if len(texts) == _filled(row.cells) and len(texts) * 3 >= widest * 2 and not any(map(str.isdecimal, texts)):
            return row.number
    return 0


def _filled(cells: Iterable[Any]) -> int:
    return sum(1 for cell in cells if not is_blank(cell))
