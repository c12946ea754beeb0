# SPDX-License-Identifier: Apache-2.0
"""Administrative units and agencies, each row during one validity, what hangs on them, and how
they are picked out by day and by words.

A row is never deleted: one that is renamed, moved or merged ends, and its successors begin, so that what a report of
then says stays true. The rules between rows are those of `records/entries.py`; the database keeps the ones it can.
"""

import datetime
from typing import ClassVar, TypeVar, cast

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.kinds import AgencyKind, Purpose, Quantity, UnitKind
from bluezone.vietnamese.spelling import fold

_Row = TypeVar("_Row", bound=models.Model)


class SentList(models.Model):
    """A list that was sent in: looked at, accepted, and stored some rows at a time (imports/pieces.py).

    conversion: "" while a proposal to convert an old font is open or there is none, then "convert" or "keep".
    layout:   where a person said the columns are: {"sheets": [0], "header_row": 3, "places": {"name": 1}}; {}: found.
    fixes:    what a person corrected: {"7": {"name": "…"}} by row and column, {"9": null} for a row that is left out.
    content:  the sheets of the file (raw_sheets.pack), until the list is accepted.
    accepted: from then on what is to be done; {} when it is done.
    added, changed: how many rows do so. done: how many rows of the present state are.
    """

    class State(models.TextChoices):
        LOOKED_AT = "", _("is looked at")
        STORING = "storing", _("what is new is being stored; nobody sees it yet")
        CHANGING = "changing", _("what is changed is being stored")
        SETTLING = "looking", _("what follows from it is being worked out")
        TAKING_BACK = "back", _("is being taken back")
        DONE = "done", _("stored")

    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    conversion = models.CharField(max_length=16, blank=True)
    layout, fixes = (models.JSONField(default=dict) for _ in range(2))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField(default=timezone.now, db_index=True)
    state = models.CharField(max_length=8, choices=State, default=State.LOOKED_AT, blank=True)
    accepted = models.JSONField(default=dict)
    added, changed, done = (models.PositiveIntegerField(default=0) for _ in range(3))

    class Meta:
        abstract = True


class ListImport(SentList):
    """A list of units, agencies or telephone numbers. Deleted when it is stored or discarded, and a day after it came.

    day: the local day that counts as today for the rows. accepted: as list_imports.py writes it.
    """

    about = models.CharField(
        max_length=16, choices=[("units", _("Units")), ("agencies", _("Agencies")), ("phones", _("Telephone numbers"))]
    )
    day = models.DateField()

    def __str__(self) -> str:
        return f"{self.about} of {self.made_at:%Y-%m-%d %H:%M}"


class RememberedHeading(models.Model):
    """What a person said that a heading of their lists means; the next list of this kind is read by it.

    about: the kind of list. place: whose lists, "" for the city's. heading: as `headings.heading_key` writes it.
    column: name of a column, "" for none.
    """

    about = models.CharField(max_length=16)
    place = models.CharField(max_length=40, blank=True)
    heading = models.CharField(max_length=200)
    column = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["about", "place", "heading"], name="one_meaning_a_heading")
        ]

    def __str__(self) -> str:
        return f"{self.heading} -> {self.column or '-'}"


class DirectoryState(models.Model):
    """One row. number: goes up with every change of units, agencies and their figures."""

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)


class ValidityQuerySet(models.QuerySet[_Row]):
    """Rows with `valid_from` (null: from before our knowledge) and `valid_to` (null: open), and a `folded` text."""

    def in_force(self, day: datetime.date) -> "ValidityQuerySet[_Row]":
        """Rows that hold on `day`; `valid_to` is the first day on which a row holds no more."""
        begun = Q(valid_from__isnull=True) | Q(valid_from__lte=day)
        return self.filter(begun, Q(valid_to__isnull=True) | Q(valid_to__gt=day))

    def matching(self, text: str) -> "ValidityQuerySet[_Row]":
        """Rows whose name, short name or code contains every word of `text`, whatever its case and diacritics."""
        found = self
        for word in fold(text.replace("\0", " ")).split():  # PostgreSQL refuses a question with a NUL in it
            found = found.filter(folded__contains=word)
        return found

    def below(self, path: str) -> "ValidityQuerySet[_Row]":
        """The row with this path and everything under it."""
        return self.filter(path__startswith=path)


_ValidityManager = models.Manager.from_queryset(ValidityQuerySet)


class SeenManager(_ValidityManager[_Row]):
    """Without the rows of a list that is still being stored."""

    def get_queryset(self) -> ValidityQuerySet[_Row]:
        """Rows that are seen."""
        return cast("ValidityQuerySet[_Row]", super().get_queryset().filter(arriving=None))


class Entry(models.Model):
    """What a unit and an agency have in common.

    key:        our own name for the row, unique for ever; the seeds and imports use it.
    code:       official number, unique on any one day (a trigger holds it); None where not known.
    folded:     name and code without diacritics, for searching.
    path:       primary keys from the topmost row down to this one, "3/17/52/": a subtree is one prefix.
    valid_from: first day in force, None when before our knowledge. valid_to: first day no longer in force, None open.
    unconfirmed: names of fields that still need the city's word.
    arriving:   the list that brings it, until the whole of that list is stored; seen by nobody before.
    objects:    what is seen. everything: also what is arriving.
    """

    key = models.CharField(max_length=64, unique=True, editable=False)
    code = models.CharField(_("Code"), max_length=40, null=True, blank=True, db_index=True)
    name = models.CharField(_("Official name"), max_length=200)
    folded = models.TextField(editable=False)
    path = models.CharField(max_length=255, db_index=True, editable=False)
    valid_from = models.DateField(_("In force from"), null=True, blank=True)
    valid_to = models.DateField(_("No longer in force from"), null=True, blank=True)
    confirmed = models.BooleanField(_("Confirmed by the city"), default=True)
    unconfirmed = models.JSONField(default=list, blank=True)
    arriving = models.ForeignKey(
        ListImport, on_delete=models.CASCADE, null=True, editable=False, db_index=False, related_name="+"
    )

    objects = SeenManager()
    everything = ValidityQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "everything"
        ordering: ClassVar = ["name", "pk"]
        indexes: ClassVar = [
            models.Index(fields=["arriving"], condition=Q(arriving__isnull=False), name="%(class)s_arriving")
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_to__isnull=True) | Q(valid_to__gt=F("valid_from")),
                name="%(class)s_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(key="") & (Q(code__isnull=True) | ~Q(code="")), name="%(class)s_is_named"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def is_under(self, other: "Entry") -> bool:
        """True when this is `other` or lies under it."""
        return type(self) is type(other) and self.path.startswith(other.path)


class AdminUnit(Entry):
    """One administrative unit during one validity; a residential group also has its head, whom the office calls.

    Personal data: name and telephone of the head, an official duty; emptied when another head is entered.
    """

    kind = models.CharField(_("Level"), max_length=16, choices=UnitKind)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    successors: "models.ManyToManyField[AdminUnit, UnitSuccession]" = models.ManyToManyField(
        "self",
        through="UnitSuccession",
        through_fields=("ended", "successor"),
        symmetrical=False,
        related_name="predecessors",
    )
    head_name = models.CharField(_("Head"), max_length=80, blank=True)
    head_phone = models.CharField(_("Telephone of the head"), max_length=20, blank=True)

    class Meta(Entry.Meta):
        constraints: ClassVar = [
            *Entry.Meta.constraints,
            models.CheckConstraint(condition=Q(kind__in=UnitKind.values), name="unit_kind_is_known"),
            models.CheckConstraint(
                condition=Q(kind=UnitKind.PROVINCE, parent__isnull=True)
                | (~Q(kind=UnitKind.PROVINCE) & Q(parent__isnull=False)),
                name="only_a_province_has_no_parent",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="unit_is_not_its_own_parent"),
            models.CheckConstraint(
                condition=Q(kind=UnitKind.GROUP) | Q(head_name="", head_phone=""), name="only_a_group_has_a_head"
            ),
        ]


class Agency(Entry):
    """One agency during one validity: `unit` is the territory it serves, `parent` the agency it answers to.

    short_name: as letters write it ("Phòng GD&ĐT"). edxml_id: its identifier on the national document axis
    (QCVN 102:2016), empty until the city gives it. email, phone: of the office, not of a person. hours: when it is
    open, in words.
    """

    kind = models.CharField(_("Kind"), max_length=16, choices=AgencyKind)
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, related_name="agencies")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    successors: "models.ManyToManyField[Agency, AgencySuccession]" = models.ManyToManyField(
        "self",
        through="AgencySuccession",
        through_fields=("ended", "successor"),
        symmetrical=False,
        related_name="predecessors",
    )
    short_name = models.CharField(_("Short name"), max_length=80, blank=True)
    edxml_id = models.CharField(_("Identifier on the document axis"), max_length=40, blank=True)
    email = models.EmailField(_("E-mail of the agency"), blank=True)
    phone = models.CharField(_("Telephone of the agency"), max_length=20, blank=True)
    hours = models.CharField(_("Opening hours"), max_length=100, blank=True)

    class Meta(Entry.Meta):
        verbose_name_plural = "agencies"
        constraints: ClassVar = [
            *Entry.Meta.constraints,
            models.CheckConstraint(condition=Q(kind__in=AgencyKind.values), name="agency_kind_is_known"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="agency_is_not_its_own_parent"),
        ]

    def is_under(self, other: Entry) -> bool:
        """True when this is `other`, answers to it, or serves a territory inside it."""
        return self.unit.is_under(other) if isinstance(other, AdminUnit) else super().is_under(other)


class Succession(models.Model):
    """Who takes over from a row that ended, and from which day."""

    day = models.DateField()

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ended", "successor"], name="%(class)s_once"),
            models.CheckConstraint(condition=~Q(ended=F("successor")), name="%(class)s_is_another"),
        ]


class UnitSuccession(Succession):
    """A unit that ended and one that took over."""

    ended = models.ForeignKey(AdminUnit, on_delete=models.CASCADE, related_name="took_over")
    successor = models.ForeignKey(AdminUnit, on_delete=models.CASCADE, related_name="took_over_from")

    def __str__(self) -> str:
        return f"{self.ended_id} -> {self.successor_id} on {self.day}"


class AgencySuccession(Succession):
    """An agency that ended and one that took over."""

    ended = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="took_over")
    successor = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="took_over_from")

    def __str__(self) -> str:
        return f"{self.ended_id} -> {self.successor_id} on {self.day}"


class RecipientGroup(models.Model):
    """Words of a "Kính gửi" or "Nơi nhận" line that stand for several agencies, and the usual purpose."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    name = models.CharField(_("Official name"), max_length=200)
    purpose = models.CharField(_("Purpose"), max_length=16, choices=Purpose, default=Purpose.ACTION)
    agencies = models.ManyToManyField(Agency, related_name="recipient_groups", blank=True)

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="purpose_is_known"),
            models.CheckConstraint(condition=~Q(name=""), name="recipient_group_is_named"),
        ]

    def __str__(self) -> str:
        return self.name


class Denominator(models.Model):
    """A number that shares are divided by, with who counted and the day it was true; newer ones stand beside it."""

    unit = models.ForeignKey(AdminUnit, on_delete=models.CASCADE, null=True, related_name="denominators")
    agency = models.ForeignKey(Agency, on_delete=models.CASCADE, null=True, related_name="denominators")
    kind = models.CharField(_("What is counted"), max_length=16, choices=Quantity)
    value = models.PositiveIntegerField(_("Number"))
    source = models.CharField(_("Source"), max_length=200)
    as_of = models.DateField(_("True on"))

    class Meta:
        ordering: ClassVar = ["kind", "-as_of"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(unit__isnull=True, agency__isnull=False) | Q(unit__isnull=False, agency__isnull=True),
                name="denominator_is_of_one_holder",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=Quantity.values) & Q(value__gte=0) & ~Q(source=""), name="denominator_is_whole"
            ),
            models.UniqueConstraint(fields=["unit", "kind", "as_of"], name="one_figure_a_unit_and_day"),
            models.UniqueConstraint(fields=["agency", "kind", "as_of"], name="one_figure_an_agency_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value} as of {self.as_of}"
