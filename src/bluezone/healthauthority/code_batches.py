# SPDX-License-Identifier: Apache-2.0
"""Codes for many cases at once: the browser keeps the telephone numbers, the office sees class and onset of each.

A batch that is sent again, because the network went away before its answer came, shows the same codes and issues no
others: its answer is kept sealed under a key that the browser drew and of which the office has the hash alone.
Source: specs of verification servers ("bulk CSV parsed in the browser, phone never stored", idempotent issue).

What the office forgets about codes and declarations, and when.
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

from bluezone.healthauthority import code_issuance, declaration_access, quotas
from bluezone.healthauthority.models import Batch, IssuedCode, QuotaRaise
from bluezone.identity.models import User
from bluezone.keyserver.reports.codes import LINK_LIFE_SECONDS, ClassRefused, OnsetRefused
from bluezone.keyserver.service import KeyServer
from bluezone.refusal import Refused
from bluezone.training import practising

ROWS_A_BATCH = 50
KEY_LENGTH = 32

_NONCE_LENGTH = 12
_PURPOSE, _PRACTICE = b"BZ-BATCH-v1", b"BZ-BATCH-practice-v1"


class BatchInvalid(Refused):
    """What was sent is no batch: not 1 to 50 rows of class and onset under a key, or something stands beside them."""

    code = "batch_invalid"


class BatchChanged(Refused):
    """Under this key other rows were sent before, or somebody else sent them; nothing was issued."""

    code = "batch_changed"


@dataclass(frozen=True)
class CaseRow:
    """What the office learns of one row: `klass` "confirmed" or "clinical", `onset` a local date."""

    klass: str
    onset: datetime.date


@dataclass(frozen=True)
class RowAnswer:
    """What became of one row: a code, or the stable code of a refusal.

    code "dddd-dddd-dddd", link URL; expires, link_expires: Unix seconds; pk: of the record in the list of codes.
    """

    code: str = ""
    link: str = ""
    expires: int = 0
    link_expires: int = 0
    pk: int = 0
    refusal: str = ""


def read_batch(body: bytes) -> tuple[bytes, list[CaseRow]]:
    """Read `{"key": 64 hex digits, "rows": [{"class", "onset": "YYYY-MM-DD"}]}` and nothing beside it.

    Any other member is refused, so that a page that sent a telephone number by mistake would be noticed at once.
    Raises BatchInvalid.
    """
    try:
        sent = json.loads(body)
        if set(sent) != {"key", "rows"} or any(set(row) != {"class", "onset"} for row in sent["rows"]):
            raise BatchInvalid("a batch holds key and rows, a row holds class and onset, and nothing else")
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
    """Issue a code for each row that may have one; a refusal stands in the answer of its row and stops no other.

    Safe to repeat with the same key and rows: the same answer comes back. Raises BatchChanged.
    """
    rows_digest = hmac.digest(key, repr([(row.klass, row.onset) for row in rows]).encode(), "sha256").hex()
    with transaction.atomic():
        quotas.lock_limits(worker)
        earlier = Batch.objects.filter(key_digest=_key_digest(key)).first()
        if earlier is not None:
            if earlier.worker_id != worker.pk or earlier.rows_digest != rows_digest:
                raise BatchChanged("other rows were sent under this key before")
            return _unsealed(key, bytes(earlier.answer))
        answers = _issued(server, worker, rows, now)
        Batch.objects.create(
            key_digest=_key_digest(key),
            worker=worker,
            rows_digest=rows_digest,
            answer=_sealed(key, answers),
            # A whole day: its hour would tell when the codes were issued.
            expires_at=quotas.midnight(now) + datetime.timedelta(days=1, seconds=LINK_LIFE_SECONDS),
        )
    return answers


def _issued(server: KeyServer, worker: User, rows: Sequence[CaseRow], now: datetime.datetime) -> list[RowAnswer]:
    answers: list[RowAnswer] = []
    reached = False
    for row in rows:
        # One refusal over the quota is in the audit; the rows after it need no line of their own.
        if reached:
            answers.append(RowAnswer(refusal=code_issuance.QuotaReached.code))
            continue
        try:
            made = code_issuance.issue(server, worker, row.klass, row.onset, now)
        except (OnsetRefused, ClassRefused) as refused:
            answers.append(RowAnswer(refusal=refused.code))
        except code_issuance.QuotaReached as refused:
            reached = True
            answers.append(RowAnswer(refusal=refused.code))
        else:
            ends = int(made.expires_at.timestamp()), int(made.link_expires_at.timestamp())
            answers.append(RowAnswer(made.code, made.link, *ends, pk=made.record.pk))
    return answers


def delete_past_batches(now: datetime.datetime) -> None:
    """Forget batches whose codes have expired."""
    Batch.objects.filter(expires_at__lte=now).delete()


def _key_digest(key: bytes) -> str:
    # A page that was open when training began or ended must not get the codes of the other mode.
    return hashlib.sha256((_PRACTICE if practising() else _PURPOSE) + key).hexdigest()


def _sealed(key: bytes, answers: Sequence[RowAnswer]) -> bytes:
    nonce = os.urandom(_NONCE_LENGTH)
    plain = json.dumps([asdict(answer) for answer in answers]).encode()
    return nonce + AESGCM(_cipher_key(key)).encrypt(nonce, plain, _PURPOSE)


def _unsealed(key: bytes, sealed: bytes) -> list[RowAnswer]:
    plain = AESGCM(_cipher_key(key)).decrypt(sealed[:_NONCE_LENGTH], sealed[_NONCE_LENGTH:], _PURPOSE)
    return [RowAnswer(**answer) for answer in json.loads(plain)]


def _cipher_key(key: bytes) -> bytes:
    # Not the stored digest: another hash of the key, which the store does not have.
    return hmac.digest(key, _PURPOSE, "sha256")


# As long as the keys that came with it are published.
RETENTION = datetime.timedelta(days=14)


def purge(now: datetime.datetime) -> None:
    """Write the codes of past days into the audit; forget sealed batches, and codes and raised limits after 14 days.

    Notes of declarations go with the declarations, which the key server deletes after 30 days.
    """
    code_issuance.audit_past_days(now)
    IssuedCode.objects.filter(issued_at__lt=now - RETENTION).delete()
    QuotaRaise.objects.filter(raised_at__lt=now - RETENTION).delete()
    delete_past_batches(now)
    declaration_access.forget(now)
