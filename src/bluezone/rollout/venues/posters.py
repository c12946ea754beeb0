# SPDX-License-Identifier: Apache-2.0
"""Posters of a venue: the poster and table card as PDF, and the count of openings of the poster's page."""

import datetime
from collections.abc import Mapping
from types import MappingProxyType

from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import translation

from bluezone.paper.pdf import write_pdf
from bluezone.paper.phrases import facts
from bluezone.paper.qr_codes import poster_qr
from bluezone.rollout.venues.models import PosterCode, ScanCount

# Sizes on paper in millimetres, type sizes in points; the large code has a white margin of four modules.
_A4: Mapping[str, str] = MappingProxyType({
    "width": "210", "height": "297", "side": "16", "pad": "10", "head": "50", "title": "25", "text": "11",
    "code": "152", "code_left": "29", "code_top": "61", "foot": "72", "foot_pad": "6", "small": "27",
})  # fmt: skip
_A3: Mapping[str, str] = MappingProxyType({
    "width": "297", "height": "420", "side": "23", "pad": "14", "head": "70", "title": "36", "text": "15.5",
    "code": "215", "code_left": "41", "code_top": "86", "foot": "101", "foot_pad": "9", "small": "38",
})  # fmt: skip
PAPERS: Mapping[str, Mapping[str, str]] = MappingProxyType({"a4": _A4, "a3": _A3})
CARD_CODE_MM = 54


def poster_pdf(code: PosterCode, paper: str) -> bytes:
    """The poster for the door, as PDF. paper: a key of PAPERS. Raises PdfUnavailable."""
    return _in_vietnamese("poster", {**_context(code), **PAPERS[paper]})


def card_pdf(code: PosterCode) -> bytes:
    """An A6 card for tables and the counter, as PDF. Raises PdfUnavailable."""
    return _in_vietnamese("card", {**_context(code), "code_mm": CARD_CODE_MM})


def poster_link(code: PosterCode) -> str:
    """The address of the poster's own page."""
    return f"{facts('vi').address}/p/{code.short}"


def _in_vietnamese(name: str, context: dict[str, object]) -> bytes:
    """A sheet as PDF, rendered in Vietnamese whatever the reader's language; its text is in both languages."""
    with translation.override("vi"):
        return write_pdf(render_to_string(f"venues/print/{name}.html", context))


def _context(code: PosterCode) -> dict[str, object]:
    link = poster_link(code)
    return {
        "code_": code,
        "venue": code.venue,
        "city": facts("vi"),
        "qr": poster_qr(code.link),
        "small_qr": poster_qr(link),
        "address": link.partition("://")[2],
    }


def count_page_opening(code: PosterCode, day: datetime.date) -> None:
    """Count an opening of a poster's page on a local day."""
    if code.training:
        return
    changed = ScanCount.objects.filter(code=code, day=day).update(count=F("count") + 1)
    if not changed:
        with transaction.atomic():
            _count, created = ScanCount.objects.get_or_create(code=code, day=day, defaults={"count": 1})
        if not created:
            ScanCount.objects.filter(code=code, day=day).update(count=F("count") + 1)
