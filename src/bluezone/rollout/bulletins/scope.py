# SPDX-License-Identifier: Apache-2.0
"""What the pages of bulletins read from a request: day or week, outlet, and whether something is the reader's."""

import datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.request_parameters import chosen_day, chosen_number
from bluezone.directory.scopes import agencies_of, may, require
from bluezone.identity.audiences import OfficeRequest
from bluezone.identity.duty import EDITORS
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS, BULLETIN_APPROVERS
from bluezone.rollout.bulletins.indicators import week_span
from bluezone.rollout.bulletins.models import Airing, Bulletin, Outlet, Schedule, Script
from bluezone.rollout.coverage.api import Week, week_or

WRITERS = EDITORS.roles
APPROVERS = BULLETIN_APPROVERS.roles
KEEPERS = AIRING_KEEPERS.roles


def bulletin_of_ours(request: OfficeRequest, pk: int) -> Bulletin:
    """A bulletin that the reader writes. Raises Http404, OutsideScope (403)."""
    found = get_object_or_404(Bulletin.objects.select_related("agency__unit"), pk=pk)
    require(request.user, WRITERS, agency=found.agency)
    return found


def script_to_hear(request: OfficeRequest, pk: int) -> Script:
    """A version that the reader may approve, or has written. Raises Http404, OutsideScope (403)."""
    scripts = Script.objects.select_related("bulletin__agency__unit", "machine", "recording")
    found = get_object_or_404(scripts.defer("machine__content", "recording__content"), pk=pk)
    require(request.user, APPROVERS | WRITERS, agency=found.bulletin.agency)
    return found


def schedule_of_ours(request: OfficeRequest, pk: int) -> Schedule:
    """A schedule of a bulletin that the reader writes, or all of whose outlets the reader keeps. Raises as above."""
    found = get_object_or_404(Schedule.objects.select_related("bulletin__agency__unit"), pk=pk)
    if not may_change(request, found):
        require(request.user, WRITERS, agency=found.bulletin.agency)
    return found


def may_change(request: OfficeRequest, schedule: Schedule) -> bool:
    """Whether the reader stops a schedule or leaves days of it out."""
    if may(request.user, WRITERS, agency=schedule.bulletin.agency):
        return True
    outlets = schedule.outlets.select_related("agency__unit")
    return all(may(request.user, KEEPERS, agency=outlet.agency) for outlet in outlets)


def airing_of_ours(request: OfficeRequest, pk: int) -> Airing:
    """An airing at an outlet that the reader keeps. Raises Http404, OutsideScope (403)."""
    airings = Airing.objects.select_related("outlet__agency__unit", "schedule__bulletin")
    found = get_object_or_404(airings, pk=pk)
    require(request.user, KEEPERS, agency=found.outlet.agency)
    return found


def outlet_of_ours(request: OfficeRequest, pk: int) -> Outlet:
    """An outlet that the reader keeps. Raises Http404, OutsideScope (403)."""
    found = get_object_or_404(Outlet.objects.select_related("agency__unit", "unit"), pk=pk)
    require(request.user, KEEPERS, agency=found.agency)
    return found


def kept_agencies(request: OfficeRequest) -> frozenset[int]:
    """Agencies whose outlets the reader keeps."""
    return frozenset(agencies_of(request.user, KEEPERS).values_list("pk", flat=True))


def writes_for(request: OfficeRequest, agency: Agency | None = None) -> bool:
    """Whether the reader writes bulletins of an agency, or of any."""
    return may(request.user, WRITERS, agency=agency)


def chosen_outlet(request: HttpRequest) -> Outlet | None:
    """The outlet of `?outlet=`, None for all."""
    pk = chosen_number(request, "outlet")
    return Outlet.objects.filter(pk=pk).first() if pk is not None else None


def narrowed(outlet: Outlet | None, unit: AdminUnit | None) -> str:
    """What links of a page carry on, so that a page narrowed to an outlet or a unit stays so: "outlet=3&unit=5"."""
    chosen = {"outlet": outlet, "unit": unit}
    return urlencode({name: one.pk for name, one in chosen.items() if one is not None})


def week_of(request: HttpRequest) -> Week:
    """The week of `?week=`, or of `?on=`, this week otherwise."""
    return week_or(request.GET.get("week", ""), Week.of(chosen_day(request, timezone.localdate())))


def span_of(request: HttpRequest) -> tuple[datetime.datetime, datetime.datetime]:
    """The week of `?week=` where there is one, else the day of `?on=` (today): [since, until)."""
    if request.GET.get("week"):
        return week_span(week_or(request.GET["week"], Week.of(timezone.localdate())))
    return day_span(chosen_day(request, timezone.localdate()))


def day_span(day: datetime.date) -> tuple[datetime.datetime, datetime.datetime]:
    """One local day as [since, until)."""
    zone = ZoneInfo(timezone.get_default_timezone_name())
    since = datetime.datetime.combine(day, datetime.time(), zone)
    return since, datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), zone)
