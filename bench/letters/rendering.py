# SPDX-License-Identifier: Apache-2.0
"""Write a letter of the bench as an office, a law site or a careless hand would: text in five layouts, DOCX with its
head in a table or behind tabs and its numbers typed or counted by Word, PDF with a head of two columns, and scans.
"""

import io
import math
import re
from html import escape

import docx
import numpy as np
import pypdfium2  # type: ignore[import-untyped]
from bench.letters.corpus import Letter
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.shared import Pt
from docx.text.paragraph import Paragraph as WordParagraph
from PIL import Image, ImageDraw, ImageFilter

from bluezone.paper.pdf import DOCUMENT_FONTS, FONT_ADDRESS, write_pdf

LAYOUTS = ("columns", "plain", "bars", "tabs", "squeezed")
_WIDTH = 44


def as_text(letter: Letter) -> str:
    """The letter as text, in the layout of its number."""
    layout = LAYOUTS[letter.style % len(LAYOUTS)]
    left = _wrapped_subject(letter.left)
    lines = [*_side_by_side(left, letter.right, layout), ""]
    for number, line in enumerate(letter.title):
        lines.append(line if layout != "columns" else line.center(90 if number else 80).rstrip())
    lines += ["", *letter.addressing, ""]
    lines += [gap for line in letter.body for gap in ((line, "") if layout in ("plain", "tabs") else (line,))]
    lines.append("")
    notes = ("Nơi nhận:", *letter.notes)
    if layout in ("plain", "squeezed") or len(letter.signatures) > 1:
        if len(letter.signatures) > 1:
            lines += [*_side_by_side(letter.signatures[0], letter.signatures[1], "columns"), ""]
            lines += notes
        else:
            lines += [*notes, "", *letter.signatures[0]]
    else:
        lines += _side_by_side(notes, letter.signatures[0], layout)
    return "\n".join([*lines, "", *letter.annex])


def _wrapped_subject(left: tuple[str, ...]) -> tuple[str, ...]:
    """The subject wraps as in its narrow column."""
    found: list[str] = []
    for line in left:
        while line.startswith("V/v") and len(line) > 40:
            at = line.rfind(" ", 0, 40)
            found.append(line[:at])
            line = line[at + 1 :]
            while len(line) > 40:
                at = line.rfind(" ", 0, 40)
                found.append(line[:at])
                line = line[at + 1 :]
        found.append(line)
    return tuple(found)


def _side_by_side(left: tuple[str, ...], right: tuple[str, ...], layout: str) -> list[str]:
    if layout == "plain":
        return [*left, "", *right]
    rows = [
        (left[row] if row < len(left) else "", right[row] if row < len(right) else "")
        for row in range(max(len(left), len(right)))
    ]
    if layout == "columns":
        return [f"{one:<{_WIDTH}} {other}".rstrip() if other else one for one, other in rows]
    if layout == "bars":
        return [f"{one} | {other}" for one, other in rows]
    if layout == "tabs":
        return [f"{one}\t{other}".rstrip() if one else f"\t{other}" for one, other in rows]
    # Copied out of a PDF: one blank between what stood side by side; what stands alone keeps its line.
    head = [f"{one} {other}".strip() for one, other in rows[:2]]
    number = next((index for index, line in enumerate(left) if line.startswith("Số")), len(left))
    rest = list(right[2:])
    if number < len(left) and rest and len(left) >= 2 and not left[number].startswith("Số: ") | ("~" in left[number]):
        return [*head, *left[2:number], f"{left[number]} {rest[0]}", *left[number + 1 :], *rest[1:]]
    return [*head, *left[2:], *rest]


def as_docx(letter: Letter) -> bytes:
    """The letter as DOCX."""
    document = docx.Document()
    document.styles["Normal"].font.name = "Times New Roman"
    document.styles["Normal"].font.size = Pt(13)
    way = letter.style % 3
    if way == 2 and len(letter.signatures) == 1:
        for row in range(max(len(letter.left), len(letter.right))):
            one = letter.left[row] if row < len(letter.left) else ""
            other = letter.right[row] if row < len(letter.right) else ""
            _write(document.add_paragraph(), f"{one}\t{other}" if other else one)
    else:
        table = document.add_table(rows=1, cols=2)
        for cell, lines in zip(table.rows[0].cells, (letter.left, letter.right), strict=True):
            _fill(cell, lines, one_paragraph=way == 1)
    for line in letter.title:
        document.add_paragraph(line).alignment = WD_ALIGN_PARAGRAPH.CENTER
    for line in letter.addressing:
        document.add_paragraph(line)
    _body(document, letter.body, counted=letter.features[0] == "style" or way == 1)
    signed = document.add_table(rows=1, cols=1 + len(letter.signatures))
    for cell, lines in zip(signed.rows[0].cells, (("Nơi nhận:", *letter.notes), *letter.signatures), strict=True):
        _fill(cell, lines)
    _body(document, letter.annex, counted=False)
    target = io.BytesIO()
    document.save(target)
    return target.getvalue()


def _fill(cell: "docx.table._Cell", lines: tuple[str, ...], *, one_paragraph: bool = False) -> None:
    if one_paragraph:
        _write(cell.paragraphs[0], "\n".join(lines))
        return
    for number, line in enumerate(lines):
        _write(cell.paragraphs[0] if number == 0 else cell.add_paragraph(), line)


def _write(paragraph: WordParagraph, text: str) -> None:
    for number, piece in enumerate(text.split("~~")):
        if piece:
            paragraph.add_run(piece).font.strike = True if number % 2 else None


def _body(document: "docx.document.Document", lines: tuple[str, ...], *, counted: bool) -> None:
    rows: list[list[str]] = []
    restarted = any(line.startswith(("II.", "II ")) for line in lines)
    for line in (*lines, ""):
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
            continue
        if rows:
            table = document.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid")
            for row, cells in zip(table.rows, rows, strict=True):
                for cell, text in zip(row.cells, cells, strict=True):
                    cell.text = text
            rows = []
        if not line:
            continue
        if counted and not restarted and (match := re.match(r"\d{1,2}[.)/] ", line)):
            document.add_paragraph(line[match.end() :], style="List Number")
        elif counted and line.startswith(("- ", "– ")):
            document.add_paragraph(line[2:], style="List Bullet")
        else:
            document.add_paragraph(line)


_STYLE = """
@page { size: A4; margin: 20mm 18mm 20mm 30mm; @top-center { content: counter(page); font: 12pt 'Letter', serif }
}
@page :first { @top-center { content: none }
}
body { font: %(size)spt/1.3 'Letter', serif; margin: 0 }
p { margin: 0 0 6pt; text-align: justify; text-indent: 1cm }
.columns { display: flex; justify-content: space-between; gap: 2mm }
.columns p { text-indent: 0; margin: 0; font-size: 12.5pt }
.head p { text-align: center }
.left { width: 40%% }
.right { width: 59%% }
.title p { text-align: center; font-weight: bold }
.to p { text-indent: 0; margin: 0 0 0 3cm; text-align: left }
.notes p { font-size: 11pt; text-align: left }
.signed p { text-align: center }
.gap { height: 18mm }
table { border-collapse: collapse; width: 100%%; font-size: 12pt }
td { border: 0.5pt solid; padding: 2pt 4pt; vertical-align: %(align)s }
td p { text-indent: 0 }
s { text-decoration: line-through }
""".strip()


def as_html(letter: Letter) -> str:
    """The letter as a page in administrative layout."""
    faces = "".join(
        f"@font-face {{ font-family: 'Letter'; font-weight: {weight}; font-style: {style};"
        f" src: url({FONT_ADDRESS}{name}) format('woff2') }}\n"
        for name in DOCUMENT_FONTS
        for _, weight, style in [name.removesuffix(".woff2").split("-")]
    )
    style = faces + _STYLE % {"size": (13, 14, 13.5)[letter.style % 3], "align": ("top", "middle")[letter.style % 2]}
    left = f'<div class="left">{_lines(letter.left)}</div>'
    head = f'<div class="columns head">{left}<div class="right">{_lines(letter.right)}</div></div>'
    title = f'<div class="title">{_lines(letter.title)}</div><div class="to">{_lines(letter.addressing)}</div>'
    signed = "".join(
        f'<div class="signed">{_lines(one[:-1])}<div class="gap"></div>{_lines(one[-1:])}</div>'
        for one in letter.signatures
    )
    foot = f'<div class="columns"><div class="notes">{_lines(("Nơi nhận:", *letter.notes))}</div>{signed}</div>'
    return (
        f"<!doctype html><html><head><meta charset='utf-8'><style>{style}</style></head><body>{head}{title}"
        f"{_lines(letter.body)}{foot}<div>{_lines(letter.annex)}</div></body></html>"
    )


def as_pdf(letter: Letter) -> bytes:
    """The letter as PDF with its text in it."""
    return write_pdf(as_html(letter))


def as_scan(letter: Letter) -> bytes:
    """The letter printed, stamped, laid askew on a scanner and sent as a PDF of pictures; the same each time."""
    chance = np.random.default_rng(letter.style + sum(map(ord, letter.name)))
    document = pypdfium2.PdfDocument(as_pdf(letter))
    pages = []
    for number in range(len(document)):
        page = document[number].render(scale=200 / 72).to_pil().convert("RGB")
        if number == 0 or number == len(document) - 1:
            _stamp(page, chance)
        page = page.rotate(chance.uniform(-1.2, 1.2), Image.Resampling.BICUBIC, fillcolor=(255, 255, 255))
        page = page.filter(ImageFilter.GaussianBlur(0.6))
        dots = np.asarray(page, np.float32) * 0.94 + chance.normal(6, 5, (page.height, page.width, 1))
        target = io.BytesIO()
        Image.fromarray(np.clip(dots, 0, 255).astype(np.uint8)).save(target, "JPEG", quality=60)
        pages.append(Image.open(target))
    whole = io.BytesIO()
    pages[0].save(whole, "PDF", save_all=True, append_images=pages[1:], resolution=200)
    return whole.getvalue()


def _stamp(page: Image.Image, chance: np.random.Generator) -> None:
    """A round red stamp and a blue stroke of the pen, in the lower right half, over whatever stands there."""
    draw = ImageDraw.Draw(page, "RGBA")
    x, y = page.width * chance.uniform(0.6, 0.75), page.height * chance.uniform(0.6, 0.85)
    for radius, width in ((135, 6), (105, 3)):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=(200, 30, 40, 200), width=width)
    for turn in range(0, 360, 18):
        at = (x + 120 * math.cos(math.radians(turn)), y + 120 * math.sin(math.radians(turn)))
        draw.line((*at, at[0] + 8, at[1] + 10), fill=(200, 30, 40, 200), width=4)
    path = [(x + 40 * step - 80, y + 60 * math.sin(step + x)) for step in range(6)]
    draw.line(path, fill=(20, 40, 150, 220), width=4)


def _lines(lines: tuple[str, ...]) -> str:
    html, rows = "", ""
    for line in (*lines, ""):
        if line.startswith("|"):
            cells = "".join(f"<td>{escape(cell.strip())}</td>" for cell in line.strip().strip("|").split("|"))
            rows += f"<tr>{cells}</tr>"
            continue
        if rows:
            html, rows = f"{html}<table>{rows}</table>", ""
        if line:
            shown = re.sub(r"~~(.*?)~~", r"<s>\1</s>", escape(line)).replace("  ", "&nbsp; ")
            html += f"<p>{shown}</p>"
    return html
