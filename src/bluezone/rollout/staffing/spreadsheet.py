# SPDX-License-Identifier: Apache-2.0
"""Read rows pasted from a spreadsheet: tab between cells, heading row or none, each row understood or refused by name.

Nothing is stored here: the page shows what was read, and stores it only when no row is refused.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bluezone.directory.imports.headings import heading_key
from bluezone.directory.imports.raw_sheets import NotACount, count_of
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
_MEANING = {heading: column for column, headings in HEADINGS.items() for heading in headings}


@dataclass(frozen=True)
class PastedRow:
    """One line. number: from 1, as pasted. agency, counts: where they could be read.

    refusal: "" or a key of sentences.ROWS, or "counts" with the rule of counts.py in `rule`.
    """

    number: int
    cells: tuple[str, ...]
    agency: Agency | None = None
    counts: StaffCounts | None = None
    refusal: str = ""
    rule: str = ""


def read_rows(text: str, agencies: Iterable[Agency]) -> list[PastedRow]:
    """Understand pasted text.

    text: lines of cells with tabs between; a first line without a number is a heading row and may reorder the columns;
    without one the order is agency, staff, with a smartphone, running, web edition, reminded, and a running number may
    stand before. Lines that begin with "Tổng" are sums and are left out.
    agencies: who may be named, by code, name or short name, without regard to marks, capitals and old fonts.
    """
    lines = [(number, line.split("\t")) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    order: Sequence[str | None] | None = None
    if lines and not any(char.isdigit() for char in "".join(lines[0][1])):
        order = [_MEANING.get(heading_key(_legible(cell))) for cell in lines[0][1]]
        if sum(column is not None for column in order) >= 2:
            lines = lines[1:]
        else:
            order = None
    names = _names(agencies)
    rows = [
        _read(number, tuple(cell.strip() for cell in cells), order, names)
        for number, cells in lines
        if not _is_sum(cells)
    ]
    return _without_repeats(rows)


def _names(agencies: Iterable[Agency]) -> dict[str, set[Agency]]:
    names: dict[str, set[Agency]] = {}
    for agency in agencies:
        for name in filter(None, (agency.code, agency.name, agency.short_name)):
            names.setdefault(fold(name), set()).add(agency)
    return names


def _is_sum(cells: Sequence[str]) -> bool:
    named = next((cell for cell in cells if cell.strip() and not cell.strip().isdigit()), "")
    return fold(named) in {"tong", "tong so", "tong cong", "cong", "total"}


def _read(
    number: int, cells: tuple[str, ...], order: Sequence[str | None] | None, names: dict[str, set[Agency]]
) -> PastedRow:
    if order is not None:
        found = {column: cell for column, cell in zip(order, cells, strict=False) if column}
    else:
        numbered = len(cells) > len(COLUMNS) and cells[0].rstrip(".").isdigit()
        found = dict(zip(COLUMNS, cells[1:] if numbered else cells, strict=False))
    if set(found) != set(COLUMNS):
        return PastedRow(number, cells, refusal="cells")
    meant = _meant(found["agency"], names)
    if len(meant) != 1:
        return PastedRow(number, cells, refusal="several" if meant else "unknown")
    agency = next(iter(meant))
    try:
        counts = [count_of(found[name] or None) for name in NAMES]
        if any(count is None for count in counts):
            return PastedRow(number, cells, agency, refusal="number")
        return PastedRow(number, cells, agency, StaffCounts(*[count or 0 for count in counts]))
    except NotACount:
        return PastedRow(number, cells, agency, refusal="number")
    except StaffCountsRefused as refused:
        return PastedRow(number, cells, agency, refusal="counts", rule=refused.rule)


def _meant(text: str, names: dict[str, set[Agency]]) -> set[Agency]:
    for reading in (text, to_unicode(text, TextEncoding.TCVN3), to_unicode(text, TextEncoding.VNI)):
        if found := names.get(fold(reading)):
            return found
    return set()


def _legible(text: str) -> str:
    """A heading as it is, or from an old font where it means nothing otherwise."""
    readings = (text, to_unicode(text, TextEncoding.TCVN3), to_unicode(text, TextEncoding.VNI))
    return next((reading for reading in readings if heading_key(reading) in _MEANING), text)


def _without_repeats(rows: list[PastedRow]) -> list[PastedRow]:
    times = Counter(row.agency.pk for row in rows if row.agency)
    return [
        PastedRow(row.number, row.cells, row.agency, refusal="repeated")
        if row.agency and times[row.agency.pk] > 1
        else row
        for row in rows
    ]
