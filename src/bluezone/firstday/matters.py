# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: the steps of the first day that are left."""

import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.scopes import has_city_role
from bluezone.duties.duty import Matter, Pile
from bluezone.firstday.checklist import build_checklist
from bluezone.identity.models import Role, User
from bluezone.training import practising


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """The remaining set-up as one matter, for an administrator of the whole city."""
    if practising() or not has_city_role(user, [Role.ADMIN]):
        return []
    failing = len(build_checklist(now).failing)
    if not failing:
        return []
    what = ngettext(
        "If you went live now, %(number)s thing would fail",
        "If you went live now, %(number)s things would fail",
        failing,
    ) % {"number": failing}
    return [Matter("first day", what, _("See what is left to set up"), reverse("first-day"), now, Pile.MINE)]
