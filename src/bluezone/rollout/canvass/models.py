# SPDX-License-Identifier: Apache-2.0
"""Models of house visits: households and all that was said of them, turfs and their leases to phones, visits."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit, SentList
from bluezone.rollout.canvass.households.facts import LABELS, Outcome, Revisit, SkipReason
from bluezone.rollout.canvass.visits.script import answer_label, offer_label
from bluezone.training import ModeManager, PractisedMixin


class ArrivedManager(ModeManager["Household"]):
    """Without doors of a list that is still being stored."""

    def get_queryset(self) -> models.QuerySet["Household"]:
        """Doors that have arrived."""
        return super().get_queryset().filter(arriving=None)


class Household(PractisedMixin):
    """One door. Counts of people's phones and who is at home, never anybody's health.

    key:        UUIDv7, made here at an import or on the phone that found the door.
    unit:       ward or commune. group: residential group as people write it ("Tổ 5"), group_folded for comparing.
    head, address, note, smartphones: the facts as facts.py leaves them.
    folded:     head, address and group without diacritics, for searching and for finding doubles.
    versions:   field -> clock of the change that is shown; a field that nobody has changed is not in it.
    disputed:   fields of which two values stand side by side until somebody at the ward chooses.
    latitude, longitude: degrees of WGS 84 from the ward's list, None where it has none; never from a phone.
    incomplete: fields of which a change rests on another that has not come yet.
    last_*:     from the newest visit by its own time. reached_at: newest visit on which somebody was spoken to or a
                leaflet stayed, whatever came afterwards.
    merged_into: the door that this one turned out to be; everything of it counts there.
    touched_at: when anything was last said of it; its 180 days run from here.
    arriving:   the list that brings it, until the whole of that list is stored; seen by nobody before.
    Personal data: name of the householder, address. Deleted by retention.py.
    """

    key = models.UUIDField(primary_key=True, editable=False)
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, related_name="+", verbose_name=_("Ward or commune"))
    group = models.CharField(_("Residential group"), max_length=60, blank=True)
    group_folded = models.CharField(max_length=60, blank=True, editable=False)
    head = models.CharField(_("Householder"), max_length=80, blank=True)
    address = models.CharField(_("Address"), max_length=160, blank=True)
    smartphones = models.PositiveSmallIntegerField(_("Smartphones"), null=True, blank=True)
    note = models.CharField(_("Directions"), max_length=120, blank=True)
    latitude = models.FloatField(null=True, editable=False)
    longitude = models.FloatField(null=True, editable=False)
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
    arriving = models.ForeignKey(
        "DoorsImport", on_delete=models.CASCADE, null=True, editable=False, related_name="doors", db_index=False
    )

    objects: ClassVar["models.Manager[Household]"] = ArrivedManager()

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
            models.Index(fields=["arriving"], condition=Q(arriving__isnull=False), name="household_arriving"),
        ]

    def __str__(self) -> str:
        return str(self.key)

    @property
    def title(self) -> str:
        """What a person calls the door by: householder, else address, else group."""
        return self.head or self.address or self.group or "?"

    @property
    def position(self) -> str:
        """Its coordinates as lists write them: "22.14780, 105.83480"; "" without."""
        known = self.latitude is not None and self.longitude is not None
        return f"{self.latitude:.5f}, {self.longitude:.5f}" if known else ""


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


class DoorsImport(PractisedMixin, SentList):
    """A list of households that was sent in: looked at, accepted, and stored some rows at a time.

    Deleted when it is stored or discarded, and a day after it came. accepted: as door_lists.py writes it.
    left: rows that were to change a door which somebody else had changed meanwhile; nothing was done about them.
    """

    unit = models.ForeignKey(AdminUnit, on_delete=models.CASCADE, related_name="+")
    left = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"households of {self.unit_id}, {self.made_at:%Y-%m-%d %H:%M}"


class DuplicatePair(PractisedMixin):
    """Two doors that may be one; first < second. score: 0..100 (households/decisions.py)."""

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


class Turf(PractisedMixin):
    """A list of doors that one canvasser can walk.

    group: residential group it was cut by, "" for a drawn list. closed_at: its doors may be cut anew.
    """

    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, related_name="+", verbose_name=_("Ward or commune"))
    name = models.CharField(_("Name of the list"), max_length=80)
    group = models.CharField(_("Residential group"), max_length=60, blank=True)
    made_by = models.CharField(max_length=150, editable=False)
    made_at = models.DateTimeField(default=timezone.now, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    doors: "models.ManyToManyField[Household, TurfDoor]" = models.ManyToManyField(
        Household, through="TurfDoor", related_name="turfs"
    )

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["unit_id", "name", "pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(name=""), name="turf_has_a_name")]

    def __str__(self) -> str:
        return self.name


class TurfDoor(models.Model):
    """A door of a turf. place: its number on the printed sheet, from 1, in the order of walking."""

    turf = models.ForeignKey(Turf, on_delete=models.CASCADE, related_name="places")
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="places")
    place = models.PositiveSmallIntegerField()

    class Meta:
        ordering: ClassVar = ["turf_id", "place", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["turf", "household"], name="door_once_a_turf")]

    def __str__(self) -> str:
        return f"{self.turf_id}.{self.place}"


class LeaseEnd(models.TextChoices):
    """Why a lease ended."""

    DONE = "done", _("finished")
    GIVEN = "given", _("given to another phone")
    LOST = "lost", _("phone lost")
    EXPIRED = "expired", _("time ended")


class Lease(PractisedMixin):
    """A turf in the hands of one phone until a time, at most 30 days; one at a time for each turf.

    No name of a canvasser: the phone is known by what is written on it.
    """

    TRAINING_MOMENT: ClassVar[str] = "since"

    turf = models.ForeignKey(Turf, on_delete=models.CASCADE, related_name="leases")
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="leases")
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    made_by = models.CharField(max_length=150, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    ended_why = models.CharField(max_length=8, choices=LeaseEnd, blank=True, editable=False)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-since", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["turf"], condition=Q(ended_at__isnull=True), name="turf_leased_once"),
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="lease_ends_after_it_begins"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="") | (Q(ended_at__isnull=False) & ~Q(ended_why="")),
                name="lease_ends_for_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.turf_id} with {self.device_id}"


class LeaseDoor(models.Model):
    """A door of a lease, kept when the turf is cut anew: a phone may still hold visits to it.

    is_open: while the lease is. The database holds that a door is in one open lease only.
    """

    lease = models.ForeignKey(Lease, on_delete=models.CASCADE, related_name="doors")
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="leased")
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["lease", "household"], name="door_once_a_lease"),
            models.UniqueConstraint(fields=["household"], condition=Q(is_open=True), name="door_in_one_open_lease"),
        ]

    def __str__(self) -> str:
        return f"{self.lease_id} {self.household_id}"


class PhoneRun(models.Model):
    """One connection of a phone, from its code until it is emptied: its entries are numbered from 1 without gaps.

    run:         8 hex digits that the app drew when it was connected.
    last_number: highest number that the phone has given out. waiting: how many entries it still held after its last
                 call. photos: photographs that still waited.
    lost_at:     somebody at the ward said that it is lost; it empties at its next contact (emptied_at).
    """

    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="runs")
    run = models.CharField(max_length=8)
    last_number = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    photos = models.PositiveIntegerField(default=0)
    form = models.PositiveSmallIntegerField(default=0)
    synced_at = models.DateTimeField()
    lost_at = models.DateTimeField(null=True)
    emptied_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["device", "run"], name="run_once_a_device")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.run}"


class Entry(models.Model):
    """Every entry that ever came from a phone, stored or kept aside, so that a repeated push changes nothing.

    key: its UUIDv7. digest: SHA-256 over its content. number: its place among the entries of that run.
    """

    key = models.UUIDField(primary_key=True)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    run = models.CharField(max_length=8)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["device", "run", "number"], name="entry_by_number")]

    def __str__(self) -> str:
        return str(self.key)


class Visit(PractisedMixin):
    """One time at one door; a correction is another visit.

    key:      UUIDv7 made on the phone, or here for a line of a sheet. door: the household as the phone knew it;
              `household` is another one after a merge.
    device:   the phone, None for a sheet; then entered_by says whose account typed it in.
    phones:   smartphones in the household, None where not asked. seen: of them, how many the canvasser saw running on
              the screen. told: how many more run by the household's word. helped: installed with help just now.
    answer:   key of the city's own outcome, "" of a sheet or an older phone; `outcome`: what it counts as.
    offered:  keys of what was offered there, such as a paper card to people without a smartphone.
    ticket:   of the request for help that it opened; how to reach the person stands there, sealed, and not here.
    after_lease: made or sent after the list was no longer the phone's.
    """

    TRAINING_MOMENT: ClassVar[str] = "received_at"

    key = models.UUIDField(primary_key=True, editable=False)
    household = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="visits")
    door = models.UUIDField()
    device = models.ForeignKey(Device, on_delete=models.PROTECT, null=True, related_name="+")
    lease = models.ForeignKey(Lease, on_delete=models.SET_NULL, null=True, related_name="visits")
    at = models.DateTimeField(db_index=True)
    received_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(_("Outcome"), max_length=16, choices=Outcome)
    skip_reason = models.CharField(_("Why it was skipped"), max_length=12, choices=SkipReason, blank=True)
    phones = models.PositiveSmallIntegerField(_("Smartphones"), null=True, blank=True)
    seen = models.PositiveSmallIntegerField(_("Seen running"), default=0)
    told = models.PositiveSmallIntegerField(_("Running, as they say"), default=0)
    helped = models.PositiveSmallIntegerField(_("Installed with help"), default=0)
    leaflet_lot = models.CharField(_("Leaflet lot"), max_length=20, blank=True)
    leaflets = models.PositiveSmallIntegerField(_("Leaflets left"), default=0)
    revisit = models.CharField(_("Come back"), max_length=12, choices=Revisit, blank=True)
    answer = models.CharField(max_length=24, blank=True)
    offered = models.JSONField(default=list)
    ticket = models.CharField(max_length=7, blank=True)
    after_lease = models.BooleanField(default=False)
    entered_by = models.CharField(max_length=150, blank=True)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-at", "key"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="visit_outcome_is_known"),
            models.CheckConstraint(
                condition=(Q(outcome=Outcome.SKIPPED) & ~Q(skip_reason=""))
                | (~Q(outcome=Outcome.SKIPPED) & Q(skip_reason="")),
                name="visit_passed_by_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(device__isnull=False) | ~Q(entered_by=""), name="visit_comes_from_somewhere"
            ),
        ]

    @property
    def answer_said(self) -> str:
        """What the canvasser tapped, in the reader's language: the city's own word, else the counted outcome's."""
        return answer_label(self.answer) or self.get_outcome_display()

    @property
    def offered_said(self) -> str:
        """What was offered, in the reader's language."""
        return ", ".join(offer_label(key) for key in self.offered)

    def __str__(self) -> str:
        return str(self.key)


class Photo(models.Model):
    """A photograph of a visit (a leaflet at the door, a damaged notice; never of people), without its metadata."""

    visit = models.OneToOneField(Visit, on_delete=models.CASCADE, primary_key=True, related_name="photo")
    jpeg = models.BinaryField()
    received_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"photo of {self.visit_id}"


class AsideReason(models.TextChoices):
    """Why an entry was kept aside instead of being stored."""

    OTHER_CONTENT = "other_content", _("same number as another entry, but different content")
    WRONG_TURF = "wrong_turf", _("door on a list that this phone never had")
    IN_FUTURE = "in_future", _("dated in the future")
    OLD_FORM = "old_form", _("form from another version of the app")
    UNREADABLE = "unreadable", _("cannot be read")
    TURF_FULL = "turf_full", _("list already has 400 doors")
    PHONE_LOST = "phone_lost", _("phone reported lost")
    DOOR_GONE = "door_gone", _("household was deleted after its time limit")
    PHOTO_TOO_LARGE = "photo_too_large", _("photograph too large, not accepted")


class Aside(models.Model):
    """An entry that could not be stored as it is: kept whole, shown to the ward, never dropped in silence.

    body: the entry as it came, as JSON text (a jsonb column would refuse some of what can come). unit: whose desk it
    lies on. state: open, then taken or dismissed by somebody.
    """

    class State(models.TextChoices):
        OPEN = "open", _("waits")
        TAKEN = "taken", _("taken in")
        DISMISSED = "dismissed", _("rejected for good")

    key = models.UUIDField()
    digest = models.CharField(max_length=64)
    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="+")
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.CharField(max_length=16, choices=AsideReason)
    body = models.TextField()
    received_at = models.DateTimeField(db_index=True)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-received_at", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["key", "digest"], name="aside_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.reason}"
