# SPDX-License-Identifier: Apache-2.0
"""Read the rows of a table that says what is to be done, by whom and until when, as tasks."""

import dataclasses
import datetime
import re
from collections.abc import Sequence

from bluezone.letters.agency_names import split_names
from bluezone.letters.arrangement import kind_of_column
from bluezone.letters.body.parties import named_in_cell, read_names
from bluezone.letters.due_dates import read_date_cell, read_due
from bluezone.letters.letter_text import Passage, Row, joined
from bluezone.letters.proposal import PartyRole, Proposed, ProposedTask, TaskParty
from bluezone.vietnamese.spelling import fold


def read_table(table: Sequence[Row], number: int, day: datetime.date | None) -> list[ProposedTask]:
    """Propose the rows of a table of tasks; a row without a task of its own is the title of a group, or carries on.

    number: which table of the letter it is, 0 for the only one. day: of the letter.
    """
    columns = [kind_of_column(fold(cell.text)) for cell in table[0]]
    if "what" not in columns or _is_programme(table, columns) or _is_allotment(table[0], columns):
        return []
    of_people = any(fold(cell.text).startswith(_PEOPLE) for cell in table[0])
    by_when = next((fold(cell.text) for cell, kind in zip(table[0], columns, strict=True) if kind == "due"), "")
    tasks: list[ProposedTask] = []
    for row in _whole_rows(table[1:], columns):
        cells = dict(zip(reversed(columns), reversed(row), strict=True))
        what = cells["what"]
        if what.is_blank or len(what.text) < 4 or (of_people and len(what.text.split()) < _WORDS_OF_A_TASK):
            continue
        parties: list[Proposed[TaskParty]] = []
        for column, cell in zip(columns, row, strict=True):
            if column == "lead":
                parties += _of_cell(cell)
            elif column == "cooperating":
                parties += read_names(cell, PartyRole.COOPERATING)
        due_cell = cells.get("due")
        due = read_date_cell(due_cell, day) if due_cell and due_cell.text else None
        if due and "truoc" in by_when:
            due = dataclasses.replace(due, value=dataclasses.replace(due.value, inclusive=False))
        if not parties and due is None:
            continue
        stated = re.sub(r"\W+$", "", cells["number"].text) if "number" in cells else ""
        label = f"Bảng {number}.{stated or len(tasks) + 1}" if number else f"Bảng {stated or len(tasks) + 1}"
        tasks.append(
            ProposedTask(label, Proposed(what.text, what.span()), (), tuple(parties), due or read_due(what, day))
        )
    return tasks


# Of members of a body such a column says what they are in it: "Tổ phó", "Ủy viên thường trực".
_PEOPLE = ("ho va ten", "ho ten", "ong, ba", "ong/ba")
_WORDS_OF_A_TASK = 5
_HOURS = re.compile(r"\D{0,12}\d{1,2}\s*(?:h|giờ|g|:)\s*\d{0,2}\s*(?:phút)?\s*(?:[-–]|đến\b|$)", re.IGNORECASE)


def _is_programme(table: Sequence[Row], columns: Sequence[str]) -> bool:
    """Return whether the table says what happens at which hour of a meeting, which is nobody's task."""
    if "due" not in columns:
        return False
    at = columns.index("due")
    when = [row[at].text for row in table[1:] if len(row) == len(columns) and row[at].text]
    return bool(when) and sum(bool(_HOURS.match(one)) for one in when) * 2 > len(when)


_COUNTED = ("so luong", "thanh tien", "don gia", "dinh muc", "so tien", "so lieu", "ty le", "kinh phi", "dien tich")
_IN_CHARGE = ("chu tri", "phu trach", "thuc hien", "trach nhiem", "dau moi", "phan cong", "luc luong")


def _is_allotment(head: Row, columns: Sequence[str]) -> bool:
    """Return whether the table only says how much of what somebody has or gets: no day, and nobody in charge."""
    names = [fold(cell.text) for cell in head]
    counted = any(name.startswith(_COUNTED) for name in names)
    charged = any(
        word in name for name, kind in zip(names, columns, strict=True) if kind == "lead" for word in _IN_CHARGE
    )
    return counted and "due" not in columns and not charged


def _whole_rows(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """The rows with as many cells as columns; one that a page's end cut in two is one again."""
    whole: list[Row] = []
    for row in rows:
        if len(row) != len(columns):
            continue
        cells = dict(zip(reversed(columns), reversed(row), strict=True))
        carries_on = "number" in cells and cells["number"].is_blank and not cells["what"].text[:1].isupper()
        if whole and carries_on:
            whole[-1] = [joined(pair) for pair in zip(whole[-1], row, strict=True)]
        else:
            whole.append(row)
    return whole


_LONGEST_NAME = 80


def _of_cell(cell: Passage) -> list[Proposed[TaskParty]]:
    """The agencies of a cell, which may itself say who leads and who helps."""
    helping = re.search(r"(?:[-;,]\s*)?[Pp]hối hợp(?:\s+với)?\s*:?\s*", cell.text)
    leading = re.match(r"[-+]?\s*[Cc]hủ trì\s*:?\s*", cell.text)
    start = leading.end() if leading else 0
    end = helping.start() if helping else len(cell.text)
    found = read_names(cell.cut(start, end), PartyRole.LEAD)
    if not found and (text := cell.cut(start, end)).text[:1].isupper() and len(text.text) < _LONGEST_NAME:
        found = [named_in_cell(name) for name in split_names(text)]
    if helping:
        found += read_names(cell.cut(helping.end()), PartyRole.COOPERATING)
    return found
