# SPDX-License-Identifier: Apache-2.0
"""Entries of the audit chain, and the acts that duties declare for it, each with its words."""

from functools import cache
from typing import ClassVar

from django.db import models

from bluezone.duties import catalogue
from bluezone.duties.duty import Text


class ActUnknown(ValueError):
    """No duty declares this act: a bug in the code that records it."""


@cache
def acts() -> dict[str, Text]:
    """Every act that can be recorded, with its words."""
    return catalogue.acts()


def act_label(act: str) -> str:
    """An act in the reader's language; its name if no duty declares it any more."""
    return str(acts().get(act, act))


def check_act(act: str) -> None:
    """Raises ActUnknown unless a duty declares the act."""
    if act not in acts():
        raise ActUnknown(f"no duty declares the act {act}")


class AuditEntry(models.Model):
    """One act in the office. Entries form a chain of keyed hashes; hash_chain.py writes and verifies it.

    The database itself refuses to change an entry, or to delete one before its year is over.
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
        return act_label(self.action)
