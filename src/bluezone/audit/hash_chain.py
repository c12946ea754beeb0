# SPDX-License-Identifier: Apache-2.0
"""The audit: who did what in the office, in a chain of keyed hashes that shows any later change.

Entry n has the hash of entry n - 1, and its own hash is an HMAC under a key in the data folder, not in the database. So
a person who can only write to the database cannot make a changed chain valid again. A chain without its newest entries
is still valid. That shows only in comparison with a number and hash noted earlier (from the audit page or `bluezone
manage verify_audit`), or with the head of each day in the public log.
"""

import datetime
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from bluezone.audit.models import AuditEntry, check_act
from bluezone.office_secrets import office_secret
from bluezone.training import practising
from bluezone.transparency.leaves import audit_leaf

CHAIN_START = "0" * 64
# The actor of the server's commands, for which no person is signed in.
COMMAND_LINE = "command line"
# The actor of a message that another office signed.
NETWORK = "another office"
# An arbitrary number; all writers of the chain take the same PostgreSQL lock.
_CHAIN_LOCK = 0x425A_4155
RETENTION = datetime.timedelta(days=365)


@dataclass(frozen=True)
class Verdict:
    """The result of verifying the chain.

    entries: number of entries read; first and last: their numbers, 0 if there are none; head: hash of the last.
    broken_at: number of the first invalid entry, None if all are valid; reason: why, in English.
    """

    entries: int
    first: int
    last: int
    head: str
    broken_at: int | None = None
    reason: str = ""


def record(
    actor: str, action: str, subject: str = "", *, now: datetime.datetime | None = None, **details: Any
) -> AuditEntry:
    """Append one act to the chain, in the caller's transaction if there is one.

    actor: sign-in name, "command line" or "another office"; action: an act that a duty declares; subject: sign-in name
    or opaque handle; details: JSON-ready values; now: aware time of the act, by default the current time.
    Never pass a code, a link, a key, or anything about a case. In training mode nothing is stored. Raises ActUnknown.
    """
    check_act(action)
    if practising():
        return AuditEntry(number=0, at=now or timezone.now(), actor=actor, action=action, subject=subject)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])
        number = 1
        previous = CHAIN_START
        last = AuditEntry.objects.order_by("-number").first()
        if last is not None:
            number = last.number + 1
            previous = last.digest
        entry = AuditEntry(
            number=number,
            at=now or timezone.now(),
            actor=actor,
            action=action,
            subject=subject,
            details=details,
            previous=previous,
        )
        entry.digest = _digest(entry, _key())
        entry.save(force_insert=True)
    return entry


def content_proof(*content: str) -> str:
    """64 hex digits that need the key of the data folder, to prove content that enters the chain later."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return hmac.digest(_key(), b"bluezone audit proof v1\0" + text.encode(), "sha256").hex()


def verify_chain(expected: tuple[int, str] | None = None) -> Verdict:
    """Read the whole chain and recompute its hashes.

    expected: (number, hash) noted earlier; the chain must still contain it unless its year is over.
    """
    key = _key()
    verdict = _follow(AuditEntry.objects.order_by("number").iterator(), key)
    if expected is None or verdict.broken_at is not None:
        return verdict
    number, digest = expected
    if verdict.last < number:
        return _broken(verdict, verdict.last, f"the chain ends at {verdict.last}, but {number} was seen earlier")
    if number >= verdict.first and not AuditEntry.objects.filter(number=number, digest=digest).exists():
        return _broken(verdict, number, f"entry {number} is not the one that was seen earlier")
    return verdict


def chain_head_before(moment: datetime.datetime) -> str:
    """The hash of the last entry before an aware moment, CHAIN_START before the first."""
    last = AuditEntry.objects.filter(at__lt=moment).order_by("-number").first()
    return last.digest if last else CHAIN_START


def compare_with_log(logged: Mapping[str, bytes], now: datetime.datetime) -> Verdict:
    """Verify the chain, and that each day's head in the public log is still in it.

    logged: leaves by day, from `leaves.audit_heads`. now: aware time; heads older than a year are left out.
    """
    verdict = verify_chain()
    if verdict.broken_at is not None:
        return verdict
    entries = list(AuditEntry.objects.order_by("number").values_list("previous", "digest"))
    # The first entry still has the hash of the entry before it, which was deleted after its year.
    digests = [entries[0][0] if entries else CHAIN_START, *(digest for _, digest in entries)]
    oldest = (now - RETENTION).date().isoformat()
    place = 0
    for day in sorted(day for day in logged if day >= oldest):
        while place < len(digests) and audit_leaf(day, digests[place]) != logged[day]:
            place += 1
        if place == len(digests):
            return _broken(verdict, verdict.last, f"the head of {day} in the public log is not in it: it was cut short")
    return verdict


def delete_past_retention(now: datetime.datetime) -> int:
    """Delete entries older than a year, oldest first, so that the others are still one chain; returns their number."""
    past = (
        AuditEntry.objects.filter(at__lt=now - RETENTION).order_by("-number").values_list("number", flat=True).first()
    )
    if past is None:
        return 0
    return AuditEntry.objects.filter(number__lte=past, at__lt=now - RETENTION).delete()[0]


def _follow(entries: Iterable[AuditEntry], key: bytes) -> Verdict:
    """Check entries in order of number; the first may have any number, because entries are deleted after a year."""
    count = 0
    first = 0
    last = 0
    head = CHAIN_START
    for entry in entries:
        reason = ""
        if count and entry.number != last + 1:
            reason = f"entry {last + 1} is missing"
        elif (count or entry.number == 1) and entry.previous != head:
            reason = "it does not follow the entry before it"
        elif not hmac.compare_digest(entry.digest, _digest(entry, key)):
            reason = "its content is not what was written"
        if reason:
            return Verdict(count, first, last, head, broken_at=entry.number, reason=reason)
        count += 1
        first = first or entry.number
        last = entry.number
        head = entry.digest
    return Verdict(count, first, last, head)


def _broken(verdict: Verdict, number: int, reason: str) -> Verdict:
    return Verdict(verdict.entries, verdict.first, verdict.last, verdict.head, number, reason)


def _digest(entry: AuditEntry, key: bytes) -> str:
    at = entry.at.astimezone(datetime.UTC).isoformat(timespec="microseconds")
    content = [entry.number, at, entry.actor, entry.action, entry.subject, entry.details, entry.previous]
    text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hmac.digest(key, b"bluezone audit v1\0" + text.encode(), "sha256").hex()


def _key() -> bytes:
    return office_secret(settings.DATA_FOLDER, "audit").encode()
