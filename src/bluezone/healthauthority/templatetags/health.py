# SPDX-License-Identifier: Apache-2.0
"""What slips and scripts need: a moment in words, and a link as a QR code."""

import datetime

import segno
from django import template
from django.utils import formats, timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from bluezone.healthauthority.codes.facilities import workplace

register = template.Library()
register.filter("workplace", workplace)


@register.filter
def inwords(value: datetime.datetime) -> str:
    """A moment as it is read out and printed: `10 giờ 05, thứ Tư ngày 25 tháng 11 năm 2026`."""
    local = timezone.localtime(value)
    if get_language() == "vi":
        weekday = formats.date_format(local, "l")
        weekday = weekday[:1].lower() + weekday[1:]
        return f"{local.hour} giờ {local:%M}, {weekday} ngày {local.day} tháng {local.month} năm {local.year}"
    return f"{local:%H:%M} on {formats.date_format(local, 'l j F Y')}"


@register.filter
def qr(link: str) -> SafeString:
    """A link as a QR code in SVG, black on white in the dark too, with the quiet edge that cameras need."""
    drawn = segno.make(link, error="m").svg_inline(omitsize=True, light="#fff", svgclass="qr", lineclass=None, border=4)
    return mark_safe(drawn)  # noqa: S308 - squares drawn by segno; the text itself is not in it
