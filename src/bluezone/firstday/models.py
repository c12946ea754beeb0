# SPDX-License-Identifier: Apache-2.0
"""Trials of the first day: a message arrives, a phone opens the public site, the recovery key is on paper."""

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Trial(models.Model):
    """A trial; only the newest of each kind is stored, and it names no person.

    digest:  keyed hash of the code that was sent, "" once it has been entered.
    about:   the subject: the public part of the recovery key, or the keyed hash of the link that a phone opened.
    tries:   wrong answers so far. passed_at: when it was passed; None before.
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
