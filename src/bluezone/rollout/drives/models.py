# SPDX-License-Identifier: Apache-2.0
"""Drives, their teams and tally sheets; sealed requests for help; and their outcomes, in rows without personal data."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import AdminUnit, Agency
from bluezone.training import PractisedMixin

MOST_PEOPLE = 200


class DriveState(models.TextChoices):
    """The state of a drive."""

    PLANNED = "planned", _("planned")
    LIVE = "live", _("under way")
    CLOSED = "closed", _("over")


class Team(PractisedMixin):
    """Some people of a union who go out together. Their names are not stored.

    people: how many they are, 1..200, for the helper hours. ended_at: when the team stopped helping, None until then.
    """

    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="teams", verbose_name=_("Union"))
    name = models.CharField(_("Name of the team"), max_length=80)
    people = models.PositiveSmallIntegerField(
        _("Number of helpers"), default=4, validators=[MinValueValidator(1), MaxValueValidator(MOST_PEOPLE)]
    )
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["agency__name", "name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="team_has_a_name"),
            models.CheckConstraint(condition=Q(people__range=(1, MOST_PEOPLE)), name="team_is_people"),
            models.UniqueConstraint(fields=["agency", "name", "training"], name="team_name_once_an_agency"),
        ]

    def __str__(self) -> str:
        return self.name


class Drive(PractisedMixin):
    """One drive (đợt ra quân): a team at a place for some hours, under a campaign and so under its basis document.

    unit: where it is. code: 8 random letters in the address of the stall's QR code. begins, ends: as planned.
    gate: the radio at which phones prove that they run (a gate of kind "drive"), None without a radio.
    """

    campaign = models.ForeignKey(
        "directives.Campaign", on_delete=models.PROTECT, related_name="drives", verbose_name=_("Campaign")
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="drives", verbose_name=_("Team"))
    unit = models.ForeignKey(
        AdminUnit, on_delete=models.PROTECT, related_name="drives", verbose_name=_("Ward or commune")
    )
    place = models.CharField(_("Where it is"), max_length=120)
    begins = models.DateTimeField(_("From"))
    ends = models.DateTimeField(_("Until"))
    state = models.CharField(max_length=8, choices=DriveState, default=DriveState.PLANNED)
    code = models.CharField(max_length=8, unique=True)
    gate = models.OneToOneField("gates.Gate", on_delete=models.PROTECT, null=True, related_name="drive")
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-begins", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(place=""), name="drive_has_a_place"),
            models.CheckConstraint(condition=Q(ends__gt=F("begins")), name="drive_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(state=DriveState.PLANNED, opened_at__isnull=True, closed_at__isnull=True)
                | Q(state=DriveState.LIVE, opened_at__isnull=False, closed_at__isnull=True)
                | Q(state=DriveState.CLOSED, closed_at__isnull=False),
                name="drive_state_has_its_times",
            ),
        ]

    def __str__(self) -> str:
        return self.place


class DriveTally(PractisedMixin):
    """One tally sheet of a drive, entered afterwards. Nothing on paper is proven: phones seen running are attested.

    sheet: the number on the sheet, so that none is entered twice.
    """

    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="tallies")
    sheet = models.PositiveSmallIntegerField(_("Number of the sheet"), default=1)
    running = models.PositiveSmallIntegerField(_("Seen running"), default=0)
    other_help = models.PositiveSmallIntegerField(_("Helped otherwise"), default=0)
    no_smartphone = models.PositiveSmallIntegerField(_("No smartphone"), default=0)
    could_not = models.PositiveSmallIntegerField(_("Could not"), default=0)
    entered_at = models.DateTimeField(default=timezone.now, editable=False)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["drive", "sheet"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["drive", "sheet"], name="tally_sheet_once_a_drive"),
        ]

    def __str__(self) -> str:
        return f"sheet {self.sheet} of {self.drive_id}"


class HelpChannel(models.TextChoices):
    """Where the request came from."""

    PORTAL = "portal", _("Public site")
    APP = "app", _("App")
    GATE = "gate", _("Gate")
    PHONE = "phone", _("Telephone")
    CANVASS = "canvass", _("House visit")
    STALL = "stall", _("Stall")


class HelpState(models.TextChoices):
    """The state of a request in the queue."""

    OPEN = "open", _("Open")
    CLAIMED = "claimed", _("Taken on")
    DONE = "done", _("Helped")
    CANNOT = "cannot", _("Could not be helped")


class HelpRequest(PractisedMixin):
    """One request for help.

    ticket: the number that the person gets, `K7M-2QX`; random.
    sealed: contact, place and note as JSON under a key of the data folder; `help_requests.open_texts` opens it.
    contact_digest: keyed digest of the telephone number in the contact, "" without one.
    counted: this request counts as a running phone of a team. At most one request of a telephone number does, so that
        two teams do not count one phone.
    unit: ward or commune, so that the right team sees it; None if unknown.
    drive: if the person waits at a stall, the drive of this stall; else None.
    team: the team that has claimed it; after `claimed_until` others may. claimed_until: set only while it is claimed.
    repeat_key: keyed digest of the caller's own key, so that a request sent twice opens one ticket.
    No network address of the caller is stored.
    Personal data: what is sealed, and the digest. Deleted with the row 30 days after it is closed, 90 days after it
    was opened at the latest; at a stall a day after it was opened (`retention.purge`).
    """

    ticket = models.CharField(max_length=7, unique=True)
    channel = models.CharField(max_length=8, choices=HelpChannel)
    state = models.CharField(max_length=8, choices=HelpState, default=HelpState.OPEN)
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, null=True, related_name="requests")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="requests")
    sealed = models.BinaryField()
    contact_digest = models.CharField(max_length=64, blank=True)
    counted = models.BooleanField(default=False)
    repeat_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    opened_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    TRAINING_MOMENT = "opened_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["opened_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(channel__in=HelpChannel.values), name="help_channel_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=[HelpState.OPEN, HelpState.CLAIMED], closed_at__isnull=True)
                | Q(state__in=[HelpState.DONE, HelpState.CANNOT], closed_at__isnull=False),
                name="help_is_closed_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=HelpState.CLAIMED, team__isnull=False, claimed_at__isnull=False, claimed_until__isnull=False
                )
                | (~Q(state=HelpState.CLAIMED) & Q(claimed_until__isnull=True)),
                name="help_taken_on_has_a_team",
            ),
            models.UniqueConstraint(
                fields=["contact_digest", "training"],
                condition=Q(counted=True) & ~Q(contact_digest=""),
                name="a_number_is_counted_once",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "unit"], name="help_by_state_and_unit")]

    def __str__(self) -> str:
        return f"{self.ticket} {self.state}"


class HelpResult(models.TextChoices):
    """The result of a closed request."""

    RUNNING = "running", _("Bluezone runs")
    OTHER = "other", _("helped otherwise")
    CANNOT = "cannot", _("could not be helped")


class HelpProof(models.TextChoices):
    """How it is known that Bluezone runs; the classes are never added together."""

    PROVEN = "proven", _("proven")
    ATTESTED = "attested", _("attested")
    NONE = "none", _("none")


class Hindrance(models.TextChoices):
    """Why a person could not be helped."""

    NOT_REACHED = "not_reached", _("not reached, tried several times")
    NO_SMARTPHONE = "no_smartphone", _("no smartphone")
    TOO_OLD = "too_old", _("the phone is too old")
    NO_BLUETOOTH = "no_bluetooth", _("Bluetooth does not work")
    DECLINED = "declined", _("no longer wants it")
    ELSEWHERE = "elsewhere", _("lives elsewhere")


class HelpOutcome(PractisedMixin):
    """One request, closed by one team.

    request: None once the request is purged. A request has one outcome, so that only one team counts it.
    day: local day. hindrance: why the person could not be helped, else "".
    proof_gate, proof_number: the radio and, from 1, the number of the proven pass there; each pass proves at most one
        request.
    """

    request = models.OneToOneField(HelpRequest, on_delete=models.SET_NULL, null=True, related_name="outcome")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="outcomes")
    drive = models.ForeignKey(Drive, on_delete=models.PROTECT, null=True, related_name="outcomes")
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, null=True, related_name="+")
    day = models.DateField(db_index=True)
    result = models.CharField(max_length=8, choices=HelpResult)
    proof = models.CharField(max_length=8, choices=HelpProof, default=HelpProof.NONE)
    hindrance = models.CharField(max_length=16, choices=Hindrance, blank=True)
    proof_gate = models.ForeignKey("gates.Gate", on_delete=models.PROTECT, null=True, related_name="+")
    proof_number = models.PositiveIntegerField(null=True)
    closed_at = models.DateTimeField()

    TRAINING_MOMENT = "closed_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-closed_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proof_gate", "proof_number"], name="a_proof_stands_for_one_help"),
            models.CheckConstraint(
                condition=Q(proof=HelpProof.PROVEN, proof_gate__isnull=False, proof_number__gte=1)
                | (~Q(proof=HelpProof.PROVEN) & Q(proof_gate__isnull=True, proof_number__isnull=True)),
                name="proven_help_has_its_proof",
            ),
            models.CheckConstraint(
                condition=(Q(result=HelpResult.RUNNING) & ~Q(proof=HelpProof.NONE))
                | (~Q(result=HelpResult.RUNNING) & Q(proof=HelpProof.NONE)),
                name="running_help_is_proven_or_attested",
            ),
            models.CheckConstraint(
                condition=(Q(result=HelpResult.CANNOT) & ~Q(hindrance=""))
                | (~Q(result=HelpResult.CANNOT) & Q(hindrance="")),
                name="no_help_has_its_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.result} by {self.team_id} on {self.day}"


__all__ = [
    "Drive",
    "DriveState",
    "DriveTally",
    "HelpChannel",
    "HelpOutcome",
    "HelpProof",
    "HelpRequest",
    "HelpResult",
    "HelpState",
    "Hindrance",
    "Team",
]
