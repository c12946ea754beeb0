# SPDX-License-Identifier: Apache-2.0
"""Turfs, their leases to phones, and what a phone last said of its backlog.

Source: specs/rollout.md A3: "turf lease with expiry; server scopes every pull to the leaseholder".
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.agencies.models import AdminUnit
from bluezone.devices.models import Device
from bluezone.rollout.canvass.models.household import Household


class Turf(PractisedMixin):
    """A list of doors that one canvasser can walk.

    group: residential group it was cut by, "" for a drawn list. closed_at: its doors may be cut anew.
    """

    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, related_name="+", verbose_name=_("Ward or commune"))
    name = models.CharField(_("Name of the list"), max_length=80)
    group = models.CharField(_("Residential group"), max_length=60, blank=True)
    made_by = models.CharField(max_length=150, editable=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    doors: "models.ManyToManyField[Household, TurfDoor]" = models.ManyToManyField(
        Household, through="TurfDoor", related_name="turfs"
    )

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["unit_id", "name", "pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(name=""), name="turf_has_a_name")]

    def __str__(self) -> str:
        return self.name


class TurfDoor(models.Model):
    """A door of a turf. place: its number on the printed sheet, from 1, in the order of walking."""

    turf = models.ForeignKey(Turf, on_delete=models.CASCADE, related_name="places")
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="places")
    place = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["turf_id", "place", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["turf", "household"], name="door_once_a_turf")]

    def __str__(self) -> str:
        return f"{self.turf_id}.{self.place}"


class LeaseEnd(models.TextChoices):
    """Why a lease ended."""

    DONE = "done", _("finished")
    GIVEN = "given", _("given to another phone")
    LOST = "lost", _("phone lost")
    EXPIRED = "expired", _("time was up")


class Lease(PractisedMixin):
    """A turf in the hands of one phone until a time, at most 30 days; one at a time for each turf.

    No name of a canvasser: the phone is known by what is written on it.
    """

    TRAINING_MOMENT: ClassVar[str] = "since"

    turf = models.ForeignKey(Turf, on_delete=models.CASCADE, related_name="leases")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="leases")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    made_by = models.CharField(max_length=150, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_why = models.CharField(max_length=8, choices=LeaseEnd, blank=True, editable=False)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-since", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["turf"], condition=Q(ended_at__isnull=True), name="turf_leased_once"),
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="lease_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="") | (Q(ended_at__isnull=False) & ~Q(ended_why="")),
                name="lease_ends_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.turf_id} with {self.device_id}"


class LeaseDoor(models.Model):
    """A door of a lease, kept when the turf is cut anew: a phone may still hold visits to it.

    is_open: while the lease is. The database holds that a door is in one open lease only.
    """

    lease = models.ForeignKey(Lease, on_delete=models.CASCADE, related_name="doors")
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="leased")
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lease", "household"], name="door_once_a_lease"),
            models.UniqueConstraint(fields=["household"], condition=Q(is_open=True), name="door_in_one_open_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.lease_id} {self.household_id}"


class PhoneRun(models.Model):
    """One connection of a phone, from its code until it is emptied: its entries are numbered from 1 without gaps.

    run:         8 hex digits that the app drew when it was connected.
    last_number: highest number that the phone has given out. waiting: how many entries it still held after its last
                 call. photos: photographs that still waited.
    lost_at:     somebody at the ward said that it is lost; it empties at its next contact (emptied_at).
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="runs")
    run = models.CharField(max_length=8)
    last_number = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    photos = models.PositiveIntegerField(default=0)
    form = models.PositiveSmallIntegerField(default=0)
    synced_at = models.DateTimeField()
    lost_at = models.DateTimeField(null=True)
    emptied_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["device", "run"], name="run_once_a_device")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.run}"
