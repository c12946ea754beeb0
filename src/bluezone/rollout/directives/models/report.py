# SPDX-License-Identifier: Apache-2.0
"""What one agency reports on one task for one period.

Source: the reporting model of DHIS2: a report is expected of each agency and period, is actual, and is in time or late.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import Agency
from bluezone.rollout.directives.models.directive import StoredFile, Task
from bluezone.training import PractisedMixin


class ReportState(models.TextChoices):
    """Where a report stands with the agency above; one that was returned counts as not made."""

    SUBMITTED = "submitted", _("awaiting approval")
    RETURNED = "returned", _("returned")
    ACCEPTED = "accepted", _("accepted")


class Report(PractisedMixin):
    """One report. period: its first day. on_time: as first submitted. values: by the names of Task.fields.

    Personal data: the accounts that reported and checked, official duties.
    """

    task = models.ForeignKey(Task, on_delete=models.PROTECT, related_name="reports")
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="reports")
    period = models.DateField()
    values = models.JSONField(default=dict)
    text = models.TextField(_("What was done"), max_length=4000, blank=True)
    evidence = models.ManyToManyField(StoredFile, related_name="reports", blank=True)
    state = models.CharField(max_length=12, choices=ReportState, default=ReportState.SUBMITTED)
    on_time = models.BooleanField()
    return_reason = models.CharField(_("Reason"), max_length=300, blank=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    checked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    checked_at = models.DateTimeField(null=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-period", "-submitted_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["task", "period", "state"], name="report_rates")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["agency", "task", "period"], name="one_report_a_period"),
            models.CheckConstraint(condition=Q(state__in=ReportState.values), name="report_state_is_known"),
            models.CheckConstraint(
                condition=~Q(state="returned") | ~Q(return_reason=""), name="report_is_returned_for_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} on {self.task_id} for {self.period}"


class PeriodRequest(PractisedMixin):
    """An agency asks that a locked period be opened again for it (xin mở lại), and the issuer answers.

    until: last day on which it is open again, set when it is granted.
    Personal data: the accounts that asked and answered, official duties.
    """

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", _("waiting for an answer")
        GRANTED = "granted", _("granted")
        DECLINED = "declined", _("declined")

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="period_requests")
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="period_requests")
    period = models.DateField()
    reason = models.CharField(_("Reason"), max_length=300)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    until = models.DateField(_("Open until"), null=True, blank=True)
    answer = models.CharField(_("Answer"), max_length=300, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-asked_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["agency", "task", "period"], name="period_requests")]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(reason=""), name="period_request_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "granted", "declined"]), name="period_request_state_is_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="granted") | Q(until__isnull=False), name="reopened_period_has_a_last_day"
            ),
            models.UniqueConstraint(
                fields=["task", "agency", "period"], condition=Q(state="open"), name="one_open_request_a_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} asks for period {self.period} of {self.task_id}"
