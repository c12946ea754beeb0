# SPDX-License-Identifier: Apache-2.0
"""The audit: who did what in the office, in a chain of keyed hashes that shows any later change.

Entry n carries the hash of entry n - 1, and its own hash is an HMAC under a key that lies in the data folder and not
in the database: whoever can write the database alone cannot make a changed chain fit again. Cutting off the newest
entries leaves a shorter chain that still fits; a number and hash noted earlier (shown on the audit page and by
`bluezone manage verify_audit`) tells that too, and so does the head of each day in the public log.
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

from bluezone.audit.models import AuditEntry, check
from bluezone.office_secrets import office_secret
from bluezone.training import practising
from bluezone.transparency.leaves import audit_leaf

CHAIN_START = "0" * 64
# Who acts when no person is signed in: the commands of the server.
COMMAND_LINE = "command line"
# Another office, by a message that it signed.
NETWORK = "another office"
# Any number; all writers of the chain take the same PostgreSQL lock.
_CHAIN_LOCK = 0x425A_4155
RETENTION = datetime.timedelta(days=365)


@dataclass(frozen=True)
class Verdict:
    """What verifying the chain found.

    entries: how many were read; first and last: their numbers, 0 when there are none; head: hash of the last.
    broken_at: number of the first entry that does not fit, None when all do; reason: why, in English.
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
    """Append one act to the chain, in the caller's transaction where there is one.

    actor: sign-in name, "command line" or "another office"; action: one of those that duties declare; subject: sign-in
    name or opaque handle; details: JSON-ready values; now: aware time of the act, the present by default.
    Never pass a code, a link, a key, or anything about a case. What is done for practice is no act: nothing is stored.
    Raises ActUnknown.
    """
    check(action)
    if practising():
        return AuditEntry(number=0, at=now or timezone.now(), actor=actor, action=action, subject=subject)
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])
        last = AuditEntry.objects.order_by("-number").first()
        entry = AuditEntry(
            number=last.number + 1 if last else 1,
            at=now or timezone.now(),
            actor=actor,
            action=action,
            subject=subject,
            details=details,
            previous=last.digest if last else CHAIN_START,
        )
        entry.digest = _digest(entry, _key())
        entry.save(force_insert=True)
    return entry


def proof_of(*content: str) -> str:
    """64 hex digits that whoever can write the database alone cannot make: for what enters the chain later."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    return hmac.digest(_key(), b"bluezone audit proof v1\0" + text.encode(), "sha256").hex()


def verify(expected: tuple[int, str] | None = None) -> Verdict:
    """Read the whole chain and recompute it.

    expected: (number, hash) noted from an earlier look; the chain must still contain it unless its year is over.
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


def head_before(moment: datetime.datetime) -> str:
    """The hash of the last entry before an aware moment, CHAIN_START before the first."""
    last = AuditEntry.objects.filter(at__lt=moment).order_by("-number").first()
    return last.digest if last else CHAIN_START


def compare_with_log(logged: Mapping[str, bytes], now: datetime.datetime) -> Verdict:
    """Verify the chain, and that each day's head in the public log is still in it.

    logged: leaves by day, as `leaves.audit_heads` finds them. now: aware; heads past their year are left out.
    """
    verdict = verify()
    if verdict.broken_at is not None:
        return verdict
    entries = list(AuditEntry.objects.order_by("number").values_list("previous", "digest"))
    # What was deleted after its year is known by the hash that the first entry still names.
    digests = [entries[0][0] if entries else CHAIN_START, *(digest for _, digest in entries)]
    place, oldest = 0, (now - RETENTION).date().isoformat()
    for day in sorted(day for day in logged if day >= oldest):
        found = (at for at in range(place, len(digests)) if audit_leaf(day, digests[at]) == logged[day])
        place = next(found, len(digests))
        if place == len(digests):
            return _broken(verdict, verdict.last, f"the head of {day} in the public log is not in it: it was cut short")
    return verdict


def delete_past_retention(now: datetime.datetime) -> int:
    """Delete entries older than a year, oldest first, so that what remains is still one chain; how many went."""
    past = (
        AuditEntry.objects.filter(at__lt=now - RETENTION).order_by("-number").values_list("number", flat=True).first()
    )
    if past is None:
        return 0
    return AuditEntry.objects.filter(number__lte=past, at__lt=now - RETENTION).delete()[0]


def _follow(entries: Iterable[AuditEntry], key: bytes) -> Verdict:
    """Walk entries in order of number; the first may be any number, since old ones are deleted after their year."""
    count, first, last, head = 0, 0, 0, CHAIN_START
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
        count, first, last, head = count + 1, first or entry.number, entry.number, entry.digest
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
