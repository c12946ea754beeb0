# SPDX-License-Identifier: Apache-2.0
"""Read the text of a DOCX: the main part and its numbering, nothing else of the package.

Macros, external links and embedded objects are noted, never opened. The package is read here and not by python-docx,
because that loads every part of it, and because the numbers that Word counts ("1.", "a)") are not in the text it gives.

Source: ECMA-376 Part 1, sections 17.3 (paragraphs), 17.4 (tables), 17.9 (numbering); Part 2 (packages).
"""

import io
import posixpath
import zipfile
from collections.abc import Iterator

from lxml import etree

from bluezone.rollout.directives.docxnumbering import NAMESPACE as W
from bluezone.rollout.directives.docxnumbering import Numbering
from bluezone.rollout.directives.lettertext import LetterText, LetterTooLarge, LetterUnreadable, Remark

LARGEST_UNPACKED = 60 * 1024 * 1024
LARGEST_PART = 20 * 1024 * 1024
MOST_PARTS = 2000

_RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
# Deleted and moved-away text of tracked changes, field codes, and the second copy of a drawing's text.
_SKIPPED = {f"{W}del", f"{W}moveFrom", f"{W}instrText", _FALLBACK}


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
    body = document.find(f"{W}body")
    if body is None:
        raise LetterUnreadable("the DOCX has no body")
    for block in body:
        if block.tag == f"{W}p":
            yield from _paragraph(block, numbering)
            # Word sets paragraphs apart by their format; text needs the blank line. A head's lines stay together.
            yield ""
        elif block.tag in {f"{W}tbl", f"{W}sdt"}:
            for paragraph in block.iter(f"{W}p"):
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
        if child.tag == f"{W}t":
            yield child.text or ""
        elif child.tag == f"{W}tab":
            if element.tag == f"{W}r":  # not a tab stop's definition
                yield "\t"
        elif child.tag in {f"{W}br", f"{W}cr"}:
            yield "\n"
        elif child.tag == f"{W}noBreakHyphen":
            yield "-"
        elif child.tag == f"{W}r" and _is_struck(child):
            yield f"~~{''.join(_runs(child))}~~"
        elif child.tag != f"{W}p":  # a paragraph inside a drawing is met on its own
            yield from _runs(child)
        else:
            yield "\n" + "".join(_runs(child))


def _is_struck(run: etree._Element) -> bool:
    strike = run.find(f"{W}rPr/{W}strike")
    return strike is not None and strike.get(f"{W}val", "true") not in {"0", "false", "none"}
