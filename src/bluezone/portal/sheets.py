# SPDX-License-Identifier: Apache-2.0
"""The printed sheets and their measures in millimetres.

A poster's code is at least 150 mm wide (specs/rollout.md A6: what Hà Nội asked of venues in 2021), a hand-held sheet's
50 mm.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bluezone.portal.facts import Facts
from bluezone.portal.printing import sheet_html, write_pdf

LEAST_POSTER_CODE_MM = 150
LEAST_HAND_CODE_MM = 50

# Measures of the poster's template: type in points, everything else in millimetres.
_A4: Mapping[str, Any] = MappingProxyType({
    "width": 210, "height": 297, "side": 13, "pad": 9, "head": 60, "title": 27, "text": 12.5,
    "code_top": 62, "qr_size": 150, "foot": 77, "foot_pad": 4,
})  # fmt: skip
_A3: Mapping[str, Any] = MappingProxyType({
    "width": 297, "height": 420, "side": 19, "pad": 13, "head": 88, "title": 40, "text": 18.5,
    "code_top": 92, "qr_size": 200, "foot": 113, "foot_pad": 7,
})  # fmt: skip


def leaflet(city: Facts) -> bytes:
    """A5, for hands and letter boxes. Raises SheetUnavailable, as the others do."""
    return write_pdf(sheet_html("leaflet.html", city))


def poster_a4(city: Facts) -> bytes:
    """A4, for doors."""
    return write_pdf(sheet_html("poster.html", city, **_A4))


def poster_a3(city: Facts) -> bytes:
    """A3, for notice boards."""
    return write_pdf(sheet_html("poster.html", city, **_A3))


def letter(city: Facts) -> bytes:
    """A4, from a school to the parents, to be signed by its head."""
    return write_pdf(sheet_html("letter.html", city))


Maker = Callable[[Facts], bytes]
