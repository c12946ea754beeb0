# SPDX-License-Identifier: Apache-2.0
"""Bulletins for the search of the office."""

from django.urls import reverse
from django.utils.translation import gettext as _

from bluezone.directory.scopes import (
    grants_for,
)
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.models import User
from bluezone.identity.roles import ROLES
from bluezone.rollout.bulletins.models import Bulletin
from bluezone.vietnamese.spelling import holds


def search(user: User, words: str) -> list[Hit]:
    """Bulletins by title; anyone who is signed in may read them."""
    if not grants_for(user, ROLES):
        return []
    bulletins = Bulletin.objects.select_related("agency")[:2000]
    matches = [bulletin for bulletin in bulletins if holds(bulletin.title, words)]
    return [
        Hit(_("Bulletin"), bulletin.title, reverse("bulletin", args=[bulletin.pk]), bulletin.agency.name)
        for bulletin in matches[:MOST_HITS]
    ]
