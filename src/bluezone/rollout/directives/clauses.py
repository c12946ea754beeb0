# SPDX-License-Identifier: Apache-2.0
"""Find the body of a letter and cut it into preamble, numbered clauses and closing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bluezone.agencies.folding import fold
from bluezone.rollout.directives.addressing import BULLET, recipients_at
from bluezone.rollout.directives.passages import Passage
from bluezone.rollout.directives.signatures import is_signature_line

_NUMBERED = re.compile(r"^(?P<label>\d{1,2})\s*[.)]\s+(?=\S)")
_ARTICLE = re.compile(r"^(?P<label>Điều\s+\d{1,2})\s*[.:]\s*")
_SECTION = re.compile(r"^(?P<label>[IVX]{1,5})\s*[.)]\s+(?P<title>\S.*)$")
_POINT = re.compile(r"^(?:[a-zđ]\s*[).]\s+|\d{1,2}\.\d{1,2}\.?(?:\d{1,2}\.?)?\s+)")
_CLOSING = (
    "voi noi dung tren",
    "tren day la",
    "can cu noi dung",
    "nhan duoc",
    "yeu cau cac",
    "de nghi cac",
    "trong qua trinh",
    "cac co quan, don vi",
    "uy ban nhan dan thanh pho yeu cau",
    "tren co so",
    "kinh de nghi",
)
# A plan's other sections (purpose, requirements, budget) hold numbered paragraphs that are nobody's task.
_TASK_SECTIONS = ("to chuc thuc hien", "phan cong", "nhiem vu", "trach nhiem")

_LONGEST_SIGNATURE_LINE = 70


@dataclass
class Clause:
    """One numbered clause: label, its own lines, and its points (each a list of lines)."""

    label: str
    lines: list[Passage]
    points: list[list[Passage]] = field(default_factory=list)


@dataclass(frozen=True)
class Body:
    """preamble: before the first clause; closing: after the last; tail: from Nơi nhận or the first signature on."""

    preamble: list[Passage]
    clauses: list[Clause]
    closing: list[Passage]
    tail: list[Passage]


def read_body(lines: Sequence[Passage], start: int) -> Body:
    """Cut the lines from `start` (after the head and the addressees) into the parts of the body."""
    end = _body_end(lines, start)
    body = [line for line in lines[start:end] if line.column == 0 or not line.is_blank]
    articles = sum(bool(_ARTICLE.match(line.text)) for line in body) >= 2
    preamble: list[Passage] = []
    clauses: list[Clause] = []
    closing: list[Passage] = []
    section, sections = "", {}
    for index, line in enumerate(body):
        after_blank = index > 0 and body[index - 1].is_blank
        if line.is_blank:
            continue
        if (title := _SECTION.match(line.text)) and _is_heading(title["title"]):
            section = title["label"]
            sections[section] = fold(title["title"])
            closing = []
            continue
        label = _label(line, articles, clauses, section)
        if label is not None:
            clauses.append(Clause(f"{section}.{label}" if section else label, [line.cut(_label_end(line, articles))]))
            closing = []
        elif not clauses:
            preamble.append(line)
        elif closing or _closes(line, after_blank):
            closing.append(line)
        else:
            _add(clauses[-1], line, after_blank)
    return Body(preamble, _task_clauses(clauses, sections), closing, list(lines[end:]))


def _body_end(lines: Sequence[Passage], start: int) -> int:
    """Return the index where Nơi nhận or the signature begins, whichever is first.

    A decision names who decides above its body, in the words of a signature; what text still follows is no signature.
    """
    recipients = recipients_at(lines)
    limit = recipients if recipients is not None and recipients >= start else len(lines)
    text = max((index for index in range(start, limit) if _is_text(lines[index])), default=start - 1)
    signature = next((index for index in range(text + 1, limit) if is_signature_line(lines[index])), limit)
    return min(signature, limit)


def _is_text(line: Passage) -> bool:
    numbered = _NUMBERED.match(line.text) or _ARTICLE.match(line.text)
    return bool(numbered) or len(line.text) > _LONGEST_SIGNATURE_LINE or fold(line.text).startswith("can cu")


def _is_heading(title: str) -> bool:
    return title.isupper() or fold(title).startswith(_TASK_SECTIONS)


def _label(line: Passage, articles: bool, clauses: Sequence[Clause], section: str) -> str | None:
    """Return the clause's label if the line opens the next one; numbers that do not follow on are text."""
    match = (_ARTICLE if articles else _NUMBERED).match(line.text)
    if match is None:
        return None
    label = re.sub(r"\s+", " ", match["label"])
    number = int(label.split()[-1])
    same = [clause for clause in clauses if clause.label.startswith(f"{section}.")] if section else clauses
    previous = int(re.search(r"\d+$", same[-1].label).group()) if same else 0  # type: ignore[union-attr]
    return label if number == previous + 1 else None


def _label_end(line: Passage, articles: bool) -> int:
    match = (_ARTICLE if articles else _NUMBERED).match(line.text)
    return match.end() if match else 0


def _closes(line: Passage, after_blank: bool) -> bool:
    if BULLET.match(line.text) or _POINT.match(line.text):
        return False
    return fold(line.text).startswith(_CLOSING) and (after_blank or line.text[0].isupper())


def _add(clause: Clause, line: Passage, after_blank: bool) -> None:
    """Add a line to a clause: as a new point, or as the rest of what stands above it."""
    bullet = BULLET.match(line.text)
    if bullet:
        clause.points.append([line.cut(bullet.end())])
    elif _POINT.match(line.text) or (after_blank and clause.points) or (after_blank and line.text[:1].isupper()):
        clause.points.append([line])
    elif clause.points:
        clause.points[-1].append(line)
    else:
        clause.lines.append(line)


def _task_clauses(clauses: list[Clause], sections: dict[str, str]) -> list[Clause]:
    ordered = [label for label, title in sections.items() if title.startswith(_TASK_SECTIONS)]
    chosen = [clause for clause in clauses if clause.label.split(".")[0] in ordered]
    return chosen or clauses
