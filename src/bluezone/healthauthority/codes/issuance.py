# SPDX-License-Identifier: Apache-2.0
"""Issue codes for cases, within the limits of the onset and the quotas."""

import datetime
import secrets
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.healthauthority import quotas
from bluezone.healthauthority.codes.audit_entries import actor_of, proof_of
from bluezone.healthauthority.codes.inquiries import seal_minute
from bluezone.healthauthority.codes.practice import PRACTICE_CODE, PRACTICE_LINK_END, issue_practice_code
from bluezone.healthauthority.codes.tickets import sign_ticket
from bluezone.healthauthority.facilities import facility_of
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import User
from bluezone.keyserver.codes.issued_codes import (
    DIGITS_LIFE_SECONDS,
    LINK_LIFE_SECONDS,
    OLDEST_ONSET_DAYS,
    OnsetRefused,
)
from bluezone.keyserver.service import KeyServer
from bluezone.refusal import Refused
from bluezone.training import practising


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
        refusal = _refusal_of(server, worker, now, form_id)
        if refusal is None:
            return _issue(server, worker, case_class, onset, now, form_id)
        if isinstance(refusal, QuotaReached):
            hash_chain.record(actor_of(worker), "quota_refused")
    raise refusal


def onset_bounds(today: datetime.date) -> tuple[datetime.date, datetime.date]:
    """First and last onset for which a code is useful on local day `today`."""
    return today - datetime.timedelta(days=OLDEST_ONSET_DAYS), today


def _refusal_of(
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
        return NewCode(PRACTICE_CODE, f"{server.origin}{PRACTICE_LINK_END}", record, sign_ticket(record, ""), *ends)
    # If the office's transaction fails after this, no one has seen the code, and it expires unused.
    issued = server.codes.issue_code(case_class, onset)
    record = IssuedCode(
        handle=secrets.token_hex(16),
        worker=worker,
        facility=facility_of(worker),
        issued_at=quotas.start_of_day(now),
        form_id=form_id or uuid.uuid4(),
    )
    record.sealed_minute = seal_minute(record.handle, now)
    record.proof = proof_of(record)
    record.save(force_insert=True)
    ends = [datetime.datetime.fromtimestamp(end, datetime.UTC) for end in (issued.expires, issued.link_expires)]
    return NewCode(issued.code, issued.link, record, sign_ticket(record, issued.row_id), *ends)
