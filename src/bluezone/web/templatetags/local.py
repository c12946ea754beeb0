# SPDX-License-Identifier: Apache-2.0
"""Template filters and tags: dates and times as people here write them, icons, and `noteacts`."""

import datetime
import re

from django import template
from django.template.base import NodeList, Parser, Token
from django.template.context import Context
from django.utils import formats, timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

register = template.Library()

# Parts of a page that are folded, or not shown at all.
_HIDDEN = re.compile(r"<details(?![^>]*\bopen\b).*?</details>|<template.*?</template>", re.DOTALL)
_BUTTON = re.compile(r'<(?:a|button)\b[^>]*\bclass="button(?P<more>[^"]*)"[^>]*>')

_ICONS = {
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "open": '<circle cx="12" cy="12" r="8"/><path d="M12 8v4l3 2"/>',
    "used": '<path d="M5 12.5l4.5 4.5L19 7.5"/>',
    "expired": '<path d="M7 4h10M7 20h10M8 4c0 5 8 7 8 16M16 4c0 5-8 7-8 16"/>',
    "revoked": '<path d="M6 6l12 12M18 6L6 18"/>',
    "copy": '<rect x="9" y="9" width="11" height="11" rx="2"/><path d="M5 15V5a1 1 0 0 1 1-1h9"/>',
    "print": '<path d="M7 9V4h10v5M7 17H5a1 1 0 0 1-1-1v-5a2 2 0 0 1 2-2h12a2 2 0 0 1 2 2v5a1 1 0 0 1-1 1h-2"/>'
    '<rect x="7" y="14" width="10" height="6"/>',
    "new": '<path d="M12 5v14M5 12h14"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5M12 7.5v.5"/>',
    "warn": '<path d="M12 4l9 16H3z"/><path d="M12 10v4M12 17v.5"/>',
    "people": '<circle cx="9" cy="8" r="3.5"/><path d="M3 20c0-4 3-6 6-6s6 2 6 6"/>'
    '<path d="M16 5a3.5 3.5 0 0 1 0 6.500M18 14c2 .7 3 2.500 3 5"/>',
    "chain": '<path d="M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"/>',
}


def _local(moment: datetime.datetime | int) -> datetime.datetime:
    """Aware local time of an aware datetime or of Unix seconds."""
    if isinstance(moment, int | float):
        moment = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return timezone.localtime(moment)


@register.filter
def clock(moment: datetime.datetime | int) -> str:
    """Time of day, 24 h: `07:42`."""
    return f"{_local(moment):%H:%M}"


@register.filter
def day(date: datetime.date) -> str:
    """A date with its weekday: `thứ Hai 10/8/2020`, `Monday 10 August 2020`."""
    if isinstance(date, datetime.datetime):
        date = _local(date).date()
    if get_language() == "vi":
        names = ["thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"]
        return f"{names[date.weekday()]} {date.day}/{date.month}/{date.year}"
    return formats.date_format(date, "l j F Y")


@register.filter
def shortday(date: datetime.date) -> str:
    """A date in figures, for tables: `10/8/2020`, `10 Aug 2020`."""
    if get_language() == "vi":
        return f"{date.day}/{date.month}/{date.year}"
    return formats.date_format(date, "j M Y")


@register.filter
def whole(number: int) -> str:
    """A whole number with separated thousands: `45.036`, `45,036`."""
    grouped = f"{number:,}"
    return grouped.replace(",", ".") if get_language() == "vi" else grouped


@register.filter
def moment(value: datetime.datetime | int) -> str:
    """The time, and the day if it is not today: `16:00`, `16:00 ngày mai`, `16:00 thứ Hai 10/8/2020`."""
    local = _local(value)
    days_ahead = (local.date() - timezone.localdate()).days
    if days_ahead == 0:
        return clock(local)
    if days_ahead == 1:
        return _("%(time)s tomorrow") % {"time": clock(local)}
    return f"{clock(local)} {day(local.date())}"


@register.filter
def fullmoment(value: datetime.datetime | int) -> str:
    """Time and day in figures, for tables: `07:42 10/8/2020`."""
    local = _local(value)
    if get_language() == "vi":
        return f"{clock(local)} {local.day}/{local.month}/{local.year}"
    return f"{clock(local)} {formats.date_format(local.date(), 'j M Y')}"


class NotedActs(template.Node):
    """Renders a part of a page, and sets `has_act` in the context: whether the part has a primary act."""

    child_nodelists = ("nodelist",)

    def __init__(self, nodelist: NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Context) -> SafeString:
        """Render the part unchanged."""
        text = self.nodelist.render(context)
        buttons = _BUTTON.finditer(_HIDDEN.sub("", text))
        context["has_act"] = any(_is_primary(button) for button in buttons)
        return text


def _is_primary(button: re.Match[str]) -> bool:
    if "quiet" in button["more"].split():
        return False
    return " hidden" not in button[0] or "data-print" in button[0]


@register.tag
def noteacts(parser: Parser, _token: Token) -> NotedActs:
    """`{% noteacts %}…{% endnoteacts %}`; sets `has_act`."""
    nodelist = parser.parse(("endnoteacts",))
    parser.delete_first_token()
    return NotedActs(nodelist)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A line icon as inline SVG; it always goes with a word."""
    return mark_safe(  # noqa: S308 - from the fixed table above
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">' + _ICONS[name] + "</svg>"
    )
