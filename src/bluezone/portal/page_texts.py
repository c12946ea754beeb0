# SPDX-License-Identifier: Apache-2.0
"""The longer texts of the portal: one file for each page and language in pages/."""

import re
from dataclasses import dataclass
from pathlib import Path

from django.utils.safestring import SafeString

from bluezone.paper.phrases import Facts
from bluezone.portal.markup import render_markup

FOLDER = Path(__file__).with_name("pages")
_INLINE = re.compile(r"\{app:([^{}]*)\}")


@dataclass(frozen=True)
class Part:
    """A part of a page: text as HTML, or the template of a picture."""

    html: SafeString | None = None
    picture: str = ""


@dataclass(frozen=True)
class Question:
    """A question of the FAQ. anchor: for links to it."""

    anchor: str
    title: str
    html: SafeString


def read_page(name: str, language: str, facts: Facts) -> tuple[str, list[Part]]:
    """Title and parts of a page in "vi" or "en"."""
    title, body = _read(name, language, facts)
    parts: list[Part] = []
    for piece in re.split(r"(?m)^!(\w+)$", body):
        if re.fullmatch(r"\w+", piece):
            parts.append(Part(picture=f"public/pictures/{piece}.html"))
        elif piece.strip():
            parts.append(Part(html=render_markup(piece)))
    return title, parts


def read_questions(language: str, facts: Facts) -> tuple[str, list[Question]]:
    """Title and questions of the FAQ."""
    title, body = _read("faq", language, facts)
    items = []
    for number, piece in enumerate(re.split(r"(?m)^## ", body)[1:], 1):
        heading, _, answer = piece.partition("\n")
        items.append(Question(f"q{number}", heading.strip(), render_markup(answer)))
    return title, items


def _read(name: str, language: str, facts: Facts) -> tuple[str, str]:
    text = (FOLDER / f"{name}.{language}.md").read_text(encoding="utf-8")
    lines = [line for raw in text.splitlines() if (line := _line_for_city(raw, facts)) is not None]
    body = _INLINE.sub(lambda match: match[1] if facts.has_app else "", "\n".join(lines))
    for sign, value in facts.named.items():
        body = body.replace("{" + sign + "}", value)
    first, _, content = body.partition("\n")
    return first.removeprefix("# "), content


def _line_for_city(line: str, facts: Facts) -> str | None:
    """The line without its prefix, None if it is for the other kind of city."""
    for prefix, for_app in (("@app ", True), ("@web ", False)):
        if line.startswith(prefix):
            return line.removeprefix(prefix) if facts.has_app is for_app else None
    return line
