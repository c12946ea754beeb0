# SPDX-License-Identifier: Apache-2.0
"""The outbox: mail to send, and for a week the record of it."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q


class Mail(models.Model):
    """A mail to one address. Personal data: the address, and the content of the text; the text is emptied when sent.

    id:          also its Message-ID, so that the reader's program shows a mail once that a crash sent twice.
    digest_day:  local day of a digest, None for other mail; one a day and address.
    next_try_at: earliest time of the next try; tries: number of tries so far. trouble: reason of the last failure,
                 without address or text.
    Rows are deleted a week after they were sent or given up (retention.purge).
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
