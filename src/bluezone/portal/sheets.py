# SPDX-License-Identifier: Apache-2.0
"""The printed sheets and their measures in millimetres.

A poster's code is at least 150 mm wide (specs/rollout.md A6: what Hà Nội asked of venues in 2021), a hand-held sheet's
50 mm.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from bluezone.portal.facts import Facts
from bluezone.portal.printing import sheet_html, write_pdf

LEAST_POSTER_CODE_MM = 150

# Measures of the poster's template as CSS writes them: type in points, everything else in millimetres. Four modules of
# white are left around the code, and nothing but white.
_A4: Mapping[str, str] = MappingProxyType({
    "width": "210", "height": "297", "side": "16", "pad": "10", "head": "46", "title": "23.5", "text": "10.6",
    "code_left": "30", "code_top": "58", "code": str(LEAST_POSTER_CODE_MM), "foot": "77", "foot_pad": "5",
})  # fmt: skip
_A3: Mapping[str, str] = MappingProxyType({
    "width": "297", "height": "420", "side": "23", "pad": "14", "head": "66", "title": "33", "text": "15",
    "code_left": "48.5", "code_top": "85", "code": "200", "foot": "111", "foot_pad": "8",
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
