# SPDX-License-Identifier: Apache-2.0
"""The plans that leaders ask for: inputs, progress, and the counts of their epidemics."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class PlanState(models.TextChoices):
    """The state of a plan."""

    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("under way")
    DONE = "done", _("done")
    STOPPED = "stopped", _("stopped")
    FAILED = "failed", _("failed")


class CityPlan(models.Model):
    """One plan.

    inputs: `bluezone.planning.plan.Inputs.as_json`. results: [seed, option, totals] for each option of each seed done.
    done, pieces: the number of seeds done, and of all seeds. refusal: the code of the error if it failed, else "".
    Personal data: the account that asked for it, an official duty; deleted 90 days after that.
    """

    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=PlanState, default=PlanState.WAITING)
    inputs = models.JSONField()
    results = models.JSONField(default=list, db_column="found")
    done = models.PositiveIntegerField(default=0)
    pieces = models.PositiveIntegerField()
    refusal = models.CharField(max_length=40, blank=True)

    objects: ClassVar[models.Manager["CityPlan"]]

    class Meta:
        ordering: ClassVar = ["-asked_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=PlanState.values), name="plan_state_is_known"),
            models.CheckConstraint(condition=Q(done__lte=F("pieces")), name="plan_pieces_done_of_all"),
        ]

    def __str__(self) -> str:
        return f"plan {self.pk}, {self.state}"

    @property
    def is_open(self) -> bool:
        """Whether the plan is waiting or running."""
        return self.state in (PlanState.WAITING, PlanState.RUNNING)
