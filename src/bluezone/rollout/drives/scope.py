# SPDX-License-Identifier: Apache-2.0
"""Whose drives, teams and requests a person works with.

A request is for the teams whose union serves its ward; one that names no ward is for those that serve the whole city.
"""

from django.db.models import Q, QuerySet

from bluezone.directory.kinds import UnitKind
from bluezone.directory.scopes import agencies_of, may
from bluezone.identity.models import User, grants_of
from bluezone.rollout.drives.duty import DRIVE_PLANNERS, HELPERS
from bluezone.rollout.drives.models import Drive, HelpRequest, HelpState, Team

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
    for grant in grants_of(user):
        if grant.role not in HELPERS.roles:
            continue
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


def runs(user: User, drive: Drive) -> bool:
    """Whether the person works at this drive: takes requests on, opens and closes it."""
    return may(user, HELPERS.roles, agency=drive.team.agency)


def plans(user: User, drive: Drive) -> bool:
    """Whether the person plans this drive, calls it off and enters its sheets."""
    return may(user, DRIVE_PLANNERS.roles, agency=drive.team.agency)
