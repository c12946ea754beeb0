# SPDX-License-Identifier: Apache-2.0
"""Entries of the audit chain."""

from typing import ClassVar

from django.db import models

from bluezone.audit.acts import words_of


class AuditEntry(models.Model):
    """One act in the office. Entries form a chain of keyed hashes; hash_chain.py writes and verifies it.

    The database itself refuses to change an entry, and to delete one before its year is over.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=40)
    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=64)
    details = models.JSONField(default=dict)
    previous = models.CharField(max_length=64, unique=True)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        app_label = "accounts"
        ordering: ClassVar = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.action} by {self.actor}"

    @property
    def done(self) -> str:
        """What was done, in the reader's language."""
        return words_of(self.action)
