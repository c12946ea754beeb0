# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: texts to approve, and airings to attest."""

import datetime
from urllib.parse import urlencode

from django.db.models import Count, Min, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.scopes import grants_for, rows_of_own_agencies
from bluezone.duties.duty import MOST_MATTERS, Matter, Pile, shorten
from bluezone.identity.models import User
from bluezone.rollout.bulletins.models import Airing, Importance, OutletKind, Script
from bluezone.rollout.bulletins.permissions import APPROVERS, KEEPERS
from bluezone.rollout.report_week import Week


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """Texts by others that this person may approve, and past airings of the last week that they should attest."""
    matters: list[Matter] = []
    if grants_for(user, APPROVERS):
        matters += _texts_to_approve(user)
    if grants_for(user, KEEPERS):
        matters += _airings_to_attest(user, now)
    return matters


def _texts_to_approve(user: User) -> list[Matter]:
    newest = Script.objects.filter(bulletin=OuterRef("bulletin"), language=OuterRef("language")).order_by("-number")
    texts = Script.objects.filter(
        rows_of_own_agencies(user, APPROVERS, "bulletin__agency", Q(bulletin__isnull=False)),
        approved_at=None, bulletin__withdrawn_at=None, pk=Subquery(newest.values("pk")[:1]),
    ).exclude(written_by=user)  # fmt: skip
    matters = []
    oldest_first = texts.select_related("bulletin__agency").defer("text", "correction").order_by("written_at")
    for script in oldest_first[: MOST_MATTERS + 1]:
        is_emergency = script.bulletin.importance == Importance.EMERGENCY
        by = script.written_at + datetime.timedelta(days=0 if is_emergency else 1)
        what = f"{script.bulletin.title} · {script.get_language_display()}"
        url = reverse("bulletin", args=[script.bulletin_id])
        act = _("Listen and approve")
        matters.append(
            Matter(f"script {script.pk}", what, act, url, by, Pile.AGENCY, where=script.bulletin.agency.name)
        )
    return shorten(matters, reverse("bulletins"), texts.count)


def _airings_to_attest(user: User, now: datetime.datetime) -> list[Matter]:
    unattested = Airing.objects.filter(
        rows_of_own_agencies(user, KEEPERS, "outlet__agency", Q(outlet__isnull=False)),
        attestation=None, displaced="", due_at__gt=now - datetime.timedelta(days=7), due_at__lte=now,
    ).exclude(outlet__kind=OutletKind.LOUDSPEAKERS)  # fmt: skip
    rows = unattested.order_by().values_list("outlet", "outlet__name").annotate(count=Count("pk"), first=Min("due_at"))
    matters = []
    for outlet, name, count, first in rows.order_by("first", "outlet"):
        what = ngettext("%(count)d airing without a report", "%(count)d airings without a report", count)
        url = f"{reverse('air-log')}?{urlencode({'outlet': outlet, 'week': Week.of(localtime(first).date())})}"
        by = first + datetime.timedelta(days=1)
        key = f"air {outlet} {first}"
        act = _("Record what was aired")
        matters.append(Matter(key, what % {"count": count}, act, url, by, Pile.AGENCY, where=name))
    return shorten(matters, reverse("air-log"))
