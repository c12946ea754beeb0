# SPDX-License-Identifier: Apache-2.0
"""School years: named by the year they begin in, and which one a week belongs to."""

import datetime
import re

from bluezone.rollout.coverage import Week

# Classes are made up in August; the year of a week is that of its Monday.
FIRST_MONTH = 8
# The last grades of primary, lower and upper secondary school: their pupils leave the school.
LAST_GRADES = frozenset({5, 9, 12})
_GRADE = re.compile(r"(\D*)(\d{1,2})(.*)", re.DOTALL)


def year_of(day: datetime.date | Week) -> int:
    """The school year of a day or week: 2020 for 1 August 2020 to 31 July 2021."""
    first = day.first_day if isinstance(day, Week) else day
    return first.year if first.month >= FIRST_MONTH else first.year - 1


def shown(year: int) -> str:
    """As schools write it: "2020–2021"."""
    return f"{year}–{year + 1}"


def next_name(name: str) -> str | None:
    """What a class is called a year later: "6A" becomes "7A"; None where its pupils leave or it has no grade."""
    found = _GRADE.fullmatch(name)
    if found is None or int(found[2]) in LAST_GRADES or int(found[2]) > max(LAST_GRADES):
        return None
    return f"{found[1]}{int(found[2]) + 1}{found[3]}"
