# SPDX-License-Identifier: Apache-2.0
"""The slips of a facility as PDF: eight on a sheet of A4, Vietnamese first, with room for what is written by hand."""

from html import escape

from bluezone.codebooks.making import Book, PrintedSlip
from bluezone.paper.pdf import write_pdf
from bluezone.paper.qr_codes import poster_qr
from bluezone.protocol.upload.slips import format_slip

SLIPS_A_SHEET = 8
_CLASSES = {
    1: ("Xét nghiệm khẳng định", "Confirmed test"),
    2: ("Chẩn đoán lâm sàng", "Clinical diagnosis"),
}
_STYLE = """
@font-face { font-family: "Be Vietnam Pro"; font-weight: 400; src: url("font:be-vietnam-pro-400.woff2"); }
@font-face { font-family: "Be Vietnam Pro"; font-weight: 600; src: url("font:be-vietnam-pro-600.woff2"); }
@page { size: A4; margin: 8mm; }
body { margin: 0; font: 400 7.6pt/1.25 "Be Vietnam Pro"; color: #000; }
.sheet { break-after: page; }
.sheet:last-child { break-after: auto; }
.slip { box-sizing: border-box; float: left; width: 97mm; height: 69mm; padding: 3.5mm 4mm;
  border: .2mm dashed #888; }
.slip svg.qr { float: right; width: 27mm; height: 27mm; margin: 0 0 1mm 3mm; }
h1 { margin: 0 0 .6mm; font-size: 9.4pt; font-weight: 600; line-height: 1.15; }
p { margin: 0 0 .6mm; }
.digits { clear: both; margin: 1mm 0; padding-top: 1mm; font-size: 16pt; font-weight: 600; letter-spacing: .3mm;
  font-variant-numeric: tabular-nums; }
.line { clear: both; margin-top: 3.2mm; }
.line b { float: right; width: 28mm; height: 3.2mm; border-bottom: .25mm solid #000; }
.note { margin-top: 2mm; }
.box { display: inline-block; width: 2.8mm; height: 2.8mm; border: .25mm solid #000; vertical-align: -.4mm; }
.en { color: #444; }
b { font-weight: 600; }
"""


def sheets_html(book: Book, facility: str, origin: str) -> str:
    """The pages of a facility. origin: the public origin, for the links in the QR codes."""
    slips = [_slip_html(each, book, facility, origin) for each in book.slips[facility]]
    sheets = "".join(
        f'<div class="sheet">{"".join(slips[start : start + SLIPS_A_SHEET])}</div>'
        for start in range(0, len(slips), SLIPS_A_SHEET)
    )
    return f'<!doctype html><html lang="vi"><meta charset="utf-8"><style>{_STYLE}</style><body>{sheets}</body></html>'


def sheets_pdf(book: Book, facility: str, origin: str) -> bytes:
    """The slips of a facility for the printer. Raises PdfUnavailable."""
    return write_pdf(sheets_html(book, facility, origin))


def _slip_html(printed: PrintedSlip, book: Book, facility: str, origin: str) -> str:
    class_vi, class_en = _CLASSES[printed.slip.klass]
    last_day = f"{book.last_day:%d/%m/%Y}"
    return f"""<div class="slip">{poster_qr(printed.slip.link(origin))}
<h1>Bluezone: báo cho người đã ở gần</h1>
<p class="en">Warn the people you were near</p>
<p><b>{class_vi}</b> · <span class="en">{class_en}</span></p>
<p>Dùng một lần, đến hết <b>{last_day}</b> · <span class="en">works once, last day {last_day}</span></p>
<p>{escape(facility)} · {book.list.book}-{book.list.part}</p>
<p class="digits">{format_slip(printed.digits)}</p>
<p class="line"><b></b>Ngày bắt đầu có triệu chứng <span class="en">/ onset</span></p>
<p class="line"><b></b><span class="box"></span> Không triệu chứng; ngày lấy mẫu
<span class="en">/ none: sample</span></p>
<p class="note en">Nhân viên y tế ghi tay; người bệnh nhập ngày này vào ứng dụng. /
Written by hand; enter this day in the app.</p>
</div>"""
