# SPDX-License-Identifier: Apache-2.0
"""The text of a letter as lines whose every character knows where it stands in it, with the bounds of both and what
was remarked in its file.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from bluezone.letters.proposal import Span
from bluezone.refusal import Refused
from bluezone.vietnamese.legacy_fonts import TextEncoding, detect, to_unicode
from bluezone.vietnamese.spelling import fold

# Marks of a transcript, longest first; one asterisk followed by a blank is a bullet and stays.
_MARKS = re.compile(r"\*\*|~~|\*(?!\s)|(?<=\S)\*|<(?=https?://)|(?<=/)>")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
_OTHER_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")

# Two columns on one line: a tab, three blanks or an upright stroke; not a gap left for the pen ("ngày     tháng 8",
# "Số:     /KH").
_COLUMN_GAP = re.compile(
    r"(?<!ngày)(?<!tháng)(?<!Số:)(?<!SỐ:)(?<!Số)(?<![ \t|│])(?:\t[\t ]*| {3,})(?=[^\s|│])(?!/|tháng|năm|[.…_]*/)"
    r"|(?<![ \t])[ \t]*[|│]"
)
# Copied out of a PDF, the two columns of a head stand on one line with a single blank between them.
_RIGHT_COLUMN = re.compile(
    r"(?<=\S)\s+(?=CỘNG H(?:ÒA|OÀ) XÃ HỘI CHỦ NGHĨA|Độc lập\s*[-–]\s*Tự do|ĐẢNG CỘNG SẢN VIỆT NAM$)"
)
# A tab behind the number of a clause sets nothing apart.
_LABEL = re.compile(
    r"(?:\d{1,2}(?:\.\d{1,2}){0,2}\s?[.)/]|\d{1,2}(?:\.\d{1,2}){1,2}|[a-zđ][.)]|[IVX]{1,5}[.)/-]|[-–+•*·])"
)
_NUMBER_THEN_PLACE = re.compile(
    r"^(?:Số|SỐ)\s*:?\s*[~\w]*\s*/\s*[A-ZĐ][\wĐ&.-]*\s+(?=[A-ZĐÀ-Ỹ][^,\d]{1,40},\s*(?:[\w\s:]{0,30}\s)?ngày\s)"
)
# "VĂN PHÒNG TỈNH ỦY Lộc Hà, ngày 14 tháng 10 năm 2020", copied so.
_PLACE_AND_DAY = re.compile(r"(?P<place>[^\s,:\d][^,:\d]{1,40}),\s*ngày\s[\d.…~_ ]{1,8}\s*tháng\s")


def _place_behind_capitals(line: str, lead: int) -> int | None:
    """Where the place and day begin that follow a body's name in capitals with a single blank between them."""
    for blank in re.finditer(r"\s+", line[lead:]):
        at = lead + blank.end()
        found, before = _PLACE_AND_DAY.match(line, at), line[lead:at]
        if found and before.isupper() and len(before.split()) > 1 and not found["place"].split()[0].isupper():
            return at
    return None


# What an optical reader takes for letters in words.
_OCR_LETTERS = str.maketrans({"0": "o", "1": "l", "|": "l", "!": "l", "5": "s", "6": "o"})


# Bullets of the fonts Symbol and Wingdings, which a PDF gives as signs of nobody's.
_BULLETS = str.maketrans(dict.fromkeys("\uf02d\uf076\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc", "•"))


def clean(text: str) -> str:
    """Return the text as it is stored: NFC, `\\n` line ends, plain blanks, no invisible or control characters."""
    text = text.translate(_BULLETS)
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
        if text and not re.search(r"\w-$", text[-1]):  # "COVID-" and "19" are one word over two lines
            text.append(" ")
            offsets.append(offsets[-1])
        else:
            column = passage.column
        struck.update(at + len(offsets) for at in passage.struck)
        text.append(passage.text)
        offsets.extend(passage.offsets)
    return Passage("".join(text), tuple(offsets), frozenset(struck), column)


Row = list[Passage]


def rows_of(stored: str) -> list[Row]:
    """Split the stored text into rows, and a row in columns into its pieces from left to right.

    A blank line gives a row of one blank passage, so that paragraphs stay apart.
    """
    rows: list[Row] = []
    start = 0
    for line in stored.split("\n"):
        rows.append(
            [
                _without_marks(line[left:right], start + left, column)
                for column, (left, right) in enumerate(_columns(line))
            ]
        )
        start += len(line) + 1
    return rows


def _columns(line: str) -> list[tuple[int, int]]:
    lead = len(line) - len(line.lstrip())
    if not line.strip(" \t|│-:+="):
        return [(0, 0)]  # the rule under a table's head
    edges = [(gap.start(), gap.end()) for gap in _COLUMN_GAP.finditer(line, 0 if line[lead] in "|│" else lead)]
    if len(edges) == 1 and _LABEL.fullmatch(line, lead, edges[0][0]) and line[slice(*edges[0])].isspace():
        edges = []
    if not edges:
        apart = _RIGHT_COLUMN.search(line, lead) or _NUMBER_THEN_PLACE.match(line, lead)
        end = apart.end() if apart else _place_behind_capitals(line, lead)
        if end is not None:
            edges = [(lead + len(line[lead:end].rstrip()), end)]
    # What stands far to the right with nothing before it is still the right column: letterheads and signatures.
    indented = lead >= 24 or "\t" in line[:lead]
    first = [(0, 0)] if indented and len(line.strip()) < 60 else []
    starts = [lead, *(end for _, end in edges)]
    ends = [*(begin for begin, _ in edges), len(line)]
    columns = first + list(zip(starts, ends, strict=True))
    stripped = line.strip()
    if stripped[0] in "|│" and stripped[-1] in "|│" and len(columns) > 2:
        columns = columns[1:-1]  # the outer strokes of a table's row
    return columns


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
        text.append(" " if piece[position] == "\t" else piece[position])
        offsets.append(at + position)
        position += 1
    return Passage(_respelled("".join(text)), tuple(offsets), frozenset(struck), column).cut()


def _respelled(text: str) -> str:
    """The text with "Uỷ ban" as "Ủy ban", which it is written as often; no character more or less."""
    return re.sub(r"(?<![qQ])([uU])ỷ(?!\w)", lambda found: "Ủy" if found[1] == "U" else "ủy", text)


# About 150 pages of text.
LARGEST_TEXT = 400_000


class LetterTooLarge(Refused):
    """The file, its unpacked content, its pages or its text exceed what a letter needs."""

    code = "letter_too_large"


class LetterUnreadable(Refused):
    """The file is damaged, protected by a password, or of a kind that is not read."""

    code = "letter_unreadable"


class OldWordUnread(LetterUnreadable):
    """A document of Word 97 to 2003, and neither antiword nor catdoc is there to read it, or could."""

    code = "old_word_unread"


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
    """The text of a letter. format: "text", "docx", "odt", "rtf", "doc" or "pdf"; pages only for a PDF."""

    text: str
    format: str
    remarks: frozenset[Remark] = frozenset()
    pages: int | None = None


def add_page(lines: list[str], page: Sequence[str]) -> None:
    """Put a page's paragraphs below those of the pages before it; one that runs over the end of a page goes on."""
    if lines and page and _goes_on(lines[-1], page[0]):
        lines[-1] += f" {page[0]}"
        page = page[1:]
    lines += ["", *page] if lines else page
    while lines and not lines[-1]:
        lines.pop()


def _goes_on(above: str, below: str) -> bool:
    return not above.endswith((".", ":", ";", "|")) and below[:1].islower() and len(above) > 40


# A signature's own dictionary is never packed, because its place in the file is part of it.
SIGNATURE_MARKS = (b"/ByteRange", b"/Adobe.PPK", b"adbe.pkcs7", b"ETSI.CAdES")


def unread_signature() -> dict[str, str | bool]:
    """What is found of a signature of which nothing can be told."""
    return {"state": "unreadable", "certificate": "", "said_at": "", "stamped": False}


def bounded(letter: LetterText) -> LetterText:
    """Return the letter, or raise LetterTooLarge for more text than a letter has, LetterWithoutText for none."""
    if len(letter.text) > LARGEST_TEXT:
        raise LetterTooLarge(f"the letter has {len(letter.text)} characters, at most {LARGEST_TEXT} are read")
    if not any(sign.isalpha() for sign in letter.text):
        raise LetterWithoutText(f"the {letter.format} holds no text; it is a scan or empty")
    return letter


_LEGACY_HEADS = ("uy ban nhan dan", "cong hoa xa hoi", "quyet dinh", "ke hoach", "thong bao", "giay moi", "cong dien")


def converted(text: str) -> tuple[str, TextEncoding | None]:
    """Return text typed in a TCVN3 or VNI font as Unicode, and the encoding it was in; other text as it is, and None.

    What a font of capitals drew arrives in small letters; a line that opens as a head does is put back into capitals.
    """
    found = detect(text)
    if not found.is_legacy:
        return text, None
    lines = [_capitals_again(line) for line in to_unicode(text, found.encoding).split("\n")]
    return "\n".join(lines), found.encoding


def _capitals_again(line: str) -> str:
    pieces = re.split(r"(\t+| {3,}|\|)", line)
    for at, piece in enumerate(pieces):
        small = [sign for sign in piece if sign.islower()]
        capitals = sum(sign.isupper() for sign in piece)
        # A capital with a tone is typed as a small letter, so that no plain letter is small where all are capitals.
        in_capitals = capitals + len(small) >= 5 and capitals >= len(small) and not any(map(str.isascii, small))
        if in_capitals or (small and not capitals and fold(piece).startswith(_LEGACY_HEADS)):
            pieces[at] = piece.upper()
    return "".join(pieces)
