# SPDX-License-Identifier: Apache-2.0
"""A request for help: what somebody asked, sealed, and where it stands.

Source: Công văn 458/UBND-VP, clause 3: the unions help people install; specs/rollout.md A4 (ticket, claim, done).
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bluezone.agencies.models import AdminUnit


class HelpChannel(models.TextChoices):
    """Where the request came from."""

    PORTAL = "portal", _("Public site")
    APP = "app", _("App")
    GATE = "gate", _("Gate")


class HelpState(models.TextChoices):
    """Where it stands; the queue moves it on."""

    OPEN = "open", _("Open")
    CLAIMED = "claimed", _("Taken on")
    DONE = "done", _("Helped")
    CANNOT = "cannot", _("Could not be helped")


class HelpRequest(models.Model):
    """One request for help.

    ticket: what the person is told, `K7M-2QX`; says nothing of them.
    sealed: contact, place and note as JSON under a key of the data folder; unseal with `helping.read`.
    unit:   ward or commune, so that the right team finds it; None where nobody said.
    repeat_key: keyed digest of the caller's Idempotency-Key, so that an outbox sent twice opens one ticket.
    opened_at, closed_at: to the second. No address of the caller is kept.
    Personal data: what is sealed. Deleted with the row 30 days after it is closed, 90 days after it was opened at the
    latest (retention.py).
    """

    ticket = models.CharField(max_length=7, unique=True)
    channel = models.CharField(max_length=8, choices=HelpChannel)
    state = models.CharField(max_length=8, choices=HelpState, default=HelpState.OPEN)
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    sealed = models.BinaryField()
    repeat_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["opened_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(channel__in=HelpChannel.values), name="help_channel_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=[HelpState.OPEN, HelpState.CLAIMED], closed_at__isnull=True)
                | Q(state__in=[HelpState.DONE, HelpState.CANNOT], closed_at__isnull=False),
                name="help_is_closed_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket} {self.state}"
