# SPDX-License-Identifier: Apache-2.0
"""Guides to the work of each role: text files in this folder, shown as pages to read and to print."""

import re
from dataclasses import dataclass
from pathlib import Path

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ACCOUNT_HOLDERS
from bluezone.identity.models import Role, valid_roles
from bluezone.identity.objects import Ownership, touches
from bluezone.training import also_in_training

FOLDER = Path(__file__).parent
_KINDS = {"# ": "title", "## ": "heading", "- ": "points"}


@dataclass(frozen=True)
class Block:
    """One part of a guide. kind: title, heading, steps, points or text. lines: its text, one for each step or point."""

    kind: str
    lines: tuple[str, ...]


def guided_roles() -> list[str]:
    """Roles that have a guide, in the order of their names."""
    return sorted(path.name.removesuffix(".vi.md") for path in FOLDER.glob("*.vi.md"))


def read_guide(role: str, language: str) -> list[Block]:
    """The guide of a role in a language ("vi" or "en"); role must be one of `guided_roles`."""
    lines = (FOLDER / f"{role}.{language}.md").read_text(encoding="utf-8").splitlines()
    blocks: list[Block] = []
    for line in filter(None, lines):
        kind, words = _read(line)
        if kind in {"steps", "points"} and blocks and blocks[-1].kind == kind:
            blocks[-1] = Block(kind, (*blocks[-1].lines, words))
        else:
            blocks.append(Block(kind, (words,)))
    return blocks


def _read(line: str) -> tuple[str, str]:
    """Kind and text of a line, without the asterisks around the names of pages."""
    plain = line.replace("*", "")
    for sign, kind in _KINDS.items():
        if plain.startswith(sign):
            return kind, plain.removeprefix(sign)
    if step := re.match(r"\d+\. ", plain):
        return "steps", plain[step.end() :]
    return "text", plain


@also_in_training
@require_safe
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.NOTHING)
def guide_list(request: OfficeRequest) -> HttpResponse:
    """Every role that has a guide, the reader's own first."""
    own = valid_roles(request.user)
    pages = sorted(((role in own, Role(role)) for role in guided_roles()), key=lambda page: not page[0])
    return render(request, "accounts/guides.html", {"pages": pages})


@also_in_training
@require_safe
@audience(ACCOUNT_HOLDERS)
@touches(Ownership.NOTHING)
def show_guide(request: OfficeRequest, role: str) -> HttpResponse:
    """The guide of one role, one sheet of A4 when printed."""
    if role not in guided_roles():
        raise Http404
    context = {"blocks": read_guide(role, get_language() or "vi"), "role": Role(role)}
    return render(request, "accounts/guide.html", context)
