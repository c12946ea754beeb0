# SPDX-License-Identifier: Apache-2.0
"""Visits as phones and sheets told them, never changed; every entry that came; photographs; what was kept aside."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.agencies.models import AdminUnit
from bluezone.devices.models import Device
from bluezone.rollout.canvass.models.household import Household
from bluezone.rollout.canvass.models.turf import Lease
from bluezone.rollout.canvass.outcomes import Outcome, Revisit, SkipReason


class Entry(models.Model):
    """Every entry that ever came from a phone, stored or kept aside, so that a repeated push changes nothing.

    key: its UUIDv7. digest: SHA-256 over its content. number: its place among the entries of that run.
    """

    key = models.UUIDField(primary_key=True)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    run = models.CharField(max_length=8)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["device", "run", "number"], name="entry_by_number")]

    def __str__(self) -> str:
        return str(self.key)


class Visit(PractisedMixin):
    """One time at one door; a correction is another visit.

    key:      UUIDv7 made on the phone, or here for a line of a sheet. door: the household as the phone knew it;
              `household` is another one after a merge.
    device:   the phone, None for a sheet; then entered_by says whose account typed it in.
    phones:   smartphones in the household, None where not asked. seen: of them, how many the canvasser saw running on
              the screen. told: how many more run by the household's word. helped: installed with help just now.
    ticket:   of the request for help that it opened; how to reach the person stands there, sealed, and not here.
    after_lease: made or sent after the list was no longer the phone's.
    """

    TRAINING_MOMENT: ClassVar[str] = "received_at"

    key = models.UUIDField(primary_key=True, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="visits")
    door = models.UUIDField()
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")
    lease = models.ForeignKey(Lease, on_delete=models.SET_NULL, null=True, related_name="visits")
    at = models.DateTimeField(db_index=True)
    received_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(_("Outcome"), max_length=16, choices=Outcome)
    skip_reason = models.CharField(_("Why passed by"), max_length=12, choices=SkipReason, blank=True)
    phones = models.PositiveSmallIntegerField(_("Smartphones"), null=True, blank=True)
    seen = models.PositiveSmallIntegerField(_("Seen running"), default=0)
    told = models.PositiveSmallIntegerField(_("Running by their word"), default=0)
    helped = models.PositiveSmallIntegerField(_("Installed with help"), default=0)
    leaflet_lot = models.CharField(_("Leaflet lot"), max_length=20, blank=True)
    leaflets = models.PositiveSmallIntegerField(_("Leaflets left"), default=0)
    revisit = models.CharField(_("Come again"), max_length=12, choices=Revisit, blank=True)
    ticket = models.CharField(max_length=7, blank=True)
    after_lease = models.BooleanField(default=False)
    entered_by = models.CharField(max_length=150, blank=True)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-at", "key"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="visit_outcome_is_known"),
            models.CheckConstraint(
                condition=(Q(outcome=Outcome.SKIPPED) & ~Q(skip_reason=""))
                | (~Q(outcome=Outcome.SKIPPED) & Q(skip_reason="")),
                name="visit_passed_by_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(device__isnull=False) | ~Q(entered_by=""), name="visit_comes_from_somewhere"
            ),
        ]

    def __str__(self) -> str:
        return str(self.key)


class Photo(models.Model):
    """A photograph of a visit (a leaflet at the door, a damaged notice; never of people), without its metadata."""

    visit = models.OneToOneField(Visit, on_delete=models.CASCADE, primary_key=True, related_name="photo")
    jpeg = models.BinaryField()
    received_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"photo of {self.visit_id}"


class AsideReason(models.TextChoices):
    """Why an entry was kept aside instead of being stored."""

    OTHER_CONTENT = "other_content", _("same number as another entry, other content")
    WRONG_TURF = "wrong_turf", _("door of a list that this phone never had")
    IN_FUTURE = "in_future", _("dated in the future")
    OLD_FORM = "old_form", _("form of another version of the app")
    UNREADABLE = "unreadable", _("cannot be read")
    TURF_FULL = "turf_full", _("list has its 400 doors")
    PHONE_LOST = "phone_lost", _("phone is said to be lost")
    DOOR_GONE = "door_gone", _("household was deleted after its time")
    PHOTO_TOO_LARGE = "photo_too_large", _("photograph too large, not taken")


class Aside(models.Model):
    """An entry that could not be stored as it is: kept whole, shown to the ward, never dropped in silence.

    body: the entry as it came, as JSON text (a jsonb column would refuse some of what can come). unit: whose desk it
    lies on. state: open, then taken or dismissed by somebody.
    """

    class State(models.TextChoices):
        OPEN = "open", _("waits")
        TAKEN = "taken", _("taken in")
        DISMISSED = "dismissed", _("set aside for good")

    key = models.UUIDField()
    digest = models.CharField(max_length=64)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=16, choices=AsideReason)
    body = models.TextField()
    received_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-received_at", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "digest"], name="aside_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.reason}"
