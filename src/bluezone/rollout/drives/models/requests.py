# SPDX-License-Identifier: Apache-2.0
"""A request for help: what somebody asked, sealed, and where it stands.

Source: Công văn 458/UBND-VP, clause 3: the unions help people install; specs/rollout.md A4 (ticket, claim, done).
"""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.training import PractisedMixin
from bluezone.agencies.models import AdminUnit
from bluezone.rollout.drives.models.drive import Drive, Team


class HelpChannel(models.TextChoices):
    """Where the request came from."""

    PORTAL = "portal", _("Public site")
    APP = "app", _("App")
    GATE = "gate", _("Gate")
    PHONE = "phone", _("Telephone")
    CANVASS = "canvass", _("House visit")
    STALL = "stall", _("Stall")


class HelpState(models.TextChoices):
    """Where it stands; the queue moves it on."""

    OPEN = "open", _("Open")
    CLAIMED = "claimed", _("Taken on")
    DONE = "done", _("Helped")
    CANNOT = "cannot", _("Could not be helped")


class HelpRequest(PractisedMixin):
    """One request for help.

    ticket: what the person is told, `K7M-2QX`; says nothing of them.
    sealed: contact, place and note as JSON under a key of the data folder; unseal with `helping.read`.
    contact_digest: keyed digest of the telephone number in it, "" without one. counted: that Bluezone runs on it was
            counted for a team; at most one request of a number is, so that two teams do not count one phone.
    unit:   ward or commune, so that the right team finds it; None where nobody said.
    drive:  the stall before which the person stands, None for everybody else.
    team:   who has taken it on; others may from `claimed_until` on. claimed_at, claimed_until: only while it is.
    repeat_key: keyed digest of the caller's Idempotency-Key, so that an outbox sent twice opens one ticket.
    opened_at, closed_at: to the second. No address of the caller is kept.
    Personal data: what is sealed, and the digest. Deleted with the row 30 days after it is closed, 90 days after it
    was opened at the latest; of who came to a stall the day after (retention.py).
    """

    ticket = models.CharField(max_length=7, unique=True)
    channel = models.CharField(max_length=8, choices=HelpChannel)
    state = models.CharField(max_length=8, choices=HelpState, default=HelpState.OPEN)
    unit = models.ForeignKey(AdminUnit, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, null=True, related_name="requests")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="requests")
    sealed = models.BinaryField()
    contact_digest = models.CharField(max_length=64, blank=True)
    counted = models.BooleanField(default=False)
    repeat_key = models.CharField(max_length=64, null=True, blank=True, unique=True)
    opened_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    TRAINING_MOMENT = "opened_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["opened_at", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(channel__in=HelpChannel.values), name="help_channel_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=[HelpState.OPEN, HelpState.CLAIMED], closed_at__isnull=True)
                | Q(state__in=[HelpState.DONE, HelpState.CANNOT], closed_at__isnull=False),
                name="help_is_closed_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(
                    state=HelpState.CLAIMED, team__isnull=False, claimed_at__isnull=False, claimed_until__isnull=False
                )
                | (~Q(state=HelpState.CLAIMED) & Q(claimed_until__isnull=True)),
                name="help_taken_on_has_a_team",
            ),
            models.UniqueConstraint(
                fields=["contact_digest", "training"],
                condition=Q(counted=True) & ~Q(contact_digest=""),
                name="a_number_is_counted_once",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "unit"], name="help_by_state_and_unit")]

    def __str__(self) -> str:
        return f"{self.ticket} {self.state}"
