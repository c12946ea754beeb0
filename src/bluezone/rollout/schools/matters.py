# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: numbers of classes that are owed, and requests to open a locked week."""

import datetime

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.scopes import grants_for
from bluezone.duties.duty import Matter, Pile, shorten
from bluezone.identity.models import User
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools import queries, school_calendar
from bluezone.rollout.schools.duty import CLASS_REPORTERS
from bluezone.rollout.schools.permissions import KEEPERS, own_schools_of, user_may_reopen_for


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """Matters of a user: classes that owe the numbers of a week, and requests to open a locked week.

    Teachers get one matter for each class and week; those who keep a school's classes, one for each school and week.
    At most two weeks are open.
    """
    if not grants_for(user, CLASS_REPORTERS.roles):
        return []
    today = timezone.localdate(now)
    own = own_schools_of(user)
    matters: list[Matter] = []
    for week in (Week.of(today).previous, Week.of(today)):
        if today < week.locks_on:
            matters += _owed(user, own, week)
    requests = school_calendar.requests_for(None) if grants_for(user, KEEPERS) else []
    requests = [opening for opening in requests if user_may_reopen_for(user, opening.school)]
    if requests:
        what = ngettext("%(count)d school asks to open a week", "%(count)d schools ask to open a week", len(requests))
        what %= {"count": len(requests)}
        by = requests[0].asked_at + datetime.timedelta(days=1)
        key = f"weeks of schools {requests[0].pk}"
        matters.append(Matter(key, what, _("Answer"), reverse("schools"), by, Pile.SENT))
    return matters


def _owed(user: User, own: frozenset[int], week: Week) -> list[Matter]:
    """The numbers of an open week that a user owes as a teacher, or for their own schools."""
    sent = queries.valid_reports(week).values("school_class")
    owing = queries.classes_of(week).exclude(pk__in=sent).filter(Q(teacher=user) | Q(school__in=own))
    breaks = school_calendar.breaks_around(week)
    by = timezone.make_aware(datetime.datetime.combine(week.due + datetime.timedelta(days=1), datetime.time()))
    taught: list[Matter] = []
    of_schools: dict[int, Matter] = {}
    for school_class in owing.select_related("school__unit"):
        school = school_class.school
        if breaks.reason_for(school, week):
            continue
        if school_class.teacher_id == user.pk:
            key = f"class {school_class.pk} {week}"
            what = _("Class %(name)s, week %(week)s") % {"name": school_class.name, "week": week}
            url = f"{reverse('school-class', args=[school_class.pk])}?week={week}"
            taught.append(Matter(key, what, _("Report"), url, by, Pile.MINE, stated=True, where=school.name))
        elif school.pk not in of_schools:
            key = f"school {school.pk} {week}"
            what = _("Numbers of the classes, week %(week)s") % {"week": week}
            url = f"{reverse('school', args=[school.pk])}?week={week}"
            matter = Matter(key, what, _("Report"), url, by, Pile.AGENCY, stated=True, where=school.name)
            of_schools[school.pk] = matter
    return [
        *shorten(taught, f"{reverse('schools-mine')}?week={week}"),
        *shorten(list(of_schools.values()), f"{reverse('schools')}?week={week}"),
    ]
