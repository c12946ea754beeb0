# SPDX-License-Identifier: Apache-2.0
"""What hangs at a venue: its signed code, how often its page was opened, and how many people the till counted."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.rollout.venues.models.venue import Venue


class CodeEnd(models.TextChoices):
    """Why a code is no longer in force."""

    RENEWED = "renewed", _("replaced by a new one")
    SUSPENDED = "suspended", _("withdrawn")
    CLOSED = "closed", _("the venue has closed")


class PosterCode(PractisedMixin):
    """One signed code (protocol.md 6) of a venue, and the posters and cards printed with it.

    number: 1, 2, … of the venue. link: text of the large QR; it hangs at the door, so it is no secret.
    short:  8 letters in the address of the poster's own page (`/p/<short>`), which says whether it still holds.
    """

    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="codes")
    number = models.PositiveSmallIntegerField()
    link = models.TextField()
    fingerprint = models.CharField(max_length=6)
    sha256 = models.CharField(max_length=64, unique=True)
    short = models.CharField(max_length=8, unique=True)
    made_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=10, choices=CodeEnd, blank=True)

    TRAINING_MOMENT = "made_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venue", "number"], name="venue_code_number_once"),
            models.UniqueConstraint(
                fields=["venue"], condition=Q(ended_at__isnull=True), name="one_code_in_force_a_venue"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="") | (Q(ended_at__isnull=False) & ~Q(ended_why="")),
                name="ended_code_says_why",
            ),
        ]

    def __str__(self) -> str:
        return f"code {self.number} of {self.venue_id}"


class ScanCount(models.Model):
    """How often a poster's page was opened on a day. Nothing of who opened it: no address, no cookie, no time."""

    code = models.ForeignKey(PosterCode, on_delete=models.CASCADE, related_name="scans")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["code", "day"], name="scans_once_a_day")]

    def __str__(self) -> str:
        return f"{self.count} on {self.day}"


class TillCount(models.Model):
    """How many people one tablet at the till counted on a day by tapping: an absolute number, the larger one wins.

    tablet: 16 hex digits that the page made for itself; says nothing.
    """

    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="till_counts")
    tablet = models.CharField(max_length=16)
    day = models.DateField()
    people = models.PositiveIntegerField()

    class Meta:
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["venue", "tablet", "day"], name="till_once_a_day")]

    def __str__(self) -> str:
        return f"{self.people} on {self.day}"
