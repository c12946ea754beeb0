# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: acts to confirm as the second person, or alone."""

import datetime

from django.urls import reverse
from django.utils.translation import gettext

from bluezone.authority import two_persons
from bluezone.authority.models import ActState
from bluezone.authority.two_persons import kind_by_name
from bluezone.duties.duty import Matter, Pile
from bluezone.identity.models import User
from bluezone.training import practising


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """Acts that wait for this person as the second one, and acts that they asked for and may now do alone."""
    if practising():
        return []
    entries = []
    for act in two_persons.waiting_acts(now):
        if act.state != ActState.WAITING:
            continue
        alone = act.asked_by_id == user.pk and two_persons.may_confirm_alone(act, now)
        if two_persons.may_confirm(act, user, now) or (alone and now >= act.asked_at + two_persons.ALONE_AFTER):
            title = f"{kind_by_name(act.kind).title} · {act.asked_by}"
            url = reverse("waiting-act", args=[act.pk])
            entries.append(Matter(f"act {act.pk}", title, gettext("Read and confirm"), url, act.asked_at, Pile.MINE))
    return entries
