# SPDX-License-Identifier: Apache-2.0
"""The small markup of news and of the portal's own texts: paragraphs, headings, lists, bold, links to https.

Everything is escaped first, so no text of an editor can become a tag; a link leads to https or inside this site.
    ## a heading            (a line of its own)
    - a point               (lines one after another make one list; `1. ` makes steps)
    **bold**  [words](https://…)
"""

import re
from html import escape

from django.utils.safestring import SafeString, mark_safe

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
