# SPDX-License-Identifier: Apache-2.0
"""Read the text of an ODT: the content of its package and the numbers of its lists, nothing else."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from bluezone.letters.files.docx_text import checked_names, formatted, parsed, table_lines
from bluezone.letters.letter_text import LetterText, LetterUnreadable, Remark

_SPACES = "urn:oasis:names:tc:opendocument:xmlns"
TEXT, TABLE, OFFICE, STYLE, DRAW = (
    f"{{{_SPACES}:{name}:1.0}}" for name in ("text", "table", "office", "style", "drawing")
)
_FORMATS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
_SKIPPED = {f"{TEXT}tracked-changes", f"{TEXT}note", f"{OFFICE}annotation", f"{TEXT}ruby-text"}
_PARAGRAPHS = {f"{TEXT}p", f"{TEXT}h"}
# A gap as wide as this is one that sets columns apart.
_MOST_BLANKS = 40
_MOST_LEVELS = 12


def read_odt(data: bytes) -> LetterText:
    """Return the text of an ODT.

    Raises LetterTooLarge for a package that unpacks to more than a letter needs, LetterUnreadable for a damaged one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = checked_names(package)
            content = parsed(package, "content.xml")
            styles = parsed(package, "styles.xml") if "styles.xml" in names else None
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise LetterUnreadable(f"the file is not a readable ODT ({type(error).__name__})") from None
    text = content.find(f"{OFFICE}body/{OFFICE}text")
    if text is None:
        raise LetterUnreadable("the ODT has no text")
    macros = any(name.startswith(("Basic/", "Scripts/")) for name in names)
    lists = _Lists()
    for root in (styles, content):
        if root is not None:
            lists.learn(root)
    lines = "\n".join(_lines(text, lists))
    return LetterText(lines, "odt", frozenset({Remark.MACROS} if macros else ()))


@dataclass
class _Level:
    bullet: bool
    format: str = ""
    before: str = ""
    after: str = ""
    shown: int = 1
    start: int = 1


@dataclass
class _Lists:
    """The styles of lists, how far each has counted, and the styles whose text is struck."""

    levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    counters: dict[str, dict[int, int]] = field(default_factory=dict)
    struck: set[str] = field(default_factory=set)

    def learn(self, root: etree._Element) -> None:
        for style in root.iter(f"{TEXT}list-style"):
            self.levels[style.get(f"{STYLE}name", "")] = dict(map(_level, style))
        for style in root.iter(f"{STYLE}style"):
            for properties in style.iter(f"{STYLE}text-properties"):
                if properties.get(f"{STYLE}text-line-through-style", "none") != "none":
                    self.struck.add(style.get(f"{STYLE}name", ""))

    def label(self, name: str, depth: int) -> str:
        """What stands before the next item of a list at this depth, from 1; counts on."""
        levels = self.levels.get(name, {})
        level = levels.get(depth)
        if level is None or level.bullet:
            return "-"
        counters = self.counters.setdefault(name, {})
        counters[depth] = counters.get(depth, level.start - 1) + 1
        for deeper in [other for other in counters if other > depth]:
            del counters[deeper]
        shown = range(max(1, depth - level.shown + 1), depth + 1)
        numbers = [formatted(counters.get(at, 1), levels[at].format) for at in shown if at in levels]
        return f"{level.before}{'.'.join(numbers)}{level.after}" if level.format else ""


def _level(style: etree._Element) -> tuple[int, _Level]:
    def number(name: str) -> int:
        said = style.get(f"{TEXT}{name}", "1")
        return int(said) if said.isdecimal() and len(said) < 6 else 1

    return number("level"), _Level(
        bullet=style.tag != f"{TEXT}list-level-style-number",
        format=_FORMATS.get(style.get(f"{STYLE}num-format", ""), ""),
        before=style.get(f"{STYLE}num-prefix", ""),
        after=style.get(f"{STYLE}num-suffix", ""),
        shown=number("display-levels"),
        start=number("start-value"),
    )


def _lines(parent: etree._Element, lists: _Lists) -> Iterator[str]:
    """The paragraphs in order, a blank line after each; tables as those of a DOCX."""
    for block in parent:
        if block.tag in _PARAGRAPHS:
            yield from _paragraph(block, lists)
            yield ""
        elif block.tag == f"{TEXT}list":
            for line in _items(block, lists, "", 1):
                yield line
                yield ""
        elif block.tag == f"{TABLE}table":
            yield from table_lines([[list(_cell(cell, lists)) for cell in row] for row in _rows(block)])
            yield ""
        elif block.tag in {f"{TEXT}section", f"{TEXT}index-body"}:
            yield from _lines(block, lists)


def _rows(table: etree._Element) -> Iterator[list[etree._Element]]:
    for part in table:
        if part.tag == f"{TABLE}table-row":
            yield [cell for cell in part if cell.tag == f"{TABLE}table-cell"]
        elif part.tag in {f"{TABLE}table-header-rows", f"{TABLE}table-rows", f"{TABLE}table-row-group"}:
            yield from _rows(part)


def _cell(cell: etree._Element, lists: _Lists) -> Iterator[str]:
    for block in cell:
        if block.tag in _PARAGRAPHS:
            yield from _paragraph(block, lists)
        elif block.tag == f"{TEXT}list":
            yield from _items(block, lists, "", 1)
        elif block.tag == f"{TABLE}table":
            for row in _rows(block):
                for inner in row:
                    yield from _cell(inner, lists)


def _items(block: etree._Element, lists: _Lists, name: str, depth: int) -> Iterator[str]:
    name = block.get(f"{TEXT}style-name") or name
    if depth == 1 and not (block.get(f"{TEXT}continue-numbering") == "true" or block.get(f"{TEXT}continue-list")):
        lists.counters.pop(name, None)
    if depth > _MOST_LEVELS:
        return
    for item in block:
        if item.tag not in {f"{TEXT}list-item", f"{TEXT}list-header"}:
            continue
        labelled = item.tag == f"{TEXT}list-item"
        for part in item:
            if part.tag == f"{TEXT}list":
                yield from _items(part, lists, name, depth + 1)
            elif part.tag in _PARAGRAPHS:
                lines = list(_paragraph(part, lists))
                if labelled and any(lines):
                    lines[0] = f"{lists.label(name, depth)} {lines[0]}".strip()
                    labelled = False
                yield from lines


def _paragraph(paragraph: etree._Element, lists: _Lists) -> Iterator[str]:
    struck = paragraph.get(f"{TEXT}style-name") in lists.struck
    text = "".join(_runs(paragraph, lists))
    yield from (f"~~{text}~~" if struck and text else text).split("\n")


def _runs(element: etree._Element, lists: _Lists) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag == f"{TEXT}s":
            said = child.get(f"{TEXT}c", "1")
            yield " " * min(_MOST_BLANKS, int(said) if said.isdecimal() and len(said) < 6 else 1)
        elif child.tag == f"{TEXT}tab":
            yield "\t"
        elif child.tag == f"{TEXT}line-break":
            yield "\n"
        elif child.tag in _PARAGRAPHS:  # in a frame
            yield f"\n{''.join(_runs(child, lists))}\n"
        elif child.tag == f"{TEXT}span" and child.get(f"{TEXT}style-name") in lists.struck:
            yield f"~~{''.join(_runs(child, lists))}~~"
        elif child.tag not in _SKIPPED and isinstance(child.tag, str):
            yield from _runs(child, lists)
        yield child.tail or ""
