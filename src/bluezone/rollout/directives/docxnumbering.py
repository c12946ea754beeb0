# SPDX-License-Identifier: Apache-2.0
"""Count the numbers that Word puts before paragraphs and does not store in their text.

Source: ECMA-376 Part 1, section 17.9 (numbering).
"""

import re
from dataclasses import dataclass, field

from lxml import etree

NAMESPACE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W = NAMESPACE
_ROMAN = dict(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ["M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"],
        strict=True,
    )
)


@dataclass(frozen=True)
class _Level:
    format: str
    pattern: str
    start: int


@dataclass
class Numbering:
    """The numbering of one document; `label` must be asked for its paragraphs in order."""

    root: etree._Element | None
    _levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    _counters: dict[str, dict[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.root is None:
            return
        abstract = {kind.get(f"{W}abstractNumId"): _levels(kind) for kind in self.root.iter(f"{W}abstractNum")}
        for number in self.root.iter(f"{W}num"):
            reference = number.find(f"{W}abstractNumId")
            if reference is not None:
                self._levels[number.get(f"{W}numId", "")] = abstract.get(reference.get(f"{W}val"), {})

    def label(self, paragraph: etree._Element) -> str:
        """Return what Word shows before this paragraph ("1.", "a)", "-"), or an empty text, and count on."""
        properties = paragraph.find(f"{W}pPr/{W}numPr")
        if properties is None:
            return ""
        number, level = (_value(properties, name) for name in ("numId", "ilvl"))
        levels = self._levels.get(number or "", {})
        depth = int(level) if level and level.isdecimal() else 0
        if depth not in levels:
            return ""
        counters = self._counters.setdefault(number or "", {})
        counters[depth] = counters.get(depth, levels[depth].start - 1) + 1
        for deeper in [other for other in counters if other > depth]:
            del counters[deeper]
        if levels[depth].format == "bullet":
            return "-"
        return re.sub(
            r"%([1-9])", lambda match: self._shown(levels, counters, int(match[1]) - 1), levels[depth].pattern
        )

    @staticmethod
    def _shown(levels: dict[int, _Level], counters: dict[int, int], depth: int) -> str:
        level = levels.get(depth)
        if level is None:
            return ""
        return _formatted(counters.get(depth, level.start), level.format)


def _levels(kind: etree._Element) -> dict[int, _Level]:
    found = {}
    for level in kind.iter(f"{W}lvl"):
        depth = level.get(f"{W}ilvl", "")
        start = _value(level, "start") or "1"
        if depth.isdecimal() and start.isdecimal() and len(start) < 6:
            found[int(depth)] = _Level(_value(level, "numFmt") or "decimal", _value(level, "lvlText") or "", int(start))
    return found


def _value(parent: etree._Element, name: str) -> str | None:
    child = parent.find(f"{W}{name}")
    return None if child is None else child.get(f"{W}val")


def _formatted(number: int, format: str) -> str:
    if format in {"lowerLetter", "upperLetter"} and 1 <= number <= 26:
        letter = chr(ord("a") + number - 1)
        return letter.upper() if format == "upperLetter" else letter
    if format in {"lowerRoman", "upperRoman"} and 1 <= number < 4000:
        roman = ""
        for value, sign in _ROMAN.items():
            roman += sign * (number // value)
            number %= value
        return roman.lower() if format == "lowerRoman" else roman
    return "" if format == "none" else str(number)
