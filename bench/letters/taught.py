# SPDX-License-Identifier: Apache-2.0
"""Bodies that only the judgement of orders learns from (taught.txt); nothing is measured on them.

A block: `=== kind | issuer | to: A; B | sent: C; D`, then the body, one paragraph a line; ▶ stands before each sentence
that orders something. The kind "minutes" is that of a document headed BIÊN BẢN.
"""

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.letters.corpus import FOLDER

from bluezone.letters.body.clauses import Body, read_body
from bluezone.letters.body.context import Context
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Addressee, DocumentKind, Proposed, Span

SIGN = "▶"


@dataclass(frozen=True)
class Taught:
    """A body without a head. ordering: where the sentences begin that order something."""

    lines: Sequence[Passage]
    body: Body
    context: Context
    ordering: Sequence[int]


def read_taught() -> Iterator[Taught]:
    text = (FOLDER / "taught.txt").read_text()
    for block in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        head, *paragraphs = block.strip().split("\n")
        kind, issuer, to, sent = (one.strip() for one in head.split("|"))
        lines, ordering, start = list[Passage](), list[int](), 0
        for paragraph in paragraphs:
            pieces = paragraph.split(SIGN)
            ordering += [start + len("".join(pieces[:at])) for at in range(1, len(pieces))]
            plain = "".join(pieces)
            lines.append(Passage(plain, tuple(range(start, start + len(plain)))))
            start += len(plain) + 1
        context = Context(
            DocumentKind.OTHER if kind == "minutes" else DocumentKind(kind),
            tuple(Proposed(Addressee(name, name.startswith("Các ")), Span(0, 0)) for name in _names(to)),
            datetime.date(2021, 6, 1),
            issuer,
            recipients=tuple(_names(sent)),
            minutes=kind == "minutes",
        )
        yield Taught(lines, read_body(lines, 0), context, ordering)


def _names(listed: str) -> list[str]:
    return [one.strip() for one in listed.partition(":")[2].split(";") if one.strip()]
