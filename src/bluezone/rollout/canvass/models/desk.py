# SPDX-License-Identifier: Apache-2.0
"""What the ward works on at the desk: lists sent in, doors that may be one, leaflets, and sums that outlive visits."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.agencies.models import AdminUnit
from bluezone.rollout.canvass.models.household import Household


class DoorsImport(PractisedMixin):
    """A list of households that was sent in and is being looked at; nothing of it is stored as doors yet.

    Deleted when it is applied or discarded, and a day after it came. conversion: as agencies.ListImport.
    """

    unit = models.ForeignKey(AdminUnit, on_delete=models.CASCADE, related_name="+")
    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    conversion = models.CharField(max_length=16, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"households of {self.unit_id}, {self.made_at:%Y-%m-%d %H:%M}"


class DuplicatePair(PractisedMixin):
    """Two doors that may be one; first < second. score: 0..100 (doubles.py)."""

    class State(models.TextChoices):
        OPEN = "open", _("waits")
        MERGED = "merged", _("one household")
        APART = "apart", _("two households")

    first = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="+")
    score = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-score", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["first", "second"], name="pair_once"),
            models.CheckConstraint(condition=~Q(first=F("second")), name="pair_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} {self.second_id}"


class LeafletMove(PractisedMixin):
    """Leaflets that went one step: from the printer to the store, to a ward, to a residential group, or back.

    lot: as printed on the leaflet's foot. count: sheets, negative for a correction.
    """

    class Kind(models.TextChoices):
        PRINTED = "printed", _("printed")
        WARD = "ward", _("to the ward")
        GROUP = "group", _("to the residential group")

    lot = models.CharField(_("Leaflet lot"), max_length=20)
    kind = models.CharField(_("Step"), max_length=8, choices=Kind)
    unit = models.ForeignKey(
        AdminUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("Ward or commune")
    )
    group = models.CharField(_("Residential group"), max_length=60, blank=True)
    count = models.IntegerField(_("Leaflets"))
    by = models.CharField(max_length=150, editable=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-made_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(lot="") & ~Q(count=0), name="leaflets_of_a_lot"),
            models.CheckConstraint(
                condition=Q(kind="printed", unit__isnull=True, group="")
                | Q(kind="ward", unit__isnull=False, group="")
                | (Q(kind="group", unit__isnull=False) & ~Q(group="")),
                name="leaflets_go_somewhere",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} of {self.lot}, {self.kind}"


class DoorsDay(models.Model):
    """The sums of a ward's day that stay when households and visits are deleted; no row per household.

    reached: doors reached for the first time that day. phones, seen, told: of the visits of that day, as in Visit.
    """

    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    reached = models.PositiveIntegerField(default=0)
    visits = models.PositiveIntegerField(default=0)
    phones = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    told = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["unit", "day"], name="doors_day_once")]

    def __str__(self) -> str:
        return f"{self.unit_id} {self.day}"
