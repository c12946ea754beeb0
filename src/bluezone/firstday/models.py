# SPDX-License-Identifier: Apache-2.0
"""What was tried on the first day: that a message arrives, a phone opens the public site, the backup key is at hand."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Trial(models.Model):
    """One thing to be tried; the newest try of each kind alone is kept, and it names nobody.

    digest:  keyed hash of the code that was sent, "" once it came back.
    about:   what it was tried on: the public part of the recovery key; the keyed hash of the link that a phone opened.
    tries:   wrong answers so far. passed_at: when it was proved; None before.
    """

    class Kind(models.TextChoices):
        MAIL = "mail"
        SMS = "sms"
        PUSH = "push"
        PHONE = "phone"
        KEY = "key"
        PRACTICE = "practice"

    kind = models.CharField(max_length=8, choices=Kind, unique=True)
    digest = models.CharField(max_length=64, blank=True)
    about = models.CharField(max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    begun_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    passed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(passed_at__isnull=True) | Q(digest=""), name="a_passed_trial_is_over"),
        ]

    def __str__(self) -> str:
        return self.kind
