# SPDX-License-Identifier: Apache-2.0
"""Issue a code for a case, within the bounds of the onset and the quotas, with an audit entry; in training mode one
that is clearly made-up.
"""

import datetime
import hmac
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.healthauthority import quotas
from bluezone.healthauthority.models import IssuedCode
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

    expires_at, link_expires_at: aware; the office keeps neither.
    """

    code: str
    link: str
    record: IssuedCode
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
        return Issued(PRACTICE_CODE, f"https://{server.city.public_host}{PRACTICE_LINK_END}", record, *ends)
    # Should the office's transaction fail after this, the code was shown to nobody and expires by itself.
    made = server.codes.issue(case_class, onset)
    record = IssuedCode(
        handle=made.row_id,
        worker=worker,
        facility=facility_of(worker),
        issued_at=quotas.midnight(now),
        form_id=form_id or uuid.uuid4(),
    )
    record.proof = _proof(record)
    record.save(force_insert=True)
    ends = [datetime.datetime.fromtimestamp(end, datetime.UTC) for end in (made.expires, made.link_expires)]
    return Issued(made.code, made.link, record, *ends)


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
            changed = {} if hmac.compare_digest(one.proof, _proof(one)) else {"changed": True}
            hash_chain.record(_actor(one.worker), "code_issued", one.handle, now=one.issued_at, **changed)
        IssuedCode.objects.filter(pk__in=[one.pk for one in past]).update(audited=True)


def _proof(issued: IssuedCode) -> str:
    return hash_chain.proof_of(issued.handle, _actor(issued.worker), str(issued.day))


def _actor(worker: User | None) -> str:
    return worker.username if worker else COMMAND_LINE


def revoke(server: KeyServer, worker: User | None, code: str) -> str:
    """Revoke a code and return its state now: "revoked", or "used" or "expired" when it was too late.

    worker: who revokes; None is the operator's command line.
    code: handle from the list, or, on the command line, the code or link itself, which the audit does not repeat.
    Safe to repeat. A used code stays used: what a phone has sent cannot be recalled.
    Raises InvalidCode or CodeUnknown.
    """
    if practising():
        return revoke_practice_code(code, timezone.now())
    if server.codes.is_open(code):
        try:
            server.codes.revoke(code)
        except codes.CodeAlreadyUsed:
            return "used"
        hash_chain.record(worker.username if worker else COMMAND_LINE, "code_revoked", code if worker else "")
    return server.codes.status(code)
