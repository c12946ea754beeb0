# SPDX-License-Identifier: Apache-2.0
"""A team of a union, a drive that it runs under a campaign, and the tally sheets it kept on paper.

Source: Công văn 458/UBND-VP, clause 3 (the Youth Union and the Women's Union "ra quân"); specs/rollout.md A4.
"""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.agencies.models import AdminUnit, Agency

MOST_PEOPLE = 200


class DriveState(models.TextChoices):
    """Where a drive stands."""

    PLANNED = "planned", _("planned")
    LIVE = "live", _("going on")
    CLOSED = "closed", _("over")


class Team(PractisedMixin):
    """Some people of a union who go out together. Their names are not kept.

    people: how many help, 1..200, from which helper hours are worked out. ended_at: the team helps no more.
    """

    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="teams", verbose_name=_("Union"))
    name = models.CharField(_("Name of the team"), max_length=80)
    people = models.PositiveSmallIntegerField(
        _("How many help"), default=4, validators=[MinValueValidator(1), MaxValueValidator(MOST_PEOPLE)]
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

    unit: where it is. code: 8 letters in the address of the stall's QR code; says nothing. begins, ends: as planned.
    gate: the radio before which phones prove that they run (a gate of kind "drive"), None where there is none.
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
    """One tally sheet of a drive, entered afterwards. On paper nothing is proven: what was seen running is attested.

    sheet: the number printed or written on it, so that none is entered twice.
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
