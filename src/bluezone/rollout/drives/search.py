# SPDX-License-Identifier: Apache-2.0
"""Drives for the search of the office."""

from django.urls import reverse
from django.utils.translation import gettext as _

from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.models import User
from bluezone.rollout.drives.models import Drive
from bluezone.vietnamese.spelling import holds


def search(user: User, words: str) -> list[Hit]:
    """The newest drives with these words in their place, ward or campaign; anyone who is signed in may read them."""
    drives = Drive.objects.select_related("unit", "campaign").order_by("-begins")
    matches = [
        drive for drive in drives[:2000] if holds(f"{drive.place} {drive.unit.name} {drive.campaign.name}", words)
    ]
    return [
        Hit(_("Drive"), drive.place, reverse("drive", args=[drive.pk]), drive.unit.name)
        for drive in matches[:MOST_HITS]
    ]
