# SPDX-License-Identifier: Apache-2.0
"""Read the numbers of staff from rows that were pasted from a spreadsheet."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bluezone.directory.imports.files.raw_sheets import NotACount, cell_count
from bluezone.directory.imports.heading_rows import heading_key
from bluezone.directory.models import Agency
from bluezone.rollout.staffing.counts import NAMES, StaffCounts, StaffCountsRefused
from bluezone.vietnamese.legacy_fonts import TextEncoding, to_unicode
from bluezone.vietnamese.spelling import fold

COLUMNS = ("agency", *NAMES)
HEADINGS = {
    "agency": ("co quan", "don vi", "ten co quan", "ten don vi", "co quan don vi", "ma", "ma co quan", "agency"),
    "staff": ("tong so", "so can bo", "can bo", "so nguoi", "tong so can bo", "can bo nhan vien", "staff"),
    "with_smartphone": (
        "co dien thoai thong minh", "co dttm", "dien thoai thong minh", "dttm", "so dttm", "with a smartphone",
    ),
    "running": ("dang chay", "bluezone dang chay", "so may dang chay", "may dang chay", "running", "bluezone running"),
    "web_edition": ("ban web", "chi dung ban web", "chi ban web", "web", "web edition", "web edition only"),
    "reminded": ("da nhac", "chua chay da nhac", "nhac nho", "so da nhac", "reminded", "not running reminded"),
}  # fmt: skip
_COLUMNS_BY_HEADING: dict[str, str] = {}
for _column, _headings in HEADINGS.items():
    _COLUMNS_BY_HEADING.update(dict.fromkeys(_headings, _column))


@dataclass(frozen=True)
class PastedRow:
    """A pasted row with the numbers of an agency.

    number: of its line, from 1. agency, counts: None if they could not be read.
    refusal: "", a key of ROWS, or "counts" with a key of COUNTS in `rule`.
    """

    number: int
    cells: tuple[str, ...]
    agency: Agency | None = None
    counts: StaffCounts | None = None
    refusal: str = ""
    rule: str = ""


def read_pasted_rows(text: str, agencies: Iterable[Agency]) -> list[PastedRow]:
    """Parse pasted rows of cells separated by tabs.

    If the first row has no digits and at least two known headings, it gives the order of the columns. Otherwise the
    order is agency, staff, with a smartphone, running, web edition, reminded; a row number may come first. Rows of sums
    ("Tổng", "Tổng cộng") are left out.
    agencies: those that a row may name, by code, name or short name; diacritics, capitals and legacy fonts do not
    matter.
    """
    lines = [(number, line.split("\t")) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    order = _order_of(lines[0][1]) if lines else None
    if order is not None:
        lines = lines[1:]
    agencies_by_name = _agencies_by_name(agencies)
    rows = []
    for number, cells in lines:
        if not _is_sum(cells):
            rows.append(_read_row(number, tuple(cell.strip() for cell in cells), order, agencies_by_name))
    return _refuse_repeats(rows)


def _order_of(cells: Sequence[str]) -> Sequence[str | None] | None:
    """The columns that a heading row names, None for each unknown heading; None if the row is no heading row."""
    if any(character.isdigit() for character in "".join(cells)):
        return None
    order = [_column_of(cell) for cell in cells]
    return order if sum(column is not None for column in order) >= 2 else None


def _agencies_by_name(agencies: Iterable[Agency]) -> dict[str, set[Agency]]:
    names: dict[str, set[Agency]] = {}
    for agency in agencies:
        for name in filter(None, (agency.code, agency.name, agency.short_name)):
            names.setdefault(fold(name), set()).add(agency)
    return names


def _is_sum(cells: Sequence[str]) -> bool:
    label = next((cell for cell in cells if cell.strip() and not cell.strip().isdigit()), "")
    return fold(label) in {"tong", "tong so", "tong cong", "cong", "total"}


def _cells_by_column(cells: tuple[str, ...], order: Sequence[str | None] | None) -> dict[str, str]:
    """The cells by column. order: the columns by the headings; without headings the order of COLUMNS applies."""
    if order is not None:
        return {column: cell for column, cell in zip(order, cells, strict=False) if column}
    has_row_number = len(cells) > len(COLUMNS) and cells[0].rstrip(".").isdigit()
    values = cells[1:] if has_row_number else cells
    return dict(zip(COLUMNS, values, strict=False))


def _read_row(
    number: int, cells: tuple[str, ...], order: Sequence[str | None] | None, agencies_by_name: dict[str, set[Agency]]
) -> PastedRow:
    by_column = _cells_by_column(cells, order)
    if set(by_column) != set(COLUMNS):
        return PastedRow(number, cells, refusal="cells")
    agencies = _agencies_named(by_column["agency"], agencies_by_name)
    if len(agencies) != 1:
        return PastedRow(number, cells, refusal="several" if agencies else "unknown")
    agency = next(iter(agencies))
    try:
        counts = [cell_count(by_column[name] or None) for name in NAMES]
        if any(count is None for count in counts):
            return PastedRow(number, cells, agency, refusal="number")
        return PastedRow(number, cells, agency, StaffCounts(*[count or 0 for count in counts]))
    except NotACount:
        return PastedRow(number, cells, agency, refusal="number")
    except StaffCountsRefused as refused:
        return PastedRow(number, cells, agency, refusal="counts", rule=refused.rule)


def _agencies_named(text: str, agencies_by_name: dict[str, set[Agency]]) -> set[Agency]:
    for reading in _readings(text):
        if agencies := agencies_by_name.get(fold(reading)):
            return agencies
    return set()


def _column_of(heading: str) -> str | None:
    """The column that a heading names, in Unicode or a legacy font; None if it names none."""
    for reading in _readings(heading):
        column = _COLUMNS_BY_HEADING.get(heading_key(reading))
        if column is not None:
            return column
    return None


def _readings(text: str) -> tuple[str, str, str]:
    """The text itself, and the texts that it would be in the two legacy fonts."""
    return text, to_unicode(text, TextEncoding.TCVN3), to_unicode(text, TextEncoding.VNI)


def _refuse_repeats(rows: list[PastedRow]) -> list[PastedRow]:
    times = Counter(row.agency.pk for row in rows if row.agency)
    for index, row in enumerate(rows):
        if row.agency and times[row.agency.pk] > 1:
            rows[index] = PastedRow(row.number, row.cells, row.agency, refusal="repeated")
    return rows
