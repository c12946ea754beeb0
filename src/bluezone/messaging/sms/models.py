# SPDX-License-Identifier: Apache-2.0
"""The outbox of text messages, opt-outs, and the segments spent. No number is stored unencrypted anywhere."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Purpose(models.TextChoices):
    """Why a message is sent. Only reminders observe quiet hours; nothing queues one yet (docs/messaging.md)."""

    ARRIVAL = "arrival", _("notice on arrival")
    CODE = "code", _("code for a registration")
    REMINDER = "reminder", _("reminder")


class State(models.TextChoices):
    """The state of a message.

    SENT: accepted by the operator. UNKNOWN: handed over without an answer, and not settled since; never sent again.
    NOT_SENT: written to a file, because the city has no operator. SUPPRESSED: the owner of the number opted out.
    """

    WAITING = "waiting", _("waiting")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("not delivered")
    EXPIRED = "expired", _("given up, too old")
    UNKNOWN = "unknown", _("unknown whether sent")
    SUPPRESSED = "suppressed", _("not sent, the guest opted out")
    NOT_SENT = "not_sent", _("written to a file, not sent")


# The number is stored only in these states.
OPEN_STATES = (State.WAITING, State.SENDING)


class PartState(models.TextChoices):
    """The state of one segment. SUBMITTING is stored before a byte is sent: after a crash it means "not known"."""

    WAITING = "waiting"
    SUBMITTING = "submitting"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


class Message(models.Model):
    """A message to one number. Personal data: number and text, sealed, and the number's keyed hash.

    sealed:       number and text; emptied, with destination_hash, as soon as the message is no longer open.
    once_key:     key of the notice in Once, deleted there if the message fails; "" if the notice may be repeated.
    next_try_at:  earliest time of the next try. expires_at: latest time to send.
    lease:        token of the sender that has the message until lease_until; after that another sender may claim it.
    trouble:      the operator's code of the last failure. Rows are deleted after 35 days (retention.purge).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    purpose = models.CharField(max_length=10, choices=Purpose)
    language = models.CharField(max_length=2)
    sealed = models.BinaryField(null=True)
    destination_hash = models.CharField(max_length=64, blank=True)
    once_key = models.CharField(max_length=64, blank=True)
    encoding = models.CharField(max_length=5)
    segments = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    urgency = models.PositiveSmallIntegerField(default=0)
    queued_at = models.DateTimeField()
    next_try_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=80, blank=True)
    lease = models.CharField(max_length=32, blank=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["queued_at"]
        indexes: ClassVar = [
            # Not partial: SQLite does not use a partial index for a condition with parameters.
            models.Index(fields=["state", "urgency", "next_try_at"], name="sms_open"),
            models.Index(fields=["queued_at"], name="sms_queued"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending"], sealed__isnull=False, closed_at__isnull=True)
                | (
                    ~Q(state__in=["waiting", "sending"])
                    & Q(sealed__isnull=True, destination_hash="", closed_at__isnull=False)
                ),
                name="sms_number_goes_when_closed",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)


class Part(models.Model):
    """A segment. reference: ours, 0..65535. provider_id: the operator's. asked: number of queries for its fate."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=10, choices=PartState, default=PartState.WAITING)
    reference = models.PositiveIntegerField(default=0)
    provider_id = models.CharField(max_length=65, blank=True, db_index=True)
    submitted_at = models.DateTimeField(null=True)
    ask_at = models.DateTimeField(null=True)
    asked = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["number"]
        indexes: ClassVar = [
            models.Index(fields=["ask_at"], name="sms_to_ask", condition=Q(ask_at__isnull=False)),
            models.Index(fields=["reference", "submitted_at"], name="sms_reference"),
            models.Index(fields=["state", "message"], name="sms_part_state"),
        ]
        constraints: ClassVar = [models.UniqueConstraint(fields=["message", "number"], name="one_part_a_number")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.number}"


class EarlyReceipt(models.Model):
    """A receipt with an operator's id that no part has yet; retained for a day."""

    provider_id = models.CharField(max_length=65, unique=True)
    fate = models.CharField(max_length=10)
    came_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.provider_id


class Once(models.Model):
    """The record that a number has had its one notice. key: keyed hash of number and notice. until: deleted then."""

    key = models.CharField(max_length=64, unique=True)
    until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key[:8]


class OptOut(models.Model):
    """A number that wants no messages except codes it requested. Keyed hash only; deleted after two years."""

    destination_hash = models.CharField(max_length=64, unique=True)
    day = models.DateField()

    def __str__(self) -> str:
        return self.destination_hash[:8]


class Spent(models.Model):
    """Segments queued on one local day for one purpose: sums, no person."""

    day = models.DateField()
    purpose = models.CharField(max_length=10, choices=Purpose)
    messages = models.PositiveIntegerField(default=0)
    segments = models.PositiveIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["day", "purpose"], name="one_sum_a_day_and_purpose")]

    def __str__(self) -> str:
        return f"{self.day} {self.purpose}"


class SenderState(models.Model):
    """The last report of the sender, a single row.

    trouble: code and detail of the reason why it cannot send; "" if it can.
    """

    provider = models.CharField(max_length=10)
    trouble = models.CharField(max_length=200, blank=True)
    said_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.provider
