# SPDX-License-Identifier: Apache-2.0
"""School classes, their four numbers for a week and the rules for these, weeks without school, and requests to reopen
locked weeks.
"""

from dataclasses import dataclass
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import AdminUnit, Agency, SentList
from bluezone.refusal import Refused
from bluezone.training import PractisedMixin

MOST_PUPILS = 100
MOST_RELATIVES = 1_000
NAMES = ("pupils", "with_smartphone", "running", "relatives")


class ClassCountsRefused(Refused):
    """The numbers cannot all be true. field: the number to check first. rule: the rule that they break."""

    code = "class_counts_refused"

    def __init__(self, message: str, field: str, rule: str) -> None:
        super().__init__(message)
        self.field = field
        self.rule = rule


@dataclass(frozen=True)
class ClassCounts:
    """Counts of one class; raises ClassCountsRefused if they contradict each other.

    pupils, with_smartphone, running: numbers of pupils, 0..MOST_PUPILS, each at most as large as the one before it.
    relatives: people at home whom pupils or the school helped to install it in the week, 0..MOST_RELATIVES.
    Source: Công văn 458/UBND-VP, clause 4 ("cho bản thân và người thân").
    """

    pupils: int
    with_smartphone: int
    running: int
    relatives: int

    def __post_init__(self) -> None:
        for name in NAMES:
            most = MOST_RELATIVES if name == "relatives" else MOST_PUPILS
            if not 0 <= getattr(self, name) <= most:
                raise ClassCountsRefused(f"{name} is {getattr(self, name)}, expected 0..{most}", name, "range")
        if self.with_smartphone > self.pupils:
            raise ClassCountsRefused(
                f"{self.with_smartphone} with a smartphone among {self.pupils} pupils", "with_smartphone", "smartphones"
            )
        if self.running > self.with_smartphone:
            raise ClassCountsRefused(
                f"{self.running} running on {self.with_smartphone} smartphones", "running", "running"
            )


class SchoolClass(PractisedMixin):
    """One class of a school in one school year.

    year:        the calendar year in which it begins, 2020 for 2020–2021. folded: the name for comparisons.
    pupils:      their usual number, the initial value in the form of a week; None if not entered.
    teacher:     the account that reports for the class, None if the class link is used.
    ended_on:    the class owes no numbers after the week of this day.
    link_digest, pin_digest: keyed hashes of the class link and PIN, which are shown once and never stored.
    wrong_tries, locked_until: wrong PINs since the last right one, and until when every PIN is refused.
    Personal data: the teacher's account, an official duty; purged with link and PIN when the year is over.
    """

    school = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="school_classes")
    year = models.PositiveSmallIntegerField()
    name = models.CharField(_("Class name"), max_length=20)
    folded = models.CharField(max_length=20, editable=False)
    pupils = models.PositiveSmallIntegerField(_("Pupils"), null=True, blank=True)
    teacher = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="school_classes"
    )
    made_at = models.DateTimeField(default=timezone.now)
    ended_on = models.DateField(null=True, blank=True)
    link_digest = models.CharField(max_length=64, null=True, unique=True)
    pin_digest = models.CharField(max_length=64, blank=True)
    link_made_at = models.DateTimeField(null=True)
    wrong_tries = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["folded", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="class_is_named"),
            models.CheckConstraint(
                condition=Q(pupils__isnull=True) | Q(pupils__lte=MOST_PUPILS), name="class_has_so_many_pupils"
            ),
            models.UniqueConstraint(fields=["school", "year", "training", "folded"], name="class_once_a_year"),
        ]

    def __str__(self) -> str:
        return self.name


class ClassesImport(PractisedMixin, SentList):
    """An uploaded list of classes. Deleted when its changes are stored or it is discarded, at the latest after a day.

    school, year: for rows that do not name them; the year is the calendar year in which the school year begins.
    Personal data: names of teachers, an official duty, as in the file. A list with names of children is never stored.
    """

    school = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="+")
    year = models.PositiveSmallIntegerField()

    def __str__(self) -> str:
        return f"classes of {self.school_id}, {self.made_at:%Y-%m-%d %H:%M}"


class Channel(models.TextChoices):
    """How the numbers were sent."""

    LINK = "link", _("class link")
    OFFICE = "office", _("typed in by the school")
    PASTED = "pasted", _("pasted from a spreadsheet")


class ClassReport(PractisedMixin):
    """One version of the counts of one class for one week. Counts only, never a child.

    week:        its Monday. version: 1, 2, …; only the newest has `is_current`, earlier ones never change.
    returned_at: when it was sent back for correction. A version that was sent back counts in no sum.
    Personal data: the accounts that reported and sent back, official duties; who used a class link is not known.
    """

    TRAINING_MOMENT = ""

    school_class = models.ForeignKey(SchoolClass, on_delete=models.CASCADE, related_name="reports")
    week = models.DateField()
    version = models.PositiveSmallIntegerField()
    is_current = models.BooleanField(default=True)
    pupils = models.PositiveSmallIntegerField(_("Pupils"))
    with_smartphone = models.PositiveSmallIntegerField(_("With a smartphone"))
    running = models.PositiveSmallIntegerField(_("Bluezone running"))
    relatives = models.PositiveSmallIntegerField(_("Relatives helped"))
    channel = models.CharField(max_length=8, choices=Channel)
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reported_at = models.DateTimeField(default=timezone.now)
    returned_at = models.DateTimeField(null=True)
    return_reason = models.CharField(max_length=200, blank=True)
    returned_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-week", "school_class", "-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["school_class", "week", "version"], name="class_version_once"),
            models.UniqueConstraint(
                fields=["week", "school_class"], condition=Q(is_current=True), name="one_current_class_report"
            ),
            models.CheckConstraint(condition=Q(pupils__lte=MOST_PUPILS), name="pupils_of_one_class"),
            models.CheckConstraint(condition=Q(with_smartphone__lte=F("pupils")), name="smartphones_among_pupils"),
            models.CheckConstraint(condition=Q(running__lte=F("with_smartphone")), name="pupils_run_on_smartphones"),
            models.CheckConstraint(condition=Q(relatives__lte=MOST_RELATIVES), name="relatives_of_one_class"),
            models.CheckConstraint(
                condition=Q(channel=Channel.LINK, reported_by__isnull=True)
                | Q(channel__in=[Channel.OFFICE, Channel.PASTED], reported_by__isnull=False),
                name="link_is_nobody_else_somebody",
            ),
            models.CheckConstraint(
                condition=Q(returned_at__isnull=True, return_reason="")
                | (Q(returned_at__isnull=False) & ~Q(return_reason="")),
                name="class_return_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_class_id} {self.week} v{self.version}"


class SchoolBreak(PractisedMixin):
    """Weeks without school, for one school or all schools in a unit: no numbers are owed and none are accepted.

    first_week, last_week: Mondays. Personal data: the account that entered it, an official duty.
    """

    school = models.ForeignKey(Agency, on_delete=models.CASCADE, null=True, related_name="school_breaks")
    unit = models.ForeignKey(AdminUnit, on_delete=models.CASCADE, null=True, related_name="school_breaks")
    first_week = models.DateField()
    last_week = models.DateField()
    reason = models.CharField(_("Reason"), max_length=80)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-first_week", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(school__isnull=True, unit__isnull=False) | Q(school__isnull=False, unit__isnull=True),
                name="break_of_a_school_or_a_unit",
            ),
            models.CheckConstraint(condition=Q(last_week__gte=F("first_week")), name="break_ends_after_it_begins"),
            models.CheckConstraint(condition=~Q(reason=""), name="break_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.first_week}..{self.last_week}"


class WeekOpening(PractisedMixin):
    """A school's request to reopen a locked week (xin mở lại), and the answer. until: the last day it is open again.

    Personal data: the accounts that asked and answered, official duties.
    """

    TRAINING_MOMENT = "asked_at"

    class State(models.TextChoices):
        """Whether and how the request was answered."""

        ASKED = "asked", _("waiting for an answer")
        OPENED = "opened", _("granted")
        DECLINED = "declined", _("declined")

    school = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="school_week_openings")
    week = models.DateField()
    reason = models.CharField(_("Reason"), max_length=200)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    until = models.DateField(null=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-asked_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="school_opening_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state="opened", until__isnull=False) | (~Q(state="opened") & Q(until__isnull=True)),
                name="school_opening_has_an_end",
            ),
            models.UniqueConstraint(
                fields=["school", "week", "training"], condition=Q(state="asked"), name="one_open_school_request"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.school_id} {self.week} {self.state}"
