# SPDX-License-Identifier: Apache-2.0
"""What slips and scripts need: a moment in words, and a link as a QR code."""

import datetime

from django import template
from django.utils import formats, timezone
from django.utils.translation import get_language

from bluezone.healthauthority.quotas import workplace
from bluezone.paper.qr_codes import screen_qr

register = template.Library()
register.filter("workplace", workplace)
register.filter("qr", screen_qr)


@register.filter
def inwords(value: datetime.datetime) -> str:
    """A moment as it is read out and printed: `10 giờ 05, thứ Tư ngày 25 tháng 11 năm 2026`."""
    local = timezone.localtime(value)
    if get_language() == "vi":
        weekday = formats.date_format(local, "l")
        weekday = weekday[:1].lower() + weekday[1:]
        return f"{local.hour} giờ {local:%M}, {weekday} ngày {local.day} tháng {local.month} năm {local.year}"
    return f"{local:%H:%M} on {formats.date_format(local, 'l j F Y')}"
