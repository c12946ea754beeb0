# SPDX-License-Identifier: Apache-2.0
"""Issue a code for a case, within the bounds of the onset and the quotas, with an audit entry; in training mode one
that is clearly made-up. Tickets, by which a browser asks for a code's state. Minutes of issue, sealed for inquiries.
"""

import datetime
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from django.core import signing
from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.healthauthority import quotas
from bluezone.healthauthority.models import InquiryKey, IssuedCode
from bluezone.healthauthority.quotas import facility_of
from bluezone.identity.models import User
from bluezone.keyserver.reports import codes
from bluezone.keyserver.reports.codes import (
    DIGITS_LIFE_SECONDS,
    LINK_LIFE_SECONDS,
    OLDEST_ONSET_DAYS,
    CodeState,
    OnsetRefused,
)
from bluezone.keyserver.service import KeyServer
from bluezone.refusal import Refused
from bluezone.training import practising

# Its check digit is wrong, and the link is too short to be one: a phone refuses both before it asks anybody.
PRACTICE_CODE, PRACTICE_LINK_END = "0000-0000-0001", "/r#TAP-HUAN"
USED_AFTER_SECONDS = 30
_OPEN, _REVOKED = "practice-", "practice-revoked-"


def issue_practice_code(worker: User | None, now: datetime.datetime, form_id: uuid.UUID | None) -> IssuedCode:
    """Remember a made-up code for the list of this mode."""
    return IssuedCode.objects.create(
        handle=f"{_OPEN}{uuid.uuid4().hex}",
        worker=worker,
        facility=facility_of(worker),
        issued_at=now,
        form_id=form_id or uuid.uuid4(),
    )


def practice_states(issued: Iterable[IssuedCode], now: datetime.datetime) -> dict[str, CodeState]:
    """The state of made-up codes by handle."""
    return {one.handle: _state(one, now) for one in issued}


def revoke_practice_code(handle: str, now: datetime.datetime) -> CodeState:
    """Revoke a made-up code, unless it counts as used; its state now."""
    issued = IssuedCode.objects.get(handle=handle)
    if _state(issued, now) == "open":
        issued.handle = handle.replace(_OPEN, _REVOKED, 1)
        issued.save(update_fields=["handle"])
    return _state(issued, now)


def _state(issued: IssuedCode, now: datetime.datetime) -> CodeState:
    if issued.handle.startswith(_REVOKED):
        return "revoked"
    return "used" if (now - issued.issued_at).total_seconds() >= USED_AFTER_SECONDS else "open"


class QuotaReached(Refused):
    """The worker, or the worker's facility, has issued as many codes today as it may."""

    code = "quota_reached"


class FormAlreadySent(Refused):
    """This form has issued its code already, which was shown once."""

    code = "form_already_sent"


@dataclass(frozen=True)
class Issued:
    """A code at the only moment it can be seen: `code` "dddd-dddd-dddd", `link` URL, `record` what the office keeps.

    ticket: for the browser, by which it may ask for the code's state and revoke it. expires_at, link_expires_at: aware.
    The office keeps none of these.
    """

    code: str
    link: str
    record: IssuedCode
    ticket: str
    expires_at: datetime.datetime
    link_expires_at: datetime.datetime


def issue(
    server: KeyServer,
    worker: User | None,
    case_class: str,
    onset: datetime.date,
    now: datetime.datetime,
    form_id: uuid.UUID | None = None,
) -> Issued:
    """Issue one code.

    worker: who issues; None is the operator's command line, which is audited but has no quota.
    case_class: "confirmed" or "clinical"; onset: local date of first symptoms, or of the sample when there are none.
    form_id: of the page's form, so that a form sent twice issues once.
    Raises OnsetRefused, ClassRefused, QuotaReached or FormAlreadySent; no code exists then.
    """
    first, last = onset_bounds(timezone.localdate(now))
    if not first <= onset <= last:
        raise OnsetRefused(f"onset is {onset}, expected {first} to {last}")
    with transaction.atomic():
        refusal = _refusal(server, worker, now, form_id)
        if refusal is None:
            return _issue(server, worker, case_class, onset, now, form_id)
        if isinstance(refusal, QuotaReached):
            hash_chain.record(_actor(worker), "quota_refused")
    raise refusal


def onset_bounds(today: datetime.date) -> tuple[datetime.date, datetime.date]:
    """First and last onset for which a code is of use on local day `today`."""
    return today - datetime.timedelta(days=OLDEST_ONSET_DAYS), today


def _refusal(
    server: KeyServer, worker: User | None, now: datetime.datetime, form_id: uuid.UUID | None
) -> Refused | None:
    if form_id and IssuedCode.objects.filter(form_id=form_id).exists():
        return FormAlreadySent("this form has issued its code already")
    if worker is None:
        return None
    quotas.lock_limits(worker)
    quota = quotas.quota_of(server, worker, now)
    if quota.reached == "worker":
        return QuotaReached(f"{quota.worker_issued} codes issued today, which is the quota of one worker")
    if quota.reached == "facility":
        return QuotaReached(f"{quota.facility_issued} codes issued today, which is the quota of the facility")
    return None


def _issue(
    server: KeyServer,
    worker: User | None,
    case_class: str,
    onset: datetime.date,
    now: datetime.datetime,
    form_id: uuid.UUID | None,
) -> Issued:
    if practising():
        record = issue_practice_code(worker, now, form_id)
        ends = [now + datetime.timedelta(seconds=life) for life in (DIGITS_LIFE_SECONDS, LINK_LIFE_SECONDS)]
        return Issued(PRACTICE_CODE, f"{server.origin}{PRACTICE_LINK_END}", record, _ticket(record, ""), *ends)
    # Should the office's transaction fail after this, the code was shown to nobody and expires by itself.
    made = server.codes.issue(case_class, onset)
    record = IssuedCode(
        handle=secrets.token_hex(16),
        worker=worker,
        facility=facility_of(worker),
        issued_at=quotas.midnight(now),
        form_id=form_id or uuid.uuid4(),
    )
    record.sealed_minute = _sealed_minute(record.handle, now)
    record.proof = _proof(record)
    record.save(force_insert=True)
    ends = [datetime.datetime.fromtimestamp(end, datetime.UTC) for end in (made.expires, made.link_expires)]
    return Issued(made.code, made.link, record, _ticket(record, made.row_id), *ends)


class TicketInvalid(Refused):
    """What was sent is no ticket of this code, or this account may not see the code."""

    code = "code_ticket_invalid"


_TICKETS = signing.Signer(salt="ticket of a code")


def _ticket(record: IssuedCode, row_id: str) -> str:
    return _TICKETS.sign(f"{record.pk}.{row_id}")


def row_of_ticket(record: IssuedCode, ticket: str) -> str:
    """The key server's name of the row of a code (32 hex digits), as its ticket has it. Raises TicketInvalid."""
    try:
        pk, _dot, row_id = _TICKETS.unsign(ticket).partition(".")
    except signing.BadSignature:
        raise TicketInvalid("this is no ticket that the office gave") from None
    if pk != str(record.pk):
        raise TicketInvalid("this ticket is of another code")
    return row_id


def audit_past_days(now: datetime.datetime) -> None:
    """Write the codes of days that are over into the audit: who issued which, on which day, in an order of chance.

    Written at once, an entry between others of known times would tell the minute. Until then the list of codes tells
    who issued what; an entry whose row was changed meanwhile says so.
    """
    with transaction.atomic():
        past = list(
            IssuedCode.objects.filter(audited=False, issued_at__lt=quotas.midnight(now)).select_related("worker")
        )
        secrets.SystemRandom().shuffle(past)
        for one in past:
            noted = {} if hmac.compare_digest(one.proof, _proof(one)) else {"changed": True}
            if one.messaged:
                noted["messaged"] = True
            hash_chain.record(_actor(one.worker), "code_issued", one.handle, now=one.issued_at, **noted)
        IssuedCode.objects.filter(pk__in=[one.pk for one in past]).update(audited=True)


def _proof(issued: IssuedCode) -> str:
    sealed = [hashlib.sha256(bytes(issued.sealed_minute)).hexdigest()] if issued.sealed_minute else []
    return hash_chain.proof_of(issued.handle, _actor(issued.worker), str(issued.day), *sealed)


def _actor(worker: User | None) -> str:
    return worker.username if worker else COMMAND_LINE


def revoke(server: KeyServer, worker: User | None, code: str) -> str:
    """Revoke a code and return its state now: "revoked", or "used" or "expired" when it was too late.

    worker: who revokes; None is the operator's command line. code: the row of a ticket, or the code or link itself.
    The audit has neither: which code was revoked, and so not used, stands beside no list.
    Safe to repeat. A used code stays used: what a phone has sent cannot be recalled.
    Raises InvalidCode or CodeUnknown.
    """
    if server.codes.is_open(code):
        try:
            server.codes.revoke(code)
        except codes.CodeAlreadyUsed:
            return "used"
        hash_chain.record(_actor(worker), "code_revoked")
    return server.codes.status(code)


# For a person who asks when a colleague issued a code; the times are of no use to the office itself, and with them a
# code could be told from its report where few are ill.
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
_MINUTE_PURPOSE = b"BZ-ISSUED-AT-v1"
_MINUTE_BYTES = 8


class InquiryKeyInvalid(Refused):
    """What was given is no public key for inquiries, or no private one that opens what is asked for."""

    code = "inquiry_key_invalid"


@dataclass(frozen=True)
class IssueMinute:
    """When one code was issued. worker: sign-in name, or the command line; minute: aware, None where none is sealed."""

    mark: str
    worker: str
    facility: str
    minute: datetime.datetime | None


def set_inquiry_key(public: str, now: datetime.datetime) -> None:
    """Seal the minutes of all codes from now on for a key (X25519, hex). Raises InquiryKeyInvalid."""
    try:
        X25519PublicKey.from_public_bytes(bytes.fromhex(public))
    except ValueError:
        raise InquiryKeyInvalid("a public key for inquiries has 64 hex digits") from None
    with transaction.atomic():
        replaced = InquiryKey.objects.exists()
        InquiryKey.objects.create(public=public.lower(), set_at=now)
        hash_chain.record(COMMAND_LINE, "inquiry_key_set", replaced=replaced)


def open_minutes(private: bytes, day: datetime.date, mark: str) -> list[IssueMinute]:
    """When the codes of a local day were issued that have a mark in the list; each is an entry of the audit.

    private: X25519, 32 bytes. Raises CodeUnknown where there is none, InquiryKeyInvalid where the key opens none.
    """
    key = X25519PrivateKey.from_private_bytes(private)
    with transaction.atomic():
        issued = [one for one in IssuedCode.objects.select_related("worker", "facility") if one.day == day]
        found = [one for one in issued if one.mark == mark.strip().upper()]
        if not found:
            raise codes.CodeUnknown(f"no code of {day} is marked {mark}; the office keeps codes for 14 days")
        minutes = [_opened_minute(one, key) for one in found]
        if any(one.sealed_minute for one in found) and not any(minutes):
            raise InquiryKeyInvalid("this key opens none of them; it may be of another time than the codes")
        for one in found:
            hash_chain.record(COMMAND_LINE, "issue_minute_opened", one.handle)
    return [
        IssueMinute(one.mark, _actor(one.worker), one.facility.name if one.facility else "", minute)
        for one, minute in zip(found, minutes, strict=True)
    ]


def _sealed_minute(handle: str, now: datetime.datetime) -> bytes | None:
    key = InquiryKey.objects.first()
    if key is None:
        return None
    minute = int(now.timestamp()) // 60
    public = X25519PublicKey.from_public_bytes(bytes.fromhex(key.public))
    return _SUITE.encrypt(minute.to_bytes(_MINUTE_BYTES, "big"), public, info=_MINUTE_PURPOSE + handle.encode())


def _opened_minute(issued: IssuedCode, key: X25519PrivateKey) -> datetime.datetime | None:
    if not issued.sealed_minute:
        return None
    try:
        plain = _SUITE.decrypt(bytes(issued.sealed_minute), key, info=_MINUTE_PURPOSE + issued.handle.encode())
    except InvalidTag:
        return None
    return datetime.datetime.fromtimestamp(int.from_bytes(plain, "big") * 60, datetime.UTC)
