# SPDX-License-Identifier: Apache-2.0
"""Read the numbers of classes from rows that were pasted from a spreadsheet."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bluezone.directory.imports.files.raw_sheets import NotACount, cell_count
from bluezone.directory.imports.heading_rows import heading_key
from bluezone.rollout.schools.classes.catalogue import fold_name
from bluezone.rollout.schools.classes.pupil_names import looks_like_a_person, refuse_names
from bluezone.rollout.schools.models import NAMES, ClassCounts, ClassCountsRefused, SchoolClass
from bluezone.vietnamese.legacy_fonts import TextEncoding, to_unicode

COLUMNS = ("class", *NAMES)
HEADINGS = {
    "class": ("lop", "ten lop", "class"),
    "pupils": ("si so", "so hoc sinh", "tong so hoc sinh", "tong so hs", "so hs", "tong so", "pupils"),
    "with_smartphone": (
        "co dien thoai thong minh", "dien thoai thong minh", "so dien thoai thong minh", "co dttm", "dttm", "so dttm",
        "hoc sinh co dttm", "with a smartphone", "with smartphone",
    ),
    "running": (
        "dang chay", "bluezone dang chay", "so may dang chay", "da cai va dang chay", "running", "bluezone running",
    ),
    "relatives": (
        "nguoi than", "nguoi than da giup", "so nguoi than da giup", "giup nguoi than", "nguoi than duoc giup",
        "relatives", "relatives helped",
    ),
}  # fmt: skip
_COLUMNS_BY_HEADING: dict[str, str] = {}
for _column, _headings in HEADINGS.items():
    _COLUMNS_BY_HEADING.update(dict.fromkeys(_headings, _column))
_SUMS = frozenset({"tong", "tong so", "tong cong", "cong", "toan truong", "total"})


@dataclass(frozen=True)
class PastedClass:
    """A pasted row with the numbers of a class.

    number: of its line, from 1. label: the class as pasted. school_class, counts: None if they could not be read.
    refusal: "", a key of forms.ROWS, or "counts" with the broken rule in `rule`.
    """

    number: int
    label: str
    school_class: SchoolClass | None = None
    counts: ClassCounts | None = None
    refusal: str = ""
    rule: str = ""


def read_pasted_classes(text: str, classes: Iterable[SchoolClass]) -> list[PastedClass]:
    """Parse pasted text with the columns class, pupils, with a smartphone, running, relatives; headings are optional.

    Raises PupilsNamed, before it parses anything, if a heading or cell names people.
    """
    classes_by_name = {fold_name(school_class.name): school_class for school_class in classes}
    lines = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            lines.append((number, line.split("\t")))
    # Some headings look like names of people, and so they are allowed.
    headings = {heading for heading in _COLUMNS_BY_HEADING if looks_like_a_person(heading)}
    allowed = [*(school_class.name for school_class in classes_by_name.values()), *headings]
    cells_to_check = []
    for _number, cells in lines:
        cells_to_check.append([cell for cell in cells if not _is_heading(cell)])
    refuse_names(cells_to_check, allowed)
    order: Sequence[str | None] | None = None
    rows: list[PastedClass] = []
    for number, cells in lines:
        columns = [_column_of(cell) for cell in cells]
        if sum(column is not None for column in columns) >= 2:
            order = columns
        elif not _is_sum(cells) and sum(bool(cell.strip()) for cell in cells) > 1:
            rows.append(_read_row(number, [cell.strip() for cell in cells], order, classes_by_name))
    return _refuse_repeats(rows)


def _refuse_repeats(rows: list[PastedClass]) -> list[PastedClass]:
    """The same rows; if a class has several, all of these are refused."""
    row_counts = Counter(row.school_class.pk for row in rows if row.school_class)
    for index, row in enumerate(rows):
        if row.school_class and row_counts[row.school_class.pk] > 1:
            rows[index] = replace(row, refusal="repeated")
    return rows


def _cells_by_column(cells: list[str], order: Sequence[str | None] | None) -> dict[str, str]:
    """The cells by column. order: the columns by the headings; without headings the order of COLUMNS applies."""
    if order is not None:
        return {column: cell for column, cell in zip(order, cells, strict=False) if column}
    has_row_number = len(cells) > len(COLUMNS) and cells[0].rstrip(".").isdigit()
    values = cells[1:] if has_row_number else cells
    return dict(zip(COLUMNS, values, strict=False))


def _read_row(
    number: int, cells: list[str], order: Sequence[str | None] | None, classes_by_name: dict[str, SchoolClass]
) -> PastedClass:
    by_column = _cells_by_column(cells, order)
    label = by_column.get("class", "")[:20]
    if set(by_column) != set(COLUMNS):
        return PastedClass(number, label, refusal="cells")
    school_class = classes_by_name.get(fold_name(by_column["class"]))
    if school_class is None:
        return PastedClass(number, label, refusal="unknown")
    try:
        counts = [cell_count(by_column[name] or None) for name in NAMES]
        if None in counts:
            return PastedClass(number, label, school_class, refusal="number")
        return PastedClass(number, label, school_class, ClassCounts(*[count or 0 for count in counts]))
    except NotACount:
        return PastedClass(number, label, school_class, refusal="number")
    except ClassCountsRefused as refused:
        return PastedClass(number, label, school_class, refusal="counts", rule=refused.rule)


def _is_sum(cells: Sequence[str]) -> bool:
    label = next((cell for cell in cells if cell.strip() and not cell.strip().isdigit()), "")
    return heading_key(label) in _SUMS


def _is_heading(cell: str) -> bool:
    return _column_of(cell) is not None


def _column_of(heading: str) -> str | None:
    """The column that a heading names, in Unicode or a legacy font; None if it names none."""
    for text in (heading, to_unicode(heading, TextEncoding.TCVN3), to_unicode(heading, TextEncoding.VNI)):
        column = _COLUMNS_BY_HEADING.get(heading_key(text))
        if column is not None:
            return column
    return None
