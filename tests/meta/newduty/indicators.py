# SPDX-License-Identifier: Apache-2.0
"""What the masks bring into coverage."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from tests.meta.newduty.models import MaskDay

from bluezone.rollout.coverage.api import Figure, Indicator, Proof
from bluezone.rollout.report_week import Week


class ShownWithMask(Indicator):
    """People shown how to install / people who took masks."""

    key = "masks"
    proof = Proof.ATTESTED
    name = gettext_lazy("shown how to install, with a mask")
    base_name = gettext_lazy("people who took masks")

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each ward and day; one query."""
        rows = MaskDay.objects.filter(day__range=(week.first_day, week.last_day)).select_related("unit")
        return [Figure(row.unit.path, None, row.shown, row.people, _("mask lists"), row.day) for row in rows]

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The page of the masks."""
        return reverse("masks")
