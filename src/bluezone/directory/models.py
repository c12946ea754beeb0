# SPDX-License-Identifier: Apache-2.0
"""Administrative units and agencies, with the rows that depend on them and the queries by day and by words.

Each row covers one period of validity and is never deleted: a unit that is renamed, moved or merged ends, and its
successors begin, so that old reports stay true. `records/entries.py` checks the rules between rows; the database
enforces those it can.
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
    """An uploaded list; it is previewed, accepted, and stored some rows at a time (imports/list_storage.py).

    conversion: answer to the proposal to convert an old font, "convert" or "keep"; "" while open or without proposal.
    layout:   the columns that a person chose: {"sheets": [0], "header_row": 3, "places": {"name": 1}}; {}: detected.
    fixes:    corrections by row and column: {"7": {"name": "…"}}; {"9": null} leaves a row out.
    content:  the sheets of the file (raw_sheets.pack_sheets), until the list is accepted.
    accepted: the work to do once the list is accepted; {} when it is done.
    added, changed: numbers of rows to add and to change. done: rows that the current state has finished.
    """

    class State(models.TextChoices):
        PREVIEWED = "", _("being checked")
        STORING = "storing", _("storing new entries; no one sees them yet")
        CHANGING = "changing", _("storing changed entries")
        SETTLING = "looking", _("updating what depends on it")
        WITHDRAWING = "back", _("being undone")
        DONE = "done", _("stored")

    file_name = models.CharField(max_length=200)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    conversion = models.CharField(max_length=16, blank=True)
    layout = models.JSONField(default=dict)
    fixes = models.JSONField(default=dict)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    made_at = models.DateTimeField(default=timezone.now, db_index=True)
    state = models.CharField(max_length=8, choices=State, default=State.PREVIEWED, blank=True)
    accepted = models.JSONField(default=dict)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True


class ListImport(SentList):
    """A list of units, agencies or telephone numbers.

    Deleted when it is stored or discarded, at the latest a day after its upload.
    day: the local day that counts as today for the rows. accepted: as list_imports.py writes it.
    """

    about = models.CharField(
        max_length=16, choices=[("units", _("Units")), ("agencies", _("Agencies")), ("phones", _("Telephone numbers"))]
    )
    day = models.DateField()

    def __str__(self) -> str:
        return f"{self.about} of {self.made_at:%Y-%m-%d %H:%M}"


class RememberedHeading(models.Model):
    """The column that a person chose for a heading; the next list of this kind uses it.

    about: the kind of list. place: the owner of the lists, "" for the city. heading: as `heading_rows.heading_key`
    writes it. column: name of a column, "" for none.
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
    """A single row. number: increases with every change of units, agencies and their figures."""

    number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)


class ValidityQuerySet(models.QuerySet[_Row]):
    """Rows with `valid_from` (null: unknown, long ago) and `valid_to` (null: open), and a `folded` text."""

    def valid_on(self, day: datetime.date) -> "ValidityQuerySet[_Row]":
        """Rows that are valid on `day`; `valid_to` is the first day on which a row is no longer valid."""
        started = Q(valid_from__isnull=True) | Q(valid_from__lte=day)
        return self.filter(started, Q(valid_to__isnull=True) | Q(valid_to__gt=day))

    def matching(self, text: str) -> "ValidityQuerySet[_Row]":
        """Rows with every word of `text` in name, short name or code, regardless of case and diacritics."""
        rows = self
        for word in fold(text.replace("\0", " ")).split():  # PostgreSQL refuses a query with a NUL in it
            rows = rows.filter(folded__contains=word)
        return rows

    def below(self, path: str) -> "ValidityQuerySet[_Row]":
        """The row with this path and everything under it."""
        return self.filter(path__startswith=path)


_ValidityManager = models.Manager.from_queryset(ValidityQuerySet)


class SeenManager(_ValidityManager[_Row]):
    """Hides the rows of a list that is still being stored."""

    def get_queryset(self) -> ValidityQuerySet[_Row]:
        """The visible rows."""
        return cast("ValidityQuerySet[_Row]", super().get_queryset().filter(arriving=None))


class Entry(models.Model):
    """Base of units and agencies.

    key:        our own name for the row, unique for ever; the seeds and imports use it.
    code:       official number, unique on any one day (a trigger checks it); None if unknown.
    folded:     name and code without diacritics, for searching.
    path:       primary keys from the topmost row down to this one, "3/17/52/": a subtree shares a prefix.
    valid_from: first valid day, None if unknown. valid_to: first day on which it is no longer valid, None open.
    unconfirmed: names of fields that the city has still to confirm.
    arriving:   the list that adds the row, until all of that list is stored; the row is hidden until then.
    objects:    the visible rows. everything: arriving rows too.
    """

    key = models.CharField(max_length=64, unique=True, editable=False)
    code = models.CharField(_("Code"), max_length=40, null=True, blank=True, db_index=True)
    name = models.CharField(_("Official name"), max_length=200)
    folded = models.TextField(editable=False)
    path = models.CharField(max_length=255, db_index=True, editable=False)
    valid_from = models.DateField(_("Valid from"), null=True, blank=True)
    valid_to = models.DateField(_("No longer valid from"), null=True, blank=True)
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
        """True if this is `other` or below it."""
        return type(self) is type(other) and self.path.startswith(other.path)


class AdminUnit(Entry):
    """An administrative unit during one period of validity; a residential group also has a head, whom the office calls.

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
    """An agency during one period of validity: `unit` is the territory it serves, `parent` the agency above it.

    short_name: as letters write it ("Phòng GD&ĐT"). edxml_id: its identifier on the national document axis
    (QCVN 102:2016), empty until the city enters it. email, phone: of the office, not of a person. hours: opening
    hours in words.
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
        """True if this is `other`, answers to it, or serves a territory inside it."""
        return self.unit.is_under(other) if isinstance(other, AdminUnit) else super().is_under(other)


class Succession(models.Model):
    """A row that ended, its successor, and the day from which the successor took over."""

    day = models.DateField()

    class Meta:
        abstract = True
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["ended", "successor"], name="%(class)s_once"),
            models.CheckConstraint(condition=~Q(ended=F("successor")), name="%(class)s_is_another"),
        ]


class UnitSuccession(Succession):
    """A unit that ended and its successor."""

    ended = models.ForeignKey(AdminUnit, on_delete=models.CASCADE, related_name="took_over")
    successor = models.ForeignKey(AdminUnit, on_delete=models.CASCADE, related_name="took_over_from")

    def __str__(self) -> str:
        return f"{self.ended_id} -> {self.successor_id} on {self.day}"


class AgencySuccession(Succession):
    """An agency that ended and its successor."""

    ended = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="took_over")
    successor = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="took_over_from")

    def __str__(self) -> str:
        return f"{self.ended_id} -> {self.successor_id} on {self.day}"


class RecipientGroup(models.Model):
    """A "Kính gửi" or "Nơi nhận" line that means several agencies, and its usual purpose."""

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
    """The denominator of a share, with its source and the day it was true; newer figures are added, not replaced."""

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
