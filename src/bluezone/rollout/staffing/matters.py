# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: staff reports that are owed, and requests to open a locked week."""

import datetime

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.models import Agency
from bluezone.directory.scopes import grants_for, rows_of_own_agencies
from bluezone.duties.duty import MOST_MATTERS, Matter, Pile, shorten
from bluezone.identity.models import Role, User
from bluezone.rollout.report_week import Week
from bluezone.rollout.staffing.models import StaffReport
from bluezone.rollout.staffing.week_requests import open_requests
from bluezone.training import practising

_DAY = datetime.timedelta(days=1)


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """Staff reports that a user owes for this week or the last, and requests to reopen a locked week."""
    today = timezone.localdate(now)
    roles = STAFF_REPORTERS.roles - {Role.ADMIN}
    matters: list[Matter] = []
    if grants_for(user, roles):
        for week in (Week.of(today).previous, Week.of(today)):
            if today < week.locks_on:
                matters += _owed(user, roles, week)
    requests = open_requests(user) if grants_for(user, [Role.ADMIN, Role.CLERK]) else []
    if requests:
        what = ngettext("%(count)d request to reopen a week", "%(count)d requests to reopen a week", len(requests))
        what %= {"count": len(requests)}
        by = requests[0].asked_at + _DAY
        matters.append(Matter(f"weeks {requests[0].pk}", what, _("Answer"), reverse("staff"), by, Pile.SENT))
    return matters


def _owed(user: User, roles: frozenset[str], week: Week) -> list[Matter]:
    """The staff reports of an open week that the agencies of a user owe."""
    sent = StaffReport.everything.filter(week=week.first_day, is_current=True, training=practising())
    owing = Agency.objects.valid_on(week.first_day).filter(rows_of_own_agencies(user, roles, ""))
    owing = owing.exclude(pk__in=sent.values("agency"))
    by = timezone.make_aware(datetime.datetime.combine(week.due + _DAY, datetime.time()))
    matters = []
    for agency in owing.order_by("name")[: MOST_MATTERS + 1]:
        key = f"staff {agency.pk} {week}"
        what = _("Staff report, week %(week)s") % {"week": week}
        url = f"{reverse('staff-report', args=[agency.pk])}?week={week}"
        matters.append(Matter(key, what, _("Report"), url, by, Pile.AGENCY, stated=True, where=agency.name))
    return shorten(matters, f"{reverse('staff')}?week={week}", owing.count)
