# SPDX-License-Identifier: Apache-2.0
"""The markup of news and of the portal's longer texts. Reasons: docs/adr/0017-own-markup.md."""

import re
from html import escape

from django.utils.safestring import SafeString, mark_safe

_BOLD = re.compile(r"\*\*(.+?)\*\*")
# Applied to escaped text: a quotation mark in an address is `&quot;` and cannot end the attribute.
_LINK = re.compile(r"\[([^\[\]]+)\]\(((?:https://|tel:|/(?!/))[^\s()]+)\)")
_STEP = re.compile(r"\d+\. ")
_STRAY = re.compile(r"\[[^\[\]]+\]\((?!https://|tel:|/(?!/))[^)]*\)")


def render_markup(text: str) -> SafeString:
    """The HTML of a text in this markup."""
    blocks: list[str] = []
    for lines in _paragraphs(text):
        blocks.extend(_block(lines))
    return mark_safe("\n".join(blocks))  # noqa: S308 - every piece was escaped before a tag was put around it


def plain_text(text: str) -> str:
    """The words without markup, for excerpts and plain text."""
    without = _BOLD.sub(r"\1", re.sub(r"\[([^\[\]]+)\]\([^)]*\)", r"\1", text))
    return " ".join(re.sub(r"(?m)^(## |- |\d+\. )", "", without).split())


def foreign_links(text: str) -> list[str]:
    """Links, as written, that lead neither to https nor to this site, for a message to the editor."""
    return _STRAY.findall(text)


def _paragraphs(text: str) -> list[list[str]]:
    """Groups of lines, separated by empty lines."""
    groups: list[list[str]] = [[]]
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.strip():
            groups[-1].append(line.strip())
        elif groups[-1]:
            groups.append([])
    return [group for group in groups if group]


def _block(lines: list[str]) -> list[str]:
    """The HTML of a group: runs of points and of steps become lists, the others paragraphs and headings."""
    blocks: list[str] = []
    run: list[str] = []
    run_tag = ""
    for line in [*lines, ""]:
        tag = _tag_of(line)
        if run and (tag != run_tag or not line or tag == "h2"):
            blocks.append(_wrap(run_tag, run))
            run = []
        if line:
            run_tag = tag
            run.append(_inline(_without_mark(line, tag)))
    return blocks


def _tag_of(line: str) -> str:
    if line.startswith("## "):
        return "h2"
    if line.startswith("- "):
        return "ul"
    if _STEP.match(line):
        return "ol"
    return "p"


def _without_mark(line: str, tag: str) -> str:
    if tag == "ol":
        return _STEP.sub("", line, count=1)
    return line.removeprefix("## ").removeprefix("- ")


def _wrap(kind: str, lines: list[str]) -> str:
    if kind in ("ul", "ol"):
        return f"<{kind}>" + "".join(f"<li>{line}</li>" for line in lines) + f"</{kind}>"
    return f"<{kind}>" + "<br>".join(lines) + f"</{kind}>"


def _inline(line: str) -> str:
    escaped = escape(line, quote=True)
    with_links = _LINK.sub(lambda match: f'<a href="{match[2]}">{match[1]}</a>', escaped)
    return _BOLD.sub(r"<strong>\1</strong>", with_links)
