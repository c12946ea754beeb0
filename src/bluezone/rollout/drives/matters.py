# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: requests for help, and drives to open or close."""

import datetime

from django.db.models import Count, Min
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.scopes import agencies_in_reach, grants_for
from bluezone.duties.duty import MOST_MATTERS, Matter, Pile, shorten
from bluezone.identity.models import User
from bluezone.rollout.drives.duty import HELPERS
from bluezone.rollout.drives.models import Drive, DriveState, HelpState
from bluezone.rollout.drives.permissions import claimed_by, requests_for


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """Requests that this person's teams have claimed or may claim, and drives to open or close within a day."""
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
