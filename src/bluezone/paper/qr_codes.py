# SPDX-License-Identifier: Apache-2.0
"""QR codes on pages of accounts."""

import segno
from django.utils.safestring import SafeString, mark_safe


def qr_picture(text: str) -> SafeString:
    """A QR code as inline SVG, black on white in light and dark, with the quiet zone that readers need."""
    code = segno.make(text, error="m", micro=False)
    picture = code.svg_inline(scale=6, border=4, dark="#000", light="#fff", omitsize=True, svgclass="qr")
    return mark_safe(picture)  # noqa: S308 - drawn by segno, without any text in it
