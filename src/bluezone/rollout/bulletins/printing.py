# SPDX-License-Identifier: Apache-2.0
"""The plan of airings and a bulletin's text on paper: A4, Vietnamese, for the wall of a station and for the press."""

import datetime
from collections.abc import Sequence
from itertools import groupby

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from bluezone.portal.facts import facts
from bluezone.portal.printing import write_pdf
from bluezone.rollout.bulletins.models import Airing, Script


def air_plan_pdf(title: str, airings: Sequence[Airing], first: datetime.date, last: datetime.date) -> bytes:
    """The plan of some days with room to tick what was aired; both days are in. Raises SheetUnavailable."""
    by_day = [
        (day, list(group)) for day, group in groupby(airings, key=lambda airing: timezone.localdate(airing.due_at))
    ]
    with override("vi"):
        context = {"title": title, "days": by_day, "first": first, "last": last, "city": facts("vi")}
        return write_pdf(render_to_string("bulletins/print/plan.html", context))


def script_pdf(title: str, scripts: Sequence[Script]) -> bytes:
    """A bulletin's texts as a sheet, one language after the other. Raises SheetUnavailable."""
    with override("vi"):
        context = {"title": title, "scripts": scripts, "city": facts("vi")}
        return write_pdf(render_to_string("bulletins/print/text.html", context))
