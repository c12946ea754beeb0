# SPDX-License-Identifier: Apache-2.0
"""Read the text of a DOCX: the main part and its numbering, nothing else of the package; and look into a package
without unpacking it.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lxml import etree

from bluezone.letters.letter_text import LetterText, LetterTooLarge, LetterUnreadable, Remark
from bluezone.vietnamese.legacy_fonts import LEGACY_ENCODINGS, TextEncoding, encoding_of_font, to_unicode

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
    """The numbering of one document; `label` must be asked for its paragraphs in order.

    A paragraph is numbered by itself, or by its style or one that this is based on.
    """

    root: etree._Element | None
    styles: etree._Element | None = None
    _levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    # Lists of one kind count on in each other, unless one says where it starts anew.
    _kinds: dict[str, str] = field(default_factory=dict)
    _restarts: dict[str, dict[int, int]] = field(default_factory=dict)
    _counters: dict[str, dict[int, int]] = field(default_factory=dict)
    _by_style: dict[str, tuple[str | None, int | None]] = field(default_factory=dict)
    _style_level: dict[tuple[str, str], int] = field(default_factory=dict)
    _usual: str = ""
    _fonts: dict[str, TextEncoding] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.styles is not None:
            self._read_styles(self.styles)
        if self.root is None:
            return
        abstract = {kind.get(f"{W}abstractNumId", ""): kind for kind in self.root.iter(f"{W}abstractNum")}
        for number in self.root.iter(f"{W}num"):
            key, kind = number.get(f"{W}numId", ""), _value(number, "abstractNumId") or ""
            self._kinds[key] = kind
            if kind in abstract:
                self._levels[key] = _levels(abstract[kind])
                for level in abstract[kind].iter(f"{W}lvl"):
                    if (style := _value(level, "pStyle")) and level.get(f"{W}ilvl", "").isdecimal():
                        self._style_level[key, style] = int(level.get(f"{W}ilvl", "0"))
            for override in number.iter(f"{W}lvlOverride"):
                start, depth = _value(override, "startOverride"), override.get(f"{W}ilvl", "")
                if start and start.isdecimal() and len(start) < 6 and depth.isdecimal():
                    self._restarts.setdefault(key, {})[int(depth)] = int(start)

    def fonts(self, paragraph: etree._Element) -> TextEncoding:
        """The old encoding that the paragraph's style is set in, UNICODE for none."""
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        return self._fonts.get(style.get(f"{W}val", "") if style is not None else self._usual, TextEncoding.UNICODE)

    def _read_styles(self, styles: etree._Element) -> None:
        based: dict[str, str] = {}
        for style in styles.iter(f"{W}style"):
            key = style.get(f"{W}styleId", "")
            if style.get(f"{W}type") == "paragraph" and style.get(f"{W}default") in {"1", "true"}:
                self._usual = key
            if (below := _value(style, "basedOn")) is not None:
                based[key] = below
            fonts = style.find(f"{W}rPr/{W}rFonts")
            if fonts is not None:
                self._fonts[key] = _of_fonts(fonts)
            properties = style.find(f"{W}pPr/{W}numPr")
            if properties is not None:
                depth = _value(properties, "ilvl")
                self._by_style[key] = (_value(properties, "numId"), int(depth) if depth and depth.isdecimal() else None)
        for key in based:
            at, seen = key, {key}
            while at not in self._by_style and based.get(at) and based[at] not in seen:
                at = based[at]
                seen.add(at)
            if at in self._by_style:
                self._by_style.setdefault(key, self._by_style[at])

    def label(self, paragraph: etree._Element) -> str:
        """Return what Word shows before this paragraph ("1.", "a)", "-"), or an empty text, and count on."""
        number, depth = self._place(paragraph)
        levels = self._levels.get(number or "", {})
        if number is None or depth not in levels:
            return ""
        counters = self._counters.setdefault(self._kinds.get(number, ""), {})
        start = self._restarts.get(number, {}).pop(depth, None)
        counters[depth] = start if start is not None else counters.get(depth, levels[depth].start - 1) + 1
        for deeper in [other for other in counters if other > depth]:
            del counters[deeper]
        if levels[depth].format == "bullet":
            return "-"
        return re.sub(
            r"%([1-9])", lambda match: self._shown(levels, counters, int(match[1]) - 1), levels[depth].pattern
        )

    def _place(self, paragraph: etree._Element) -> tuple[str | None, int]:
        """The list that the paragraph stands in, and how deep; None for no list."""
        style = paragraph.find(f"{W}pPr/{W}pStyle")
        name = style.get(f"{W}val", "") if style is not None else self._usual
        of_style, depth_of_style = self._by_style.get(name, (None, None))
        properties = paragraph.find(f"{W}pPr/{W}numPr")
        number, level = (
            (_value(properties, one) for one in ("numId", "ilvl")) if properties is not None else (None, None)
        )
        number = number or of_style
        if level and level.isdecimal():
            return number, int(level)
        if depth_of_style is not None:
            return number, depth_of_style
        return number, self._style_level.get((number or "", name), 0)

    @staticmethod
    def _shown(levels: dict[int, _Level], counters: dict[int, int], depth: int) -> str:
        level = levels.get(depth)
        if level is None:
            return ""
        return formatted(counters.get(depth, level.start), level.format)


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


def formatted(number: int, format: str) -> str:
    """A number as a list shows it. format: "lowerLetter", "upperRoman" and so on as in a DOCX, else decimal."""
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
    """Return the text of a DOCX or DOCM.

    Raises LetterTooLarge for a package that unpacks to more than a letter needs, LetterUnreadable for a damaged one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = checked_names(package)
            main = _main_part(package)
            document = parsed(package, main)
            styles = _related(package, main, "/styles")
            numbering = Numbering(_related(package, main, "/numbering"), styles)
            remarks = _remarks(package, names)
    except (zipfile.BadZipFile, KeyError, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise LetterUnreadable(f"the file is not a readable DOCX ({type(error).__name__})") from None
    return LetterText("\n".join(_lines(document, numbering)), "docx", remarks)


def checked_names(package: zipfile.ZipFile) -> list[str]:
    """Return the names of the parts, after their number and unpacked sizes were found to be a letter's."""
    parts = package.infolist()
    unpacked = sum(part.file_size for part in parts)
    if len(parts) > MOST_PARTS or unpacked > LARGEST_UNPACKED:
        raise LetterTooLarge(
            f"the file unpacks to {len(parts)} parts of {unpacked} bytes; "
            f"at most {MOST_PARTS} of {LARGEST_UNPACKED} are read"
        )
    return [part.filename for part in parts]


def _read(package: zipfile.ZipFile, name: str) -> bytes:
    """Return one part. The size that the package states is not trusted: no more is ever unpacked than may be read."""
    with package.open(name) as part:
        content = part.read(LARGEST_PART + 1)
    if len(content) > LARGEST_PART:
        raise LetterTooLarge(f"a part of the file is larger than {LARGEST_PART} bytes")
    return content


def parsed(package: zipfile.ZipFile, name: str) -> etree._Element:
    """One part as XML, without entities, a document type or anything fetched. Raises LetterUnreadable."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(_read(package, name), parser)
    except etree.XMLSyntaxError:
        raise LetterUnreadable("a part of the file is not well-formed XML") from None
    if root.getroottree().docinfo.doctype:
        raise LetterUnreadable("a part of the file declares a document type, which no letter needs")
    return root


def _main_part(package: zipfile.ZipFile) -> str:
    for relation in parsed(package, "_rels/.rels").iter(f"{_RELATIONSHIPS}Relationship"):
        if relation.get("Type", "").endswith("/officeDocument"):
            return str(relation.get("Target", "")).lstrip("/")
    raise LetterUnreadable("the package names no main document; it is not a DOCX")


def _related(package: zipfile.ZipFile, main: str, kind: str) -> etree._Element | None:
    """The part of this kind that goes with the main part, None where there is none."""
    folder, name = posixpath.split(main)
    relations = f"{folder}/_rels/{name}.rels"
    if relations in package.namelist():
        for relation in parsed(package, relations).iter(f"{_RELATIONSHIPS}Relationship"):
            target = relation.get("Target", "")
            target = (
                target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            )
            if relation.get("Type", "").endswith(kind) and target in package.namelist():
                return parsed(package, target)
    return None


def _remarks(package: zipfile.ZipFile, names: list[str]) -> frozenset[Remark]:
    remarks = set()
    lowered = [name.lower() for name in names]
    if any(name.endswith(("vbaproject.bin", "vbadata.xml")) for name in lowered):
        remarks.add(Remark.MACROS)
    if any("/embeddings/" in name or "/activex/" in name for name in lowered):
        remarks.add(Remark.EMBEDDED_FILE)
    for name in names:
        if name.endswith(".rels"):
            for relation in parsed(package, name).iter(f"{_RELATIONSHIPS}Relationship"):
                if relation.get("TargetMode") == "External" and not relation.get("Type", "").endswith("/hyperlink"):
                    remarks.add(Remark.EXTERNAL_LINK)
    return frozenset(remarks)


def _lines(document: etree._Element, numbering: Numbering) -> Iterator[str]:
    """Yield the paragraphs in order with their numbers; a blank line after each, but none inside a table."""
    body = document.find(f"{NAMESPACE}body")
    if body is None:
        raise LetterUnreadable("the DOCX has no body")
    for block in _blocks(body):
        if block.tag == f"{NAMESPACE}p":
            yield from _paragraph(block, numbering)
            # Word sets paragraphs apart by their format; text needs the blank line. A head's lines stay together.
            yield ""
        else:
            yield from _table(block, numbering)
            yield ""


def _blocks(parent: etree._Element) -> Iterator[etree._Element]:
    """The paragraphs and tables, also those in a control for content or of a tracked insertion."""
    for block in parent:
        if block.tag in {f"{NAMESPACE}p", f"{NAMESPACE}tbl"}:
            yield block
        elif block.tag in {f"{NAMESPACE}sdt", f"{NAMESPACE}sdtContent", f"{NAMESPACE}ins", f"{NAMESPACE}customXml"}:
            yield from _blocks(block)


# A head of two columns, or recipients beside a signature, is a table too.
_LAYOUT = re.compile(
    r"CỘNG H(?:ÒA|OÀ) XÃ HỘI|ĐẢNG CỘNG SẢN|Độc lập\s*[-–]|N[ơƠ][iI] [nN][hH][ậẬ][nN]|^\s*S[ốỐ]\s*:", re.MULTILINE
)


def _table(table: etree._Element, numbering: Numbering) -> Iterator[str]:
    yield from table_lines(
        [[list(_cell(cell, numbering)) for cell in _cells(row)] for row in table if row.tag == f"{NAMESPACE}tr"]
    )


def table_lines(rows: Sequence[Sequence[list[str]]]) -> Iterator[str]:
    """Yield a table: one that sets a page column by column, one of figures or tasks row by row with ` | ` between.

    rows: of cells, each the lines in it.
    """
    widest = max(map(len, rows), default=0)
    layout = any(_LAYOUT.search("\n".join(cell)) for row in rows for cell in row)
    if widest >= 3 and len(rows) >= 2 and not layout:
        for row in rows:
            yield f"| {' | '.join(_on_one_line(cell) for cell in row)} |"
    elif layout:
        for column in range(widest):
            for row in rows:
                # What spans the whole table stands in its first column.
                yield from row[column] if column < len(row) else ()
            yield ""
    else:
        for row in rows:
            for cell in row:
                yield from cell


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    for cell in row:
        if cell.tag == f"{NAMESPACE}tc":
            yield cell
        elif cell.tag in {f"{NAMESPACE}sdt", f"{NAMESPACE}sdtContent"}:
            yield from _cells(cell)


def _cell(cell: etree._Element, numbering: Numbering) -> Iterator[str]:
    for paragraph in cell.iter(f"{NAMESPACE}p"):
        yield from _paragraph(paragraph, numbering)


def _on_one_line(cell: list[str]) -> str:
    text = ""
    for line in filter(None, (line.strip() for line in cell)):
        apart = "; " if text and line.startswith(("-", "+")) and text[-1] not in ".;:," else " "
        text = f"{text}{apart}{line}" if text else line
    return text.replace("|", "/")


def _paragraph(paragraph: etree._Element, numbering: Numbering) -> Iterator[str]:
    text = "".join(_runs(paragraph, numbering.fonts(paragraph)))
    label = numbering.label(paragraph) if text.strip() else ""
    yield from f"{label} {text}".strip("\n ").split("\n") if label else text.split("\n")


def _runs(element: etree._Element, encoding: TextEncoding) -> Iterator[str]:
    """The text of a paragraph or run. encoding: of the font that it is in, as far as that is one of the old fonts."""
    for child in element:
        if child.tag in _SKIPPED or not isinstance(child.tag, str):
            continue
        if child.tag == f"{NAMESPACE}t":
            yield to_unicode(child.text or "", encoding)
        elif child.tag == f"{NAMESPACE}tab":
            if element.tag == f"{NAMESPACE}r":  # not a tab stop's definition
                yield "\t"
        elif child.tag in {f"{NAMESPACE}br", f"{NAMESPACE}cr"}:
            yield "\n"
        elif child.tag == f"{NAMESPACE}noBreakHyphen":
            yield "-"
        elif child.tag == f"{NAMESPACE}r" and _is_struck(child):
            yield f"~~{''.join(_runs(child, _of_run(child, encoding)))}~~"
        elif child.tag == f"{NAMESPACE}r":
            yield from _runs(child, _of_run(child, encoding))
        elif child.tag != f"{NAMESPACE}p":  # a paragraph inside a drawing is met on its own
            yield from _runs(child, encoding)
        else:
            yield "\n" + "".join(_runs(child, encoding))


def _of_run(run: etree._Element, encoding: TextEncoding) -> TextEncoding:
    fonts = run.find(f"{NAMESPACE}rPr/{NAMESPACE}rFonts")
    return encoding if fonts is None else _of_fonts(fonts)


def _of_fonts(fonts: etree._Element) -> TextEncoding:
    name = fonts.get(f"{NAMESPACE}ascii") or fonts.get(f"{NAMESPACE}hAnsi") or ""
    found = encoding_of_font(name)
    return found if found in LEGACY_ENCODINGS else TextEncoding.UNICODE


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
