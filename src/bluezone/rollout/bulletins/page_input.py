# SPDX-License-Identifier: Apache-2.0
"""What the pages of bulletins read from a request: the outlet, the day and the week."""

import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone

from bluezone.directory.models import AdminUnit
from bluezone.directory.request_parameters import chosen_day, chosen_number
from bluezone.rollout.bulletins.indicators import week_span
from bluezone.rollout.bulletins.models import Outlet
from bluezone.rollout.report_week import Week, parse_week


def chosen_outlet(request: HttpRequest) -> Outlet | None:
    """The outlet of `?outlet=`, None for all."""
    pk = chosen_number(request, "outlet")
    return Outlet.objects.filter(pk=pk).first() if pk is not None else None


def filter_query(outlet: Outlet | None, unit: AdminUnit | None) -> str:
    """The query string by which the links of a page keep its outlet and unit: "outlet=3&unit=5"."""
    chosen = {"outlet": outlet, "unit": unit}
    return urlencode({name: row.pk for name, row in chosen.items() if row is not None})


def chosen_week(request: HttpRequest) -> Week:
    """The week of `?week=`, else that of the day `?on=`, else this week."""
    return parse_week(request.GET.get("week", ""), Week.of(chosen_day(request, timezone.localdate())))


def chosen_span(request: HttpRequest) -> tuple[datetime.datetime, datetime.datetime]:
    """The week of `?week=`, else the day of `?on=`, else today: [since, until)."""
    if request.GET.get("week"):
        return week_span(parse_week(request.GET["week"], Week.of(timezone.localdate())))
    return day_span(chosen_day(request, timezone.localdate()))


def day_span(day: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """One local day as [since, until)."""
    zone = ZoneInfo(timezone.get_default_timezone_name())
    since = datetime.datetime.combine(day, datetime.time(), zone)
    return since, datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), zone)
