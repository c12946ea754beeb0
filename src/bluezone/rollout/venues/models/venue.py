# SPDX-License-Identifier: Apache-2.0
"""A venue and where it stands, and the one-time code with which whoever registers it shows that an address is theirs.

Source: Công văn 458/UBND-VP, clause 5 (restaurants, hotels, businesses); specs/rollout.md A6 and scenario 14.
"""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.agencies.models import AdminUnit

MOST_STAY_MINUTES = 1440


class VenueKind(models.IntegerChoices):
    """What sort of venue; the numbers are the types of protocol.md 6 that fit one with a door of its own."""

    OTHER = 1, _("Hotel, other")
    SHOP = 3, _("Shop, market")
    FOOD = 4, _("Restaurant, café")
    CRAFT = 5, _("Workshop, service")
    WORK = 6, _("Business, workplace")
    PUBLIC = 8, _("Public building")


class VenueState(models.TextChoices):
    """Where it stands."""

    UNCONFIRMED = "unconfirmed", _("address not confirmed")
    APPLIED = "applied", _("waits for the ward")
    APPROVED = "approved", _("registered")
    REFUSED = "refused", _("refused")
    SUSPENDED = "suspended", _("code withdrawn")
    CLOSED = "closed", _("closed")


class Venue(PractisedMixin):
    """One venue.

    name, address: as they are signed and printed, at most 80 and 100 bytes. stay_minutes: the usual stay.
    owner:     account of whoever runs it, None where there is none.
    sealed:    who to reach, JSON {"person", "phone", "email"} under a key of the data folder, empty once forgotten.
    contact_digest: keyed digest of the e-mail address, so that a second venue comes to the same account; "" none.
    handle:    22 characters in the address of the applicant's page; says nothing.
    in_person: the ward has seen who registers it; else an e-mail address was confirmed.
    till_digest: SHA-256 of the token in the address of the till's page, None while there is none.
    Personal data: what is sealed, and the digest: emptied 30 days after it was refused, 90 days after it was closed;
    an unconfirmed application is deleted after a day (retention.py).
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
    """The one-time code of an application, six digits sent to its e-mail address; a keyed digest, deleted when used.

    tries: wrong ones so far. expires_at: 30 minutes after it was sent.
    """

    venue = models.OneToOneField(Venue, on_delete=models.CASCADE, related_name="mail_code")
    digest = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()

    TRAINING_MOMENT = ""

    def __str__(self) -> str:
        return f"code of {self.venue_id}"
