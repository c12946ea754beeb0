# SPDX-License-Identifier: Apache-2.0
"""Who may write, approve, schedule and attest: bulletins, schedules, airings and outlets, by role and agency."""

import datetime
from collections.abc import Iterable
from urllib.parse import urlencode

from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.models import Agency
from bluezone.directory.scopes import (
    agencies_in_reach,
    grants_for,
    has_role,
    is_within_own_ward,
    require_role,
    rows_at_the_desk,
)
from bluezone.duties.duty import MOST_MATTERS, Matter, Pile, shorten
from bluezone.identity.audiences import OfficeRequest
from bluezone.identity.duty import EDITORS
from bluezone.identity.models import User
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS, BULLETIN_APPROVERS
from bluezone.rollout.bulletins.models import Airing, Bulletin, Importance, Outlet, OutletKind, Schedule, Script
from bluezone.rollout.report_week import Week

WRITERS = EDITORS.roles
APPROVERS = BULLETIN_APPROVERS.roles
KEEPERS = AIRING_KEEPERS.roles


def own_bulletin(request: OfficeRequest, pk: int) -> Bulletin:
    """A bulletin that the reader writes. Raises Http404, OutsideScope (403)."""
    bulletin = get_object_or_404(Bulletin.objects.select_related("agency__unit"), pk=pk)
    require_role(request.user, WRITERS, agency=bulletin.agency)
    return bulletin


def script_to_approve(request: OfficeRequest, pk: int) -> Script:
    """A version of an agency for which the reader writes or approves. Raises Http404, OutsideScope (403)."""
    scripts = Script.objects.select_related("bulletin__agency__unit", "machine", "recording")
    script = get_object_or_404(scripts.defer("machine__content", "recording__content"), pk=pk)
    require_role(request.user, APPROVERS | WRITERS, agency=script.bulletin.agency)
    return script


def own_schedule(request: OfficeRequest, pk: int) -> Schedule:
    """A schedule that the reader may change: as a writer of its bulletin, or as the keeper of all its outlets.

    Raises Http404, OutsideScope (403).
    """
    schedule = get_object_or_404(Schedule.objects.select_related("bulletin__agency__unit"), pk=pk)
    if not may_change(request, schedule):
        require_role(request.user, WRITERS, agency=schedule.bulletin.agency)
    return schedule


def may_change(request: OfficeRequest, schedule: Schedule) -> bool:
    """Whether the reader may stop a schedule or leave days of it out."""
    if has_role(request.user, WRITERS, agency=schedule.bulletin.agency):
        return True
    outlets = schedule.outlets.select_related("agency__unit")
    return all(has_role(request.user, KEEPERS, agency=outlet.agency) for outlet in outlets)


def own_airing(request: OfficeRequest, pk: int) -> Airing:
    """An airing at an outlet that the reader keeps. Raises Http404, OutsideScope (403)."""
    airings = Airing.objects.select_related("outlet__agency__unit", "schedule__bulletin")
    airing = get_object_or_404(airings, pk=pk)
    require_role(request.user, KEEPERS, agency=airing.outlet.agency)
    return airing


def own_outlet(request: OfficeRequest, pk: int) -> Outlet:
    """An outlet that the reader keeps. Raises Http404, OutsideScope (403)."""
    outlet = get_object_or_404(Outlet.objects.select_related("agency__unit", "unit"), pk=pk)
    require_role(request.user, KEEPERS, agency=outlet.agency)
    return outlet


def outlets_for(user: User, bulletin: Bulletin, roles: Iterable[str] = WRITERS) -> QuerySet[Outlet]:
    """Outlets at which the person may have a bulletin aired: those within reach, and those lent to its agency."""
    above = [pk for pk, path in Agency.objects.values_list("pk", "path") if bulletin.agency.path.startswith(path)]
    lent = Q(pk__in=Outlet.lent_to.through.objects.filter(agency__in=above).values("outlet"))
    return Outlet.objects.filter(Q(agency__in=agencies_in_reach(user, roles)) | lent, closed_at=None).select_related(
        "agency__unit", "unit"
    )


def may_air_at(user: User, outlet: Outlet) -> bool:
    """Whether the person may air at an outlet: it is within reach, or lent to an agency for which they write."""
    if has_role(user, WRITERS | KEEPERS, agency=outlet.agency):
        return True
    lent = [agency.path for agency in outlet.lent_to.all()]
    own = agencies_in_reach(user, WRITERS).values_list("path", flat=True)
    return any(path.startswith(tuple(lent)) for path in own)


def is_heard_in_ward_only(user: User, outlets: Iterable[Outlet], roles: Iterable[str] = WRITERS) -> bool:
    """Whether an airing is heard only in the person's own ward: every outlet is a group of its loudspeakers."""
    outlets = list(outlets)
    if any(outlet.kind != OutletKind.LOUDSPEAKERS for outlet in outlets):
        return False
    return is_within_own_ward(user, roles, [outlet.territory for outlet in outlets])


def agencies_with_own_outlets(request: OfficeRequest) -> frozenset[int]:
    """Primary keys of the agencies for which the reader keeps the outlets."""
    return frozenset(agencies_in_reach(request.user, KEEPERS).values_list("pk", flat=True))


def may_write_for(request: OfficeRequest, agency: Agency | None = None) -> bool:
    """Whether the reader may write bulletins for this agency; without an agency, for any."""
    return has_role(request.user, WRITERS, agency=agency)


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """Texts by others that this person may approve, and past airings of the last week that they should attest."""
    matters: list[Matter] = []
    if grants_for(user, APPROVERS):
        matters += _texts_to_approve(user)
    if grants_for(user, KEEPERS):
        matters += _airings_to_attest(user, now)
    return matters


def _texts_to_approve(user: User) -> list[Matter]:
    newest = Script.objects.filter(bulletin=OuterRef("bulletin"), language=OuterRef("language")).order_by("-number")
    texts = Script.objects.filter(
        rows_at_the_desk(user, APPROVERS, "bulletin__agency", Q(bulletin__isnull=False)),
        approved_at=None, bulletin__withdrawn_at=None, pk=Subquery(newest.values("pk")[:1]),
    ).exclude(written_by=user)  # fmt: skip
    matters = []
    oldest_first = texts.select_related("bulletin__agency").defer("text", "correction").order_by("written_at")
    for script in oldest_first[: MOST_MATTERS + 1]:
        is_emergency = script.bulletin.importance == Importance.EMERGENCY
        by = script.written_at + datetime.timedelta(days=0 if is_emergency else 1)
        what = f"{script.bulletin.title} · {script.get_language_display()}"
        url = reverse("bulletin", args=[script.bulletin_id])
        act = _("Listen and approve")
        matters.append(
            Matter(f"script {script.pk}", what, act, url, by, Pile.AGENCY, where=script.bulletin.agency.name)
        )
    return shorten(matters, reverse("bulletins"), texts.count)


def _airings_to_attest(user: User, now: datetime.datetime) -> list[Matter]:
    unattested = Airing.objects.filter(
        rows_at_the_desk(user, KEEPERS, "outlet__agency", Q(outlet__isnull=False)),
        attestation=None, displaced="", due_at__gt=now - datetime.timedelta(days=7), due_at__lte=now,
    ).exclude(outlet__kind=OutletKind.LOUDSPEAKERS)  # fmt: skip
    rows = unattested.order_by().values_list("outlet", "outlet__name").annotate(count=Count("pk"), first=Min("due_at"))
    matters = []
    for outlet, name, count, first in rows.order_by("first", "outlet"):
        what = ngettext("%(count)d airing without a report", "%(count)d airings without a report", count)
        url = f"{reverse('air-log')}?{urlencode({'outlet': outlet, 'week': Week.of(localtime(first).date())})}"
        by = first + datetime.timedelta(days=1)
        key = f"air {outlet} {first}"
        act = _("Record what was aired")
        matters.append(Matter(key, what % {"count": count}, act, url, by, Pile.AGENCY, where=name))
    return shorten(matters, reverse("air-log"))
