# SPDX-License-Identifier: Apache-2.0
"""The text of a letter as lines whose every character knows where it stands in it, with the bounds of both and what
was remarked in its file.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from bluezone.letters.proposal import Span
from bluezone.refusal import Refused
from bluezone.vietnamese.legacy_fonts import TextEncoding, detect
from bluezone.vietnamese.spelling import fold

# Marks of a transcript, longest first; one asterisk followed by a blank is a bullet and stays.
_MARKS = re.compile(r"\*\*|~~|\*(?!\s)|(?<=\S)\*|<(?=https?://)|(?<=/)>")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_OTHER_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")

# Two columns on one line: a tab or three blanks; not a gap left for the pen ("ngày     tháng 8", "Số:     /KH").
_COLUMN_GAP = re.compile(
    r"(?<!ngày)(?<!tháng)(?<!năm)(?<!Số:)(?<!SỐ:)(?<![ \t])(?:\t[\t ]*| {3,})(?=\S)(?!/|tháng|năm)"
)

# What an optical reader takes for letters in words.
_OCR_LETTERS = str.maketrans({"0": "o", "1": "l", "|": "l", "!": "l", "5": "s", "6": "o"})


def clean(text: str) -> str:
    """Return the text as it is stored: NFC, `\\n` line ends, plain blanks, no invisible or control characters."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n").replace("\v", "\n")
    text = _OTHER_BLANKS.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFC", text)))
    return "".join(sign for sign in text if sign in "\n\t" or unicodedata.category(sign) not in {"Cc", "Cs", "Co"})


def folded_ocr(text: str) -> str:
    """Return the folded text with digits that an optical reader takes for letters turned back, letters only."""
    return re.sub(r"[^a-z]+", " ", fold(text).translate(_OCR_LETTERS)).strip()


@dataclass(frozen=True)
class Passage:
    """A piece of the letter.

    text:    what is read, without marks.
    offsets: for each character of text, its place in the stored text.
    struck:  places in `text` that were marked as struck or written by hand.
    column:  0 for the left or only column of its line, 1 and up for those to the right of it.
    """

    text: str
    offsets: tuple[int, ...]
    struck: frozenset[int] = frozenset()
    column: int = 0

    def span(self, start: int = 0, end: int | None = None) -> Span:
        """Return where text[start:end] stands in the stored text; an empty piece stands where its text would begin."""
        end = len(self.text) if end is None else end
        if start >= end:
            at = self.offsets[min(start, len(self.offsets) - 1)] if self.offsets else 0
            return Span(at, at)
        return Span(self.offsets[start], self.offsets[end - 1] + 1)

    def cut(self, start: int = 0, end: int | None = None) -> Self:
        """Return text[start:end] without blanks around it."""
        end = len(self.text) if end is None else end
        piece = self.text[start:end]
        start += len(piece) - len(piece.lstrip())
        end = start + len(piece.strip())
        struck = frozenset(at - start for at in self.struck if start <= at < end)
        return type(self)(self.text[start:end], self.offsets[start:end], struck, self.column)

    def is_struck(self, start: int, end: int) -> bool:
        """Return whether any of text[start:end] was struck or written by hand."""
        return any(start <= at < end for at in self.struck)

    @property
    def is_blank(self) -> bool:
        return not self.text


def joined(passages: Iterable[Passage]) -> Passage:
    """Return the passages as one, a blank between each two; blank ones are left out."""
    text: list[str] = []
    offsets: list[int] = []
    struck: set[int] = set()
    column = 0
    for passage in passages:
        if passage.is_blank:
            continue
        if text:
            text.append(" ")
            offsets.append(offsets[-1])
        else:
            column = passage.column
        struck.update(at + len(offsets) for at in passage.struck)
        text.append(passage.text)
        offsets.extend(passage.offsets)
    return Passage("".join(text), tuple(offsets), frozenset(struck), column)


def lines_of(stored: str) -> list[Passage]:
    """Split the stored text into lines, and a line in two columns into its pieces from left to right.

    A blank line gives one blank passage, so that paragraphs stay apart.
    """
    lines: list[Passage] = []
    start = 0
    for line in stored.split("\n"):
        for column, (left, right) in enumerate(_columns(line)):
            lines.append(_without_marks(line[left:right], start + left, column))
        start += len(line) + 1
    return lines


def _columns(line: str) -> list[tuple[int, int]]:
    lead = len(line) - len(line.lstrip())
    edges = [(gap.start(), gap.end()) for gap in _COLUMN_GAP.finditer(line, lead)]
    # What stands far to the right with nothing before it is still the right column: letterheads and signatures.
    first = [(0, 0)] if lead >= 24 and len(line.strip()) < 60 else []
    starts = [lead, *(end for _, end in edges)]
    ends = [*(begin for begin, _ in edges), len(line)]
    return first + list(zip(starts, ends, strict=True)) if line.strip() else [(0, 0)]


def _without_marks(piece: str, at: int, column: int) -> Passage:
    text: list[str] = []
    offsets: list[int] = []
    struck: set[int] = set()
    inside_struck = False
    position = 0
    while position < len(piece):
        mark = _MARKS.match(piece, position)
        if mark and mark.group():
            inside_struck ^= mark.group() == "~~"
            position = mark.end()
            continue
        if inside_struck:
            struck.add(len(text))
        text.append(piece[position])
        offsets.append(at + position)
        position += 1
    return Passage("".join(text), tuple(offsets), frozenset(struck), column).cut()


# About 150 pages of text.
LARGEST_TEXT = 400_000


class LetterTooLarge(Refused):
    """The file, its unpacked content, its pages or its text exceed what a letter needs."""

    code = "letter_too_large"


class LetterUnreadable(Refused):
    """The file is damaged, protected by a password, or of a kind that is not read."""

    code = "letter_unreadable"


class LetterWithoutText(Refused):
    """The file is a picture or a scan: it is kept, and a clerk types the form beside it."""

    code = "letter_without_text"


class Remark(StrEnum):
    """What a file holds beside its text and what became of it; pages translate it."""

    MACROS = "macros"  # VBA; never run
    EXTERNAL_LINK = "external_link"  # a template, picture or object elsewhere; never fetched
    EMBEDDED_FILE = "embedded_file"  # a file inside the file; not opened
    SCRIPT = "script"  # JavaScript in a PDF; never run
    LAUNCH_ACTION = "launch_action"  # a PDF action that starts a program or opens an address; never followed
    SIGNATURE = "signature"  # an electronic signature, not checked here


@dataclass(frozen=True)
class LetterText:
    """The text of a letter. format: "text", "docx" or "pdf"; pages only for a PDF."""

    text: str
    format: str
    remarks: frozenset[Remark] = frozenset()
    pages: int | None = None


def bounded(letter: LetterText) -> LetterText:
    """Return the letter, or raise LetterTooLarge for more text than a letter has, LetterWithoutText for none."""
    if len(letter.text) > LARGEST_TEXT:
        raise LetterTooLarge(f"the letter has {len(letter.text)} characters, at most {LARGEST_TEXT} are read")
    if not any(sign.isalpha() for sign in letter.text):
        raise LetterWithoutText(f"the {letter.format} holds no text; it is a scan or empty")
    return letter


class LegacyEncoding(Refused):
    """The text was typed in a TCVN3 or VNI font.

    encoding: which; `bluezone.vietnamese.legacy_fonts.to_unicode` converts it.
    """

    code = "letter_encoding_legacy"

    def __init__(self, encoding: TextEncoding) -> None:
        super().__init__(
            f"the text is in {encoding}, an encoding of old fonts; convert it to Unicode before it is read"
        )
        self.encoding = encoding


def refuse_legacy_text(text: str) -> None:
    """Raise LegacyEncoding for text in an old encoding."""
    found = detect(text)
    if found.is_legacy:
        raise LegacyEncoding(found.encoding)
