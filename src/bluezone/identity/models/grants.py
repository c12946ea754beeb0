# SPDX-License-Identifier: Apache-2.0
"""Roles, and who holds which one where and when."""

import datetime
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """A duty in the rollout or in the health authority; audiences.py says which pages each may open."""

    ISSUER = "issuer", _("Signatory")
    CLERK = "clerk", _("Clerk")
    LEAD = "lead", _("Head of the agency")
    OFFICER = "officer", _("Officer in charge")
    GATEKEEPER = "gatekeeper", _("Gatekeeper")
    CANVASSER = "canvasser", _("Canvasser")
    DRIVE_LEAD = "drive_lead", _("Leader of drives")
    TEACHER = "teacher", _("Teacher")
    VENUE_OWNER = "venue_owner", _("Venue owner")
    SPEAKER_OPERATOR = "speaker_operator", _("Loudspeaker operator")
    EDITOR = "editor", _("Editor")
    HEALTH_WORKER = "health_worker", _("Health worker")
    SUPERVISOR = "supervisor", _("Health supervisor")
    AUDITOR = "auditor", _("Auditor")
    LEADER = "leader", _("Leader, reading only")
    ADMIN = "admin", _("Administrator")


class GrantQuerySet(models.QuerySet["RoleGrant"]):
    """Grants picked out by day."""

    def in_force(self, day: datetime.date) -> "GrantQuerySet":
        """Grants that hold on `day`; a delegation holds only while the grant it rests on does."""
        begun = Q(valid_from__lte=day) & (Q(valid_to__isnull=True) | Q(valid_to__gt=day))
        basis = Q(delegated_by__valid_from__lte=day) & (
            Q(delegated_by__valid_to__isnull=True) | Q(delegated_by__valid_to__gt=day)
        )
        return self.filter(begun, Q(delegated_by__isnull=True) | (basis & Q(delegated_by__user__is_active=True)))


class RoleGrant(models.Model):
    """One role of one person, in the whole city, under one agency, or in one unit, from a day until before another.

    agency:       this agency and those that answer to it. unit: this unit, those under it and the agencies that
                  serve them. Both None: the whole city.
    valid_from:   first day. valid_to: first day no longer, None open.
    delegated_by: the grant of somebody else on which this one rests, None for one of its own. A delegation has an
                  end, and is not delegated again (a trigger holds it).
    Kept while the account is; the audit has the history.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(_("Role"), max_length=16, choices=Role)
    agency = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    unit = models.ForeignKey("agencies.AdminUnit", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    valid_from = models.DateField(_("From"), default=timezone.localdate)
    valid_to = models.DateField(_("Until before"), null=True, blank=True)
    delegated_by = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="delegated")

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["role", "pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(role__in=Role.values), name="role_is_known"),
            models.CheckConstraint(
                condition=Q(agency__isnull=True) | Q(unit__isnull=True), name="one_scope_agency_or_unit"
            ),
            # Equal: ended before it began, which an administrator may do.
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")), name="grant_ends_after_it_begins"
            ),
            models.CheckConstraint(
                condition=Q(delegated_by__isnull=True) | Q(valid_to__isnull=False), name="a_delegation_has_an_end"
            ),
            models.CheckConstraint(
                condition=Q(delegated_by__isnull=True) | ~Q(delegated_by=F("id")), name="a_delegation_rests_on_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.user_id} from {self.valid_from}"

    @property
    def scope(self) -> "models.Model | None":
        """The agency or unit, None for the whole city."""
        return self.agency or self.unit

    @property
    def last_day(self) -> datetime.date | None:
        """The last day on which the grant holds, None when it is open."""
        return self.valid_to - datetime.timedelta(days=1) if self.valid_to else None
