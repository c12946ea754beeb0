# SPDX-License-Identifier: Apache-2.0
"""Codes for many cases at once.

The browser keeps the telephone numbers; the office gets only class and onset of each case. If the network fails before
the answer arrives, the browser sends the batch again and gets the same codes: the answer is stored, sealed under a key
that the browser made; the office has only its hash. The page sends one row at a time, under a key derived from the row
and a secret of that browser, so that the same list gives the same codes again (docs/privacy.md).
Source: specs of verification servers ("bulk CSV parsed in the browser, phone never stored", idempotent issue).
"""

import datetime
import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import transaction

from bluezone.healthauthority import quotas
from bluezone.healthauthority.codes import issuance
from bluezone.healthauthority.models import Batch
from bluezone.identity.models import User
from bluezone.keyserver.codes.issued_codes import LINK_LIFE_SECONDS, ClassRefused, OnsetRefused
from bluezone.keyserver.service import KeyServer
from bluezone.refusal import Refused
from bluezone.training import practising

ROWS_A_BATCH = 50
KEY_LENGTH = 32

_NONCE_LENGTH = 12
_PURPOSE = b"BZ-BATCH-v1"
_PRACTICE_PURPOSE = b"BZ-BATCH-practice-v1"


class BatchInvalid(Refused):
    """The body is not a batch: not 1 to 50 rows of class and onset under a key, or it has other members too."""

    code = "batch_invalid"


class BatchChanged(Refused):
    """Other rows, or another person's, were sent under this key before; nothing was issued."""

    code = "batch_changed"


@dataclass(frozen=True)
class CaseRow:
    """All that the office gets of a row: `klass` "confirmed" or "clinical", `onset` a local date."""

    klass: str
    onset: datetime.date


@dataclass(frozen=True)
class RowAnswer:
    """The answer to a row: a code, or the stable code of a refusal.

    code "dddd-dddd-dddd", link URL; expires, link_expires: Unix seconds; pk, mark: of the record in the list of codes;
    ticket: with it the browser queries the code's state.
    """

    code: str = ""
    link: str = ""
    expires: int = 0
    link_expires: int = 0
    pk: int = 0
    ticket: str = ""
    mark: str = ""
    refusal: str = ""


def read_batch(body: bytes) -> tuple[bytes, list[CaseRow]]:
    """Read `{"key": 64 hex digits, "rows": [{"class", "onset": "YYYY-MM-DD"}]}`.

    Refuses any other member, so that a page that sends a telephone number by mistake is noticed at once.
    Raises BatchInvalid.
    """
    try:
        sent = json.loads(body)
        if set(sent) != {"key", "rows"} or any(set(row) != {"class", "onset"} for row in sent["rows"]):
            raise BatchInvalid("a batch has key and rows, a row has class and onset, and nothing else")
        key = bytes.fromhex(sent["key"])
        rows = [CaseRow(str(row["class"]), datetime.date.fromisoformat(row["onset"])) for row in sent["rows"]]
    except (ValueError, TypeError, AttributeError, KeyError):
        raise BatchInvalid("the batch is not JSON of a key and rows of class and onset") from None
    if len(key) != KEY_LENGTH or not 1 <= len(rows) <= ROWS_A_BATCH:
        raise BatchInvalid(f"the batch has {len(key)} bytes of key and {len(rows)} rows, expected 32 and 1 to 50")
    return key, rows


def issue_batch(
    server: KeyServer, worker: User, key: bytes, rows: Sequence[CaseRow], now: datetime.datetime
) -> list[RowAnswer]:
    """Issue a code for each row; a refusal is in the answer of its row and does not stop the others.

    Safe to repeat with the same key and rows: the answer is the same. Raises BatchChanged.
    """
    rows_digest = hmac.digest(key, repr([(row.klass, row.onset) for row in rows]).encode(), "sha256").hex()
    with transaction.atomic():
        quotas.lock_limits(worker)
        earlier = Batch.objects.filter(key_digest=_key_digest(key)).first()
        if earlier is not None:
            if earlier.worker_id != worker.pk or earlier.rows_digest != rows_digest:
                raise BatchChanged("other rows were sent under this key before")
            return _open_answers(key, bytes(earlier.answer))
        answers = _issue_rows(server, worker, rows, now)
        # A batch without any code may be sent again under the same key, after the limit is raised.
        if any(answer.code for answer in answers):
            Batch.objects.create(
                key_digest=_key_digest(key),
                worker=worker,
                rows_digest=rows_digest,
                answer=_seal_answers(key, answers),
                # Rounded to the day: the hour would reveal when the codes were issued.
                expires_at=quotas.start_of_day(now) + datetime.timedelta(days=1, seconds=LINK_LIFE_SECONDS),
            )
    return answers


def _issue_rows(server: KeyServer, worker: User, rows: Sequence[CaseRow], now: datetime.datetime) -> list[RowAnswer]:
    answers: list[RowAnswer] = []
    over_quota = False
    for row in rows:
        # The audit has one refusal over the quota; the rows after it need no entries.
        if over_quota:
            answers.append(RowAnswer(refusal=issuance.QuotaReached.code))
            continue
        try:
            issued = issuance.issue_code(server, worker, row.klass, row.onset, now)
        except (OnsetRefused, ClassRefused) as refusal:
            answers.append(RowAnswer(refusal=refusal.code))
        except issuance.QuotaReached as refusal:
            over_quota = True
            answers.append(RowAnswer(refusal=refusal.code))
        else:
            ends = int(issued.expires_at.timestamp()), int(issued.link_expires_at.timestamp())
            record = issued.record
            answers.append(
                RowAnswer(issued.code, issued.link, *ends, pk=record.pk, ticket=issued.ticket, mark=record.mark)
            )
    return answers


def delete_past_batches(now: datetime.datetime) -> None:
    """Delete batches with expired codes."""
    Batch.objects.filter(expires_at__lte=now).delete()


def _key_digest(key: bytes) -> str:
    # A page that was open when training started or ended must not get the codes of the other mode.
    purpose = _PRACTICE_PURPOSE if practising() else _PURPOSE
    return hashlib.sha256(purpose + key).hexdigest()


def _seal_answers(key: bytes, answers: Sequence[RowAnswer]) -> bytes:
    nonce = os.urandom(_NONCE_LENGTH)
    plain = json.dumps([asdict(answer) for answer in answers]).encode()
    return nonce + AESGCM(_cipher_key(key)).encrypt(nonce, plain, _PURPOSE)


def _open_answers(key: bytes, sealed: bytes) -> list[RowAnswer]:
    plain = AESGCM(_cipher_key(key)).decrypt(sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:], _PURPOSE)
    return [RowAnswer(**answer) for answer in json.loads(plain)]


def _cipher_key(key: bytes) -> bytes:
    # Another hash of the key than the stored digest.
    return hmac.digest(key, _PURPOSE, "sha256")
