# SPDX-License-Identifier: Apache-2.0
"""Households, everything that was ever said of them, and what the ward works on at its desk: lists sent in, doors that
may be one, leaflets, and daily sums that outlive the visits.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit
from bluezone.rollout.canvass.households.facts import LABELS
from bluezone.rollout.canvass.visits.outcomes import Outcome, Revisit
from bluezone.training import PractisedMixin


class Household(PractisedMixin):
    """One door. Counts of people's phones and who is at home, never anybody's health.

    key:        UUIDv7, made here at an import or on the phone that found the door.
    unit:       ward or commune. group: residential group as people write it ("Tổ 5"), group_folded for comparing.
    head, address, note, smartphones: the facts as facts.py leaves them.
    folded:     head, address and group without diacritics, for searching and for finding doubles.
    versions:   field -> clock of the change that is shown; a field that nobody has changed is not in it.
    disputed:   fields of which two values stand side by side until somebody at the ward chooses.
    incomplete: fields of which a change rests on another that has not come yet.
    last_*:     from the newest visit by its own time. reached_at: newest visit on which somebody was spoken to or a
                leaflet stayed, whatever came afterwards.
    merged_into: the door that this one turned out to be; everything of it counts there.
    touched_at: when anything was last said of it; its 180 days run from here.
    Personal data: name of the householder, address. Deleted by retention.py.
    """

    key = models.UUIDField(primary_key=True, editable=False)
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, related_name="+", verbose_name=_("Ward or commune"))
    group = models.CharField(_("Residential group"), max_length=60, blank=True)
    group_folded = models.CharField(max_length=60, blank=True, editable=False)
    head = models.CharField(_("Householder"), max_length=80, blank=True)
    address = models.CharField(_("Address"), max_length=160, blank=True)
    smartphones = models.PositiveSmallIntegerField(_("Smartphones"), null=True, blank=True)
    note = models.CharField(_("Note for the way"), max_length=120, blank=True)
    folded = models.TextField(editable=False)
    versions = models.JSONField(default=dict, editable=False)
    disputed = models.JSONField(default=list, editable=False)
    is_disputed = models.BooleanField(default=False, editable=False)
    incomplete = models.JSONField(default=list, editable=False)
    is_incomplete = models.BooleanField(default=False, editable=False)
    last_at = models.DateTimeField(null=True, editable=False)
    last_visit = models.UUIDField(null=True, editable=False)
    last_outcome = models.CharField(max_length=16, choices=Outcome, blank=True, editable=False)
    revisit = models.CharField(max_length=12, choices=Revisit, blank=True, editable=False)
    reached_at = models.DateTimeField(null=True, editable=False)
    merged_into = models.ForeignKey("self", on_delete=models.CASCADE, null=True, editable=False, related_name="merged")
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    touched_at = models.DateTimeField(default=timezone.now, editable=False, db_index=True)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["unit_id", "group_folded", "address", "key"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(merged_into__isnull=True) | ~Q(merged_into=models.F("key")),
                                   name="household_is_not_merged_into_itself"),
        ]  # fmt: skip
        indexes: ClassVar = [
            models.Index(fields=["unit", "group_folded", "address"], name="household_by_group"),
            models.Index(fields=["is_disputed"], condition=Q(is_disputed=True), name="household_disputed"),
            models.Index(fields=["is_incomplete"], condition=Q(is_incomplete=True), name="household_incomplete"),
        ]

    def __str__(self) -> str:
        return str(self.key)

    @property
    def title(self) -> str:
        """What a person calls the door by: householder, else address, else group."""
        return self.head or self.address or self.group or "?"


class Change(models.Model):
    """Somebody said that a fact is another: never changed, never deleted before its household.

    entry:  id of the phone's entry that carried it, or one made here. value: as text, "" for none.
    clock:  hybrid logical clock (clocks.py). bases: clocks of the versions it replaces; [""] is the first one.
    forced: somebody at the ward took it although what it rests on never came.
    """

    entry = models.UUIDField(db_index=True)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="changes")
    field = models.CharField(max_length=12)
    value = models.CharField(max_length=160, blank=True)
    clock = models.CharField(max_length=40)
    bases = models.JSONField(default=list)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField()
    forced = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["clock", "entry"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["household", "field", "entry"], name="change_once"),
        ]

    @property
    def field_label(self) -> str:
        """What the fact is called, in the reader's language."""
        return str(LABELS[self.field])

    def __str__(self) -> str:
        return f"{self.field} of {self.household_id} at {self.clock}"


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
    """Two doors that may be one; first < second. score: 0..100 (duplicates.py)."""

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
