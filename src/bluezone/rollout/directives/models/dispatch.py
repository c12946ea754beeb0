# SPDX-License-Identifier: Apache-2.0
"""A directive on its way to one agency, everything that happened to it, what the agency reports on its tasks."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.kinds import Purpose
from bluezone.directory.models import Agency
from bluezone.rollout.directives.models.directive import Directive, StoredFile, Task
from bluezone.training import PractisedMixin


class DispatchState(models.TextChoices):
    """Where a directive stands at one agency."""

    ARRIVED = "arrived", _("arrived, not received")
    RECEIVED = "received", _("received")
    SENT_BACK = "sent_back", _("sent back")
    ASSIGNED = "assigned", _("assigned")
    IN_PROGRESS = "in_progress", _("in progress")
    REPORTED = "reported", _("reported done, to be accepted")
    DONE = "done", _("done")
    HANDED_OVER = "handed_over", _("handed over on paper")
    HANDED_ON = "handed_on", _("passed to the successor")
    RECALLED = "recalled", _("recalled from this agency")


class Channel(models.TextChoices):
    """How an agency is reached."""

    ACCOUNT = "account", _("account here")
    AXIS = "axis", _("exchange file")
    MAIL = "mail", _("e-mail notice only")
    PAPER = "paper", _("on paper")
    NOBODY = "nobody", _("nobody")


class Dispatch(PractisedMixin):
    """One directive at one agency. parent: the dispatch that an agency above passed on (chuyển tiếp xuống cấp dưới).

    incoming_number: the agency's own running number of the year (số đến), given when it is received.
    by_file: the agency is of another office, which got the document as an edXML file and answers with files.
    channel: how the agency was reached when it was sent, "" for one of before this was kept.
    taken_over_from: the dispatch to an agency that has ended, whose open work this one goes on with.
    Personal data: the person a task was assigned to, an official duty.
    """

    directive = models.ForeignKey(Directive, on_delete=models.PROTECT, related_name="dispatches")
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="dispatches")
    purpose = models.CharField(max_length=12, choices=Purpose)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    state = models.CharField(max_length=12, choices=DispatchState, default=DispatchState.ARRIVED)
    arrived_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)
    incoming_year = models.PositiveSmallIntegerField(null=True)
    incoming_number = models.PositiveIntegerField(null=True)
    assigned_to = models.CharField(_("Assigned to"), max_length=120, blank=True)
    reason = models.CharField(_("Reason"), max_length=300, blank=True)
    by_file = models.BooleanField(default=False)
    channel = models.CharField(max_length=8, choices=Channel, blank=True)
    taken_over_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="taken_over_by")
    changed_at = models.DateTimeField()

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-arrived_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["agency", "-arrived_at"], name="dispatch_inbox")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["directive", "agency"], name="dispatch_once_an_agency"),
            models.UniqueConstraint(
                fields=["agency", "incoming_year", "incoming_number", "training"], name="incoming_number_once_a_year"
            ),
            models.CheckConstraint(condition=Q(state__in=DispatchState.values), name="dispatch_state_is_known"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="dispatch_purpose_is_known"),
            models.CheckConstraint(condition=~Q(state="sent_back") | ~Q(reason=""), name="sent_back_for_a_reason"),
            models.CheckConstraint(condition=~Q(state="assigned") | ~Q(assigned_to=""), name="assigned_to_somebody"),
            models.CheckConstraint(
                condition=Q(state__in=("arrived", "sent_back", "handed_over", "handed_on", "recalled"))
                | Q(by_file=True)
                | Q(received_at__isnull=False, incoming_number__gt=0),
                name="dispatch_is_received_first",
            ),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="dispatch_is_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.directive_id} to {self.agency_id}: {self.state}"


class EventKind(models.TextChoices):
    """What the log of a dispatch tells of."""

    ARRIVED = "arrived", _("arrived")
    OPENED = "opened", _("opened")
    RECEIVED = "received", _("received")
    SENT_BACK = "sent_back", _("sent back")
    SENT_AGAIN = "sent_again", _("sent again")
    ASSIGNED = "assigned", _("assigned")
    IN_PROGRESS = "in_progress", _("started")
    REPORTED = "reported", _("reported done")
    DONE = "done", _("done")
    REOPENED = "reopened", _("not accepted yet")
    HANDED_OVER = "handed_over", _("handed over on paper")
    HANDED_ON = "handed_on", _("passed to the successor")
    RECALLED = "recalled", _("recalled from this agency")
    UNDONE = "undone", _("undone within seconds")
    PASSED_ON = "passed_on", _("passed on to agencies below")
    REPLACED = "replaced", _("replaced by another document")
    REVOKED = "revoked", _("recalled by the issuer")
    REMINDED = "reminded", _("reminded")
    ESCALATED = "escalated", _("reported to the agency above")
    STATUS_READ = "status_read", _("state imported from a file")
    UPDATED = "updated", _("updated by the issuer")
    AGREED = "agreed", _("agreed to the recall or update")
    DECLINED = "declined", _("did not agree to the recall or update")


class DispatchEvent(PractisedMixin):
    """One thing that happened to a dispatch; the database refuses to change it, or to delete it unless for practice.

    before: the state before, for taking a tap back. actor: None for the clock and for files.
    seal: of a receipt, the seal of the document that was received.
    """

    dispatch = models.ForeignKey(Dispatch, on_delete=models.PROTECT, related_name="events")
    what = models.CharField(max_length=12, choices=EventKind)
    at = models.DateTimeField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    before = models.CharField(max_length=12, blank=True)
    note = models.CharField(max_length=300, blank=True)
    seal = models.CharField(max_length=64, blank=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(what__in=EventKind.values), name="happening_is_known")
        ]

    def __str__(self) -> str:
        return f"{self.dispatch_id} {self.what}"


class Assignment(PractisedMixin):
    """A person of an agency who works on a document there. due: until the end of which day, None as the letter says.

    Personal data: the accounts that work on it and that assigned it, official duties.
    """

    dispatch = models.ForeignKey(Dispatch, on_delete=models.CASCADE, related_name="assignments")
    task = models.ForeignKey(Task, on_delete=models.CASCADE, null=True, related_name="assignments")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    due = models.DateField(_("Due"), null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["due", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["dispatch", "task", "account"], condition=Q(task__isnull=False), name="one_task_a_person"
            ),
            models.UniqueConstraint(
                fields=["dispatch", "account"], condition=Q(task__isnull=True), name="whole_document_once_a_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dispatch_id} for {self.account_id}"


class ChangeRequest(PractisedMixin):
    """An agency asks for a change of a task, or for more time; a unit does not refuse its People's Committee."""

    class Kind(models.TextChoices):
        """đề nghị điều chỉnh, đề nghị gia hạn."""

        CHANGE = "change", _("a change")
        EXTENSION = "extension", _("more time")

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", _("waiting for an answer")
        GRANTED = "granted", _("granted")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="requests")
    agency = models.ForeignKey(Agency, on_delete=models.PROTECT, related_name="change_requests")
    kind = models.CharField(_("Request"), max_length=12, choices=Kind, default=Kind.EXTENSION)
    until = models.DateField(_("Time until"), null=True, blank=True)
    reason = models.TextField(_("Reason"), max_length=1000)
    state = models.CharField(max_length=12, choices=State, default=State.OPEN)
    answer = models.CharField(_("Answer"), max_length=300, blank=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)

    TRAINING_MOMENT = ""

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-asked_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(kind="extension") | Q(until__isnull=False), name="extension_has_a_day"),
            models.CheckConstraint(condition=~Q(reason=""), name="request_has_a_reason"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "granted", "declined", "withdrawn"]), name="request_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["task", "agency", "kind"], condition=Q(state="open"), name="one_open_request_a_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.agency_id} asks for {self.kind} of {self.task_id}"


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
