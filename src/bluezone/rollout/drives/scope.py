# SPDX-License-Identifier: Apache-2.0
"""Whose drives, teams and requests a person works with.

A request is for the teams whose union serves its ward; one that names no ward is for those that serve the whole city.
"""

import datetime

from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.scopes import agencies_of, granted, may
from bluezone.duties.duty import MOST_HITS, MOST_MATTERS, Hit, Matter, Pile, shorten
from bluezone.identity.models import User
from bluezone.rollout.drives.duty import DRIVE_PLANNERS, HELPERS
from bluezone.rollout.drives.models import Drive, DriveState, HelpRequest, HelpState, Team
from bluezone.vietnamese.spelling import holds

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


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """Whom this person's teams are to help, and drives that begin or are to be closed."""
    if not granted(user, HELPERS.roles):
        return []
    url = reverse("help-queue")
    helping = claimed_by(user).order_by("claimed_until")
    found = [
        Matter(
            f"help {one.pk}", _("Request for help %(ticket)s") % {"ticket": one.ticket}, _("Help"), url,
            one.claimed_until or now, Pile.MINE, where=one.unit.name if one.unit else "",
        )
        for one in helping[: MOST_MATTERS + 1]
    ]  # fmt: skip
    found = shorten(found, url, helping.count)
    free = requests_for(user).filter(state=HelpState.OPEN).aggregate(count=Count("pk"), first=Min("opened_at"))
    if free["count"]:
        what = ngettext("%(count)d request for help waits", "%(count)d requests for help wait", free["count"])
        by = free["first"] + datetime.timedelta(days=1)
        what %= {"count": free["count"]}
        found.append(Matter(f"help {free['first']}", what, _("Take one on"), url, by, Pile.AGENCY))
    run = Drive.objects.filter(team__agency__in=agencies_of(user, HELPERS.roles)).exclude(state=DriveState.CLOSED)
    soon = run.filter(begins__lte=now + datetime.timedelta(days=1)).select_related("unit").order_by("begins")
    matters = []
    for one in soon[: MOST_MATTERS + 1]:
        live = one.state == DriveState.LIVE
        act = _("Close the drive") if live else _("Open the drive")
        by = one.ends if live else one.begins
        key, drive_url = f"drive {one.pk} {one.state}", reverse("drive", args=[one.pk])
        matters.append(Matter(key, one.place, act, drive_url, by, Pile.AGENCY, stated=True, where=one.unit.name))
    return [*found, *shorten(matters, reverse("drives"), soon.count)]


def search(user: User, words: str) -> list[Hit]:
    """Drives, which everybody signed in may read, by place, ward and campaign."""
    drives = Drive.objects.select_related("unit", "campaign").order_by("-begins")
    found = [one for one in drives[:2000] if holds(f"{one.place} {one.unit.name} {one.campaign.name}", words)]
    return [Hit(_("Drive"), one.place, reverse("drive", args=[one.pk]), one.unit.name) for one in found[:MOST_HITS]]
