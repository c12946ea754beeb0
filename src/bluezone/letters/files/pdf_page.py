# SPDX-License-Identifier: Apache-2.0
"""The words of a PDF page by their places, put into the order in which a person reads them.

A head of two columns, and recipients beside a signature, come column by column; a ruled table comes row by row with
` | ` between its cells; lines that only wrap are one paragraph.
"""

import itertools
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pypdf import PageObject
from pypdf._text_extraction._layout_mode._text_state_params import TextStateParams
from pypdf.generic import ContentStream
from pypdf.generic._font import Font

from bluezone.letters.files.pdf_rules import IDENTITY, Grid, Matrix, find_grids, numbers_of, product

# A page has some thousand pieces of text; one with far more is a drawing, or made to be slow.
MOST_PIECES = 30_000
# Forms within forms, and the bytes of one that is followed.
_DEEPEST = 4
_LARGEST_FORM = 2 * 1024 * 1024
_SHOWING = {"Tj", "TJ", "'", '"'}
# In heights of the letters: what parts two columns, and what is a blank between words.
_GUTTER, _BLANK, _WIDE_BLANK = 1.4, 0.12, 0.28
_ALONE = re.compile(r"^(?:[-–—+•●▪·*]|\d{1,2}(?:\.\d{1,2})*[.)]?|[a-zđ][.)]|[IVX]{1,5}[.)]|Điều\s+\d+[.:]?)$")
_OPENS = re.compile(
    r"^(?:[-–—+•●▪·*]\s|\d{1,2}(?:\.\d{1,2})*\.?[.)/]\s|[a-zđ][.)]\s|[IVX]{1,5}[.)]\s|Điều\s+\d+|Căn"
    r" cứ|Kính gửi|PHỤ LỤC)"
)
_FULL_WIDTH = re.compile(
    r"^(?:Kính gửi|QUYẾT ĐỊNH|KẾ HOẠCH|THÔNG BÁO|GIẤY MỜI|CÔNG ĐIỆN|CHỈ THỊ|HƯỚNG DẪN|TỜ TRÌNH|BÁO CÁO|NGHỊ QUYẾT"
    r"|CHƯƠNG TRÌNH|Căn cứ|PHỤ LỤC|Điều\s+\d)"
)
# The right column of a head, where the subject in the left one comes near.
_PLACE_AND_DAY = re.compile(r"\s*[A-ZĐÀ-Ỹ][^,\d]{1,40},\s*(?:(?:lúc|hồi)\s[^,]{2,20}\s)?ngày\s")
# Left open for the pen: the rest of the line belongs to it.
_PEN_GAP = re.compile(r"(?:Số|SỐ|ngày|tháng|năm)\s*:?$")


@dataclass
class Segment:
    """A run of words on one line with no wide gap: x0..x1 and the baseline y in points from below, letter height."""

    x0: float
    x1: float
    y: float
    size: float
    text: str
    # Wider blanks within it: where they begin and end, and where in the text.
    blanks: list[tuple[float, float, int]] = field(default_factory=list)


Row = list[Segment]


def _middle(segment: Segment) -> tuple[float, float]:
    return (segment.x0 + segment.x1) / 2, segment.y + segment.size * 0.3


def read_page(page: PageObject) -> list[str]:
    """Return the paragraphs of a page in reading order; an empty text stands for a blank line.

    Raises ValueError for a page with more pieces of text than any page has.
    """
    contents = page.get_contents()
    if contents is None:
        return []
    operations = ContentStream(contents, page.pdf, "bytes").operations
    return arrange(list(_pieces(page, operations)), find_grids(operations))


def arrange(pieces: Sequence[Segment], grids: Sequence[Grid] = ()) -> list[str]:
    """The paragraphs of a page whose pieces of text stand at these places, with its ruled tables."""
    if not pieces:
        return []
    outside = [piece for piece in pieces if not any(grid.holds(*_middle(piece)) for grid in grids)]
    rows = [_merged(row) for row in _rows(outside)]
    # In the midst of a page "01/5" is the rest of a line.
    for edge in (0, -1):
        if rows and _is_page_number(rows[edge]):
            del rows[edge]
    margins = _margins(pieces)
    blocks = [
        (grid.ys[0], _table_lines(grid, [piece for piece in pieces if grid.holds(*_middle(piece))])) for grid in grids
    ]
    # Text above a table and text below it are apart.
    edges = sorted((grid.ys[0] for grid in grids), reverse=True)
    for above, below in itertools.pairwise((float("inf"), *edges, float("-inf"))):
        blocks += _blocks([row for row in rows if below <= row[0].y < above], margins)
    lines: list[str] = []
    for _, block in sorted(blocks, key=lambda block: -block[0]):
        lines += [*block, ""]
    return lines


class _Shower:
    """Follows the operators that show text, and says where each piece stands.

    pypdf places pieces for its own layout, but loses the width of one that another follows without a number between.
    """

    def __init__(self, page: PageObject) -> None:
        self.page = page
        self.matrix = IDENTITY
        self.stack: list[tuple[Matrix, dict[str, float], Font | None, float]] = []
        self.text = self.line = IDENTITY
        self.state = {"Tc": 0.0, "Tw": 0.0, "Tz": 100.0, "TL": 0.0, "Ts": 0.0}
        self.font: Font | None = None
        self.size = 0.0
        self.shown = 0

    def show(
        self, operations: Sequence[tuple[Any, bytes]], fonts: dict[str, Font], resources: Any, depth: int = 0
    ) -> Iterator[TextStateParams]:
        """Yield each piece of text. Raises ValueError for more of them than a page has."""
        for operands, operator in operations:
            name = operator.decode("latin-1")
            try:
                if name in _SHOWING:
                    yield from self._string(name, operands)
                elif name == "Do" and depth < _DEEPEST:
                    yield from self._form(operands, resources, depth)
                else:
                    self._set(name, operands, fonts)
            except (TypeError, IndexError, KeyError, AttributeError):
                continue  # an operator with operands of another kind shows nothing

    def _set(self, name: str, operands: Any, fonts: dict[str, Font]) -> None:
        if name == "q":
            self.stack.append((self.matrix, dict(self.state), self.font, self.size))
        elif name == "Q" and self.stack:
            self.matrix, self.state, self.font, self.size = self.stack.pop()
        elif name == "cm":
            self.matrix = product(numbers_of(operands), self.matrix)
        elif name == "BT":
            self.text = self.line = IDENTITY
        elif name == "Tf":
            self.font, self.size = fonts.get(operands[0]), float(operands[1])
        elif name == "Tm":
            self.text = self.line = numbers_of(operands)
        elif name in {"Td", "TD"}:
            x, y = float(operands[0]), float(operands[1])
            if name == "TD":
                self.state["TL"] = -y
            self._next_line(x, y)
        elif name == "T*":
            self._next_line(0.0, -self.state["TL"])
        elif name in self.state:
            self.state[name] = float(operands[0])

    def _next_line(self, x: float, y: float) -> None:
        self.text = self.line = product((1.0, 0.0, 0.0, 1.0, x, y), self.line)

    def _string(self, name: str, operands: Any) -> Iterator[TextStateParams]:
        if name in {"'", '"'}:
            if name == '"':
                self.state["Tw"], self.state["Tc"] = float(operands[0]), float(operands[1])
            self._next_line(0.0, -self.state["TL"])
        if self.font is None:
            return
        for item in operands[0] if name == "TJ" else [operands[-1]]:
            if isinstance(item, (bytes, str)):
                state = self.state
                piece = TextStateParams(
                    item, self.font, self.size, state["Tc"], state["Tw"], state["Tz"], state["TL"], state["Ts"],
                    list(product(self.text, self.matrix)),
                )  # fmt: skip
                self.shown += 1
                if self.shown > MOST_PIECES:
                    raise ValueError("more pieces of text than a page has")
                yield piece
                self._advance(piece.word_tx(piece.value))
            else:
                self._advance(-float(item) / 1000.0 * self.size * self.state["Tz"] / 100.0)

    def _advance(self, x: float) -> None:
        self.text = product((1.0, 0.0, 0.0, 1.0, x, 0.0), self.text)

    def _form(self, operands: Any, resources: Any, depth: int) -> Iterator[TextStateParams]:
        form = resources["/XObject"][operands[0]].get_object()
        if form.get("/Subtype") != "/Form" or len(form.get_data()) > _LARGEST_FORM:
            return
        kept = (self.matrix, dict(self.state), self.font, self.size)
        if "/Matrix" in form:
            self.matrix = product(numbers_of(form["/Matrix"]), self.matrix)
        own = form.get("/Resources", resources).get_object()
        operations = ContentStream(form, self.page.pdf, "bytes").operations
        yield from self.show(operations, _fonts(own), own, depth + 1)
        self.matrix, self.state, self.font, self.size = kept


def _fonts(resources: Any) -> dict[str, Font]:
    found = resources.get("/Font", {}).get_object() if "/Font" in resources else {}
    return {name: Font.from_font_resource(found[name].get_object()) for name in found}


def _pieces(page: PageObject, operations: Sequence[tuple[Any, bytes]]) -> Iterator[Segment]:
    resources = page.get("/Resources", {}).get_object()
    for one in _Shower(page).show(operations, page._layout_mode_fonts(), resources):
        if one.text.strip() and not one.rotated and one.font.interpretable:
            yield from _words(one)


def _words(one: Any) -> Iterator[Segment]:
    """Cut a piece at runs of blanks, places by the mean width of its letters."""
    text = one.text.translate(dict.fromkeys(range(32), " "))
    width = (one.displaced_tx - one.tx) / max(len(text), 1)
    # Letters of no height are drawn by some to hide text.
    size = max(one.font_height, 1.0)
    for word in re.finditer(r"\S+(?: {1,2}\S+)*", text):
        yield Segment(one.tx + word.start() * width, one.tx + word.end() * width, one.ty, size, word.group())


def _rows(pieces: Sequence[Segment]) -> list[Row]:
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda piece: (-piece.y, piece.x0)):
        if rows and abs(rows[-1][0].y - piece.y) < 0.4 * max(piece.size, 4.0):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return rows


def _merged(row: Row) -> Row:
    """Put the pieces of a row together where no wide gap parts them."""
    segments: Row = []
    for piece in sorted(row, key=lambda piece: piece.x0):
        last = segments[-1] if segments else None
        gap = piece.x0 - last.x1 if last else 0.0
        size = max(piece.size, last.size) if last else piece.size
        if last and last.text == piece.text and abs(last.x0 - piece.x0) < 1.0:
            continue  # drawn twice to look bold
        wide = _GUTTER * size
        if last and _PEN_GAP.search(last.text) and re.match(r"[/…._]|tháng|năm|\d", piece.text):
            wide = 9 * size
        if last and _ALONE.match(last.text):
            wide = 6 * size
        if last is None or gap > wide:
            segments.append(Segment(piece.x0, piece.x1, piece.y, piece.size, piece.text))
            continue
        blank = " " if gap > _BLANK * size or last.text.endswith(" ") else ""
        last.text = f"{last.text.rstrip()}{blank}{piece.text}" if blank else last.text + piece.text
        if gap > _WIDE_BLANK * size:
            last.blanks.append((last.x1, piece.x0, len(last.text) - len(piece.text)))
        last.x1 = max(last.x1, piece.x1)
    return segments


def _is_page_number(row: Row) -> bool:
    return len(row) == 1 and bool(re.fullmatch(r"[-–\s]*(?:Trang\s*)?\d{1,3}(?:\s*/\s*\d{1,3})?[-–\s]*", row[0].text))


def _table_lines(grid: Grid, pieces: Sequence[Segment]) -> list[str]:
    lines = []
    for top, bottom in itertools.pairwise(grid.ys):
        inside = [piece for row in _rows([piece for piece in pieces if bottom < piece.y + piece.size * 0.3 < top])
                  for piece in _unbroken(row, grid.xs)]  # fmt: skip
        cells = []
        for left, right in itertools.pairwise(grid.xs):
            cell = [piece for piece in inside if left <= _anchor(piece, grid.xs) < right]
            cells.append(" ".join(_joined(_merged(row)) for row in _rows(cell)))
        if any(cells):
            lines.append(f"| {' | '.join(cells)} |")
    return lines


def _unbroken(row: Row, edges: Sequence[float]) -> Row:
    """The pieces of a line, with those put together that go on over a column's edge: cells that are one there."""
    found: Row = []
    for piece in sorted(row, key=lambda piece: piece.x0):
        last = found[-1] if found else None
        gap = piece.x0 - last.x1 if last else 0.0
        near = (_BLANK if last and not _crosses(last, edges) else 3 * _BLANK) * piece.size
        if last and gap < near and any(last.x0 + 3 < edge < piece.x1 - 3 for edge in edges):
            last.text += piece.text if gap < _BLANK * piece.size else f" {piece.text}"
            last.x1 = piece.x1
        else:
            found.append(Segment(piece.x0, piece.x1, piece.y, piece.size, piece.text))
    return found


def _crosses(piece: Segment, edges: Sequence[float]) -> bool:
    return any(piece.x0 + 3 < edge < piece.x1 - 3 for edge in edges)


def _anchor(piece: Segment, edges: Sequence[float]) -> float:
    """Where a piece stands in its row: what runs over an edge belongs to the cell in which it begins."""
    return piece.x0 + 1 if _crosses(piece, edges) else (piece.x0 + piece.x1) / 2


def _joined(row: Row) -> str:
    return " ".join(segment.text for segment in row)


def _margins(pieces: Sequence[Segment]) -> tuple[float, float]:
    """Where the page's text begins and ends."""
    return min(piece.x0 for piece in pieces), max(piece.x1 for piece in pieces)


def _blocks(rows: Sequence[Row], margins: tuple[float, float]) -> list[tuple[float, list[str]]]:
    """Cut the rows of a page into zones of columns and zones of running text."""
    blocks: list[tuple[float, list[str]]] = []
    running: list[Row] = []
    index = 0
    while index < len(rows):
        end, gutter = _columned(rows, index)
        if gutter is None:
            running.append(rows[index])
            index += 1
            continue
        zone = list(rows[index:end])
        while running and _heads_column(running[-1], zone[0], gutter):
            zone.insert(0, running.pop())
        if running:
            blocks.append((running[0][0].y, _paragraphs(running, margins)))
            running = []
        blocks.append((zone[0][0].y, _column_lines(zone)))
        index = end
    if running:
        blocks.append((running[0][0].y, _paragraphs(running, margins)))
    return blocks


Gutter = tuple[float, float]


def _heads_column(row: Row, below: Row, gutter: Gutter) -> bool:
    """Return whether a line alone opens a column: "Nơi nhận:" a little above the signature beside it."""
    near = row[0].y - below[0].y < 2.2 * row[0].size
    opens = row[0].text.startswith("Nơi nhận") or row[0].text.isupper()
    return len(row) == 1 and near and opens and not _FULL_WIDTH.match(row[0].text) and _free(gutter, row) is not None


def _columned(rows: Sequence[Row], start: int) -> tuple[int, Gutter | None]:
    """Return where the columns that begin at this row end, and the widest gap between them; None for no columns."""
    first = rows[start]
    if len(first) < 2:
        return start + 1, None
    gutters = [(left.x1, right.x0) for left, right in itertools.pairwise(first)]
    end = start + 1
    while end < len(rows):
        row = rows[end]
        if _FULL_WIDTH.match(row[0].text) or rows[end - 1][0].y - row[0].y > 12 * row[0].size:
            break
        for gutter in gutters:
            _part(row, gutter)
        left_open = [cut for gutter in gutters if (cut := _free(gutter, row)) is not None]
        if not left_open:
            break
        gutters = left_open
        end += 1
    return end, max(gutters, key=lambda gutter: gutter[1] - gutter[0])


def _part(row: Row, gutter: Gutter) -> None:
    """Part a line that runs over the gap where a blank of its own lies in it: a narrow gap between two columns."""
    low, high = gutter
    for at, segment in enumerate(row):
        if not (segment.x0 < low and segment.x1 > high):
            continue
        inside = [blank for blank in segment.blanks if blank[0] < high and blank[1] > low]
        capitals = [blank for blank in inside if segment.text[blank[2] :].strip().isupper()]
        dated = [blank for blank in inside if _PLACE_AND_DAY.match(segment.text, blank[2])]
        if dated:
            capitals = dated[:1]
        if not capitals and not segment.text.startswith(("- ", "Nơi nhận")):
            return
        wide = [blank for blank in inside if blank[1] - blank[0] > 0.45 * segment.size]
        for begin, end, index in (capitals or wide)[:1]:
            left = Segment(segment.x0, begin, segment.y, segment.size, segment.text[:index].rstrip())
            right = Segment(end, segment.x1, segment.y, segment.size, segment.text[index:].strip())
            row[at : at + 1] = [left, right]
        return


def _free(gutter: Gutter, row: Row) -> Gutter | None:
    """Return the part of the gap that the row leaves free, None where it leaves next to nothing."""
    low, high = gutter
    for segment in row:
        if segment.x0 < low and segment.x1 > high:
            return None
        if segment.x1 <= high and segment.x0 - low <= high - segment.x1:
            low = max(low, segment.x1)
        else:
            high = min(high, segment.x0)
    return (low, high) if high - low > 0.2 * row[0].size else None


def _column_lines(rows: Sequence[Row]) -> list[str]:
    """The columns from left to right, each from above. Columns are parted where no line of the zone stands."""
    edges: list[float] = []
    covered: float | None = None
    for segment in sorted((segment for row in rows for segment in row), key=lambda segment: segment.x0):
        if covered is not None and segment.x0 - covered > 0.2 * segment.size:
            edges.append((covered + segment.x0) / 2)
        covered = max(covered or segment.x1, segment.x1)
    columns: list[list[Segment]] = [[] for _ in range(len(edges) + 1)]
    for row in rows:
        for segment in row:
            columns[sum(edge < (segment.x0 + segment.x1) / 2 for edge in edges)].append(segment)
    lines: list[str] = []
    for column in columns:
        for number, segment in enumerate(column):
            above = column[number - 1] if number else None
            if above and above.y == segment.y:
                lines[-1] += f" {segment.text}"
                continue
            if above and above.y - segment.y > 1.9 * max(above.size, segment.size):
                lines.append("")
            lines.append(segment.text)
        lines.append("")
    return lines


def _is_centred(segment: Segment, margins: tuple[float, float]) -> bool:
    left, right = margins
    before, behind = segment.x0 - left, right - segment.x1
    if before > 0.7 * segment.size and abs(before - behind) < 0.5 * segment.size:
        return True
    return before > 2.5 * segment.size and behind > 2.5 * segment.size


def _paragraphs(rows: Sequence[Row], margins: tuple[float, float]) -> list[str]:
    """Lines of running text with those put together that only wrap."""
    segments = [row[0] for row in rows]
    left, right = margins
    gaps = [above.y - below.y for above, below in itertools.pairwise(segments)]
    pitch = statistics.median(gaps) if gaps else 0.0
    lines: list[str] = []
    for number, segment in enumerate(segments):
        above = segments[number - 1] if number else None
        if above is None:
            lines.append(segment.text)
            continue
        gap = above.y - segment.y
        centred = _is_centred(segment, margins)
        ended = right - above.x1 > 4 * above.size
        indented = segment.x0 - left > 0.7 * segment.size
        opens = bool(_OPENS.match(segment.text))
        if gap > 1.6 * pitch and gap > 1.5 * segment.size:
            lines += ["", segment.text]
        elif centred or segment.text.isupper() or above.text.isupper():
            lines.append(segment.text)
        elif _is_centred(above, margins):
            lines += ["", segment.text]
        elif opens or indented or ended:
            lines += [segment.text] if ended and not (opens or indented) else ["", segment.text]
        else:
            # "COVID-" and "19" are one word over two lines
            lines[-1] += segment.text if re.search(r"\w-$", lines[-1]) else f" {segment.text}"
    return lines
