# SPDX-License-Identifier: Apache-2.0
"""Lists of doors (turfs) and their leases to phones; the visits, entries and photographs that phones and sheets
brought, never changed; and entries that were kept aside.
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit
from bluezone.rollout.canvass.models.household import Household
from bluezone.rollout.canvass.visits.outcomes import Outcome, Revisit, SkipReason
from bluezone.training import PractisedMixin


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
