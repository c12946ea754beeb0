# SPDX-License-Identifier: Apache-2.0
"""QR codes as inline SVG, for pages and for sheets, drawn by segno without any of their text in the drawing."""

from typing import Any

from django.utils.safestring import SafeString, mark_safe


def qr(text: str) -> SafeString:
    """A code for a sheet, without quiet zone, which the sheet's own white frame gives; a quarter may be damaged."""
    return _drawing(text, "q", micro=False, border=0, dark="#000", svgclass="qr")


def qr_picture(text: str) -> SafeString:
    """A code for the pages of an account, black on white in light and dark, with the quiet zone that readers need."""
    return _drawing(text, "m", micro=False, scale=6, border=4, dark="#000", light="#fff", svgclass="qr")


def poster_qr(text: str) -> SafeString:
    """A code without quiet zone for a long text: 15 % may be damaged, so that the modules stay large."""
    return _drawing(text, "m", micro=False, boost_error=False, border=0, dark="#000", svgclass="qr")


def screen_qr(text: str, more: str = "") -> SafeString:
    """A code for a page, dark on white in every colour scheme, with the quiet zone that cameras need.

    more: a class of the drawing beside "qr".
    """
    return _drawing(text, "m", border=4, light="#fff", svgclass=f"qr {more}".strip(), lineclass=None)


def _drawing(text: str, error: str, *, micro: bool | None = None, boost_error: bool = True, **look: Any) -> SafeString:
    import segno

    drawn = segno.make(text, error=error, micro=micro, boost_error=boost_error).svg_inline(omitsize=True, **look)
    return mark_safe(drawn)  # noqa: S308 - squares drawn by segno; the text itself is not in it
