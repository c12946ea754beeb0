# SPDX-License-Identifier: Apache-2.0
"""Gates, their gatekeepers and shifts, and what was counted: five-minute counters for 30 days, then sums of days.

Source: Công văn 458/UBND-VP, clause 1 ("cử người ghi nhận việc ra vào"); docs/design.md, "gate log".
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device
from bluezone.directory.models import Agency

BUCKET_SECONDS = 300


class Direction(models.TextChoices):
    """Into the site or out of it."""

    IN = "in", _("in")
    OUT = "out", _("out")


class Verdict(models.TextChoices):
    """What the gate or its attendant found; the words at the gate are in docs/texts.md section 4."""

    RUNNING = "running", _("running")
    VALID_CODE = "valid_code", _("valid code")
    SCREEN_SEEN = "screen_seen", _("screen seen")
    ASKED_BEFORE = "asked_before", _("asked before this half-day")
    INSTALLED_OFF = "installed_off", _("installed, not on")
    HELPED = "helped", _("not installed, helped")
    TOLD = "told", _("not installed, told")
    NO_SMARTPHONE = "no_smartphone", _("no smartphone")
    OUT = "out", _("out")


class Proof(models.TextChoices):
    """How sure that is; classes are never added together."""

    PROVEN = "proven", _("proven")
    FRESH = "fresh", _("fresh")
    ATTESTED = "attested", _("attested")
    NONE = "none", _("none")


PROOF_OF = {
    Verdict.RUNNING: Proof.PROVEN,
    Verdict.VALID_CODE: Proof.FRESH,
    Verdict.SCREEN_SEEN: Proof.ATTESTED,
    Verdict.ASKED_BEFORE: Proof.ATTESTED,
    Verdict.INSTALLED_OFF: Proof.ATTESTED,
    Verdict.HELPED: Proof.ATTESTED,
    Verdict.TOLD: Proof.ATTESTED,
    Verdict.NO_SMARTPHONE: Proof.NONE,
    Verdict.OUT: Proof.NONE,
}


class GateKind(models.TextChoices):
    """What a gate stands before."""

    SITE = "site", _("site of an agency or venue")
    # Whoever was just helped to install walks past it: a proof for that help, and no share of the ward's phones.
    DRIVE = "drive", _("install drive")


_OUT_TOGETHER = Q(direction=Direction.OUT, verdict=Verdict.OUT) | (Q(direction=Direction.IN) & ~Q(verdict=Verdict.OUT))


class Gate(models.Model):
    """One way in and out of an agency's or a venue's site.

    number: 8 hex digits, the gate id that its devices put on the air; says nothing of the place.
    kind:   a gate at an install drive is in no share of a unit and not among its gates (rollout.drives reads it).
    closed_at: a closed gate counts no more; its sums stay.
    inside_since, inside_before: from which day on people inside are carried over midnight, and how many there were when
                  that day began (queries.py). Below zero where more were counted in than are there.
    """

    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="gates")
    name = models.CharField(_("Name of the gate"), max_length=80)
    number = models.CharField(max_length=8, unique=True)
    kind = models.CharField(max_length=5, choices=GateKind, default=GateKind.SITE)
    made_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)
    inside_since = models.DateField(default=timezone.localdate)
    inside_before = models.IntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["agency__name", "name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="gate_has_a_name"),
            models.UniqueConstraint(
                fields=["agency", "name"], condition=Q(closed_at__isnull=True), name="gate_name_once_an_agency"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class GateDevice(models.Model):
    """Which gate a tablet counts for; several lanes of one gate are several devices.

    health: what the device said last of itself (health.py), nothing that was counted; None before it said anything.
    """

    device = models.OneToOneField(Device, on_delete=models.CASCADE, related_name="at_gate")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="devices")
    health = models.JSONField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.device_id} at {self.gate_id}"


class Gatekeeper(models.Model):
    """A person nominated to record entries and exits, or to stand in for one (cử người ghi nhận ra vào).

    badge:          16 hex digits on the printed badge; pin_salt and pin_hash (scrypt) let a tablet check the PIN
                    without network.
    nominated_by:   name of the account, an official duty.
    Personal data: name and telephone of an official duty; deleted 90 days after `until` (retention.py).
    """

    gate = models.ForeignKey(Gate, on_delete=models.CASCADE, related_name="gatekeepers")
    name = models.CharField(_("Full name"), max_length=80)
    phone = models.CharField(_("Telephone"), max_length=20, blank=True)
    is_substitute = models.BooleanField(_("Substitute for another"), default=False)
    since = models.DateField(_("From"))
    until = models.DateField(_("Until"), null=True, blank=True)
    badge = models.CharField(max_length=16, unique=True)
    pin_salt = models.CharField(max_length=32)
    pin_hash = models.CharField(max_length=64)
    nominated_by = models.CharField(max_length=150)
    nominated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["is_substitute", "name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="gatekeeper_has_a_name"),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")), name="gatekeeper_until_after_since"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Shift(models.Model):
    """One gatekeeper's time at a gate, as the tablet said it. Which passages fell into it is not stored anywhere.

    key: the tablet's own id of it (UUID), so that a repeated word changes nothing.
    Personal data: staff working time; deleted after 90 days (retention.py).
    """

    key = models.UUIDField(primary_key=True)
    gate = models.ForeignKey(Gate, on_delete=models.CASCADE, related_name="shifts")
    gatekeeper = models.ForeignKey(Gatekeeper, on_delete=models.CASCADE, related_name="shifts")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-started_at"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="shift_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gatekeeper_id} from {self.started_at:%H:%M}"


class GateCounter(models.Model):
    """How many such passages one device saw in five minutes: an absolute number, the larger one wins.

    bucket: Unix seconds, a multiple of 300. day: its local date. Kept 30 days, then only the day's sum (GateDay).
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="counters")
    bucket = models.BigIntegerField()
    day = models.DateField(db_index=True)
    direction = models.CharField(max_length=3, choices=Direction)
    verdict = models.CharField(max_length=16, choices=Verdict)
    proof = models.CharField(max_length=8, choices=Proof)
    count = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "bucket", "direction", "verdict"], name="gate_counter_once"),
            models.CheckConstraint(condition=_OUT_TOGETHER, name="gate_counter_out_is_out"),
        ]
        indexes: ClassVar = [models.Index(fields=["gate", "day"], name="gate_counter_by_day")]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.bucket} {self.direction} {self.verdict}: {self.count}"


class UndatedCounter(models.Model):
    """Passages without a known day, because the clock of their device was wrong; in no sum and in no share.

    bucket: what that clock showed, so that the same number sent again counts once. received: the local day on which the
    office got it first; forgotten 30 days after that, as the counters are.
    """

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="undated")
    bucket = models.BigIntegerField()
    received = models.DateField(db_index=True)
    direction = models.CharField(max_length=3, choices=Direction)
    verdict = models.CharField(max_length=16, choices=Verdict)
    count = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "bucket", "direction", "verdict"], name="gate_undated_once"),
            models.CheckConstraint(condition=_OUT_TOGETHER, name="gate_undated_out_is_out"),
        ]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.direction} {self.verdict} without a day: {self.count}"


class GateDay(models.Model):
    """The sum of a gate's day, raised with its counters (counters.py); it stays when they are forgotten."""

    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="days")
    day = models.DateField()
    direction = models.CharField(max_length=3, choices=Direction)
    verdict = models.CharField(max_length=16, choices=Verdict)
    proof = models.CharField(max_length=8, choices=Proof)
    count = models.PositiveBigIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["gate", "day", "direction", "verdict"], name="gate_day_once"),
            models.CheckConstraint(condition=_OUT_TOGETHER, name="gate_day_out_is_out"),
        ]
        # Holds all that a week's table reads.
        indexes: ClassVar = [models.Index(fields=["day", "gate", "verdict", "count"], name="gate_day_by_day")]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.day} {self.direction} {self.verdict}: {self.count}"


class DayPart(models.TextChoices):
    """What a paper slip is about: a whole day, or a part of it."""

    DAY = "day", _("whole day")
    MORNING = "morning", _("morning")
    AFTERNOON = "afternoon", _("afternoon")
    EVENING = "evening", _("evening")


class PaperSlip(models.Model):
    """What a gate's paper tally says of a day or a part of it: the agency's own word, never proven, a class of its own.

    On paper nobody can prove that a phone runs, so the best there is is `screen_seen`. No person is named.
    """

    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="slips")
    day = models.DateField(_("Day"))
    part = models.CharField(_("Part of the day"), max_length=9, choices=DayPart, default=DayPart.DAY)
    screen_seen = models.PositiveIntegerField(_("Screen seen"), default=0)
    installed_off = models.PositiveIntegerField(_("Installed, not on"), default=0)
    helped = models.PositiveIntegerField(_("Not installed, helped"), default=0)
    told = models.PositiveIntegerField(_("Not installed, told"), default=0)
    no_smartphone = models.PositiveIntegerField(_("No smartphone"), default=0)
    went_out = models.PositiveIntegerField(_("Out"), default=0)
    entered_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-day", "part"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["gate", "day", "part"], name="gate_slip_once")]

    def __str__(self) -> str:
        return f"{self.gate_id} {self.day} {self.part} on paper"

    @property
    def with_smartphone(self) -> int:
        """Who came in with a smartphone."""
        return self.screen_seen + self.installed_off + self.helped + self.told

    @property
    def came_in(self) -> int:
        """Passages in."""
        return self.with_smartphone + self.no_smartphone
