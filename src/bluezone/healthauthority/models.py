# SPDX-License-Identifier: Apache-2.0
"""The office's rows about codes and declarations: never a code, never a case, never the fate of a code."""

import datetime
import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.training import PractisedMixin


class CaseClass(models.TextChoices):
    """How the infection was established (docs/protocol.md section 4, classes 1 and 2)."""

    CONFIRMED = "confirmed", _("Confirmed by a test")
    CLINICAL = "clinical", _("Clinical diagnosis, no test")


def random_key() -> int:
    """A random primary key, which does not reveal in which order the codes of a day were issued.

    For a BigAutoField: SQLite stores rows in its order. With another type of key, rows get a counted number too.
    """
    return secrets.randbits(53)


class IssuedCode(PractisedMixin):
    """The record that a worker has issued a code. The matching row of the key server is stored nowhere.

    There is no field for a name, a file number or a remark, on purpose: it would link a code to a person. Nor is there
    one for class, onset or time of day: where few are ill, they would identify a report by its keys. A worker finds a
    code again by its day and `mark`. The row is deleted after 14 days.

    facility: the agency of the worker at that time, which counts the code; None for a worker of the whole city.
    handle: a name of this row that only this store has. The state of the code is shown only for its ticket
    (codes/tickets.py), which the office sends to the browser that issued it and does not store.
    issued_at: beginning of the local day. messaged: whether the office sent its message, so as not to send it twice.
    audited: whether its audit entry exists, which is written after its day. proof: detects changes of worker and day
    until then.
    sealed_minute: the minute of issue, sealed for the health supervisor's key for inquiries (InquiryKey), which no
    server has; None if the city has no such key.
    In training mode: a made-up code (codes/practice.py) with its moment, deleted after 7 days.
    """

    id = models.BigAutoField(primary_key=True, default=random_key, editable=False)
    handle = models.CharField(max_length=128, unique=True)
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="codes")
    facility = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, null=True, related_name="+")
    issued_at = models.DateTimeField(db_index=True)
    form_id = models.UUIDField(unique=True)
    messaged = models.BooleanField(default=False)
    audited = models.BooleanField(default=False)
    proof = models.CharField(max_length=64, blank=True)
    sealed_minute = models.BinaryField(null=True)

    TRAINING_MOMENT = "issued_at"

    class Meta(PractisedMixin.Meta):
        ordering: ClassVar = ["-issued_at", "-pk"]

    def __str__(self) -> str:
        return f"code issued {self.issued_at:%Y-%m-%d}"

    @property
    def day(self) -> datetime.date:
        """Local day of issue."""
        return timezone.localdate(self.issued_at)

    @property
    def mark(self) -> str:
        """Four characters that distinguish a code from the others of its day."""
        return self.handle[-4:].upper()


class InquiryKey(models.Model):
    """The public half of the health supervisor's key for inquiries, for which minutes of issue are sealed.

    public: X25519, hex. The private half is on paper. The newest row is the current key; what was sealed for an older
    one opens with the older paper.
    """

    public = models.CharField(max_length=64)
    set_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-set_at", "-pk"]

    def __str__(self) -> str:
        return f"key for inquiries {self.public[:16]}"


class Batch(models.Model):
    """Codes issued together, so that sending the same rows again shows the same codes and issues no others.

    key_digest: SHA-256 of the key, which only the browser has; rows_digest: HMAC of the rows.
    answer: the codes, sealed under that key. Deleted when the codes expire.
    """

    id = models.BigAutoField(primary_key=True, default=random_key, editable=False)
    key_digest = models.CharField(max_length=64, unique=True)
    worker = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="batches")
    rows_digest = models.CharField(max_length=64)
    answer = models.BinaryField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"batch until {self.expires_at:%Y-%m-%d %H:%M}"


class RaiseReason(models.TextChoices):
    """Why a limit was raised. A choice, not a text: a text might name a case, and the audit is retained for a year."""

    MANY_CASES = "many_cases", _("Many cases today")
    MASS_TESTING = "mass_testing", _("Mass testing results have arrived")
    ABSENT = "absent", _("Covers for a colleague who is away")
    OTHER_PLACE = "other_place", _("Also works for another facility today")


class QuotaRaise(models.Model):
    """More codes than usual for one worker or one facility on one local day."""

    worker = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="quota_raises"
    )
    facility = models.ForeignKey("agencies.Agency", on_delete=models.PROTECT, null=True, related_name="+")
    day = models.DateField(db_index=True)
    more = models.PositiveIntegerField()
    reason = models.CharField(max_length=20, choices=RaiseReason)
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    raised_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-raised_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(reason__in=RaiseReason.values), name="raise_reason_is_known"),
            models.CheckConstraint(
                condition=models.Q(worker__isnull=False, facility__isnull=True)
                | models.Q(worker__isnull=True, facility__isnull=False),
                name="raise_is_for_a_worker_or_a_facility",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.more} more on {self.day}"


class DeclarationKey(models.Model):
    """A key for declarations: its public half, and its private half sealed under the supervisor's passphrase.

    replaced_at: when a newer key replaced it; it is retained until everything sealed for it has been deleted.
    """

    public_pem = models.TextField()
    sealed = models.BinaryField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    replaced_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-made_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                models.Value(1), condition=models.Q(replaced_at__isnull=True), name="one_declaration_key_in_force"
            )
        ]

    def __str__(self) -> str:
        return f"key for declarations made {self.made_at:%Y-%m-%d %H:%M}"


class OpenedDeclaration(models.Model):
    """The record that a declaration was opened, and whether its sender was called; nothing of its content."""

    handle = models.CharField(max_length=64, unique=True)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    called_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"declaration opened {self.opened_at:%Y-%m-%d %H:%M}"
