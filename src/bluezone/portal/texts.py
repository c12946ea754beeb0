# SPDX-License-Identifier: Apache-2.0
"""The portal's own longer texts: one file per page and language in pages/, in the markup of markup.py and three signs.

    # the title                   first line
    @app … / @web …               a paragraph only where the city has an app to install / has the web edition only
    {app: …}                      the same inside a sentence
    !name                         the picture public/pictures/name.html
{city}, {hotline}, {national} and {host} are filled in from the settings.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from django.utils.safestring import SafeString

from bluezone.paper.city_facts import Facts
from bluezone.portal import markup

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
            parts.append(Part(html=markup.render(piece)))
    return title, parts


def questions(language: str, facts: Facts) -> tuple[str, list[Question]]:
    """Title and questions of the FAQ."""
    title, body = _read("faq", language, facts)
    found = []
    for number, piece in enumerate(re.split(r"(?m)^## ", body)[1:], 1):
        asked, _, answer = piece.partition("\n")
        found.append(Question(f"q{number}", asked.strip(), markup.render(answer)))
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
