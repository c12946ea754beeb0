# SPDX-License-Identifier: Apache-2.0
"""Write a document in administrative layout as DOCX.

Times New Roman 13 to 14 points, margins 20 mm above, below and right, 30 mm left. Source: Decree 30/2020/NĐ-CP, annex I
(from memory), and the look of Công văn 458/UBND-VP.
"""

import datetime
import io
import re
import zipfile

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.section import WD_ORIENT
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.table import CT_Row, CT_TblPr
from docx.shared import Cm, Mm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph as WordParagraph

from bluezone.paper.official.document import (
    MOTTO,
    NATIONAL_TITLE,
    Block,
    Bullets,
    Heading,
    OfficialDocument,
    Paragraph,
    Table,
    is_number,
    shown,
    total_width,
)

_FONT = "Times New Roman"
_TEXT = Pt(14)
_FIXED_TIME = datetime.datetime(2020, 8, 7, tzinfo=datetime.UTC)
# Control characters cannot stand in XML; a line end and a tab can.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_docx(document: OfficialDocument, *, zone: datetime.tzinfo) -> bytes:
    """Return the document as DOCX; the same document gives the same bytes.

    zone: the zone in which aware times are shown.
    """
    word = Document()
    _set_page(word, document.landscape)
    _add_head(word, document)
    _add_title(word, document)
    for block in document.body:
        _add_block(word, block, zone)
    _add_foot(word, document)
    properties = word.core_properties
    properties.author, properties.title = "Bluezone", _clean(document.subject)[:255]
    properties.created = properties.modified = _FIXED_TIME
    target = io.BytesIO()
    word.save(target)
    return _with_fixed_times(target.getvalue())


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("", text)


def _set_page(word: WordDocument, landscape: bool) -> None:
    style = word.styles["Normal"]
    style.font.name, style.font.size = _FONT, _TEXT
    # Word picks the font of Vietnamese letters by "ascii" and "hAnsi"; others may ask the two remaining names.
    fonts = style.element.rPr.rFonts
    for script in ("w:ascii", "w:hAnsi", "w:cs", "w:eastAsia"):
        fonts.set(qn(script), _FONT)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "vi-VN")
    style.element.rPr.append(language)
    section = word.sections[0]
    section.page_width, section.page_height = (Mm(297), Mm(210)) if landscape else (Mm(210), Mm(297))
    section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    section.top_margin = section.bottom_margin = section.right_margin = Mm(20)
    section.left_margin = Mm(30)


def _text_width(document: OfficialDocument) -> float:
    """Return the width of the text in centimetres."""
    return 24.7 if document.landscape else 16.0


def _columns(word: WordDocument, widths: tuple[float, float]) -> tuple[_Cell, _Cell]:
    """Add two columns without lines and return their cells, each with one empty paragraph."""
    table = word.add_table(rows=1, cols=2)
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    table.autofit = False
    _without_cell_margins(table._tbl.tblPr)
    cells = table.rows[0].cells
    for cell, column, width in zip(cells, table.columns, widths, strict=True):
        cell.width = column.width = Cm(width)
    _keep_whole(table.rows[0]._tr)
    return cells[0], cells[1]


def _without_cell_margins(properties: CT_TblPr) -> None:
    """Let the columns use their whole width: the national title needs it to stay on one line."""
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), "0")
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties.append(margins)


def _put(
    cell: _Cell, text: str, *, bold: bool = False, italic: bool = False, size: int = 13, left: bool = False
) -> WordParagraph:
    """Add a paragraph to a cell, in the place of the empty one that every new cell has."""
    first = cell.paragraphs[0]
    fresh = len(cell.paragraphs) == 1 and not first.runs
    paragraph: WordParagraph = first if fresh else cell.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.LEFT if left else WD_ALIGN_PARAGRAPH.CENTER
    _space(paragraph, 0, 0)
    run = paragraph.add_run(_clean(text))
    run.bold, run.italic, run.font.size = bold, italic, Pt(size)
    return paragraph


def _space(paragraph: WordParagraph, before: int, after: int) -> None:
    paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(after)


def _underline(paragraph: WordParagraph, points: int = 1) -> None:
    """Draw the line that stands under the motto and the issuer: a border of the paragraph, indented to a third."""
    borders = OxmlElement("w:pBdr")
    bottom = OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", str(points * 6)), ("space", "1"), ("color", "000000")):
        bottom.set(qn(f"w:{name}"), value)
    borders.append(bottom)
    paragraph._p.get_or_add_pPr().append(borders)


def _rule(cell: _Cell, indent: float) -> None:
    paragraph = _put(cell, "", size=2)
    paragraph.paragraph_format.line_spacing = Pt(3)
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Cm(indent)
    _underline(paragraph)


def _add_head(word: WordDocument, document: OfficialDocument) -> None:
    width = _text_width(document)
    left, right = _columns(word, (width * 0.41, width * 0.59))
    head = document.head
    if head.superior:
        _put(left, head.superior.upper())
    for line in head.issuer_lines():
        _put(left, line, bold=True)
    _rule(left, width * 0.41 * 0.3)
    _put(left, head.number_line())
    if not document.title:
        _put(left, f"V/v {document.subject}", size=12)
    _put(right, NATIONAL_TITLE, bold=True, size=12)
    _put(right, MOTTO, bold=True)
    _rule(right, width * 0.59 * 0.24)
    _put(right, head.date_line(), italic=True, size=14)


def _add_title(word: WordDocument, document: OfficialDocument) -> None:
    if document.title:
        _centred(word, document.title.upper(), before=18)
        _centred(word, document.subject)
    if document.addressees:
        paragraph = _body_paragraph(
            word, "Kính gửi:" + (f" {document.addressees[0]}" if len(document.addressees) == 1 else "")
        )
        paragraph.paragraph_format.space_before = Pt(18)
        paragraph.paragraph_format.first_line_indent = Cm(2.5)
        for addressee in document.addressees if len(document.addressees) > 1 else ():
            _body_paragraph(word, f"- {addressee}").paragraph_format.left_indent = Cm(3.5)
    if document.basis:
        _body_paragraph(word, document.basis)


def _centred(word: WordDocument, text: str, before: int = 0) -> None:
    paragraph = word.add_paragraph()
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    _space(paragraph, before, 6)
    paragraph.add_run(_clean(text)).bold = True


def _body_paragraph(word: WordDocument, text: str) -> WordParagraph:
    paragraph = word.add_paragraph(_clean(text))
    paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
    paragraph.paragraph_format.first_line_indent = Cm(1)
    _space(paragraph, 0, 6)
    return paragraph


def _add_block(word: WordDocument, block: Block, zone: datetime.tzinfo) -> None:
    match block:
        case Heading():
            paragraph = _body_paragraph(word, "")
            paragraph.add_run(_clean(block.text)).bold = True
            paragraph.paragraph_format.keep_with_next = True
        case Paragraph():
            _body_paragraph(word, block.text)
        case Bullets():
            for item in block.items:
                _body_paragraph(word, f"- {item}")
        case Table():
            _add_table(word, block, zone)


def _add_table(word: WordDocument, table: Table, zone: datetime.tzinfo) -> None:
    if table.title:
        _centred(word, table.title)
    grid = word.add_table(rows=1, cols=len(table.columns))
    grid.style = word.styles["Table Grid"]
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    grid.autofit = False
    section = word.sections[0]
    room = section.page_width - section.left_margin - section.right_margin  # type: ignore[operator]
    widths = [int(room * column.width / total_width(table.columns)) for column in table.columns]
    for cell, column in zip(grid.rows[0].cells, table.columns, strict=True):
        _put(cell, column.title, bold=True, size=12)
    _repeat_on_each_page(grid.rows[0]._tr)
    for row in table.rows:
        for cell, value in zip(grid.add_row().cells, row, strict=True):
            paragraph = _put(cell, shown(value, zone), size=12, left=True)
            if is_number(value):
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
        for cell in column.cells:
            cell.width = width
    note = _body_paragraph(word, table.note)
    note.paragraph_format.space_before = Pt(4)
    for run in note.runs:
        run.italic, run.font.size = True, Pt(12)


def _repeat_on_each_page(row: CT_Row) -> None:
    row.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _keep_whole(row: CT_Row) -> None:
    """Keep a row on one page: a name apart from its signature is nobody's."""
    row.get_or_add_trPr().append(OxmlElement("w:cantSplit"))


def _add_foot(word: WordDocument, document: OfficialDocument) -> None:
    if not document.recipients and document.signature is None:
        return
    spacer = word.add_paragraph()
    _space(spacer, 0, 0)
    width = _text_width(document)
    left, right = _columns(word, (width * 0.5, width * 0.5))
    if document.recipients:
        _put(left, "Nơi nhận:", bold=True, italic=True, size=12, left=True)
        for recipient in document.recipients:
            _put(left, f"- {recipient}", size=11, left=True)
    if signature := document.signature:
        for line in (*signature.authority, signature.position):
            _put(right, line.upper(), bold=True, size=14)
        for _ in range(4):
            _put(right, "", size=14)
        _put(right, signature.name, bold=True, size=14)


def _with_fixed_times(data: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as fixed:
        for part in package.infolist():
            fixed.writestr(
                zipfile.ZipInfo(part.filename, (1980, 1, 1, 0, 0, 0)), package.read(part), zipfile.ZIP_DEFLATED
            )
    return target.getvalue()
