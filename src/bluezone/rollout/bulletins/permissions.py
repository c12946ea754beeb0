# SPDX-License-Identifier: Apache-2.0
"""Who may write, approve, schedule and attest: bulletins, schedules, airings and outlets, by role and agency."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404

from bluezone.directory.models import Agency
from bluezone.directory.scopes import (
    agencies_in_reach,
    has_role,
    is_within_own_ward,
    require_role,
)
from bluezone.identity.audiences import OfficeRequest
from bluezone.identity.duty import EDITORS
from bluezone.identity.models import User
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS, BULLETIN_APPROVERS
from bluezone.rollout.bulletins.models import Airing, Bulletin, Outlet, OutletKind, Schedule, Script

WRITERS = EDITORS.roles
APPROVERS = BULLETIN_APPROVERS.roles
KEEPERS = AIRING_KEEPERS.roles


def own_bulletin(request: OfficeRequest, pk: int) -> Bulletin:
    """A bulletin that the reader writes. Raises Http404, OutsideScope (403)."""
    bulletin = get_object_or_404(Bulletin.objects.select_related("agency__unit"), pk=pk)
    require_role(request.user, WRITERS, agency=bulletin.agency)
    return bulletin


def script_to_approve(request: OfficeRequest, pk: int) -> Script:
    """A version of a bulletin of an agency for which the reader writes or approves. Raises Http404, OutsideScope."""
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
    """Open outlets at which the person may have a bulletin aired.

    These are the outlets of agencies within the reach of `roles`, and those lent to the bulletin's agency or to one
    above it.
    """
    above = [pk for pk, path in Agency.objects.values_list("pk", "path") if bulletin.agency.path.startswith(path)]
    lent = Q(pk__in=Outlet.lent_to.through.objects.filter(agency__in=above).values("outlet"))
    return Outlet.objects.filter(Q(agency__in=agencies_in_reach(user, roles)) | lent, closed_at=None).select_related(
        "agency__unit", "unit"
    )


def may_air_at(user: User, outlet: Outlet) -> bool:
    """Whether the person may air at an outlet.

    It is within their reach as a writer or keeper, or lent to an agency for which they write or to one above it.
    """
    if has_role(user, WRITERS | KEEPERS, agency=outlet.agency):
        return True
    lent = [agency.path for agency in outlet.lent_to.all()]
    own = agencies_in_reach(user, WRITERS).values_list("path", flat=True)
    return any(path.startswith(tuple(lent)) for path in own)


def is_heard_in_ward_only(user: User, outlets: Iterable[Outlet], roles: Iterable[str] = WRITERS) -> bool:
    """Whether every outlet is a group of loudspeakers that is heard only in the person's own ward."""
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
