# SPDX-License-Identifier: Apache-2.0
"""Which drives, teams and requests a person works with, and what they may do there.

A request may be claimed by the teams of the unions that serve its ward. A request without a ward may be claimed by the
teams of the unions that serve the whole city.
"""

import datetime

from django.db.models import Q, QuerySet

from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import agencies_in_reach, grants_for, has_role
from bluezone.identity.models import User
from bluezone.rollout.drives.duty import DRIVE_PLANNERS, HELPERS
from bluezone.rollout.drives.models import Drive, HelpRequest, HelpState, Team

# How long after a drive the answers from its house visits may be entered and settled.
AFTERWARDS = datetime.timedelta(days=14)
_WHOLE_CITY = (UnitKind.PROVINCE, UnitKind.DISTRICT)


def teams_of(user: User) -> QuerySet[Team]:
    """Teams for which the person may claim requests."""
    return Team.objects.filter(ended_at=None, agency__in=agencies_in_reach(user, HELPERS.roles)).select_related(
        "agency"
    )


def planned_teams(user: User) -> QuerySet[Team]:
    """Teams for which the person plans drives."""
    agencies = agencies_in_reach(user, DRIVE_PLANNERS.roles)
    return Team.objects.filter(ended_at=None, agency__in=agencies).select_related("agency")


def requests_for(user: User) -> QuerySet[HelpRequest]:
    """Requests in the area of the person's teams, in any state, without those of stalls (on the page of the drive)."""
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
    """Requests that one of the person's teams has claimed."""
    teams = teams_of(user)
    return HelpRequest.objects.filter(state=HelpState.CLAIMED, team__in=teams).select_related("unit", "team", "drive")


def wards_of_drives(union: Agency, now: datetime.datetime) -> QuerySet[AdminUnit]:
    """Wards in which a team of the union, or of a union under it, has a drive, until two weeks after the drive."""
    drives = Drive.objects.filter(team__agency__path__startswith=union.path, ends__gt=now - AFTERWARDS)
    return AdminUnit.objects.filter(pk__in=drives.values("unit"))


def works_at(user: User, drive: Drive) -> bool:
    """Whether the person works at this drive, and so claims and closes its requests."""
    return has_role(user, HELPERS.roles, agency=drive.team.agency)


def may_plan(user: User, drive: Drive) -> bool:
    """Whether the person plans this drive, and so may open, close or cancel it and enter its sheets."""
    return has_role(user, DRIVE_PLANNERS.roles, agency=drive.team.agency)
