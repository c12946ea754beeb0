# SPDX-License-Identifier: Apache-2.0
"""Whose drives, teams and requests a person works with.

A request is for the teams whose union serves its ward; one that names no ward is for those that serve the whole city.
"""

import datetime

from django.db.models import Q, QuerySet

from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import agencies_of, granted, may
from bluezone.identity.models import User
from bluezone.rollout.drives.duty import DRIVE_PLANNERS, HELPERS
from bluezone.rollout.drives.models import Drive, HelpRequest, HelpState, Team

# What was said at doors is entered and settled so long after a drive.
AFTERWARDS = datetime.timedelta(days=14)
_WHOLE_CITY = (UnitKind.PROVINCE, UnitKind.DISTRICT)


def teams_of(user: User) -> QuerySet[Team]:
    """Teams for which the person takes requests on."""
    return Team.objects.filter(ended_at=None, agency__in=agencies_of(user, HELPERS.roles)).select_related("agency")


def planned_teams(user: User) -> QuerySet[Team]:
    """Teams whose drives the person plans."""
    return Team.objects.filter(ended_at=None, agency__in=agencies_of(user, DRIVE_PLANNERS.roles)).select_related(
        "agency"
    )


def requests_for(user: User) -> QuerySet[HelpRequest]:
    """Requests that the person's teams may take on; those of a stall are read on its own page."""
    reach = Q(pk__in=[])
    for grant in granted(user, HELPERS.roles):
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
    """Wards in which teams of a union, or of those under it, have a drive: to come, going on, or over for two weeks."""
    drives = Drive.objects.filter(team__agency__path__startswith=union.path, ends__gt=now - AFTERWARDS)
    return AdminUnit.objects.filter(pk__in=drives.values("unit"))


def runs(user: User, drive: Drive) -> bool:
    """Whether the person works at this drive: takes requests on, opens and closes it."""
    return may(user, HELPERS.roles, agency=drive.team.agency)


def plans(user: User, drive: Drive) -> bool:
    """Whether the person plans this drive, calls it off and enters its sheets."""
    return may(user, DRIVE_PLANNERS.roles, agency=drive.team.agency)
