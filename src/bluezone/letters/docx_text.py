# SPDX-License-Identifier: Apache-2.0
"""Read the text of a DOCX: the main part and its numbering, nothing else of the package; and look into a package
without unpacking it.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from bluezone.letters.letter_text import LetterText, LetterTooLarge, LetterUnreadable, Remark

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


LARGEST_UNPACKED = 60 * 1024 * 1024
LARGEST_PART = 20 * 1024 * 1024
MOST_PARTS = 2000

_RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
# Deleted and moved-away text of tracked changes, field codes, and the second copy of a drawing's text.
_SKIPPED = {f"{NAMESPACE}del", f"{NAMESPACE}moveFrom", f"{NAMESPACE}instrText", _FALLBACK}


def read_docx(data: bytes) -> LetterText:
    """Return the text of a DOCX or DOCM, table cells one below the other.

    Raises LetterTooLarge for a package that unpacks to more than a letter needs, LetterUnreadable for a damaged one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = _checked_names(package)
            main = _main_part(package)
            document = _parsed(package, main)
            numbering = _numbering(package, main)
            remarks = _remarks(package, names)
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise LetterUnreadable(f"the file is no readable DOCX ({type(error).__name__})") from None
    return LetterText("\n".join(_lines(document, numbering)), "docx", remarks)


def _checked_names(package: zipfile.ZipFile) -> list[str]:
    """Return the names of the parts, after their number and unpacked sizes were found to be a letter's."""
    parts = package.infolist()
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED:
        raise LetterTooLarge(
            f"the DOCX unpacks to {len(parts)} parts of {unpacked} bytes; "
            f"at most {MOST_PARTS} of {LARGEST_UNPACKED} are read"
        )
    return [part.filename for part in parts]


def _read(package: zipfile.ZipFile, name: str) -> bytes:
    """Return one part. The size that the package states is not trusted: no more is ever unpacked than may be read."""
    with package.open(name) as part:
        content = part.read(LARGEST_PART + 1)
    if len(content) > LARGEST_PART:
        raise LetterTooLarge(f"a part of the DOCX is larger than {LARGEST_PART} bytes")
    return content


def _parsed(package: zipfile.ZipFile, name: str) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(_read(package, name), parser)
    except etree.XMLSyntaxError:
        raise LetterUnreadable("a part of the DOCX is not well-formed XML") from None
    if root.getroottree().docinfo.doctype:
        raise LetterUnreadable("a part of the DOCX declares a document type, which no DOCX needs")
    return root


def _main_part(package: zipfile.ZipFile) -> str:
    for relation in _parsed(package, "_rels/.rels").iter(f"{_RELATIONSHIPS}Relationship"):
        if relation.get("Type", "").endswith("/officeDocument"):
            return str(relation.get("Target", "")).lstrip("/")
    raise LetterUnreadable("the package names no main document; it is no DOCX")


def _numbering(package: zipfile.ZipFile, main: str) -> Numbering:
    folder, name = posixpath.split(main)
    relations = f"{folder}/_rels/{name}.rels"
    if relations in package.namelist():
        for relation in _parsed(package, relations).iter(f"{_RELATIONSHIPS}Relationship"):
            target = posixpath.normpath(posixpath.join(folder, relation.get("Target", ""))).lstrip("/")
            if relation.get("Type", "").endswith("/numbering") and target in package.namelist():
                return Numbering(_parsed(package, target))
    return Numbering(None)


def _remarks(package: zipfile.ZipFile, names: list[str]) -> frozenset[Remark]:
    remarks = set()
    lowered = [name.lower() for name in names]
    if any(name.endswith(("vbaproject.bin", "vbadata.xml")) for name in lowered):
        remarks.add(Remark.MACROS)
    if any("/embeddings/" in name or "/activex/" in name for name in lowered):
        remarks.add(Remark.EMBEDDED_FILE)
    for name in names:
        if name.endswith(".rels"):
            for relation in _parsed(package, name).iter(f"{_RELATIONSHIPS}Relationship"):
                if relation.get("TargetMode") == "External" and not relation.get("Type", "").endswith("/hyperlink"):
                    remarks.add(Remark.EXTERNAL_LINK)
    return frozenset(remarks)


def _lines(document: etree._Element, numbering: Numbering) -> Iterator[str]:
    """Yield the paragraphs in order with their numbers; a blank line after each, but none inside a table."""
    body = document.find(f"{NAMESPACE}body")
    if body is None:
        raise LetterUnreadable("the DOCX has no body")
    for block in body:
        if block.tag == f"{NAMESPACE}p":
            yield from _paragraph(block, numbering)
            # Word sets paragraphs apart by their format; text needs the blank line. A head's lines stay together.
            yield ""
        elif block.tag in {f"{NAMESPACE}tbl", f"{NAMESPACE}sdt"}:
            for paragraph in block.iter(f"{NAMESPACE}p"):
                yield from _paragraph(paragraph, numbering)
            yield ""


def _paragraph(paragraph: etree._Element, numbering: Numbering) -> Iterator[str]:
    text = "".join(_runs(paragraph))
    label = numbering.label(paragraph) if text.strip() else ""
    yield from f"{label} {text}".strip("\n ").split("\n") if label else text.split("\n")


def _runs(element: etree._Element) -> Iterator[str]:
    for child in element:
        if child.tag in _SKIPPED or not isinstance(child.tag, str):
            continue
        if child.tag == f"{NAMESPACE}t":
            yield child.text or ""
        elif child.tag == f"{NAMESPACE}tab":
            if element.tag == f"{NAMESPACE}r":  # not a tab stop's definition
                yield "\t"
        elif child.tag in {f"{NAMESPACE}br", f"{NAMESPACE}cr"}:
            yield "\n"
        elif child.tag == f"{NAMESPACE}noBreakHyphen":
            yield "-"
        elif child.tag == f"{NAMESPACE}r" and _is_struck(child):
            yield f"~~{''.join(_runs(child))}~~"
        elif child.tag != f"{NAMESPACE}p":  # a paragraph inside a drawing is met on its own
            yield from _runs(child)
        else:
            yield "\n" + "".join(_runs(child))


def _is_struck(run: etree._Element) -> bool:
    strike = run.find(f"{NAMESPACE}rPr/{NAMESPACE}strike")
    return strike is not None and strike.get(f"{NAMESPACE}val", "true") not in {"0", "false", "none"}


# A text of one kind of sign packs 1000 to one; office documents pack about ten to one.
MOST_TIMES = 200
_SMALL = 1024 * 1024


class PackageRefused(Exception):
    """The package is a bomb, damaged, or carries a program; the message says which."""


def check_package(data: bytes) -> None:
    """Raise PackageRefused for what is not kept."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise PackageRefused("the package is damaged") from None
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED:
        raise PackageRefused(f"the package unpacks to {len(parts)} parts of {unpacked} bytes")
    if any(part.file_size > _SMALL and part.file_size > MOST_TIMES * max(part.compress_size, 1) for part in parts):
        raise PackageRefused("a part of the package unpacks to more than any document does")
    if any(part.filename.lower().endswith(("vbaproject.bin", ".exe", ".dll", ".js")) for part in parts):
        raise PackageRefused("the package carries a program")
