# SPDX-License-Identifier: Apache-2.0
"""What came of a request for help: a row without anything of the person, which stays when the request is deleted."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.agencies.models import AdminUnit
from bluezone.rollout.drives.models.drive import Drive, Team
from bluezone.rollout.drives.models.requests import HelpRequest


class HelpResult(models.TextChoices):
    """What came of it."""

    RUNNING = "running", _("Bluezone runs")
    OTHER = "other", _("helped otherwise")
    CANNOT = "cannot", _("could not be helped")


class HelpProof(models.TextChoices):
    """How it is known that it runs; never added together."""

    PROVEN = "proven", _("proven")
    ATTESTED = "attested", _("attested")
    NONE = "none", _("none")


class Hindrance(models.TextChoices):
    """Why somebody could not be helped."""

    NOT_REACHED = "not_reached", _("not reached, tried several times")
    NO_SMARTPHONE = "no_smartphone", _("no smartphone")
    TOO_OLD = "too_old", _("the phone is too old")
    NO_BLUETOOTH = "no_bluetooth", _("Bluetooth does not work")
    DECLINED = "declined", _("does not want it any more")
    ELSEWHERE = "elsewhere", _("lives elsewhere")


class HelpOutcome(PractisedMixin):
    """One request, closed by one team.

    request:      None once the request has had its time. A request has one outcome, so one team counts it.
    day:          local day. hindrance: why not, "" where helped.
    proof_number: which of the proven passes at `proof_gate` stands for it, from 1; each stands for one request at most.
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
