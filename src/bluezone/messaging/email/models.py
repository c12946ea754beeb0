# SPDX-License-Identifier: Apache-2.0
"""The outbox: what is to be sent, and for a week that it was."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q


class Mail(models.Model):
    """One mail to one address. Personal data: the address, and what the text says; the text is emptied when it is sent.

    id:          also its Message-ID, so that a mail sent twice by a crash is shown once by the reader's program.
    digest_day:  local day whose digest this is, None for other mail; one a day and address.
    next_try_at: not before; tries: how many there were. trouble: why the last failed, without address or text.
    Rows are deleted a week after they were sent or given up (retention.py).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.EmailField()
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    digest_day = models.DateField(null=True)
    queued_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)
    trouble = models.CharField(max_length=80, blank=True)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["queued_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["to", "digest_day"], name="one_digest_a_day_and_address"),
            models.CheckConstraint(
                condition=Q(next_try_at__isnull=False, sent_at__isnull=True, given_up_at__isnull=True)
                | Q(next_try_at__isnull=True, sent_at__isnull=False, given_up_at__isnull=True)
                | Q(next_try_at__isnull=True, sent_at__isnull=True, given_up_at__isnull=False),
                name="mail_waits_is_sent_or_given_up",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
