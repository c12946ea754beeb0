# SPDX-License-Identifier: Apache-2.0
"""Cut the body of a letter into sentences, each with what it stands in."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bluezone.letters.agency_names import heading_as_written
from bluezone.letters.body.clauses import STEP
from bluezone.letters.body.prose import lists_names
from bluezone.letters.letter_text import Passage, joined

_MARKS = {
    "article": re.compile(r"Điều\s+\d+\s*[.:]\s*"),
    "roman": re.compile(r"[IVX]{1,5}\s*[.:)/-](?:\s+|(?=[^\W\d_]\w))"),
    "subnumber": re.compile(r"\d{1,2}\.\d{1,2}\.?\s*(?:\d\.?)?\s+"),
    "number": re.compile(r"\d{1,2}\s*[.)/-]\s*|\d{1,2},\s+(?=[A-ZĐ])"),
    "letter": re.compile(r"[a-zđ]\s*[.)]\s+"),
    "dash": re.compile(r"[-–]\s*"),
    "plus": re.compile(r"[+•*·]\s*"),
    "step": re.compile(STEP),
    "ordinal": re.compile(
        r"(?:Thứ\s+(?:nhất|hai|ba|tư|năm|sáu|bảy)|(?:Một|Hai|Ba|Bốn|Năm|Sáu|Bảy)\s+là)\s*[,:]\s*", re.IGNORECASE
    ),
}
# A clause of its own, wherever it stands.
_FIRST_RANK = frozenset({"", "roman", "article", "number"})
# What is marked so heads what follows until another line does.
_WIDE = frozenset({"", "roman"})
_END = re.compile(
    r"(?<=[^\s.]{2}[.;])\s+(?=[\"“(]?[^\W\d_])|(?<=\d[.;])\s+(?=[\"“(]?[^\W\d_])|(?<=[:;.,])\s+(?=\(?\d\)\s)"
)
ASKING = re.compile(r"\b(?:yêu cầu|đề nghị|giao|phân công|chỉ đạo|kêu gọi|mời|chỉ thị)\b", re.IGNORECASE)
_LONGEST_TITLE = 110


@dataclass(frozen=True)
class Sentence:
    """A sentence of the body and what it stands in.

    clause: number of the clause it belongs to, with its points. rank: how its paragraph is marked, "" for not at all;
    order: which of its paragraph it is. above: the last line that ends with a colon or heads what stands below it,
    without its mark, and small where it is in capitals;
    section: the heading of the section; before: the sentence before it. asked: whether a word that asks stands above.
    place: 0 at the top of the body, 1 at its end. following: the mark of the next paragraph, "end" for none. below:
    whether it is marked and stands below the line above, rather than beside it or behind what that heads.
    """

    passage: Passage
    clause: int
    rank: str
    order: int
    above: Passage | None
    section: str
    before: str
    asked: bool
    place: float
    following: str
    heading: bool
    below: bool


def sentences_of(lines: Sequence[Passage]) -> list[Sentence]:
    """The sentences of a letter's body, in their order. lines: of the body; what is wrapped is joined."""
    paragraphs = _paragraphs(lines)
    marks = [_mark(one.text)[0] for one in paragraphs]
    first = next((mark for mark in marks if mark not in ("", "roman")), "")
    found = list[Sentence]()
    above: Passage | None = None
    section = before = ""
    headed = ("", -1)  # the mark and the clause of the line above
    asked, clause = False, -1
    for at, (paragraph, mark) in enumerate(zip(paragraphs, marks, strict=True)):
        clause += clause < 0 or mark in _FIRST_RANK or mark == first
        heading = mark == "roman" or (not mark and paragraph.text.isupper() and len(paragraph.text) < 120)
        following = marks[at + 1] if at + 1 < len(marks) else "end"
        place = at / max(len(paragraphs) - 1, 1)
        below = above is not None and bool(mark) and mark != headed[0] and (headed[0] in _WIDE or headed[1] == clause)
        for order, piece in enumerate(_pieces(paragraph)):
            found.append(
                Sentence(piece, clause, mark, order, above, section, before, asked, place, following, heading, below)
            )
            before = piece.text
            asked = asked or bool(ASKING.search(piece.text))
        if heading:
            section = paragraph.text
        if heading or paragraph.text.endswith(":") or _is_title(paragraph.text, mark, following):
            above, headed = heading_as_written(paragraph.cut(_mark(paragraph.text)[1])), (mark, clause)
    return found


def _is_title(text: str, mark: str, following: str) -> bool:
    """Whether a short line without an end heads what is marked otherwise below it: "3. Biện pháp đã thực hiện"."""
    return len(text) < _LONGEST_TITLE and text[-1] not in ".;,/" and following not in (mark, "", "end")


def _paragraphs(lines: Sequence[Passage]) -> list[Passage]:
    """The lines as paragraphs: one that begins small behind one without an end carries it on."""
    found = list[Passage]()
    for line in lines:
        if line.is_blank:
            continue
        carries_on = found and line.text[:1].islower() and not _mark(line.text)[0] and found[-1].text[-1] not in ".;:/"
        if carries_on:
            found[-1] = joined([found[-1], line])
        else:
            found.append(line)
    return found


def _mark(text: str) -> tuple[str, int]:
    return next(((name, found.end()) for name, form in _MARKS.items() if (found := form.match(text))), ("", 0))


def _pieces(paragraph: Passage) -> Iterator[Passage]:
    start = _mark(paragraph.text)[1]
    for end in _END.finditer(paragraph.text, start):
        if lists_names(paragraph.text[start : end.start()]):
            continue
        if paragraph.text[start : end.start()].strip():
            yield paragraph.cut(start, end.start())
        start = end.end()
    if paragraph.text[start:].strip():
        yield paragraph.cut(start)
