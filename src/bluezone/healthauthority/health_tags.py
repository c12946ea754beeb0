# SPDX-License-Identifier: Apache-2.0
"""Template tags for slips, scripts and statistics: moments in words, links as QR codes, charts."""

import datetime
from collections.abc import Sequence
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.translation import get_language

from bluezone.healthauthority.facilities import workplace
from bluezone.healthauthority.queries import Column, DeliveryTimes
from bluezone.paper.qr_codes import screen_qr

register = template.Library()
register.filter("workplace", workplace)
register.filter("qr", screen_qr)


# Units of a drawing, which is as wide as its column of the page: 360 pixels on a telephone.
WIDTH = 352.0
TOP = 14.0
HEIGHT = 96.0
MOST_LABELS = 8
MOST_NUMBERS = 16


@register.filter
def inwords(value: datetime.datetime) -> str:
    """A moment in words, to read out and to print: `10 giờ 05, thứ Tư ngày 25 tháng 11 năm 2026`."""
    local = timezone.localtime(value)
    if get_language() == "vi":
        weekday = formats.date_format(local, "l")
        weekday = weekday[:1].lower() + weekday[1:]
        return f"{local.hour} giờ {local:%M}, {weekday} ngày {local.day} tháng {local.month} năm {local.year}"
    return f"{local:%H:%M} on {formats.date_format(local, 'l j F Y')}"


@register.inclusion_tag("healthauthority/columns.html")
def columns(name: str, bars: Sequence[Column]) -> dict[str, Any]:
    """A chart of columns, next to a table with its numbers. name: its text for screen readers."""
    highest = max((column.total or 0 for column in bars), default=0)
    step = WIDTH / max(len(bars), 1)
    label_step = -(-len(bars) // MOST_LABELS)
    shapes = []
    for number, column in enumerate(bars):
        left = number * step
        floor = TOP + HEIGHT
        pieces = []
        for kind, count in column.parts if column.total else ():
            height = HEIGHT * count / highest
            floor -= height
            pieces.append((kind, _units(floor), _units(height)))
        shows = len(bars) <= MOST_NUMBERS or column.total == highest
        shapes.append(
            {
                "left": _units(left + step * 0.1),
                "width": _units(step * 0.8),
                "middle": _units(left + step / 2),
                "pieces": pieces,
                "above": _units(floor - 3),
                "number": (column.total or None) if shows else None,
                "hidden": column.total is None,
                # The last day has a label, and every n-th day before it.
                "label": column.label if (len(bars) - 1 - number) % label_step == 0 else "",
            }
        )
    return {"name": name, "columns": shapes, "floor": _units(TOP + HEIGHT)}


@register.inclusion_tag("healthauthority/funnel.html")
def funnel(*steps: Any) -> dict[str, Any]:
    """A chart of the number that reach each step. steps: name and count in turn; a count of None is not shown."""
    pairs = list(zip(steps[::2], steps[1::2], strict=True))
    first = pairs[0][1] or 0
    rows = []
    for name, count in pairs:
        share = count / first if first and count is not None else None
        rows.append(
            {
                "name": name,
                "count": count,
                "width": _units(100 * min(share or 0.0, 1.0)),
                "percent": None if share is None else round(100 * share),
            }
        )
    return {"rows": rows}


@register.inclusion_tag("healthauthority/reach.html")
def timeline(reach: DeliveryTimes) -> dict[str, Any]:
    """The times from a report received now until phones have it, in words and as points on a line."""
    now = timezone.now()
    span = (reach.today_last - now).total_seconds()
    moments = (reach.first, reach.last, reach.today_first, reach.today_last)
    points = [_units(4 + 344 * max((moment - now).total_seconds(), 0.0) / span) for moment in moments]
    return {"reach": reach, "now": now, "at": points}


def _units(number: float) -> str:
    """A coordinate, with a decimal point in every language."""
    return f"{number:.1f}"
