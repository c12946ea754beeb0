# SPDX-License-Identifier: Apache-2.0
"""Pages of a scan: their pictures, and the words that Tesseract reads in them with their places.

Runs in a confined process. Tesseract reads from a pipe and writes to one, so nothing is written to a disk.
"""

import base64
import bisect
import io
import itertools
import json
import math
import re
import shutil
import statistics
import subprocess
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageFilter, ImageOps
from pypdf import PdfReader

from bluezone.letters.files.pdf_page import Segment, arrange
from bluezone.letters.files.pdf_rules import Grid
from bluezone.letters.letter_text import LetterTooLarge, LetterUnreadable

# Letters are read of scans of so many dots an inch; a page of A4 has then some 1,650 by 2,340.
_DPI = 200
_WIDTH = round(8.27 * _DPI)
# A scan of A3 at 600 dots an inch has 70 million.
MOST_PIXELS = 80_000_000
MOST_PAGES = 40
# What a page of the browser shows.
_SHOWN_WIDTH = 1_000
# Under this Tesseract guesses.
_LEAST_CONFIDENCE = 25.0
_STEEPEST_DEGREES = 3.0
# A thin rule of a table, printed and scanned, is no darker.
_FAINT = 205
# From here on, a dot has the colour of ink.
_COLOURED = 40
# What a dash at the beginning of a line is taken for.
_DASHES = frozenset("~=«_¬—–")


class Word(NamedTuple):
    """A word and its place on the page, y counted from above."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float


def count_pages(data: bytes) -> int:
    """The job that counts the pages of a scan."""
    if data.startswith(b"%PDF") or b"%PDF-" in data[:1024]:
        return min(len(PdfReader(io.BytesIO(data), strict=False).pages), MOST_PAGES)
    with _opened(data) as picture:
        return min(int(getattr(picture, "n_frames", 1)), MOST_PAGES)


def draw_page(order: bytes) -> str:
    """The job that draws one page for a browser: JPEG in base64. order: see `_order`."""
    data, page = _order(order)
    picture = _page(data, page).convert("RGB")
    picture.thumbnail((_SHOWN_WIDTH, _SHOWN_WIDTH * 2))
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=70)
    return base64.b64encode(target.getvalue()).decode()


def read_page_words(order: bytes) -> dict[str, Any]:
    """The job that reads one page: {"lines": […], "words": [[text, x0, y0, x1, y1], …]}, places in 0..1 of the page."""
    data, page = _order(order)
    picture = _page(data, page)
    # At 300 dots an inch a page is as well read, and at 600 its colours would take more memory than there is.
    picture.thumbnail((_WIDTH * 3 // 2, picture.height))
    grey = _straight(without_ink(picture))
    scale = _WIDTH / grey.width
    grey = grey.resize((_WIDTH, max(1, round(grey.height * scale))), Image.Resampling.LANCZOS)
    grids = list(_grids(grey))
    return lay_out([*_words_of_page(grey, grids)], grey.height, grids)


def _words_of_page(grey: Image.Image, grids: Sequence[Grid]) -> Iterator[Word]:
    """The words of a page: those of its tables cell by cell, as Tesseract mixes the lines of cells side by side."""
    if not grids:
        yield from words_of(_tesseract(grey))
        return
    ruled = _without_rules(with_white_paper(grey))
    cells = [box for grid in grids for box in _boxes(grid, grey.height)]
    sheet, places = stacked(ruled, cells)
    for grid in grids:
        ruled.paste(
            255, (int(grid.xs[0]), grey.height - int(grid.ys[0]), int(grid.xs[-1]), grey.height - int(grid.ys[-1]))
        )
    yield from words_of(_tesseract(ruled))
    if places:
        yield from in_cells(words_of(_tesseract(sheet, "6")), places)


Box = tuple[int, int, int, int]
# Between two cells that are read one below the other.
_APART = 30


def _boxes(grid: Grid, height: int) -> Iterator[Box]:
    """The cells of a table within their rules: left, top, right, bottom, from above."""
    for top, bottom in itertools.pairwise(height - int(y) for y in grid.ys):
        for left, right in itertools.pairwise(map(int, grid.xs)):
            if right - left > 20 and bottom - top > 20:
                yield left + 4, top + 4, right - 4, bottom - 4


def stacked(page: Image.Image, cells: Sequence[Box]) -> tuple[Image.Image, list[tuple[int, Box]]]:
    """One sheet with the cells that are not empty one below the other, and for each where it begins there."""
    # Of one band these are two numbers; Pillow's types have those of several bands beside them.
    filled = [box for box in cells if page.crop(box).getextrema()[0] < 128]  # type: ignore[operator]
    places, down = list[tuple[int, Box]](), _APART
    for box in filled:
        places.append((down, box))
        down += box[3] - box[1] + _APART
    sheet = Image.new("L", (max((box[2] - box[0] for box in filled), default=0) + 2 * _APART, down), 255)
    for top, box in places:
        sheet.paste(page.crop(box), (_APART, top))
    return sheet, places


def in_cells(words: Iterable[Word], places: Sequence[tuple[int, Box]]) -> Iterator[Word]:
    """The words of such a sheet where they stand on the page."""
    tops = [top for top, _ in places]
    for word in words:
        top, box = places[max(bisect.bisect_right(tops, (word.y0 + word.y1) / 2) - 1, 0)]
        right, down = box[0] - _APART, box[1] - top
        yield Word(word.text, word.x0 + right, word.y0 + down, word.x1 + right, word.y1 + down)


def lay_out(words: Sequence[Word], height: int, grids: Sequence[Grid]) -> dict[str, Any]:
    """The page that these words make. height: of the page, in the dots that the words' places are counted in."""
    usual = _usual_height(words)
    # Tesseract parts the words, however narrow the blank is; between two pieces of a PDF that would be none.
    pieces = [
        Segment(one.x0, max(one.x1 - 0.2 * usual, one.x0 + 1), height - one.y1, usual, one.text)
        for one in _on_lines(words)
    ]
    return {
        "lines": arrange(pieces, grids),
        "words": [[one.text, one.x0 / _WIDTH, one.y0 / height, one.x1 / _WIDTH, one.y1 / height] for one in words],
    }


def _order(order: bytes) -> tuple[bytes, int]:
    """The file and the page, from 0, that stands in a line of JSON before it."""
    head, _, data = order.partition(b"\n")
    return data, int(json.loads(head)["page"])


def _opened(data: bytes) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    try:
        return Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "TIFF", "JPEG2000"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise LetterUnreadable(f"the picture cannot be opened ({type(error).__name__})") from None


def _page(data: bytes, number: int) -> Image.Image:
    try:
        if b"%PDF-" in data[:1024]:
            return _largest(data, number)
        picture = _opened(data)
        if number:
            picture.seek(number)
        if picture.width * picture.height > MOST_PIXELS:
            raise LetterTooLarge(f"the picture has more than {MOST_PIXELS} dots")
        picture.load()
        return ImageOps.exif_transpose(picture)
    except (OSError, ValueError, EOFError, KeyError, TypeError, Image.DecompressionBombError) as error:
        raise LetterUnreadable(f"the page cannot be drawn ({type(error).__name__})") from None


def _largest(data: bytes, number: int) -> Image.Image:
    """The largest picture of a page of a PDF: a scanner puts one on each."""
    page = PdfReader(io.BytesIO(data), strict=False).pages[number]
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    best: Image.Image | None = None
    for name in list(page.images.keys())[:20]:
        picture = page.images[name].image
        if picture is not None and (best is None or picture.width * picture.height > best.width * best.height):
            best = picture
    if best is None:
        raise LetterUnreadable("the page has neither text nor a picture")
    turned = int(page.get("/Rotate", 0) or 0) % 360
    return best.rotate(-turned, expand=True) if turned else best


def without_ink(picture: Image.Image) -> Image.Image:
    """Grey, with the red of a stamp and the blue of a pen as white, and the print below them as dark as elsewhere.

    In the part of the light that the ink throws back it is nearly as bright as paper, and print below it is not.
    """
    if picture.mode in ("1", "L", "I", "I;16", "LA"):
        return picture.convert("L")
    red, green, blue = (np.asarray(one, np.int16) for one in picture.convert("RGB").split())
    grey = (red * 3 + green * 6 + blue) // 10
    for own, others in ((red, np.maximum(green, blue)), (blue, np.maximum(red, green))):
        colour = own - others
        strong = colour[colour > _COLOURED]
        if not strong.size:
            continue
        full = float(np.percentile(strong, 90))
        paper = float(np.percentile(own[colour > 0.8 * full], 40))
        # At the edge of a stroke, and where a JPEG has smeared its colour, there is less of it than beside it.
        near = Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8)).filter(ImageFilter.MaxFilter(5))
        colour = np.asarray(near, np.int16)
        at = np.nonzero(colour > 15)
        share = np.clip((colour[at] - 15) / (0.6 * full - 15), 0, 1)
        cleared = np.clip(255 - 3 * (paper - own[at]), grey[at], 255)
        grey[at] = grey[at] * (1 - share) + cleared * share
    return Image.fromarray(grey.astype(np.uint8))


def with_white_paper(grey: Image.Image) -> Image.Image:
    """The page with paper, which is more than half of any page, as white and its darkest dot as black.

    No share of dark dots is left out of it: on a page of few words that would be all of them.
    """
    return ImageOps.autocontrast(grey, cutoff=(0, 50))


def _straight(grey: Image.Image) -> Image.Image:
    """Turned back by the angle at which its lines of text are darkest and the gaps between them lightest."""
    small = grey.copy()
    small.thumbnail((700, 1000))
    dark = (255 - np.asarray(ImageOps.autocontrast(small), np.float32)) > 110
    rows, columns = np.nonzero(dark)
    if len(rows) < 200:
        return grey
    best, best_score = 0.0, -1.0
    for step in range(-30, 31):
        angle = step * _STEEPEST_DEGREES / 30
        places = np.round(rows - columns * math.tan(math.radians(angle))).astype(np.int64)
        counts = np.bincount(places - places.min()).astype(np.float64)
        score = float((counts**2).sum())
        if score > best_score:
            best, best_score = angle, score
    return grey.rotate(best, Image.Resampling.BICUBIC, fillcolor=255) if abs(best) >= 0.1 else grey


def _tesseract(grey: Image.Image, layout: str = "4") -> str:
    """What Tesseract says of a page, as a table apart by tabs; "" where it is not installed.

    layout: "4" for a column of lines of several sizes, "6" for a block of lines.
    """
    program = shutil.which("tesseract", path="/usr/bin:/usr/local/bin")
    if program is None:
        return ""
    target = io.BytesIO()
    with_white_paper(grey).save(target, "PNG", compress_level=1, dpi=(_DPI, _DPI))
    done = subprocess.run(  # noqa: S603 - a program of the system, in this confined process
        [program, "stdin", "stdout", "-l", "vie", "--oem", "1", "--psm", layout, "tsv"],
        input=target.getvalue(), capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise LetterTooLarge("the page takes more time or memory to be read than a page of a letter does")
    return done.stdout.decode("utf-8", errors="replace")


def words_of(table: str) -> Iterator[Word]:
    """The words of the page of which Tesseract says this, without its stains.

    A guessed word stands where most of its line was read and another word is near, or it would leave a gap between
    columns where none is; a letter or two far from all others are the rest of a stamp.
    """
    rows = [cells for line in table.splitlines()[1:] if len(cells := line.split("\t")) == 12 and cells[11].strip()]
    usual = statistics.median([float(cells[9]) for cells in rows] or [0])
    for _, line in itertools.groupby(rows, key=lambda cells: cells[1:5]):
        words = [_word(cells) for cells in line]
        mostly_read = 2 * sum(sure for _, sure in words) > len(words)
        gaps = [math.inf, *(right.x0 - left.x1 for (left, _), (right, _) in itertools.pairwise(words)), math.inf]
        for at, (word, sure) in enumerate(words):
            apart = min(gaps[at : at + 2]) / usual
            label = at == 0 and len(words) > 1
            stain = apart > 2 and len(word.text) <= 2 and not label and not re.search(r"[\d-]", word.text)
            if (sure and not stain) or (not sure and mostly_read and apart < 1.3):
                yield word


# Letters of no Vietnamese word, which Tesseract sees where a speck touches one.
_FOREIGN = str.maketrans("ÑñØø€", "NnOoc")


def _word(cells: Sequence[str]) -> tuple[Word, bool]:
    """The word of a row, and whether it was read and not guessed."""
    left, top, width, height = map(float, cells[6:10])
    text = re.sub(r"(?<=[^\W\d]),(?=[^\W\d])", ", ", cells[11].strip().translate(_FOREIGN))
    # Specks behind the end of a sentence; "./." ends a letter, "..." is left for the pen.
    text = re.sub(r"(?<=\w)(?!\.{3}|\./\.$)[.:;,'`-]*\.[.:;,'`-]*$", ".", text)
    return Word(text, left, top, left + width, top + height), float(cells[10]) >= _LEAST_CONFIDENCE


def _usual_height(words: Sequence[Word]) -> float:
    return statistics.median([word.y1 - word.y0 for word in words] or [0.0])


# Letters and signs that reach below the line; so does a dot under a vowel.
_TAILS = frozenset("gjpqyQ,;()[]{}/|_\u0323")


def _on_lines(words: Sequence[Word]) -> Iterator[Word]:
    """Words with the foot of the line they stand on: letters with tails must not pull a word to a line of its own."""
    usual = _usual_height(words)
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.y0 + word.y1):
        middle = (word.y0 + word.y1) / 2
        near = [line for line in lines[-4:] if abs(_middle(line) - middle) < 0.45 * usual]
        if near:
            min(near, key=lambda line: abs(_middle(line) - middle)).append(word)
        else:
            lines.append([word])
    margins = _margins(lines)
    for line in lines:
        standing = [one.y1 for one in line if not _TAILS.intersection(unicodedata.normalize("NFD", one.text))]
        foot = statistics.median(standing) if standing else min(one.y1 for one in line) - 0.2 * usual
        first = min(word.x0 for word in line)
        for word in _closed(line, margins, usual):
            text = "-" if word.x0 == first and word.text in _DASHES else word.text
            yield Word(text, word.x0, min(word.y0, foot - 1), word.x1, foot)


def _margins(lines: Sequence[Sequence[Word]]) -> tuple[float, float] | None:
    """Where the long lines of a page begin and end, None for a page with next to none."""
    long = [line for line in lines if len(line) > 5]
    if len(long) < 3:
        return None
    starts = sorted(min(word.x0 for word in line) for line in long)
    ends = sorted(max(word.x1 for word in line) for line in long)
    return starts[len(long) // 10], ends[-1 - len(long) // 10]


# In heights of the letters: columns are further apart.
_NARROW = 2


def _closed(line: Sequence[Word], margins: tuple[float, float] | None, usual: float) -> Iterator[Word]:
    """A line from the left margin on with the gaps closed before small letters: there a word, or a part of one, was
    lost, and no column begins. A wide gap is one only where the line runs to the right margin.
    """
    line = sorted(line, key=lambda word: word.x0)
    if margins is None or line[0].x0 - margins[0] > 3 * usual:
        yield from line
        return
    widest = math.inf if margins[1] - line[-1].x1 <= usual else _NARROW * usual
    for word, following in itertools.pairwise(line):
        lost = following.text[:1].islower() and following.x0 - word.x1 < widest
        yield word._replace(x1=max(word.x1, following.x0)) if lost else word
    yield line[-1]


def _middle(line: Sequence[Word]) -> float:
    return sum((word.y0 + word.y1) / 2 for word in line) / len(line)


def _runs(dark: np.ndarray, least: int) -> Iterator[tuple[int, int, int]]:
    """Unbroken dark stretches along the rows of a picture: (row, from, to), at least so many dots."""
    padded = np.pad(dark.astype(np.int8), ((0, 0), (1, 1)))
    change = np.diff(padded, axis=1)
    rows, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        if end - start >= least:
            yield row, start, end


Rule = tuple[int, int, int]


def _rules(grey: Image.Image) -> tuple[list[Rule], list[Rule]]:
    """Level and upright strokes as (row or column, from, to), also where they wander by a dot to either side."""
    dots = np.asarray(grey)
    padded = np.pad(dots, 1, constant_values=255)
    level = np.minimum(np.minimum(padded[:-2, 1:-1], padded[2:, 1:-1]), dots) < _FAINT
    upright = np.minimum(np.minimum(padded[1:-1, :-2], padded[1:-1, 2:]), dots) < _FAINT
    return list(_runs(level, _WIDTH // 6)), list(_runs(upright.T, 50))


def _grids(grey: Image.Image) -> Iterator[Grid]:
    """The ruled tables of a page, with y counted from below as the words' places are."""
    flat, tall = _rules(grey)
    ys = _merged([row for row, _, _ in flat])
    if len(ys) < 3:
        return
    top, bottom = ys[0], ys[-1]
    # The strokes between two columns together run down the whole table.
    lengths: dict[int, int] = {}
    for column, start, end in tall:
        if start >= top - 10 and end <= bottom + 10:
            place = next((x for x in lengths if abs(x - column) <= 8), column)
            lengths[place] = max(lengths.get(place, 0), end - start)
    xs = sorted(x for x, length in lengths.items() if length * 3 >= bottom - top or length > 120)
    if len(xs) < 3:
        return
    yield Grid(tuple(float(x) for x in xs), tuple(float(grey.height - y) for y in ys))


def _merged(places: list[int]) -> list[int]:
    found: list[int] = []
    for place in sorted(places):
        if not found or place - found[-1] > 8:
            found.append(place)
    return found


def _without_rules(grey: Image.Image) -> Image.Image:
    """The page with the lines of its tables painted over, which Tesseract takes for letters."""
    dots = np.array(grey)
    flat, tall = _rules(grey)
    for row, start, end in flat:
        dots[max(row - 1, 0) : row + 2, start:end] = 255
    for column, start, end in tall:
        dots[start:end, max(column - 1, 0) : column + 2] = 255
    return Image.fromarray(dots)
