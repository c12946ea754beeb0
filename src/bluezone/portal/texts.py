# SPDX-License-Identifier: Apache-2.0
"""The portal's own longer texts, one file per page and language in pages/, and the small markup that they and the news
are written in.
"""

import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from django.utils.safestring import SafeString, mark_safe

from bluezone.paper.phrases import Facts

_BOLD = re.compile(r"\*\*(.+?)\*\*")
# Escaped text: a quotation mark in an address is `&quot;` by now and cannot end the attribute.
_LINK = re.compile(r"\[([^\[\]]+)\]\(((?:https://|tel:|/(?!/))[^\s()]+)\)")
_STEP = re.compile(r"\d+\. ")
_STRAY = re.compile(r"\[[^\[\]]+\]\((?!https://|tel:|/(?!/))[^)]*\)")


def render(text: str) -> SafeString:
    """HTML of a text in this markup."""
    blocks: list[str] = []
    for lines in _paragraphs(text):
        blocks.extend(_block(lines))
    return mark_safe("\n".join(blocks))  # noqa: S308 - every piece was escaped before a tag was put around it


def plain(text: str) -> str:
    """The words without marks, for excerpts and feeds of plain text."""
    without = _BOLD.sub(r"\1", re.sub(r"\[([^\[\]]+)\]\([^)]*\)", r"\1", text))
    return " ".join(re.sub(r"(?m)^(## |- |\d+\. )", "", without).split())


def foreign_links(text: str) -> list[str]:
    """Links as written that lead neither to https nor inside this site; an editor is told of them."""
    return _STRAY.findall(text)


def _paragraphs(text: str) -> list[list[str]]:
    """Groups of lines that an empty line parts."""
    groups: list[list[str]] = [[]]
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.strip():
            groups[-1].append(line.strip())
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]


def _block(lines: list[str]) -> list[str]:
    """HTML of one group: runs of points and of steps become lists, the rest paragraphs and headings."""
    out: list[str] = []
    run: list[str] = []
    kind = ""
    for line in [*lines, ""]:
        now = "h2" if line.startswith("## ") else "ul" if line.startswith("- ") else "ol" if _STEP.match(line) else "p"
        if run and (now != kind or not line or now == "h2"):
            out.append(_wrap(kind, run))
            run = []
        if line:
            kind = now
            run.append(
                _inline(_STEP.sub("", line, count=1) if now == "ol" else line.removeprefix("## ").removeprefix("- "))
            )
    return out


def _wrap(kind: str, lines: list[str]) -> str:
    if kind in ("ul", "ol"):
        return f"<{kind}>" + "".join(f"<li>{line}</li>" for line in lines) + f"</{kind}>"
    return f"<{kind}>" + "<br>".join(lines) + f"</{kind}>"


def _inline(line: str) -> str:
    escaped = escape(line, quote=True)
    linked = _LINK.sub(lambda found: f'<a href="{found[2]}">{found[1]}</a>', escaped)
    return _BOLD.sub(r"<strong>\1</strong>", linked)


FOLDER = Path(__file__).with_name("pages")
_INLINE = re.compile(r"\{app:([^{}]*)\}")


@dataclass(frozen=True)
class Part:
    """A piece of a page: words as HTML, or the template of a picture."""

    html: SafeString | None = None
    picture: str = ""


@dataclass(frozen=True)
class Question:
    """One question of the FAQ; anchor: for links to it."""

    anchor: str
    title: str
    html: SafeString


def page(name: str, language: str, facts: Facts) -> tuple[str, list[Part]]:
    """Title and parts of a page in "vi" or "en"."""
    title, body = _read(name, language, facts)
    parts: list[Part] = []
    for piece in re.split(r"(?m)^!(\w+)$", body):
        if re.fullmatch(r"\w+", piece):
            parts.append(Part(picture=f"public/pictures/{piece}.html"))
        elif piece.strip():
            parts.append(Part(html=render(piece)))
    return title, parts


def questions(language: str, facts: Facts) -> tuple[str, list[Question]]:
    """Title and questions of the FAQ."""
    title, body = _read("faq", language, facts)
    found = []
    for number, piece in enumerate(re.split(r"(?m)^## ", body)[1:], 1):
        asked, _, answer = piece.partition("\n")
        found.append(Question(f"q{number}", asked.strip(), render(answer)))
    return title, found


def _read(name: str, language: str, facts: Facts) -> tuple[str, str]:
    text = (FOLDER / f"{name}.{language}.md").read_text(encoding="utf-8")
    kept = [line for line in (_for(line, facts) for line in text.splitlines()) if line is not None]
    body = _INLINE.sub(lambda found: found[1] if facts.has_app else "", "\n".join(kept))
    for sign, value in facts.named.items():
        body = body.replace("{" + sign + "}", value)
    first, _, rest = body.partition("\n")
    return first.removeprefix("# "), rest


def _for(line: str, facts: Facts) -> str | None:
    """The line without its sign, None where it is for the other kind of city."""
    for sign, wanted in (("@app ", True), ("@web ", False)):
        if line.startswith(sign):
            return line.removeprefix(sign) if facts.has_app is wanted else None
    return line
