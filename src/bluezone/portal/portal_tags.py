# SPDX-License-Identifier: Apache-2.0
"""Template tags of the public pages and printed sheets: numbers that stay on one line, and more icons."""

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_NO_BREAK_SPACE = "\u00a0"

_ICONS = {
    "phone": '<path d="M6 3h3l2 5-2.500 1.500a11 11 0 0 0 6 6L16 13l5 2v3a3 3 0 0 1-3 3A15 15 0 0 1 3 6a3 3 0 0 1 3-3z"'
    "/>",
    "file": '<path d="M7 3h7l5 5v13H7z"/><path d="M14 3v5h5M10 13h6M10 17h6"/>',
}


@register.filter
def nobreak(text: str) -> str:
    """A telephone number or a short name that stays on one line."""
    return text.replace(" ", _NO_BREAK_SPACE)


@register.simple_tag
def drawn(name: str) -> SafeString:
    """A line icon of the public pages, for use next to a word."""
    return mark_safe(  # noqa: S308 - from the fixed table below
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">' + _ICONS[name] + "</svg>"
    )
