# SPDX-License-Identifier: Apache-2.0
"""How likely a sentence of a letter orders something, by weights learnt from letters whose orders are known.

A logistic model over the words of the sentence and what it stands in; `bench/letters/learning.py` learns the weights
and says how well they do on letters they were not learnt from. Names that the letter itself gives (whom it addresses,
whom it is sent to, who issues it) are told apart from other words, so that no name counts for what it is.
"""

import functools
import itertools
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bluezone.letters.agency_names import STARTS_AS_AGENCY
from bluezone.letters.body.context import Context
from bluezone.letters.letter_text import Passage, joined

WEIGHTS = Path(__file__).with_name("weights.json")
_MARKS = {
    "article": re.compile(r"Điều\s+\d+\s*[.:]\s*"),
    "roman": re.compile(r"[IVX]{1,5}\s*[.:)/-]\s+"),
    "subnumber": re.compile(r"\d{1,2}\.\d{1,2}\.?\s*(?:\d\.?)?\s+"),
    "number": re.compile(r"\d{1,2}\s*[.)/-]\s*"),
    "letter": re.compile(r"[a-zđ]\s*[.)]\s+"),
    "dash": re.compile(r"[-–]\s*"),
    "plus": re.compile(r"[+•*·]\s*"),
    "ordinal": re.compile(
        r"(?:Thứ\s+(?:nhất|hai|ba|tư|năm|sáu|bảy)|(?:Một|Hai|Ba|Bốn|Năm|Sáu|Bảy)\s+là)\s*[,:]\s*", re.IGNORECASE
    ),
}
# A clause of its own, wherever it stands.
_FIRST_RANK = frozenset({"", "roman", "article", "number"})
_END = re.compile(
    r"(?<=[^\s.]{2}[.;])\s+(?=[\"“(]?[^\W\d_])|(?<=\d[.;])\s+(?=[\"“(]?[^\W\d_])|(?<=[:;.,])\s+(?=\(?\d\)\s)"
)
_ASKING = re.compile(r"\b(?:yêu cầu|đề nghị|giao|phân công|chỉ đạo|kêu gọi|mời|chỉ thị)\b", re.IGNORECASE)
_BY_A_DAY = re.compile(
    r"\b(?:trước|xong|chậm nhất|hằng|hàng|hạn)\b[^.;]{0,25}\b(?:ngày|giờ|tháng|tuần|quý|thứ)\b", re.IGNORECASE
)
_TOLD_ABOVE = ("đã", "yêu cầu", "đề nghị", "giao", "sẽ", "báo cáo", "như sau")
_MOST_WORDS = 40


@dataclass(frozen=True)
class Sentence:
    """A sentence of the body and what it stands in.

    clause: number of the clause it belongs to, with its points. rank: how its paragraph is marked, "" for not at all;
    order: which of its paragraph it is. above: the last line that ends with a colon or heads a section; section: that
    heading; before: the sentence before it. asked: whether a word that asks stands above. place: 0 at the top of the
    body, 1 at its end. following: the mark of the next paragraph, "end" for none.
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


def sentences_of(lines: Sequence[Passage]) -> list[Sentence]:
    """The sentences of a letter's body, in their order. lines: of the body; what is wrapped is joined."""
    paragraphs = _paragraphs(lines)
    marks = [_mark(one.text)[0] for one in paragraphs]
    first = next((mark for mark in marks if mark not in ("", "roman")), "")
    found = list[Sentence]()
    above: Passage | None = None
    section = before = ""
    asked, clause = False, -1
    for at, (paragraph, mark) in enumerate(zip(paragraphs, marks, strict=True)):
        clause += clause < 0 or mark in _FIRST_RANK or mark == first
        heading = mark == "roman" or (not mark and paragraph.text.isupper() and len(paragraph.text) < 120)
        following = marks[at + 1] if at + 1 < len(marks) else "end"
        place = at / max(len(paragraphs) - 1, 1)
        for order, piece in enumerate(_pieces(paragraph)):
            found.append(Sentence(piece, clause, mark, order, above, section, before, asked, place, following, heading))
            before = piece.text
            asked = asked or bool(_ASKING.search(piece.text))
        if heading:
            above, section = paragraph, paragraph.text
        elif paragraph.text.endswith(":"):
            above = paragraph
    return found


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
        if paragraph.text[start : end.start()].strip():
            yield paragraph.cut(start, end.start())
        start = end.end()
    if paragraph.text[start:].strip():
        yield paragraph.cut(start)


def likelihood(sentence: Sentence, context: Context) -> float:
    """Return how likely the sentence orders something, 0..1."""
    bias, weights = _weights()
    known = [weights[name] for name in features(sentence, context) if name in weights]
    return 1 / (1 + math.exp(-(bias + SCALE * sum(known) / math.sqrt(max(len(known), 1)))))


# A sentence of many words is no surer than a short one: the sum goes by the root of their number.
SCALE = 4.0


@functools.cache
def _weights() -> tuple[float, dict[str, float]]:
    read = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return read["bias"], read["weights"]


def features(sentence: Sentence, context: Context) -> set[str]:
    """What is known of a sentence, as names of features."""
    text = sentence.passage.text
    text = text.capitalize() if text.isupper() else text
    names = _named(text, context)
    words = _words(names)[:_MOST_WORDS]
    agency = bool(STARTS_AS_AGENCY.match(text))
    marked = bool(sentence.rank)
    found = {f"w={word}" for word in words}
    found |= {f"b={one}_{other}" for one, other in itertools.pairwise(words)}
    found |= {f"p{at}={word}" for at, word in enumerate(words[:3])}
    found.add("p01=" + "_".join(words[:2]))
    found |= {
        f"agency={agency}",
        f"first={words[0] if words and words[0] in _OURS else ''}",
        f"addressed={_ADDRESSED in words}",
        f"rank={sentence.rank}",
        f"following={sentence.following}",
        f"order={min(sentence.order, 3)}",
        f"form={sentence.rank}&{min(sentence.order, 1)}&{agency}",
        f"kind={context.kind}",
        f"kind={context.kind}&{sentence.rank}&{agency}",
        f"place={int(sentence.place * 4)}",
        f"asked={sentence.asked}",
        f"asked={sentence.asked}&{agency}&{marked}",
        f"last={sentence.place == 1}",
        f"colon={text.endswith(':')}",
        f"length={min(len(text) // 40, 6)}",
        f"heading={sentence.heading}",
        f"due={bool(_BY_A_DAY.search(text))}",
        f"percent={'%' in text}",
    }
    asking = _ASKING.search(names)
    found.add(f"asks={min(asking.start() // 30, 4) if asking else ''}")
    if asking:
        found |= {f"before={word.lower()}" for word in re.findall(r"\w+", names[: asking.start()])[-3:]}
        whom = names[asking.end() :].strip()
        found.add(f"asks={asking.group().lower()}&{bool(STARTS_AS_AGENCY.match(whom)) or whom.startswith(_OURS)}")
    found |= {f"h={word}" for word in re.findall(r"\w+", sentence.above.text.lower() if sentence.above else "")}
    found |= {f"s={word}" for word in re.findall(r"\w+", sentence.section.lower())}
    before = sentence.before.lower()
    return found | {f"told={word}" for word in _TOLD_ABOVE if word in before}


_ADDRESSED, _ISSUER, _RECIPIENT = _OURS = ("⟨addressed⟩", "⟨issuer⟩", "⟨recipient⟩")


def _named(text: str, context: Context) -> str:
    """The text with what the letter calls by name replaced by what that is to it."""
    addressed = tuple(one.value.name for one in context.addressees)
    for names, sign in (
        (addressed, _ADDRESSED),
        ((context.issuer, context.superior), _ISSUER),
        (context.recipients, _RECIPIENT),
    ):
        if pattern := _any_of(names):
            text = pattern.sub(f" {sign} ", text)
    return text


@functools.lru_cache(maxsize=64)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str] | None:
    kept = sorted({name for name in names if len(name) > 3}, key=lambda name: (-len(name), name))
    return re.compile("|".join(map(re.escape, kept)), re.IGNORECASE) if kept else None


def _words(text: str) -> list[str]:
    """The words, small; a name in capitals within the sentence is one word, and so is a number."""
    found = list[str]()
    for at, word in enumerate(re.findall(r"⟨\w+⟩|\w+|[^\w\s]", text)):
        if word.isdigit():
            word = "9"
        elif at and word[:1].isupper():
            word = "⟨name⟩"
        if not (word == "⟨name⟩" and found and found[-1] == word):
            found.append(word.lower())
    return found
