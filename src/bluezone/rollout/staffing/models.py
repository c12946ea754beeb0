# SPDX-License-Identifier: Apache-2.0
"""The staff reports of agencies for a week, in all versions; requests to reopen a locked week, and reopened weeks.

Source: Công văn 458/UBND-VP, clause 1: all cadres and staff with a smartphone install it; the agency is responsible.
"""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import Agency
from bluezone.training import PractisedMixin, TrainingMixin


class WeekDay(models.Func):
    """The day of the week of a date, 0 (Sunday) to 6, by built-in functions of the databases.

    Django's own lookup needs a function that only Django's SQLite connections have. Other programs must also be able to
    check the constraint, such as SQLite's `PRAGMA integrity_check` of a backup.
    """

    output_field = models.IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQL for SQLite. Parameters are inserted twice, so that `%%%%w` becomes `%w`."""
        return self.as_sql(
            compiler, connection, template="CAST(strftime('%%%%w', %(expressions)s) AS INTEGER)", **context
        )

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """SQL for PostgreSQL."""
        return self.as_sql(compiler, connection, template="EXTRACT(DOW FROM %(expressions)s)", **context)


class StaffReport(TrainingMixin):
    """One version of the staff report of one agency for one week. Counts of people, never a name.

    week:           its Monday. version: 1, 2, …; only the newest has `is_current`, earlier ones never change.
    staff:          all cadres, staff and workers. with_smartphone: those of them with a smartphone.
    running:        people with a smartphone on which Bluezone runs, with Bluetooth on.
    web_edition:    people with only the web edition, which records no encounters and never counts as running.
    reminded:       people with a smartphone that does not run Bluezone, who were reminded in the week.
    training:       made in training mode: in no figure, erased after 7 days.
    Personal data: the account that reported, an official duty.
    """

    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="staff_reports")
    week = models.DateField()
    version = models.PositiveSmallIntegerField()
    is_current = models.BooleanField(default=True)
    staff = models.PositiveIntegerField(_("Staff"))
    with_smartphone = models.PositiveIntegerField(_("With a smartphone"))
    running = models.PositiveIntegerField(_("Bluezone running"))
    web_edition = models.PositiveIntegerField(_("Web version only"))
    reminded = models.PositiveIntegerField(_("Not running, reminded"))
    reported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField(default=timezone.now)

    TRAINING_MOMENT = "reported_at"
    objects: ClassVar[models.Manager["StaffReport"]]
    everything: ClassVar[models.Manager["StaffReport"]]

    class Meta(TrainingMixin.Meta):
        ordering: ClassVar = ["-week", "agency", "-version"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agency", "week", "training", "version"], name="staff_version_once"),
            models.UniqueConstraint(
                fields=["week", "training", "agency"], condition=Q(is_current=True), name="one_current_staff_report"
            ),
            models.CheckConstraint(condition=Q(with_smartphone__lte=F("staff")), name="smartphones_among_staff"),
            models.CheckConstraint(
                condition=Q(with_smartphone__gte=F("running") + F("web_edition")), name="running_or_web_on_a_smartphone"
            ),
            models.CheckConstraint(
                condition=Q(with_smartphone__gte=F("running") + F("reminded")), name="reminded_are_not_running"
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="staff_versions_from_one"),
            models.CheckConstraint(condition=Exact(WeekDay(F("week")), 1), name="staff_week_begins_on_monday"),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.week} v{self.version}"


class WeekReopening(PractisedMixin):
    """A locked week for which one agency may report again, and why. Rows of training mode are separate.

    until: the last day on which it may. Personal data: the account that reopened it, an official duty.
    """

    agency = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="week_reopenings")
    week = models.DateField()
    until = models.DateField()
    reason = models.CharField(_("Reason"), max_length=200)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)

    TRAINING_MOMENT = "opened_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-opened_at"]
        constraints: ClassVar = [models.CheckConstraint(condition=~Q(reason=""), name="reopening_has_a_reason")]

    def __str__(self) -> str:
        return f"{self.agency_id} {self.week} until {self.until}"


class WeekRequest(PractisedMixin):
    """An agency's request to reopen a locked week (xin mở lại), and the answer. Rows of training mode are separate.

    Personal data: the accounts that asked and answered, official duties.
    """

    class State(models.TextChoices):
        """Whether and how the request was answered."""

        OPEN = "open", _("waiting for an answer")
        GRANTED = "granted", _("granted")
        DECLINED = "declined", _("declined")

    agency = models.ForeignKey(Agency, on_delete=models.CASCADE, related_name="week_requests")
    week = models.DateField()
    reason = models.CharField(_("Reason"), max_length=200)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    answer = models.CharField(_("Answer"), max_length=200, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    TRAINING_MOMENT = "asked_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-asked_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="week_request_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "granted", "declined"]), name="week_request_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["agency", "week", "training"], condition=Q(state="open"), name="one_open_request_a_week"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} asks for {self.week}"
