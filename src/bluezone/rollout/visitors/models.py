# SPDX-License-Identifier: Apache-2.0
"""Notices with desk, time and state, but without recipient, and their daily sums.

Only the outbox has the number, sealed, and deletes it when the operator has accepted the message.
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import AdminUnit
from bluezone.messaging.sms.models import Message, State
from bluezone.training import PractisedMixin


class Channel(models.TextChoices):
    """How the desk requested a notice."""

    DESK = "desk", _("at the desk")
    LIST = "list", _("by a list")


class Notice(PractisedMixin):
    """One notice that a desk requested. Added to NoticeDay and deleted after 30 days (`retention.purge`).

    house: key of a `queries.House`, which is in `unit`. consent: the guest agreed to the text on the page; no row
    without it. made_by: sign-in name. message: in the outbox; None in training mode, or once the outbox has purged it.
    """

    house = models.CharField(max_length=12)
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, related_name="+")
    channel = models.CharField(max_length=4, choices=Channel)
    language = models.CharField(max_length=2)
    consent = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    day = models.DateField()
    made_by = models.CharField(max_length=40)
    message = models.ForeignKey(Message, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-made_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["house", "day"], name="visitors_house_day")]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(consent=True), name="no_notice_without_consent")]

    def __str__(self) -> str:
        return f"{self.house} {self.made_at:%Y-%m-%d %H:%M}"

    @property
    def state(self) -> State | None:
        """The state of the message, None without a message."""
        return State(self.message.state) if self.message else None


class NoticeDay(models.Model):
    """The number of notices of one house and day by final state: sums, no guest."""

    house = models.CharField(max_length=12)
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    state = models.CharField(max_length=10, choices=State)
    count = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["house", "unit", "day", "state"], name="one_sum_a_house_day_and_end")
        ]

    def __str__(self) -> str:
        return f"{self.house} {self.day} {self.state}"
