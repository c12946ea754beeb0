# SPDX-License-Identifier: Apache-2.0
"""Codes for many cases at once: the browser keeps the telephone numbers, the office sees class and onset of each.

A batch that is sent again, because the network went away before its answer came, shows the same codes and issues no
others: its answer is kept sealed under a key that the browser made and of which the office has the hash alone. The
page sends one row at a time, under a key made of the row and a secret of that browser, so that the same list again
gives the same codes (docs/privacy.md).
Source: specs of verification servers ("bulk CSV parsed in the browser, phone never stored", idempotent issue).

The message with a code is sent by the house's text messages where the health worker asks for it. The browser names
number, code and link of one row; the text is the house's own and names neither disease nor result. Number and text lie
sealed in the outbox until the operator has taken them and are gone then (docs/messaging.md). What stays is that the
message of this code was sent: nothing by which the list or the number could be known again.

What the office forgets about codes and declarations, and when.
"""

import datetime
import hashlib
import hmac
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from bluezone.healthauthority import code_issuance, declaration_access, quotas
from bluezone.healthauthority.models import Batch, IssuedCode, QuotaRaise
from bluezone.identity.models import User
from bluezone.keyserver.reports.codes import LINK_LIFE_SECONDS, ClassRefused, OnsetRefused
from bluezone.keyserver.service import KeyServer
from bluezone.messaging.sms import outbox
from bluezone.messaging.sms.destinations import language_of, read_destination
from bluezone.messaging.sms.models import OPEN_STATES, Message, Purpose, State
from bluezone.messaging.sms.providers import LogFile
from bluezone.messaging.sms.segmentation import without_diacritics
from bluezone.protocol.upload.codes import InvalidCode
from bluezone.refusal import Refused
from bluezone.training import practising

_Row = TypeVar("_Row", bound=Model)

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

    code "dddd-dddd-dddd", link URL; expires, link_expires: Unix seconds; pk, mark: of the record in the list of codes;
    ticket: by which the browser asks for its state.
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
        # What was refused may be asked for again under the same key, once the limit is raised.
        if any(answer.code for answer in answers):
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
            record = made.record
            answers.append(RowAnswer(made.code, made.link, *ends, pk=record.pk, ticket=made.ticket, mark=record.mark))
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


# A patient who has heard nothing by then is called; the digits work for a day.
WORTH_TRYING = datetime.timedelta(hours=2)
MOST_ASKED = 50
_MEMBERS = {"pk": int, "ticket": str, "phone": str, "code": str, "link": str}
_ARRIVED = (State.SENT, State.DELIVERED)


class MessageOrderInvalid(Refused):
    """What was sent is no order of a message: number, code, link and the code's place in the list, and no more."""

    code = "code_message_invalid"


class CodeNotYours(Refused):
    """The code is none that this account issued, or the link is another code's; nothing was sent."""

    code = "code_not_yours"


class CodeMessageSentBefore(Refused):
    """The house has sent the message of this code; it was not sent again."""

    code = "code_message_sent_before"


@dataclass(frozen=True)
class Order:
    """The message of one code. pk, ticket: of the issued code; phone: as the list has it."""

    pk: int
    ticket: str
    phone: str
    code: str
    link: str


def messages_are_offered() -> bool:
    """Whether the house sends such messages: it has an operator, and this is no practice."""
    return settings.SMS is not None and not isinstance(settings.SMS, LogFile) and not practising()


def read_order(body: bytes) -> Order:
    """Read `{"pk", "ticket", "phone", "code", "link"}`. Raises MessageOrderInvalid."""
    try:
        sent = json.loads(body)
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or {name: type(value) for name, value in sent.items()} != _MEMBERS:
        raise MessageOrderInvalid("expected pk, ticket, phone, code and link, and nothing else")
    return Order(**sent)


def send_message(server: KeyServer, worker: User, order: Order, now: datetime.datetime) -> Message:
    """Queue the message of a code that `worker` issued, once.

    Raises CodeNotYours, CodeMessageSentBefore, and what `outbox.queue` raises; nothing is stored then.
    """
    number = read_destination(order.phone)
    with transaction.atomic():
        issued = IssuedCode.objects.filter(worker=worker, pk=order.pk).first()
        ends = _ends(server, order, issued) if issued else None
        if issued is None or ends is None:
            raise CodeNotYours("this is no code that you issued, or the link is another code's; nothing was sent")
        if not IssuedCode.objects.filter(pk=issued.pk, messaged=False).update(messaged=True):
            raise CodeMessageSentBefore("the message of this code was sent before; it was not sent again")
        language = language_of(number)
        text = message_for(worker, order, ends, language)
        return outbox.queue(number, text, language, Purpose.CODE, valid=WORTH_TRYING, now=now)


def message_for(worker: User, order: Order, ends: int, language: str) -> str:
    """What the patient reads; Vietnamese without diacritics, which takes half the segments. ends: Unix seconds."""
    with translation.override(language):
        until = timezone.localtime(datetime.datetime.fromtimestamp(ends, datetime.UTC))
        words = _("Bluezone: your code is {code}, until {until}. Open {link} . It is for you alone. %(agency)s")
        text = words.format(code=order.code, until=f"{until:%H:%M %d/%m/%Y}", link=order.link)
        return without_diacritics(text % {"agency": quotas.workplace(worker)})


def states_of_messages(names: Iterable[str]) -> dict[str, str]:
    """What became of messages by their ids: "waiting", "sent" or "failed"; one that is unknown is left out."""
    try:
        found = Message.objects.filter(purpose=Purpose.CODE, pk__in=list(names)[:MOST_ASKED]).values_list("pk", "state")
        return {str(pk): _told(state) for pk, state in found}
    except (ValidationError, ValueError):
        return {}


def _told(state: str) -> str:
    if state in OPEN_STATES:
        return "waiting"
    return "sent" if state in _ARRIVED else "failed"


def _ends(server: KeyServer, order: Order, issued: IssuedCode) -> int | None:
    """Until when the digits work; None where code, link and ticket are not of one code."""
    try:
        row_id = code_issuance.row_of_ticket(issued, order.ticket)
        ends, link_ends = (server.codes.ends_at(text, row_id) for text in (order.code, order.link))
    except (InvalidCode, code_issuance.TicketInvalid):
        return None
    return ends if link_ends is not None else None


# As long as the keys that came with it are published.
RETENTION = datetime.timedelta(days=14)


def purge(now: datetime.datetime) -> None:
    """Write the codes of past days into the audit and mingle those of now; forget sealed batches, and codes and raised
    limits after 14 days.

    Notes of declarations go with the declarations, which the key server deletes after 30 days.
    """
    code_issuance.audit_past_days(now)
    mingle(now)
    IssuedCode.objects.filter(issued_at__lt=now - RETENTION).delete()
    QuotaRaise.objects.filter(raised_at__lt=now - RETENTION).delete()
    delete_past_batches(now)
    declaration_access.forget(now)


def mingle(now: datetime.datetime) -> None:
    """Write codes and batches of these two days again, in the order of their keys, where rows tell when they came.

    PostgreSQL numbers transactions, and beside rows whose time is known such a number tells the hour of issue: of the
    code itself, and of the worker's and the facility's rows, to which it refers. SQLite's rows lie by their keys.
    """
    if connection.vendor != "postgresql":
        return
    yesterday = quotas.midnight(now) - datetime.timedelta(days=1)
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Whoever issues waits; whoever reads does not. In the order in which `issue_batch` writes.
            for model in (IssuedCode, Batch):
                cursor.execute(f"LOCK TABLE {model._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        _write_again(IssuedCode.objects.filter(issued_at__gte=yesterday))
        ends = yesterday + datetime.timedelta(days=1, seconds=LINK_LIFE_SECONDS)
        _write_again(Batch.objects.filter(expires_at__gte=ends))


def _write_again(rows: QuerySet[_Row]) -> None:
    held = list(rows.order_by("pk"))
    rows.delete()
    rows.bulk_create(held)
