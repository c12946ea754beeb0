# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: drafts of alerts to release."""

import datetime

from django.urls import reverse
from django.utils.translation import gettext

from bluezone.directory.scopes import grants_for
from bluezone.duties.duty import Matter, Pile, shorten
from bluezone.identity.models import User
from bluezone.messaging.cap.duty import ALERT_SIGNERS
from bluezone.messaging.cap.lifecycle import has_reach
from bluezone.messaging.cap.models import Alert
from bluezone.training import practising


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """Drafts that this person may release: written by another, and not expired."""
    if practising() or not grants_for(user, ALERT_SIGNERS.roles):
        return []
    drafts = Alert.objects.filter(sent_at=None, expires_at__gt=now).exclude(written_by=user.username)
    matters = []
    for draft in drafts.order_by("made_at").prefetch_related("units"):
        if has_reach(user, draft, ALERT_SIGNERS.roles):
            url = reverse("alert", args=[draft.pk])
            act = gettext("Read and send")
            matters.append(Matter(f"alert {draft.pk}", draft.headline_vi, act, url, draft.made_at, Pile.MINE))
    return shorten(matters, reverse("alerts"))
