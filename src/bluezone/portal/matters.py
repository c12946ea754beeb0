# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: drafts of news to publish."""

import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from bluezone.directory.scopes import grants_for, reaches_beyond_a_ward
from bluezone.duties.duty import MOST_MATTERS, Matter, Pile, shorten
from bluezone.identity.duty import EDITORS
from bluezone.identity.models import User
from bluezone.portal.models import NewsItem, NewsState
from bluezone.training import practising


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """Drafts that this person may publish."""
    if practising() or not grants_for(user, EDITORS.roles) or not reaches_beyond_a_ward(user, EDITORS.roles):
        return []
    drafts = NewsItem.objects.filter(state=NewsState.DRAFT).order_by("written_at")
    matters = []
    for item in drafts.defer("body_vi", "body_en")[: MOST_MATTERS + 1]:
        url = reverse("news-preview", args=[item.pk])
        due = item.written_at + datetime.timedelta(days=1)
        matters.append(Matter(f"news {item.pk}", item.title_vi, _("Read and publish"), url, due, Pile.AGENCY))
    return shorten(matters, reverse("news-desk"), drafts.count)
