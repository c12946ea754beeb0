# SPDX-License-Identifier: Apache-2.0
"""What the office remembers of a code: never the code, never the case."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class CaseClass(models.TextChoices):
    """How the infection was established (protocol.md 4, classes 1 and 2)."""

    CONFIRMED = "confirmed", _("Confirmed by a test")
    CLINICAL = "clinical", _("Clinical diagnosis, no test")


class IssuedCode(models.Model):
    """A code that a worker has issued: an opaque handle by which the key server tells its state.

    There is no field for a name, a file number or a remark, on purpose: whatever were written there would tie a code
    to a person. A worker finds a code again by the time it was issued. The onset is forgotten when the code expires,
    the row after 14 days.
    """

    handle = models.CharField(max_length=128, unique=True)
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="codes")
    case_class = models.CharField(max_length=16, choices=CaseClass)
    onset = models.DateField(null=True)
    issued_at = models.DateTimeField(db_index=True)
    expires_at = models.DateTimeField()
    link_expires_at = models.DateTimeField()
    form_id = models.UUIDField(unique=True)

    class Meta:
        ordering: ClassVar = ["-issued_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(case_class__in=CaseClass.values), name="case_class_is_known")
        ]

    def __str__(self) -> str:
        return f"code issued {self.issued_at:%Y-%m-%d %H:%M}"
