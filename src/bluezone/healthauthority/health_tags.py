# SPDX-License-Identifier: Apache-2.0
"""What slips, scripts and statistics need: a moment in words, a link as a QR code, counts and times as drawings."""

import datetime
from collections.abc import Sequence
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.translation import get_language

from bluezone.healthauthority.queries import Column, Reach
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


# Units of a drawing, which is as wide as its column of the page: 360 pixels on a telephone.
WIDTH, TOP, HEIGHT = 352.0, 14.0, 96.0
MOST_LABELS, MOST_NUMBERS = 8, 16


@register.inclusion_tag("healthauthority/columns.html")
def columns(name: str, found: Sequence[Column]) -> dict[str, Any]:
    """A chart of columns; its numbers stand in a table beside it. name: what a screen reader says."""
    highest = max((column.total or 0 for column in found), default=0)
    step = WIDTH / max(len(found), 1)
    every = -(-len(found) // MOST_LABELS)
    drawn = []
    for number, column in enumerate(found):
        left, floor, pieces = number * step, TOP + HEIGHT, []
        for kind, count in column.parts if column.total else ():
            height = HEIGHT * count / highest
            floor -= height
            pieces.append((kind, _units(floor), _units(height)))
        shows = len(found) <= MOST_NUMBERS or column.total == highest
        drawn.append(
            {
                "left": _units(left + step * 0.1),
                "width": _units(step * 0.8),
                "middle": _units(left + step / 2),
                "pieces": pieces,
                "above": _units(floor - 3),
                "number": (column.total or None) if shows else None,
                "hidden": column.total is None,
                # The last day has its label, and from there back every so many.
                "label": column.label if (len(found) - 1 - number) % every == 0 else "",
            }
        )
    return {"name": name, "columns": drawn, "floor": _units(TOP + HEIGHT)}


@register.inclusion_tag("healthauthority/funnel.html")
def funnel(*steps: Any) -> dict[str, Any]:
    """How many are left at each step: name and count in turn; a count that is None is not shown."""
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
def timeline(reach: Reach) -> dict[str, Any]:
    """From a report that is received now to the phones: the times in words, and where they lie on a line."""
    now = timezone.now()
    whole = (reach.today_last - now).total_seconds()
    moments = (reach.first, reach.last, reach.today_first, reach.today_last)
    at = [_units(4 + 344 * max((moment - now).total_seconds(), 0.0) / whole) for moment in moments]
    return {"reach": reach, "now": now, "at": at}


def _units(number: float) -> str:
    """A coordinate, with a point whatever the language."""
    return f"{number:.1f}"
