# SPDX-License-Identifier: Apache-2.0
"""The five numbers of a staff report, the rules between them, the sentence for each refusal, and rows pasted from a
spreadsheet.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bluezone.directory.imports.headings import heading_key
from bluezone.directory.imports.raw_sheets import NotACount, count_of
from bluezone.directory.models import Agency
from bluezone.refusal import Refused
from bluezone.vietnamese.legacy_fonts import TextEncoding, to_unicode
from bluezone.vietnamese.spelling import fold

# No agency of a city has more staff; a larger number is a code or a telephone number in the wrong column.
MOST_STAFF = 100_000
NAMES = ("staff", "with_smartphone", "running", "web_edition", "reminded")


class StaffCountsRefused(Refused):
    """The numbers cannot all be true. field: the one to check first. rule: the rule that they break."""

    code = "staff_counts_refused"

    def __init__(self, message: str, field: str, rule: str) -> None:
        super().__init__(message)
        self.field = field
        self.rule = rule


@dataclass(frozen=True)
class StaffCounts:
    """Numbers of people of one agency, 0..MOST_STAFF; raises StaffCountsRefused if they contradict each other.

    web_edition: people with only the web edition. reminded: people who were reminded and do not run it.
    """

    staff: int
    with_smartphone: int
    running: int
    web_edition: int
    reminded: int

    def __post_init__(self) -> None:
        for name in NAMES:
            if not 0 <= getattr(self, name) <= MOST_STAFF:
                raise StaffCountsRefused(f"{name} is {getattr(self, name)}, expected 0..{MOST_STAFF}", name, "range")
        if self.with_smartphone > self.staff:
            raise StaffCountsRefused(
                f"{self.with_smartphone} with a smartphone among {self.staff} staff", "with_smartphone", "smartphones"
            )
        if self.running > self.with_smartphone:
            raise StaffCountsRefused(
                f"{self.running} running on {self.with_smartphone} smartphones", "running", "running"
            )
        if self.running + self.web_edition > self.with_smartphone:
            raise StaffCountsRefused(
                f"{self.running} running and {self.web_edition} web edition on {self.with_smartphone} smartphones",
                "web_edition",
                "web_edition",
            )
        if self.running + self.reminded > self.with_smartphone:
            raise StaffCountsRefused(
                f"{self.reminded} reminded, but {self.with_smartphone - self.running} are not running",
                "reminded",
                "reminded",
            )


COUNTS: dict[str, Promise] = {
    "range": _("Expected a whole number of people, 0 or more and at most 100,000."),
    "smartphones": _("More people with a smartphone than staff. Correct one of the two."),
    "running": _("More people running it than with a smartphone. Correct one of the two."),
    "web_edition": _(
        "Running and web version together are more than the people with a smartphone. Count under web version only "
        "people with a phone that does not run Bluezone."
    ),
    "reminded": _(
        "More people reminded than with a smartphone that is not running. Count only those who do not run it yet."
    ),
}
ROWS: dict[str, Promise] = {
    "cells": _("Six cells are needed: the agency and five numbers. Copy whole cells from the spreadsheet."),
    "number": _("A cell is empty or not a whole number. Write 0 for none."),
    "unknown": _("No agency of this week has this name or code."),
    "several": _("More than one agency has this name. Write its code."),
    "outside": _("This account cannot report for this agency. The agency’s own officer or the city office does."),
    "repeated": _("This agency is in the list twice. Delete one of the two rows."),
}


def counts_sentence(refused: StaffCountsRefused) -> str:
    """The sentence for the rule that the numbers break."""
    return str(COUNTS[refused.rule])


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
    """One line. number: from 1, as pasted. agency, counts: None if they could not be read.

    refusal: "" or a key of ROWS, or "counts" with a key of COUNTS in `rule`.
    """

    number: int
    cells: tuple[str, ...]
    agency: Agency | None = None
    counts: StaffCounts | None = None
    refusal: str = ""
    rule: str = ""


def read_rows(text: str, agencies: Iterable[Agency]) -> list[PastedRow]:
    """Parse pasted text.

    text: lines of cells separated by tabs. A first line without a number is a heading row, which may reorder the
    columns. Without it the order is agency, staff, with a smartphone, running, web edition, reminded; a running number
    may come first. Lines that begin with "Tổng" are sums and are left out.
    agencies: those that a row may name, by code, name or short name; marks, capitals and legacy fonts do not matter.
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
    return _refuse_repeats(rows)


def _names(agencies: Iterable[Agency]) -> dict[str, set[Agency]]:
    names: dict[str, set[Agency]] = {}
    for agency in agencies:
        for name in filter(None, (agency.code, agency.name, agency.short_name)):
            names.setdefault(fold(name), set()).add(agency)
    return names


def _is_sum(cells: Sequence[str]) -> bool:
    label = next((cell for cell in cells if cell.strip() and not cell.strip().isdigit()), "")
    return fold(label) in {"tong", "tong so", "tong cong", "cong", "total"}


def _read(
    number: int, cells: tuple[str, ...], order: Sequence[str | None] | None, names: dict[str, set[Agency]]
) -> PastedRow:
    if order is not None:
        by_column = {column: cell for column, cell in zip(order, cells, strict=False) if column}
    else:
        numbered = len(cells) > len(COLUMNS) and cells[0].rstrip(".").isdigit()
        values = cells[1:] if numbered else cells
        by_column = dict(zip(COLUMNS, values, strict=False))
    if set(by_column) != set(COLUMNS):
        return PastedRow(number, cells, refusal="cells")
    agencies = _agencies_named(by_column["agency"], names)
    if len(agencies) != 1:
        return PastedRow(number, cells, refusal="several" if agencies else "unknown")
    agency = next(iter(agencies))
    try:
        counts = [count_of(by_column[name] or None) for name in NAMES]
        if any(count is None for count in counts):
            return PastedRow(number, cells, agency, refusal="number")
        return PastedRow(number, cells, agency, StaffCounts(*[count or 0 for count in counts]))
    except NotACount:
        return PastedRow(number, cells, agency, refusal="number")
    except StaffCountsRefused as refused:
        return PastedRow(number, cells, agency, refusal="counts", rule=refused.rule)


def _agencies_named(text: str, names: dict[str, set[Agency]]) -> set[Agency]:
    for reading in (text, to_unicode(text, TextEncoding.TCVN3), to_unicode(text, TextEncoding.VNI)):
        if agencies := names.get(fold(reading)):
            return agencies
    return set()


def _legible(text: str) -> str:
    """A heading as it is; converted from a legacy font if only that makes it a known heading."""
    readings = (text, to_unicode(text, TextEncoding.TCVN3), to_unicode(text, TextEncoding.VNI))
    return next((reading for reading in readings if heading_key(reading) in _MEANING), text)


def _refuse_repeats(rows: list[PastedRow]) -> list[PastedRow]:
    times = Counter(row.agency.pk for row in rows if row.agency)
    for index, row in enumerate(rows):
        if row.agency and times[row.agency.pk] > 1:
            rows[index] = PastedRow(row.number, row.cells, row.agency, refusal="repeated")
    return rows
