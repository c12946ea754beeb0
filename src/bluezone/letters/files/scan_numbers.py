# SPDX-License-Identifier: Apache-2.0
"""The numbers of sections and clauses that a scan loses a stroke or a dot of, mended by their order."""

import re
from collections.abc import Iterable, Iterator

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV")
# The dot behind a number is the first that is lost.
_SECTION = re.compile(r"([IVX]{1,5})(?:([.)/:-])(?=\s)|(?= [^\W\da-z_]{2}))")
_CLAUSE = re.compile(r"(\d{1,2})(?:\s?([.)/])(?=\s)|(?= [^\W\da-z_]))")


def renumbered(lines: Iterable[str]) -> list[str]:
    """The paragraphs with their numbers mended: "II." behind "II." is "III.", "4 Trưởng thôn" behind "3." is "4."."""
    return list(_mended(lines))


def _mended(lines: Iterable[str]) -> Iterator[str]:
    section, clause, sign = 0, 0, ""
    for line in lines:
        if found := _SECTION.match(line):
            read = found[1]
            expected = _ROMAN[section % len(_ROMAN)]
            if read != expected and _without_a_stroke(expected, read):
                read = expected
            section = _ROMAN.index(read) + 1 if read in _ROMAN else section
            line = f"{read}{found[2] or '.'}{line[found.end() :]}"
        elif found := _CLAUSE.match(line):
            number = int(found[1])
            if found[2]:
                clause, sign = number, found[2]
            elif number == clause + 1 and sign:
                clause, line = number, f"{number}{sign}{line[found.end() :]}"
        yield line


def _without_a_stroke(expected: str, read: str) -> bool:
    return any(expected[:at] + expected[at + 1 :] == read for at, one in enumerate(expected) if one == "I")
