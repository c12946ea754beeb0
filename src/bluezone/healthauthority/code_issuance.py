# SPDX-License-Identifier: Apache-2.0
"""Issue and revoke codes for cases, within the limits of the onset and the quotas, with audit entries.

In training mode codes are clearly made up. Also tickets, with which a browser queries a code's state, and minutes of
issue, which are sealed for inquiries.
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
from bluezone.keyserver.codes import issued_codes
from bluezone.keyserver.codes.issued_codes import (
    DIGITS_LIFE_SECONDS,
    LINK_LIFE_SECONDS,
    OLDEST_ONSET_DAYS,
    CodeState,
    OnsetRefused,
)
from bluezone.keyserver.service import KeyServer
from bluezone.refusal import Refused
from bluezone.training import practising

# The check digit is wrong and the link too short: a phone refuses both without calling the server.
PRACTICE_CODE = "0000-0000-0001"
PRACTICE_LINK_END = "/r#TAP-HUAN"
USED_AFTER_SECONDS = 30
_PRACTICE_PREFIX = "practice-"
_REVOKED_PREFIX = "practice-revoked-"


def issue_practice_code(worker: User | None, now: datetime.datetime, form_id: uuid.UUID | None) -> IssuedCode:
    """Store a made-up code for the list of training mode."""
    return IssuedCode.objects.create(
        handle=f"{_PRACTICE_PREFIX}{uuid.uuid4().hex}",
        worker=worker,
        facility=facility_of(worker),
        issued_at=now,
        form_id=form_id or uuid.uuid4(),
    )


def practice_states(issued: Iterable[IssuedCode], now: datetime.datetime) -> dict[str, CodeState]:
    """The states of made-up codes by handle."""
    return {code.handle: _state(code, now) for code in issued}


def revoke_practice_code(handle: str, now: datetime.datetime) -> CodeState:
    """Revoke a made-up code unless it counts as used; its new state."""
    issued = IssuedCode.objects.get(handle=handle)
    if _state(issued, now) == "open":
        issued.handle = handle.replace(_PRACTICE_PREFIX, _REVOKED_PREFIX, 1)
        issued.save(update_fields=["handle"])
    return _state(issued, now)


def _state(issued: IssuedCode, now: datetime.datetime) -> CodeState:
    if issued.handle.startswith(_REVOKED_PREFIX):
        return "revoked"
    return "used" if (now - issued.issued_at).total_seconds() >= USED_AFTER_SECONDS else "open"


class QuotaReached(Refused):
    """The worker or the facility has issued as many codes today as allowed."""

    code = "quota_reached"


class FormAlreadySent(Refused):
    """This form has already issued its code, which was shown once."""

    code = "form_already_sent"


@dataclass(frozen=True)
class NewCode:
    """An issued code: `code` "dddd-dddd-dddd", `link` URL, `record` the office's row.

    ticket: with it the browser may query the code's state and revoke it. expires_at, link_expires_at: aware.
    The office stores none of these except `record`, so this is the only moment to show them.
    """

    code: str
    link: str
    record: IssuedCode
    ticket: str
    expires_at: datetime.datetime
    link_expires_at: datetime.datetime


def issue_code(
    server: KeyServer,
    worker: User | None,
    case_class: str,
    onset: datetime.date,
    now: datetime.datetime,
    form_id: uuid.UUID | None = None,
) -> NewCode:
    """Issue a code.

    worker: the issuer; None for the operator's command line, which is audited but has no quota.
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
    """First and last onset for which a code is useful on local day `today`."""
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
) -> NewCode:
    if practising():
        record = issue_practice_code(worker, now, form_id)
        ends = [now + datetime.timedelta(seconds=life) for life in (DIGITS_LIFE_SECONDS, LINK_LIFE_SECONDS)]
        return NewCode(PRACTICE_CODE, f"{server.origin}{PRACTICE_LINK_END}", record, _ticket(record, ""), *ends)
    # If the office's transaction fails after this, no one has seen the code, and it expires unused.
    issued = server.codes.issue(case_class, onset)
    record = IssuedCode(
        handle=secrets.token_hex(16),
        worker=worker,
        facility=facility_of(worker),
        issued_at=quotas.midnight(now),
        form_id=form_id or uuid.uuid4(),
    )
    record.sealed_minute = _seal_minute(record.handle, now)
    record.proof = _proof(record)
    record.save(force_insert=True)
    ends = [datetime.datetime.fromtimestamp(end, datetime.UTC) for end in (issued.expires, issued.link_expires)]
    return NewCode(issued.code, issued.link, record, _ticket(record, issued.row_id), *ends)


class TicketInvalid(Refused):
    """This is not a ticket of this code, or this account may not see the code."""

    code = "code_ticket_invalid"


_TICKETS = signing.Signer(salt="ticket of a code")


def _ticket(record: IssuedCode, row_id: str) -> str:
    return _TICKETS.sign(f"{record.pk}.{row_id}")


def row_of_ticket(record: IssuedCode, ticket: str) -> str:
    """The key server's id of a code's row (32 hex digits), from its ticket. Raises TicketInvalid."""
    try:
        pk, _dot, row_id = _TICKETS.unsign(ticket).partition(".")
    except signing.BadSignature:
        raise TicketInvalid("this office did not make this ticket") from None
    if pk != str(record.pk):
        raise TicketInvalid("this ticket is of another code")
    return row_id


def audit_past_days(now: datetime.datetime) -> None:
    """Write the codes of past days into the audit: who issued which, on which day, in random order.

    An entry written at the time of issue would reveal the minute, since its neighbours have known times. Until then
    the list of codes shows who issued what; an entry notes if its row was changed in the meantime.
    """
    with transaction.atomic():
        past = list(
            IssuedCode.objects.filter(audited=False, issued_at__lt=quotas.midnight(now)).select_related("worker")
        )
        secrets.SystemRandom().shuffle(past)
        for code in past:
            details = {} if hmac.compare_digest(code.proof, _proof(code)) else {"changed": True}
            if code.messaged:
                details["messaged"] = True
            hash_chain.record(_actor(code.worker), "code_issued", code.handle, now=code.issued_at, **details)
        IssuedCode.objects.filter(pk__in=[code.pk for code in past]).update(audited=True)


def _proof(issued: IssuedCode) -> str:
    sealed = [hashlib.sha256(bytes(issued.sealed_minute)).hexdigest()] if issued.sealed_minute else []
    return hash_chain.content_proof(issued.handle, _actor(issued.worker), str(issued.day), *sealed)


def _actor(worker: User | None) -> str:
    return worker.username if worker else COMMAND_LINE


def revoke_code(server: KeyServer, worker: User | None, code: str) -> str:
    """Revoke a code; its new state: "revoked", or "used" or "expired" if it was too late.

    worker: who revokes; None for the operator's command line. code: the row of a ticket, or the code or link itself.
    The audit has none of these: no list shows which code was revoked and so not used.
    Safe to repeat. A used code stays used: what a phone has sent cannot be recalled.
    Raises InvalidCode or CodeUnknown.
    """
    if server.codes.is_open(code):
        try:
            server.codes.revoke(code)
        except issued_codes.CodeAlreadyUsed:
            return "used"
        hash_chain.record(_actor(worker), "code_revoked")
    return server.codes.status(code)


# For inquiries about the time at which somebody issued a code. The office itself must not know the times: where few
# are ill, they would link codes to reports.
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
_MINUTE_PURPOSE = b"BZ-ISSUED-AT-v1"
_MINUTE_BYTES = 8


class InquiryKeyInvalid(Refused):
    """This is not a public key for inquiries, or not a private key that opens these minutes."""

    code = "inquiry_key_invalid"


@dataclass(frozen=True)
class IssueMinute:
    """When a code was issued. worker: sign-in name, or the command line; minute: aware, None if none is sealed."""

    mark: str
    worker: str
    facility: str
    minute: datetime.datetime | None


def set_inquiry_key(public: str, now: datetime.datetime) -> None:
    """Set the key (X25519, hex) for which minutes are sealed from now on. Raises InquiryKeyInvalid."""
    try:
        X25519PublicKey.from_public_bytes(bytes.fromhex(public))
    except ValueError:
        raise InquiryKeyInvalid("a public key for inquiries has 64 hex digits") from None
    with transaction.atomic():
        replaced = InquiryKey.objects.exists()
        InquiryKey.objects.create(public=public.lower(), set_at=now)
        hash_chain.record(COMMAND_LINE, "inquiry_key_set", replaced=replaced)


def open_issue_minutes(private: bytes, day: datetime.date, mark: str) -> list[IssueMinute]:
    """Open the minutes of the codes of a local day with this mark in the list, with an audit entry for each.

    private: X25519, 32 bytes. Raises CodeUnknown if there is no such code, InquiryKeyInvalid if the key opens none.
    """
    key = X25519PrivateKey.from_private_bytes(private)
    with transaction.atomic():
        issued = [code for code in IssuedCode.objects.select_related("worker", "facility") if code.day == day]
        matches = [code for code in issued if code.mark == mark.strip().upper()]
        if not matches:
            raise issued_codes.CodeUnknown(f"no code of {day} is marked {mark}; the office keeps codes for 14 days")
        minutes = [_open_minute(code, key) for code in matches]
        if any(code.sealed_minute for code in matches) and not any(minutes):
            raise InquiryKeyInvalid("this key opens none of them; it may be from another time than the codes")
        for code in matches:
            hash_chain.record(COMMAND_LINE, "issue_minute_opened", code.handle)
    return [
        IssueMinute(code.mark, _actor(code.worker), code.facility.name if code.facility else "", minute)
        for code, minute in zip(matches, minutes, strict=True)
    ]


def _seal_minute(handle: str, now: datetime.datetime) -> bytes | None:
    key = InquiryKey.objects.first()
    if key is None:
        return None
    minute = int(now.timestamp()) // 60
    public = X25519PublicKey.from_public_bytes(bytes.fromhex(key.public))
    return _SUITE.encrypt(minute.to_bytes(_MINUTE_BYTES, "big"), public, info=_MINUTE_PURPOSE + handle.encode())


def _open_minute(issued: IssuedCode, key: X25519PrivateKey) -> datetime.datetime | None:
    if not issued.sealed_minute:
        return None
    try:
        plain = _SUITE.decrypt(bytes(issued.sealed_minute), key, info=_MINUTE_PURPOSE + issued.handle.encode())
    except InvalidTag:
        return None
    return datetime.datetime.fromtimestamp(int.from_bytes(plain, "big") * 60, datetime.UTC)
