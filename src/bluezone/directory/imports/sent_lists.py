# SPDX-License-Identifier: Apache-2.0
"""Read an uploaded list: by its headings or by the columns that a person chose, with the person's corrections."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from bluezone.directory.imports.files.file_types import read_sheets
from bluezone.directory.imports.files.raw_sheets import (
    MAX_CELL_CHARACTERS,
    RawSheet,
    SpreadsheetColumnsMissing,
    SpreadsheetHeaderMissing,
    SpreadsheetHeadingMerged,
    SpreadsheetHeadingRepeated,
    SpreadsheetOfPeople,
    cell_text,
    column_letter,
    pack_sheets,
)
from bluezone.directory.imports.heading_rows import (
    Column,
    guess_columns,
    have_headings,
    heading_key,
    headings_of,
    is_blank,
    missing_columns,
)
from bluezone.directory.imports.tables import Layout, Row, Table, join_sheets
from bluezone.directory.models import RememberedHeading, SentList
from bluezone.identity.models import User
from bluezone.paper.tables import ExportColumn, ExportSheet
from bluezone.refusal import Refused

CONVERT = "convert"
KEEP = "keep"
List = TypeVar("List", bound=SentList)
Plan = TypeVar("Plan")
# Refusals that a person resolves by choosing the columns.
LAYOUT_OPEN = (
    SpreadsheetColumnsMissing,
    SpreadsheetHeaderMissing,
    SpreadsheetHeadingMerged,
    SpreadsheetHeadingRepeated,
    SpreadsheetOfPeople,
)
# Rows and columns on the page of examples.
ROWS_OF_EXAMPLE = 12
COLUMNS_OF_EXAMPLE = 30


class ImportNotReady(Refused):
    """The conversion was neither confirmed nor declined, or rows were refused; nothing was stored."""

    code = "import_not_ready"


class ImportOutdated(Refused):
    """The list or the directory has changed since the accepted preview was made."""

    code = "import_outdated"


@dataclasses.dataclass(frozen=True)
class RefusedRow:
    """A row that cannot be used. column: name of the column at fault, "" for the row. reason: stable code."""

    row: int
    column: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Preview(Generic[Plan]):
    """The preview of a list.

    plan:   None until a person decides whether to convert an old font.
    digest: 64 hex digits that identify the list as read and its effect; the person accepts the preview with them.
    """

    table: Table
    plan: Plan | None
    digest: str

    def plan_for(self, digest: str) -> Plan:
        """The plan, if the preview with this digest is still the current one.

        Raises ImportOutdated, and ImportNotReady until a person decides whether to convert an old font.
        """
        if self.plan is None:
            raise ImportNotReady("the question whether to convert the text is still open")
        if self.digest != digest:
            raise ImportOutdated("what the list would do changed since the preview was made; look at the new preview")
        return self.plan


@dataclasses.dataclass(frozen=True)
class Reading:
    """How lists of one kind are read.

    about: the kind. place: the owner of the lists, "" for the city; headings are remembered for each owner.
    of_people: a list with a heading for each of these is of people, and is refused until a person chooses the columns.
    """

    about: str
    columns: Sequence[Column]
    place: str = ""
    of_people: Sequence[Column] = ()

    def remembered_columns(self) -> Mapping[str, str]:
        """The columns chosen for headings in earlier lists: by `heading_key`, the name of a column or "" for none."""
        names = {"", *(column.name for column in self.columns)}
        rows = RememberedHeading.objects.filter(about=self.about, place=self.place)
        return {heading: column for heading, column in rows.values_list("heading", "column") if column in names}

    def store_upload(self, model: type[List], user: User, file_name: str, content: bytes, **fields: object) -> List:
        """Store an uploaded list until it is applied or discarded. fields: further ones of the model.

        Raises a SpreadsheetRefused if it cannot be read.
        """
        return model._default_manager.create(
            file_name="".join(filter(str.isprintable, file_name))[-200:],
            content=self.parse_file(content),
            sha256=hashlib.sha256(content).hexdigest(),
            made_by=user,
            **fields,
        )

    def parse_file(self, content: bytes) -> bytes:
        """The parsed sheets of a file as bytes to store, even if a person has to choose the columns.

        Raises a SpreadsheetRefused if the file is not a list.
        """
        sheets = read_sheets(content)
        try:
            self._detect(sheets)
        except LAYOUT_OPEN:
            if not any(sheet.rows for sheet in sheets):
                raise
        return pack_sheets(sheets)

    def read_table(self, sent_list: SentList) -> Table:
        """The list with the layout, conversion and corrections of a person.

        Raises a SpreadsheetRefused, also one of LAYOUT_OPEN.
        """
        sheets = read_sheets(bytes(sent_list.content))
        layout_json = sent_list.layout
        if layout_json:
            layout = Layout(tuple(layout_json["sheets"]), layout_json["header_row"], layout_json["places"])
            table = join_sheets(sheets, self.columns, None, layout)
        else:
            table = self._detect(sheets)
        if sent_list.conversion == CONVERT:
            table = table.with_conversion()
        elif sent_list.conversion == KEEP:
            table = table.without_conversion()
        return apply_corrections(table, sent_list.fixes)

    def lists_people(self, sheets: Sequence[RawSheet]) -> bool:
        """Whether these sheets are a list of people, although another kind is expected."""
        return bool(self.of_people) and have_headings(sheets, self.of_people)

    def _detect(self, sheets: Sequence[RawSheet]) -> Table:
        """The list under the headings that it has. Raises a SpreadsheetRefused."""
        if self.lists_people(sheets):
            raise SpreadsheetOfPeople(f"a list of people, expected one of {self.about}")
        return join_sheets(sheets, self.columns, self.remembered_columns())

    def choose_columns(
        self, sent_list: SentList, sheets: Sequence[int], header_row: int, places: Mapping[str, int]
    ) -> None:
        """Store the columns that a person chose, and remember their headings for the next list.

        Raises a SpreadsheetRefused if the list cannot be read with these columns; nothing is stored then.
        """
        raw_sheets = read_sheets(bytes(sent_list.content))
        missing = [column.headings[0] for column in missing_columns(self.columns, places)]
        if missing:
            raise SpreadsheetColumnsMissing(f"no column was chosen for: {', '.join(missing)}")
        join_sheets(raw_sheets, self.columns, None, Layout(tuple(sheets), header_row, places))
        sent_list.layout = {"sheets": list(sheets), "header_row": header_row, "places": dict(places)}
        sent_list.fixes = {}
        names = {index: name for name, index in places.items()}
        known_keys: set[str] = set()
        for column in self.columns:
            known_keys.update(heading_key(spelling) for spelling in column.headings)
        with transaction.atomic():
            sent_list.save(update_fields=["layout", "fixes"])
            for index, heading in headings_of(raw_sheets[sheets[0]], header_row).items():
                key = heading_key(heading)[:200]
                name = names.get(index, "")
                if key and (name or key in known_keys):
                    RememberedHeading.objects.update_or_create(
                        about=self.about, place=self.place, heading=key, defaults={"column": name}
                    )


def decide_conversion(sent_list: SentList, conversion: str) -> None:
    """Store the decision whether to convert text in an old font: CONVERT or KEEP."""
    sent_list.conversion = CONVERT if conversion == CONVERT else KEEP
    sent_list.save(update_fields=["conversion"])


def digest_of(sent_list: SentList, *would_do: object) -> str:
    """64 hex digits that identify a list as it is read, and its effect."""
    text = json.dumps([sent_list.sha256, sent_list.conversion, sent_list.layout, sent_list.fixes], sort_keys=True)
    return hashlib.sha256(f"{text} {would_do!r}".encode()).hexdigest()


def marked_list(table: Table, columns: Sequence[Column], remarks: Mapping[int, Sequence[str]]) -> ExportSheet:
    """Every row of a list, all columns as text, with a column of remarks. remarks: by row number.

    Unused columns are left out. The result can be imported again: its headings are the first spelling of each column,
    and the column of remarks is ignored.
    """
    present = [column for column in columns if column.name in table.letters]
    return ExportSheet(
        _("To correct"),
        [*(ExportColumn(column.headings[0]) for column in present), ExportColumn(_("Remark"))],
        [
            [*(cell_text(row.cells.get(column.name)) for column in present), "; ".join(remarks.get(row.number, ()))]
            for row in table.rows
        ],
    )


def empty_list(title: str, columns: Sequence[Column]) -> ExportSheet:
    """An empty list with all headings, to be filled in."""
    return ExportSheet(title, [ExportColumn(column.headings[0]) for column in columns], [])


def apply_corrections(table: Table, fixes: Mapping[str, Any]) -> Table:
    """The list with a person's corrections, and without the rows that the person left out."""
    if not fixes:
        return table
    rows = []
    removed = []
    for row in table.rows:
        corrections = fixes.get(str(row.number), {})
        if corrections is None:
            removed.append(row.number)
        else:
            cells = {name: text or None for name, text in corrections.items()}
            rows.append(Row(row.number, {**row.cells, **cells}))
    return dataclasses.replace(table, rows=tuple(rows), left_out=tuple(sorted({*table.left_out, *removed})))


def store_corrections(sent_list: SentList, columns: Sequence[Column], fields: Mapping[str, str]) -> None:
    """Store a person's corrections: "fix-ROW-COLUMN" is a cell's text, "out-ROW" leaves the row out. Safe to repeat."""
    names = {column.name for column in columns}
    fixes: dict[str, Any] = dict(sent_list.fixes)
    for name, text in fields.items():
        action, _, place = name.partition("-")
        row, _, column = place.partition("-")
        if not row.isdecimal() or len(row) > 9:
            continue
        if action == "fix" and column in names:
            fixes[row] = {**(fixes.get(row) or {}), column: text.strip()[:MAX_CELL_CHARACTERS]}
    for name in fields:
        if name.startswith("out-") and name[4:].isdecimal() and len(name) < 14:
            fixes[name[4:]] = None
    sent_list.fixes = fixes
    sent_list.save(update_fields=["fixes"])


@dataclasses.dataclass(frozen=True)
class CorrectionCell:
    """A cell of a refused row: name of its form field, heading, text, and whether it is at fault.

    choices: its possible values, if they are limited.
    """

    field: str
    heading: str
    text: str
    wrong: bool
    choices: Sequence[tuple[str, Any]]


def correction_cells(table: Table, columns: Sequence[Column], refusal: RefusedRow) -> list[CorrectionCell]:
    """The cells of a refused row as form fields: those that the list has, and the missing one."""
    row = next((row for row in table.rows if row.number == refusal.row), None)
    if row is None:
        return []
    at_fault = refusal.column
    return [
        CorrectionCell(
            f"fix-{row.number}-{column.name}",
            column.label,
            cell_text(row.cells.get(column.name)),
            column.name == at_fault,
            column.choices,
        )
        for column in columns
        if column.name in table.letters
        or column.required
        or column.name == at_fault
        or row.cells.get(column.name) is not None
    ]


@dataclasses.dataclass(frozen=True)
class SheetExample:
    """A sheet as a page shows it: its first rows, and the letter and presumed name of each column."""

    number: int
    title: str
    rows: list[tuple[int, list[str]]]
    letters: list[tuple[int, str, str]]
    header_row: int


def examples_of_sheets(sheets: Sequence[RawSheet], reading: Reading, layout: Mapping[str, Any]) -> list[SheetExample]:
    """The sheets of a list for a person who chooses the columns."""
    result = []
    remembered = reading.remembered_columns()
    for number, sheet in enumerate(sheets):
        chosen = layout if layout and number in layout["sheets"] else None
        header_row = chosen["header_row"] if chosen else _header_row(sheet)
        places = chosen["places"] if chosen else {}
        if not chosen and not reading.lists_people([sheet]):
            places = guess_columns(sheet, reading.columns, header_row)
            for index, heading in headings_of(sheet, header_row).items():
                name = remembered.get(heading_key(heading))
                if name:
                    places = {**{other: at for other, at in places.items() if at != index}, name: index}
        names = {index: name for name, index in places.items()}
        visible = [row for row in sheet.rows if row.number >= header_row - 2][:ROWS_OF_EXAMPLE]
        width = min(max((len(row.cells) for row in visible), default=0), COLUMNS_OF_EXAMPLE)
        rows = [(row.number, [_cell_text(row.cells, index) for index in range(width)]) for row in visible]
        letters = [(index, column_letter(index), names.get(index, "")) for index in range(width)]
        result.append(SheetExample(number, sheet.title, rows, letters, header_row))
    return result


def _cell_text(cells: Sequence[Any], index: int) -> str:
    if index >= len(cells) or is_blank(cells[index]):
        return ""
    return str(cells[index]).strip()[:60]


def _header_row(sheet: RawSheet) -> int:
    """The number of the row that is most likely the headings, 0 for none.

    It is the first row with only texts, in at least two thirds as many columns as the widest row has.
    """
    rows = sheet.rows[: ROWS_OF_EXAMPLE * 2]
    widest = max((_filled(row.cells) for row in rows), default=0)
    for row in rows:
        texts = [cell for cell in row.cells if isinstance(cell, str) and cell.strip()]
        if len(texts) == _filled(row.cells) and len(texts) * 3 >= widest * 2 and not any(map(str.isdecimal, texts)):
            return row.number
    return 0


def _filled(cells: Iterable[Any]) -> int:
    return sum(1 for cell in cells if not is_blank(cell))
