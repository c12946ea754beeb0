# SPDX-License-Identifier: Apache-2.0
"""Acts that wait for a second person, hours behind a broken glass, and lists of people who are to have accounts."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import SentList


class ActState(models.TextChoices):
    """The state of an act."""

    WAITING = "waiting", _("waiting for a second person")
    DONE = "done", _("done")
    WITHDRAWN = "withdrawn", _("withdrawn")
    # Not one act but an hour: the person who broke the glass speaks without a second person until expires_at.
    GLASS = "glass", _("the glass is broken")


class WaitingAct(models.Model):
    """One act that somebody asked for and another person has to confirm.

    kind:    one of the kinds that duties declare (Duty.shared_acts); "" for a broken glass.
    values:  the arguments of the act, in JSON. lines: pairs of a label and a text, exactly as both people read them.
    reason:  why the glass was broken.
    told_at: when the administrators and supervisors were notified.
    Personal data: the accounts that asked and answered, official duties; deleted 30 days after its end.
    """

    kind = models.CharField(max_length=40, blank=True)
    values = models.JSONField(default=dict)
    lines = models.JSONField(default=list, db_column="shown")
    reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=ActState, default=ActState.WAITING)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-asked_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=ActState.values), name="waiting_act_state_is_known"),
            models.CheckConstraint(
                condition=Q(state__in=(ActState.WAITING, ActState.GLASS), answered_by__isnull=True)
                | Q(state__in=(ActState.DONE, ActState.WITHDRAWN), answered_by__isnull=False),
                name="an_answered_act_says_by_whom",
            ),
            models.CheckConstraint(
                condition=~Q(state=ActState.GLASS) | (Q(kind="") & ~Q(reason="")), name="a_broken_glass_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind or 'glass'} of {self.asked_by_id} at {self.asked_at:%Y-%m-%d %H:%M}"


class PeopleImport(SentList):
    """A list of people who are to have accounts. Deleted when it is discarded, and a day after it was received.

    usual_role: the role of rows that name none. accepted: once done, sign-in name -> [telephone, e-mail] from the list.
    Personal data: names, and how to reach these people on duty, only for the invitations.
    """

    usual_role = models.CharField(max_length=20)

    def __str__(self) -> str:
        return f"people, {self.made_at:%Y-%m-%d %H:%M}"
