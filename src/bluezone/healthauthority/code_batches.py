# SPDX-License-Identifier: Apache-2.0
"""Codes for many cases at once, the text messages with the codes, and the retention of codes and declarations.

The browser keeps the telephone numbers; the office gets only class and onset of each case. If the network fails before
the answer arrives, the browser sends the batch again and gets the same codes: the answer is stored, sealed under a key
that the browser made; the office has only its hash. The page sends one row at a time, under a key derived from the row
and a secret of that browser, so that the same list gives the same codes again (docs/privacy.md).
Source: specs of verification servers ("bulk CSV parsed in the browser, phone never stored", idempotent issue).

If the health worker wants it, the office sends the text message with a code. The browser sends number, code and link
of one row; the office's text names neither disease nor result. Number and text are sealed in the outbox until the
operator has accepted them, and then deleted (docs/messaging.md). The only record left is that the message of this code
was sent; it identifies neither list nor number.
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
                expires_at=quotas.midnight(now) + datetime.timedelta(days=1, seconds=LINK_LIFE_SECONDS),
            )
    return answers


def _issue_rows(server: KeyServer, worker: User, rows: Sequence[CaseRow], now: datetime.datetime) -> list[RowAnswer]:
    answers: list[RowAnswer] = []
    over_quota = False
    for row in rows:
        # The audit has one refusal over the quota; the rows after it need no entries.
        if over_quota:
            answers.append(RowAnswer(refusal=code_issuance.QuotaReached.code))
            continue
        try:
            issued = code_issuance.issue(server, worker, row.klass, row.onset, now)
        except (OnsetRefused, ClassRefused) as refusal:
            answers.append(RowAnswer(refusal=refusal.code))
        except code_issuance.QuotaReached as refusal:
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


# The health worker calls a patient who has got nothing by then; the digits work for a day.
MESSAGE_VALIDITY = datetime.timedelta(hours=2)
MOST_STATES = 50
_MEMBERS = {"pk": int, "ticket": str, "phone": str, "code": str, "link": str}
_ACCEPTED = (State.SENT, State.DELIVERED)


class MessageOrderInvalid(Refused):
    """The body is not an order of a message: pk, ticket, number, code and link of a code, and nothing else."""

    code = "code_message_invalid"


class CodeNotYours(Refused):
    """This account did not issue the code, or the link is of another code; nothing was sent."""

    code = "code_not_yours"


class CodeMessageSentBefore(Refused):
    """The message of this code was sent before; it was not sent again."""

    code = "code_message_sent_before"


@dataclass(frozen=True)
class Order:
    """The order to send the message of a code. pk, ticket: of the issued code; phone: as in the list."""

    pk: int
    ticket: str
    phone: str
    code: str
    link: str


def messages_are_offered() -> bool:
    """Whether the office sends such messages: it has an operator, and this is not training mode."""
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

    Raises CodeNotYours, CodeMessageSentBefore, and the refusals of `outbox.queue_message`; nothing is stored then.
    """
    number = read_destination(order.phone)
    with transaction.atomic():
        issued = IssuedCode.objects.filter(worker=worker, pk=order.pk).first()
        ends = _expiry_of(server, order, issued) if issued else None
        if issued is None or ends is None:
            raise CodeNotYours("this is no code that you issued, or the link is another code's; nothing was sent")
        if not IssuedCode.objects.filter(pk=issued.pk, messaged=False).update(messaged=True):
            raise CodeMessageSentBefore("the message of this code was sent before; it was not sent again")
        language = language_of(number)
        text = message_for(worker, order, ends, language)
        return outbox.queue_message(number, text, language, Purpose.CODE, valid=MESSAGE_VALIDITY, now=now)


def message_for(worker: User, order: Order, ends: int, language: str) -> str:
    """The text for the patient; Vietnamese without diacritics, which halves the segments. ends: Unix seconds."""
    with translation.override(language):
        until = timezone.localtime(datetime.datetime.fromtimestamp(ends, datetime.UTC))
        words = _("Bluezone: your code is {code}, until {until}. Open {link} . It is for you alone. %(agency)s")
        text = words.format(code=order.code, until=f"{until:%H:%M %d/%m/%Y}", link=order.link)
        return without_diacritics(text % {"agency": quotas.workplace(worker)})


def states_of_messages(names: Iterable[str]) -> dict[str, str]:
    """The states of messages by id: "waiting", "sent" or "failed"; unknown ones are left out."""
    try:
        rows = Message.objects.filter(purpose=Purpose.CODE, pk__in=list(names)[:MOST_STATES]).values_list("pk", "state")
        return {str(pk): _state_for_browser(state) for pk, state in rows}
    except (ValidationError, ValueError):
        return {}


def _state_for_browser(state: str) -> str:
    if state in OPEN_STATES:
        return "waiting"
    return "sent" if state in _ACCEPTED else "failed"


def _expiry_of(server: KeyServer, order: Order, issued: IssuedCode) -> int | None:
    """When the digits expire; None if code, link and ticket are not of the same code."""
    try:
        row_id = code_issuance.row_of_ticket(issued, order.ticket)
        ends = server.codes.ends_at(order.code, row_id)
        link_ends = server.codes.ends_at(order.link, row_id)
    except (InvalidCode, code_issuance.TicketInvalid):
        return None
    return ends if link_ends is not None else None


# As long as the keys reported with a code are published.
RETENTION = datetime.timedelta(days=14)


def purge(now: datetime.datetime) -> None:
    """Write the codes of past days into the audit, and hide the order of the latest; delete old batches.

    Deletes codes and raised limits after 14 days, and the notes of declarations with the declarations, which the key
    server deletes after 30 days.
    """
    code_issuance.audit_past_days(now)
    mingle(now)
    IssuedCode.objects.filter(issued_at__lt=now - RETENTION).delete()
    QuotaRaise.objects.filter(raised_at__lt=now - RETENTION).delete()
    delete_past_batches(now)
    declaration_access.forget(now)


def mingle(now: datetime.datetime) -> None:
    """Rewrite codes and batches of these two days in the order of their keys, if rows reveal when they were written.

    PostgreSQL numbers transactions. Next to rows with a known time, such a number reveals the hour of issue: of the
    code, and of the rows of worker and facility, to which it refers. SQLite stores rows in the order of their keys.
    """
    if connection.vendor != "postgresql":
        return
    yesterday = quotas.midnight(now) - datetime.timedelta(days=1)
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Those who issue codes wait, readers do not. The order of the locks is that of the writes in `issue_batch`.
            for model in (IssuedCode, Batch):
                cursor.execute(f"LOCK TABLE {model._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        _rewrite(IssuedCode.objects.filter(issued_at__gte=yesterday))
        ends = yesterday + datetime.timedelta(days=1, seconds=LINK_LIFE_SECONDS)
        _rewrite(Batch.objects.filter(expires_at__gte=ends))


def _rewrite(rows: QuerySet[_Row]) -> None:
    copies = list(rows.order_by("pk"))
    rows.delete()
    rows.bulk_create(copies)
