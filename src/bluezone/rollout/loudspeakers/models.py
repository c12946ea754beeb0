# SPDX-License-Identifier: Apache-2.0
"""Zones of loudspeakers, the machines in them, and what the machines say they played.

Source: Công văn 458/UBND-VP, clause 6 ("hệ thống truyền thanh cơ sở và định kỳ nhắc lại").
"""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device
from bluezone.rollout.bulletins.api import Airing, Outlet


class Zone(models.Model):
    """Loudspeakers that play together: an outlet of that kind, with its volume.

    volume: 0..100 percent. by_hand: somebody plays it from a memory stick and says so (attested).
    """

    outlet = models.OneToOneField(Outlet, on_delete=models.CASCADE, primary_key=True, related_name="zone")
    volume = models.PositiveSmallIntegerField(_("Volume (percent)"), default=80, validators=[MaxValueValidator(100)])
    by_hand = models.BooleanField(_("Played by hand"), default=False)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(volume__lte=100), name="zone_volume_is_percent")]

    def __str__(self) -> str:
        return str(self.outlet)


class Unit(models.Model):
    """One machine that plays for a zone.

    volume: its own, None for the zone's. heard_at: its last word, to the half minute.
    sink: what it plays with; "file" and "null" have no loudspeaker. clock_off_seconds: by how much its own clock
    differs from the server's, as it measured it. missing: sounds it has not fetched yet.
    health: version, free space, sound device, microphone (health.py).
    """

    device = models.OneToOneField(Device, on_delete=models.CASCADE, primary_key=True, related_name="speaker")
    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="units")
    volume = models.PositiveSmallIntegerField(_("Volume (percent)"), null=True, blank=True)
    heard_at = models.DateTimeField(null=True)
    sink = models.CharField(max_length=16, blank=True)
    clock_off_seconds = models.FloatField(null=True)
    missing = models.PositiveIntegerField(null=True)
    problem = models.CharField(max_length=40, blank=True)
    health = models.JSONField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(volume__isnull=True) | Q(volume__lte=100), name="unit_volume_is_percent")
        ]

    def __str__(self) -> str:
        return f"{self.device_id} in {self.zone_id}"


class Assignment(models.Model):
    """A machine was to play for a zone from `since` until `until` (None: it still is); a past figure rests on these.

    Kept by zone_setup.py: closed and begun anew when the machine is put elsewhere, closed while it is played by hand.
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="assignments")
    zone = models.ForeignKey(Zone, on_delete=models.PROTECT, related_name="assignments")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device"], condition=Q(until__isnull=True), name="one_zone_at_a_time"),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")), name="assignment_ends_after_it_began"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id} in {self.zone_id} from {self.since}"


class Outcome(models.TextChoices):
    """What a machine says became of an airing."""

    PLAYED = "played", _("played")
    PREEMPTED = "preempted", _("cut short by an emergency")
    MISSED = "missed", _("not played")


class Street(models.TextChoices):
    """What a machine's microphone says of an airing: a proof of its own, never added to what was played."""

    HEARD = "heard", _("heard in the street")
    NOT_HEARD = "not_heard", _("not heard in the street")
    NOT_KNOWN = "not_known", _("not known whether it was heard in the street")


class Playing(models.Model):
    """One airing at one machine, as the machine reported it; the first word of it stays.

    began_at, ended_at: by the server's clock as the machine measured it. interrupted_seconds: an emergency's share.
    earlier: attempts that a kill or a power cut ended before this one: [Unix seconds, seconds heard].
    tone_seconds: of the tone before an emergency; 0: none. second_sink: where an emergency was played as well, with
    second_seconds of it. parts: of a relay, what was heard: [station, fall_back or silence, Unix seconds, seconds].
    street: what its microphone says; empty where none listens.
    """

    airing = models.ForeignKey(Airing, on_delete=models.CASCADE, related_name="playings")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="playings")
    outcome = models.CharField(max_length=12, choices=Outcome)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    heard_seconds = models.FloatField(default=0)
    interrupted_seconds = models.FloatField(default=0)
    sink = models.CharField(max_length=16)
    reason = models.CharField(max_length=40, blank=True)
    earlier = models.JSONField(default=list, blank=True)
    tone_seconds = models.FloatField(default=0)
    second_sink = models.CharField(max_length=16, blank=True)
    second_seconds = models.FloatField(default=0)
    parts = models.JSONField(default=list, blank=True)
    street = models.CharField(max_length=12, choices=Street, blank=True)
    reported_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["airing", "device"], name="playing_once"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="playing_outcome_is_known"),
            models.CheckConstraint(condition=Q(street__in=["", *Street.values]), name="playing_street_is_known"),
            models.CheckConstraint(
                condition=Q(outcome="missed") | Q(began_at__isnull=False), name="what_was_played_began"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.airing_id} at {self.device_id}: {self.outcome}"


class Address(models.Model):
    """Somebody spoke live at the loudspeakers of a zone. last_at: when its last piece of sound came.

    heard: what each machine said of it, by its key: {outcome, seconds, sink, reason}; the first word stays.
    Personal data: the account that spoke, an official duty. Its voice is in the pieces, which are deleted soon.
    """

    zone = models.ForeignKey(Zone, on_delete=models.CASCADE, related_name="addresses")
    spoken_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    pieces = models.PositiveIntegerField(default=0)
    heard = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["zone"], condition=Q(ended_at__isnull=True), name="one_speaks_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.spoken_by_id} at {self.zone_id} from {self.began_at}"


class Piece(models.Model):
    """A second of an address, a part of one WebM stream. Personal data: a voice, deleted when the address is over."""

    address = models.ForeignKey(Address, on_delete=models.CASCADE, related_name="kept")
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["address", "number"], name="piece_once")]

    def __str__(self) -> str:
        return f"{self.number} of {self.address_id}"


class PlanVersion(models.Model):
    """One row whose number rises with every change of what machines are to play."""

    number = models.PositiveBigIntegerField(default=1)

    def __str__(self) -> str:
        return str(self.number)
