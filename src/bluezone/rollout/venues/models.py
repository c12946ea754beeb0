# SPDX-License-Identifier: Apache-2.0
"""Venues and their states, signed codes, counts of opened poster pages and of people at tills, inspections with
pictures, and one-time codes for applications.
"""

import datetime
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import AdminUnit
from bluezone.refusal import Refused
from bluezone.training import PractisedMixin

MOST_STAY_MINUTES = 1440


class VenueKind(models.IntegerChoices):
    """Kind of a venue. The numbers are the types of docs/protocol.md section 6 that have a separate entrance."""

    OTHER = 1, _("Hotel, other")
    SHOP = 3, _("Shop, market")
    FOOD = 4, _("Restaurant, café")
    CRAFT = 5, _("Workshop, service")
    WORK = 6, _("Business, workplace")
    PUBLIC = 8, _("Public building")


class VenueState(models.TextChoices):
    """The state of a venue in the register."""

    UNCONFIRMED = "unconfirmed", _("address not confirmed")
    APPLIED = "applied", _("waiting for the ward")
    APPROVED = "approved", _("registered")
    REFUSED = "refused", _("refused")
    SUSPENDED = "suspended", _("code revoked")
    CLOSED = "closed", _("closed")


class Venue(PractisedMixin):
    """One venue.

    name, address: as signed and printed, at most 80 and 100 bytes. stay_minutes: the usual stay.
    owner:     account of the person who runs it, None if there is no account.
    sealed:    the contact, JSON {"person", "phone", "email"}, under a key of the data folder; empty once purged.
    contact_digest: keyed digest of the e-mail address, by which a second venue gets the same account. Without an
        e-mail address, that of the telephone number that gets the code, or "".
    handle:    22 random characters in the address of the applicant's page.
    in_person: the ward has met the applicant; otherwise a code confirmed the e-mail address or telephone number.
    till_digest: SHA-256 of the token in the address of the till's page, None if there is no page.
    Personal data: sealed and contact_digest. They are emptied 90 days after the venue was closed; a refused
    application is deleted after 30 days, an unconfirmed one after a day (`retention.purge`).
    """

    name = models.CharField(_("Name of the venue"), max_length=80)
    address = models.CharField(_("Address"), max_length=100)
    kind = models.PositiveSmallIntegerField(_("Kind"), choices=VenueKind, default=VenueKind.FOOD)
    stay_minutes = models.PositiveSmallIntegerField(
        _("Usual stay in minutes"), default=60, validators=[MinValueValidator(10), MaxValueValidator(MOST_STAY_MINUTES)]
    )
    unit = models.ForeignKey(
        AdminUnit, on_delete=models.PROTECT, related_name="venues", verbose_name=_("Ward or commune")
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="venues"
    )
    sealed = models.BinaryField(default=bytes)
    contact_digest = models.CharField(max_length=64, blank=True, db_index=True)
    handle = models.CharField(max_length=22, unique=True)
    in_person = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=VenueState)
    reason = models.CharField(_("Reason"), max_length=300, blank=True)
    applied_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    till_digest = models.CharField(max_length=64, null=True, unique=True)

    TRAINING_MOMENT = "applied_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="venue_has_a_name"),
            models.CheckConstraint(condition=Q(state__in=VenueState.values), name="venue_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state=VenueState.REFUSED) | ~Q(reason=""), name="refused_venue_has_a_reason"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["unit", "state"], name="venue_by_unit_and_state")]

    def __str__(self) -> str:
        return self.name


class MailCode(PractisedMixin):
    """The one-time code of an application, six digits sent by e-mail or text message; deleted when it is redeemed.

    digest: keyed, of the code. tries: wrong tries so far. expires_at: 30 minutes after it was sent.
    """

    venue = models.OneToOneField(Venue, on_delete=models.CASCADE, related_name="mail_code")
    digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()

    TRAINING_MOMENT = ""

    def __str__(self) -> str:
        return f"code of {self.venue_id}"


class CodeEnd(models.TextChoices):
    """Why a code is no longer valid."""

    RENEWED = "renewed", _("replaced by a new one")
    SUSPENDED = "suspended", _("revoked")
    CLOSED = "closed", _("the venue has closed")


class PosterCode(PractisedMixin):
    """One signed code (docs/protocol.md section 6) of a venue, and the posters and cards printed with it.

    number: 1, 2, … for each venue. link: text of the large QR code; as this hangs at the door, it is no secret.
    short:  8 letters in the address of the poster's own page (`/p/<short>`), which shows whether the code is valid.
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
    """How often a poster's page was opened on a day; nothing about the readers, such as address, cookie or time."""

    code = models.ForeignKey(PosterCode, on_delete=models.CASCADE, related_name="scans")
    day = models.DateField()
    count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["code", "day"], name="scans_once_a_day")]

    def __str__(self) -> str:
        return f"{self.count} on {self.day}"


class TillCount(models.Model):
    """How many people were counted on a day, by taps on one tablet at the till: the largest number that it reported.

    tablet: 16 random hex digits that the page on the tablet has made.
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


class Inspection(PractisedMixin):
    """One inspection. poster_seen: the poster with the valid code hangs where people see it.

    inspected_by: sign-in name, an official duty. findings: about the venue, never a guest; emptied after a year.
    """

    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="inspections")
    day = models.DateField(_("Day"))
    poster_seen = models.BooleanField(_("The poster with the current code is where people can see it"))
    findings = models.TextField(_("Findings"), max_length=1000, blank=True)
    inspected_by = models.CharField(max_length=40)
    made_at = models.DateTimeField(default=timezone.now)

    TRAINING_MOMENT = "made_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-day", "-pk"]

    def __str__(self) -> str:
        return f"{self.venue_id} on {self.day}"


class InspectionPhoto(PractisedMixin):
    """The picture of an inspection, a JPEG without metadata such as place, time or camera. Deleted after 90 days.

    Personal data: people may be in the picture.
    """

    inspection = models.OneToOneField(Inspection, on_delete=models.CASCADE, related_name="photo")
    jpeg = models.BinaryField()

    TRAINING_MOMENT = ""

    def __str__(self) -> str:
        return f"picture of {self.inspection_id}"


class VenueStateWrong(Refused):
    """The venue is not in a state in which this step is possible; nothing was changed."""

    code = "venue_state_wrong"


def change_state(
    venue: Venue, expected: list[VenueState], after: VenueState, now: datetime.datetime, reason: str = ""
) -> None:
    """Change the state of a venue that is in one of the `expected` states; `reason` is for the owner.

    Raises VenueStateWrong if another decision was first.
    """
    changed = Venue.objects.filter(pk=venue.pk, state__in=expected).update(state=after, decided_at=now, reason=reason)
    if not changed:
        raise VenueStateWrong(f"the venue is {venue.state}, expected {' or '.join(expected)}")
    venue.refresh_from_db()


__all__ = [
    "CodeEnd",
    "Inspection",
    "InspectionPhoto",
    "MailCode",
    "PosterCode",
    "ScanCount",
    "TillCount",
    "Venue",
    "VenueKind",
    "VenueState",
    "VenueStateWrong",
    "change_state",
]
