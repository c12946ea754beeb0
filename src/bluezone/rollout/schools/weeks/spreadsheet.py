# SPDX-License-Identifier: Apache-2.0
"""Read the numbers of classes pasted from a school's spreadsheet; a table in which pupils are named is refused.

Nothing is stored here: the page shows what was read, and stores it only when no row is refused.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bluezone.directory.imports.headings import heading_key
from bluezone.directory.imports.raw_sheets import NotACount, count_of
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
_MEANING = {heading: column for column, headings in HEADINGS.items() for heading in headings}
_SUMS = frozenset({"tong", "tong so", "tong cong", "cong", "toan truong", "total"})


@dataclass(frozen=True)
class PastedClass:
    """One line. number: from 1, as pasted. refusal: "" or a key of sentences.ROWS, "counts" with the rule in `rule`."""

    number: int
    label: str
    school_class: SchoolClass | None = None
    counts: ClassCounts | None = None
    refusal: str = ""
    rule: str = ""


def read_rows(text: str, classes: Iterable[SchoolClass]) -> list[PastedClass]:
    """Understand pasted text: class, pupils, with a smartphone, running, relatives; headings or none.

    Raises PupilsNamed before anything is understood when a heading or cell names people.
    """
    known = {fold_name(one.name): one for one in classes}
    lines = [(number, line.split("\t")) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    headings = {heading for heading in _MEANING if looks_like_a_person(heading)}
    fine = [*(one.name for one in known.values()), *headings]
    refuse_names([[cell for cell in cells if not _is_heading(cell)] for _number, cells in lines], fine)
    order: Sequence[str | None] | None = None
    rows: list[PastedClass] = []
    for number, cells in lines:
        meant = [_meaning(cell) for cell in cells]
        if sum(column is not None for column in meant) >= 2:
            order = meant
        elif not _is_sum(cells) and sum(bool(cell.strip()) for cell in cells) > 1:
            rows.append(_read(number, [cell.strip() for cell in cells], order, known))
    times = Counter(row.school_class.pk for row in rows if row.school_class)
    return [
        replace(row, refusal="repeated") if row.school_class and times[row.school_class.pk] > 1 else row for row in rows
    ]


def _read(
    number: int, cells: list[str], order: Sequence[str | None] | None, known: dict[str, SchoolClass]
) -> PastedClass:
    if order is not None:
        found = {column: cell for column, cell in zip(order, cells, strict=False) if column}
    else:
        numbered = len(cells) > len(COLUMNS) and cells[0].rstrip(".").isdigit()
        found = dict(zip(COLUMNS, cells[1:] if numbered else cells, strict=False))
    label = found.get("class", "")[:20]
    if set(found) != set(COLUMNS):
        return PastedClass(number, label, refusal="cells")
    one = known.get(fold_name(found["class"]))
    if one is None:
        return PastedClass(number, label, refusal="unknown")
    try:
        counts = [count_of(found[name] or None) for name in NAMES]
        if None in counts:
            return PastedClass(number, label, one, refusal="number")
        return PastedClass(number, label, one, ClassCounts(*[count or 0 for count in counts]))
    except NotACount:
        return PastedClass(number, label, one, refusal="number")
    except ClassCountsRefused as refused:
        return PastedClass(number, label, one, refusal="counts", rule=refused.rule)


def _is_sum(cells: Sequence[str]) -> bool:
    named = next((cell for cell in cells if cell.strip() and not cell.strip().isdigit()), "")
    return heading_key(named) in _SUMS


def _is_heading(cell: str) -> bool:
    return _meaning(cell) is not None


def _meaning(cell: str) -> str | None:
    readings = (cell, to_unicode(cell, TextEncoding.TCVN3), to_unicode(cell, TextEncoding.VNI))
    return next((_MEANING[key] for key in map(heading_key, readings) if key in _MEANING), None)
