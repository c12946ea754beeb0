# SPDX-License-Identifier: Apache-2.0
"""What a cell says: text, a count or a day, as Vietnamese offices write them."""

import datetime
import re

from bluezone.directory.imports.raw_sheets import Cell
from bluezone.refusal import Refused

# No count in a city's lists is larger; a longer number is a code or a phone number in the wrong column.
MAX_COUNT = 200_000_000

_GROUPED = re.compile(r"\d{1,3}(?:([ .,\u00a0\u202f])\d{3})(?:\1\d{3})*\Z")
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\Z")


class NotACount(Refused):
    """A cell that should hold a whole number of people, households or phones holds something else."""

    code = "cell_not_a_count"


class NotADay(Refused):
    """A cell that should hold a date holds something else."""

    code = "cell_not_a_day"


def text_of(cell: Cell) -> str:
    """The cell as a clerk would write it; "" for an empty one, days as 07/08/2020."""
    if cell is None:
        return ""
    if isinstance(cell, datetime.date):
        return cell.strftime("%d/%m/%Y")
    return str(cell).strip()


def count_of(cell: Cell) -> int | None:
    """A whole number from 0 to MAX_COUNT; None for an empty cell. Text may group by dot, comma or space ("45.036").

    A number with decimals is refused: a program that took "45.036" for 45 and a bit would be off a thousandfold.
    """
    if cell is None:
        return None
    count: int | None = None
    if isinstance(cell, int) and not isinstance(cell, bool):
        count = cell
    elif isinstance(cell, str):
        digits = re.sub(r"[ .,\u00a0\u202f]", "", cell) if _GROUPED.match(cell) else cell
        if re.fullmatch(r"[0-9]{1,12}", digits):
            count = int(digits)
    if count is None or not 0 <= count <= MAX_COUNT:
        raise NotACount(f"got something that is no whole number from 0 to {MAX_COUNT}")
    return count


def day_of(cell: Cell) -> datetime.date | None:
    """A day, from a date cell or from text as 07/8/2020, 07-08-2020 or 2020-08-07; None for an empty cell."""
    if cell is None:
        return None
    if isinstance(cell, datetime.date):
        return cell
    text = text_of(cell)
    written = _DAY.match(text)
    try:
        if written:
            day, month, year = map(int, written.groups())
            return datetime.date(year, month, day)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise NotADay("got something that is no day; expected day/month/year, as in 07/8/2020")
