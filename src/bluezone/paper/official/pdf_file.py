# SPDX-License-Identifier: Apache-2.0
"""Write a document in administrative layout as HTML for print, and as PDF by WeasyPrint where it is installed.

The HTML stands alone: no picture, script, style sheet or font is fetched. The PDF is set in Tinos, which has the
widths of Times New Roman and comes with the package, so that it is the same on every server.
"""

import datetime
from html import escape

from bluezone.paper.official.document import (
    MOTTO,
    NATIONAL_TITLE,
    Block,
    Bullets,
    Heading,
    OfficialDocument,
    Paragraph,
    Table,
    Value,
    is_number,
    shown,
    total_width,
)
from bluezone.paper.pdf import DOCUMENT_FONTS, FONT_ADDRESS, write_pdf

_STYLE = """
@page { size: A4 %(orientation)s; margin: 20mm 20mm 20mm 30mm }
@page { @top-center { content: counter(page); font: 12pt %(font)s } }
@page :first { @top-center { content: none } }
body { font: 14pt/1.3 %(font)s; margin: 0; color: #000; background: #fff }
p { margin: 0 0 6pt; text-align: justify; text-indent: 1cm; orphans: 2; widows: 2 }
h1, h2 { font-size: 14pt; text-align: center; margin: 0 0 6pt } h1 { margin-top: 18pt }
h3 { font-size: 14pt; margin: 6pt 0; text-indent: 1cm; break-after: avoid }
.columns { display: flex; justify-content: space-between; gap: 4mm } .columns > div { text-align: center }
.columns p { text-indent: 0; text-align: center; margin: 0; font-size: 13pt; white-space: pre-wrap }
.left { width: 42%% } .right { width: 57%% } .rule { border-bottom: 0.8pt solid; width: 40%%; margin: 1pt auto 4pt }
.title { font-size: 12pt !important } .date { font-style: italic; font-size: 14pt !important }
.strong { font-weight: bold }
.to { margin: 18pt 0 6pt 2.5cm } .to p { text-indent: 0 } .foot { margin-top: 14pt; break-inside: avoid }
.recipients p { text-align: left; font-size: 11pt } .recipients .head { font: italic bold 12pt %(font)s }
.signature p { font-size: 14pt } .name { margin-top: 26mm !important }
table { border-collapse: collapse; width: 100%%; margin: 4pt 0; font-size: 12pt } thead { display: table-header-group }
caption { font-weight: bold; margin-bottom: 4pt }
caption, th { text-align: center } tr { break-inside: avoid }
th, td { border: 0.5pt solid; padding: 2pt 4pt; vertical-align: top; overflow-wrap: anywhere; white-space: pre-line }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.note { font-style: italic; font-size: 12pt; text-indent: 0 }
""".strip()
_FONT = "'Times New Roman', 'Liberation Serif', 'Tinos', serif"
_OWN_FONT = "'Bluezone letter', serif"


def document_pdf(document: OfficialDocument, *, zone: datetime.tzinfo) -> bytes:
    """Return the document as PDF. Raises PdfUnavailable where WeasyPrint is not installed."""
    return write_pdf(_page(document, zone, _font_faces() + _STYLE, _OWN_FONT))


def _font_faces() -> str:
    """The rules for the fonts of documents, named tinos-WEIGHT-STYLE.woff2."""
    return "".join(
        f"@font-face {{ font-family: 'Bluezone letter'; font-weight: {weight}; font-style: {style};"
        f" src: url({FONT_ADDRESS}{name}) format('woff2') }}\n"
        for name in DOCUMENT_FONTS
        for _family, weight, style in [name.removesuffix(".woff2").split("-")]
    ).replace("%", "%%")


def write_html(document: OfficialDocument, *, zone: datetime.tzinfo) -> str:
    """Return the document as an HTML page for print; every text in it is escaped."""
    return _page(document, zone, _STYLE, _FONT)


def _page(document: OfficialDocument, zone: datetime.tzinfo, style: str, font: str) -> str:
    style = style % {"orientation": "landscape" if document.landscape else "portrait", "font": font}
    parts = [_head(document), _title(document), *(_block(block, zone) for block in document.body), _foot(document)]
    return (
        f'<!doctype html><html lang="vi"><head><meta charset="utf-8"><title>{escape(document.subject)}</title>'
        f"<style>{style}</style></head><body>{''.join(parts)}</body></html>"
    )


def _lines(*lines: tuple[str, str]) -> str:
    return "".join(f'<p class="{kind}">{escape(text)}</p>' for kind, text in lines if text)


def _head(document: OfficialDocument) -> str:
    head = document.head
    left = (
        _lines(("", head.superior.upper()), *(("strong", line) for line in head.issuer_lines()))
        + '<div class="rule"></div>'
    )
    left += _lines(("", head.number_line()), ("title", "" if document.title else f"V/v {document.subject}"))
    right = _lines(("strong title", NATIONAL_TITLE), ("strong", MOTTO)) + '<div class="rule"></div>'
    right += _lines(("date", head.date_line()))
    return f'<div class="columns"><div class="left">{left}</div><div class="right">{right}</div></div>'


def _title(document: OfficialDocument) -> str:
    html = ""
    if document.title:
        html = f"<h1>{escape(document.title.upper())}</h1><h2>{escape(document.subject)}</h2>"
    if len(document.addressees) == 1:
        html += f'<div class="to"><p>Kính gửi: {escape(document.addressees[0])}</p></div>'
    elif document.addressees:
        addressees = _lines(*(("", f"- {addressee}") for addressee in document.addressees))
        html += f'<div class="to"><p>Kính gửi:</p>{addressees}</div>'
    return html + _lines(("", document.basis))


def _block(block: Block, zone: datetime.tzinfo) -> str:
    match block:
        case Heading():
            return f"<h3>{escape(block.text)}</h3>"
        case Paragraph():
            return _lines(("", block.text))
        case Bullets():
            return _lines(*(("", f"- {item}") for item in block.items))
        case Table():
            return _table(block, zone)


def _table(table: Table, zone: datetime.tzinfo) -> str:
    whole = total_width(table.columns)
    widths = "".join(f'<col style="width:{100 * column.width / whole:.2f}%">' for column in table.columns)
    head = "".join(f'<th scope="col">{escape(column.title)}</th>' for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td{_kind(value)}>{escape(shown(value, zone))}</td>" for value in row) + "</tr>"
        for row in table.rows
    )
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    columns = f"<colgroup>{widths}</colgroup><thead><tr>{head}</tr></thead>"
    return f"<table>{caption}{columns}<tbody>{rows}</tbody></table>" + _lines(("note", table.note))


def _kind(value: Value) -> str:
    return ' class="number"' if is_number(value) else ""


def _foot(document: OfficialDocument) -> str:
    if not document.recipients and document.signature is None:
        return ""
    left, right = "", ""
    if document.recipients:
        left = _lines(("head", "Nơi nhận:"), *(("", f"- {recipient}") for recipient in document.recipients))
    if signature := document.signature:
        lines = [("strong", line.upper()) for line in (*signature.authority, signature.position)]
        right = _lines(*lines, ("strong name", signature.name))
    columns = f'<div class="left recipients">{left}</div><div class="right signature">{right}</div>'
    return f'<div class="columns foot">{columns}</div>'
