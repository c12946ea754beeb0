# SPDX-License-Identifier: Apache-2.0
"""What a ward officer found at a venue, with a picture that keeps nothing but the picture."""

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.rollout.venues.models.venue import Venue


class Inspection(PractisedMixin):
    """One visit. poster_seen: the poster of the code in force hangs where people see it.

    inspected_by: name of the account, an official duty. findings: of the venue, never of a guest; emptied after a year.
    """

    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="inspections")
    day = models.DateField(_("Day"))
    poster_seen = models.BooleanField(_("The poster with the code in force hangs where people see it"))
    findings = models.TextField(_("Findings"), max_length=1000, blank=True)
    inspected_by = models.CharField(max_length=40)
    made_at = models.DateTimeField(default=timezone.now)

    TRAINING_MOMENT = "made_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-day", "-pk"]

    def __str__(self) -> str:
        return f"{self.venue_id} on {self.day}"


class InspectionPhoto(PractisedMixin):
    """The picture of an inspection: JPEG drawn anew, without place, time or camera in it. Deleted after 90 days.

    Personal data: people may be in the picture.
    """

    inspection = models.OneToOneField(Inspection, on_delete=models.CASCADE, related_name="photo")
    jpeg = models.BinaryField()

    TRAINING_MOMENT = ""

    def __str__(self) -> str:
        return f"picture of {self.inspection_id}"
