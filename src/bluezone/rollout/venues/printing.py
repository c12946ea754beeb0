# SPDX-License-Identifier: Apache-2.0
"""Posters and table cards of a venue for the printer: bleed, crop marks, embedded fonts, a fingerprint by the code.

A poster's code is at least 150 mm wide and a card's 50 mm (specs/rollout.md, "0. Facts": what Hà Nội asked in 2021).
"""

from collections.abc import Mapping
from types import MappingProxyType

import segno
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe

from bluezone.portal.facts import facts
from bluezone.portal.printing import write_pdf
from bluezone.rollout.venues.models import PosterCode

# Millimetres, type in points; four modules of white are left around the large code.
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
    """The poster at the door. paper: of PAPERS. Raises SheetUnavailable."""
    return _in_vietnamese("poster", {**_context(code), **PAPERS[paper]})


def card_pdf(code: PosterCode) -> bytes:
    """A card of A6 for tables and the counter. Raises SheetUnavailable."""
    return _in_vietnamese("card", {**_context(code), "code_mm": CARD_CODE_MM})


def poster_link(code: PosterCode) -> str:
    """The address of the poster's own page."""
    return f"https://{facts('vi').host}/p/{code.short}"


def qr_svg(text: str) -> SafeString:
    """The code as inline SVG without its quiet zone; 15 % may be damaged, so that the modules stay large."""
    drawn = segno.make(text, error="m", micro=False, boost_error=False).svg_inline(
        border=0, dark="#000", omitsize=True, svgclass="qr"
    )
    return mark_safe(drawn)  # noqa: S308 - drawn by segno, without any text in it


def _in_vietnamese(name: str, context: dict[str, object]) -> bytes:
    """The sheet whatever language the reader's page has; its own words are in both."""
    with translation.override("vi"):
        return write_pdf(render_to_string(f"venues/print/{name}.html", context))


def _context(code: PosterCode) -> dict[str, object]:
    link = poster_link(code)
    return {
        "code_": code,
        "venue": code.venue,
        "city": facts("vi"),
        "qr": qr_svg(code.link),
        "small_qr": qr_svg(link),
        "address": link.removeprefix("https://"),
    }
