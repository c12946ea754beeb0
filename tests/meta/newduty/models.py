# SPDX-License-Identifier: Apache-2.0
"""What was handed out, a row for each ward and day."""

from typing import ClassVar

from django.db import models

from bluezone.directory.models import AdminUnit


class MaskDay(models.Model):
    """One ward's day. people: who took masks; shown: of them, who was shown how to install Bluezone."""

    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    people = models.PositiveIntegerField()
    shown = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["unit", "day"], name="one_row_for_each_ward_and_day"),
            models.CheckConstraint(condition=models.Q(shown__lte=models.F("people")), name="no_more_shown_than_came"),
        ]

    def __str__(self) -> str:
        return f"{self.unit} {self.day}"
