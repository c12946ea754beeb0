# SPDX-License-Identifier: Apache-2.0
"""What every page of the phone has around it, and the few marks it draws."""

from collections.abc import Iterable
from html import escape

from bluezone.handset.page.words import Words

# Icons of 24 units, line 1.8; each stands beside words that say the same.
SHIELD = "M12 2.5 4 5.5v6c0 5 3.4 8.4 8 10 4.6-1.6 8-5 8-10v-6z"
ICONS = {
    "ok": f'<path d="{SHIELD}"/><path d="m8.5 12 2.5 2.5 4.5-5"/>',
    "warn": '<path d="M12 3.5 2.5 20h19z"/><path d="M12 9.5v5M12 17.4v.1"/>',
    "alert": f'<path d="{SHIELD}"/><path d="M12 7.5v5.5M12 16.2v.1"/>',
    "stop": '<circle cx="12" cy="12" r="9"/><path d="M9.5 9v6M14.5 9v6"/>',
    "send": '<path d="M12 3v11m0-11 4 4m-4-4L8 7M5 15v4h14v-4"/>',
    "phone": '<path d="M5 4h4l1.5 5-2.2 1.6a12 12 0 0 0 5.1 5.1L15 13.5l5 1.5v4a1.5 1.5 0 0 1-1.5 1.5'
    'A15 15 0 0 1 3.5 5.5 1.5 1.5 0 0 1 5 4z"/>',
}


def icon(name: str, size: int = 24) -> str:
    """A line icon; the words beside it carry the meaning."""
    return (
        f'<svg class="icon" width="{size}" height="{size}" viewBox="0 0 24 24" aria-hidden="true">{ICONS[name]}</svg>'
    )


def page(words: Words, title: str, body: Iterable[str], *, base: str, path: str = "", refresh: bool = False) -> str:
    """A whole page. base: where the page's own addresses begin; path: this one's, for the language switch."""
    _ = words.gettext
    other, name = ("en", "English") if words.language == "vi" else ("vi", "Tiếng Việt")
    again = '<meta http-equiv="refresh" content="60">' if refresh else ""
    mark = (
        '<svg width="30" height="30" viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="15"/>'
        '<path d="M9 16a7 7 0 0 1 14 0M12.5 16a3.5 3.5 0 0 1 7 0"/></svg>'
    )
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">{again}<title>{escape(title)} · Bluezone</title>'
        f'<link rel="stylesheet" href="{base}page.css"></head><body>'
        f'<a class="skip" href="#main">{escape(_("Go to the content"))}</a>'
        f'<header><a class="brand" href="{base}">{mark}Bluezone</a>'
        f'<a class="button quiet small" href="{base}{path}?lang={other}" lang="{other}">{name}</a></header>'
        f'<main id="main">{"".join(body)}</main>'
        f'<footer><p class="soft">{escape(_("The encounter log is on this phone only. Nobody can read it from afar."))}'
        f' <a href="{base}sent">{escape(_("See everything that was sent"))}</a></p></footer></body></html>'
    )


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def post_button(words_on_it: str, action: str, *, quiet: bool = False) -> str:
    """A form that is one button."""
    look = "button quiet" if quiet else "button"
    return f'<form method="post" action="{action}"><button class="{look}">{escape(words_on_it)}</button></form>'
