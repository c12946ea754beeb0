# SPDX-License-Identifier: Apache-2.0
"""Which drives, teams and requests a person works with, and what they may do there.

The teams of the unions that serve a request's ward may take it on. A request without a ward is for the teams of the
unions that serve the whole city.
"""

import datetime

from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import agencies_in_reach, grants_for, has_role
from bluezone.duties.duty import MOST_MATTERS, Matter, Pile, shorten
from bluezone.identity.models import User
from bluezone.rollout.drives.duty import DRIVE_PLANNERS, HELPERS
from bluezone.rollout.drives.models import Drive, DriveState, HelpRequest, HelpState, Team

# How long after a drive the answers from its house visits may be entered and settled.
AFTERWARDS = datetime.timedelta(days=14)
_WHOLE_CITY = (UnitKind.PROVINCE, UnitKind.DISTRICT)


def teams_of(user: User) -> QuerySet[Team]:
    """Teams for which the person may take on requests."""
    return Team.objects.filter(ended_at=None, agency__in=agencies_in_reach(user, HELPERS.roles)).select_related(
        "agency"
    )


def planned_teams(user: User) -> QuerySet[Team]:
    """Teams for which the person plans drives."""
    agencies = agencies_in_reach(user, DRIVE_PLANNERS.roles)
    return Team.objects.filter(ended_at=None, agency__in=agencies).select_related("agency")


def requests_for(user: User) -> QuerySet[HelpRequest]:
    """Requests that the person's teams may take on; those of a stall are on the page of its drive."""
    reach = Q(pk__in=[])
    for grant in grants_for(user, HELPERS.roles):
        unit = grant.unit or (grant.agency.unit if grant.agency else None)
        if unit is None:
            reach = Q()
            break
        reach |= Q(unit__path__startswith=unit.path)
        if unit.kind in _WHOLE_CITY:
            reach |= Q(unit=None)
    return HelpRequest.objects.filter(reach, drive=None).select_related("unit", "team")


def claimed_by(user: User) -> QuerySet[HelpRequest]:
    """Requests that one of the person's teams has taken on."""
    teams = teams_of(user)
    return HelpRequest.objects.filter(state=HelpState.CLAIMED, team__in=teams).select_related("unit", "team", "drive")


def wards_of_drives(union: Agency, now: datetime.datetime) -> QuerySet[AdminUnit]:
    """Wards in which teams of a union, or of those under it, have a drive, up to two weeks after its end."""
    drives = Drive.objects.filter(team__agency__path__startswith=union.path, ends__gt=now - AFTERWARDS)
    return AdminUnit.objects.filter(pk__in=drives.values("unit"))


def works_at(user: User, drive: Drive) -> bool:
    """Whether the person works at this drive, and so takes on and closes its requests."""
    return has_role(user, HELPERS.roles, agency=drive.team.agency)


def may_plan(user: User, drive: Drive) -> bool:
    """Whether the person plans this drive, and so may open, close or cancel it and enter its sheets."""
    return has_role(user, DRIVE_PLANNERS.roles, agency=drive.team.agency)


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """Requests that this person's teams have or may take on, and drives to open or close."""
    if not grants_for(user, HELPERS.roles):
        return []
    url = reverse("help-queue")
    claimed = claimed_by(user).order_by("claimed_until")
    help_matters = []
    for help_request in claimed[: MOST_MATTERS + 1]:
        what = _("Request for help %(ticket)s") % {"ticket": help_request.ticket}
        by = help_request.claimed_until or now
        ward = help_request.unit.name if help_request.unit else ""
        help_matters.append(Matter(f"help {help_request.pk}", what, _("Help"), url, by, Pile.MINE, where=ward))
    help_matters = shorten(help_matters, url, claimed.count)
    unclaimed = requests_for(user).filter(state=HelpState.OPEN).aggregate(count=Count("pk"), first=Min("opened_at"))
    if unclaimed["count"]:
        what = ngettext(
            "%(count)d request for help is waiting", "%(count)d requests for help are waiting", unclaimed["count"]
        )
        by = unclaimed["first"] + datetime.timedelta(days=1)
        what %= {"count": unclaimed["count"]}
        help_matters.append(Matter(f"help {unclaimed['first']}", what, _("Take one on"), url, by, Pile.AGENCY))
    drives = Drive.objects.filter(team__agency__in=agencies_in_reach(user, HELPERS.roles)).exclude(
        state=DriveState.CLOSED
    )
    soon = drives.filter(begins__lte=now + datetime.timedelta(days=1)).select_related("unit").order_by("begins")
    drive_matters = []
    for drive in soon[: MOST_MATTERS + 1]:
        is_live = drive.state == DriveState.LIVE
        act = _("Close the drive") if is_live else _("Open the drive")
        by = drive.ends if is_live else drive.begins
        key = f"drive {drive.pk} {drive.state}"
        drive_url = reverse("drive", args=[drive.pk])
        drive_matters.append(
            Matter(key, drive.place, act, drive_url, by, Pile.AGENCY, stated=True, where=drive.unit.name)
        )
    return [*help_matters, *shorten(drive_matters, reverse("drives"), soon.count)]
