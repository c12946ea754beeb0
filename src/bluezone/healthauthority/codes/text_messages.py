# SPDX-License-Identifier: Apache-2.0
"""The text messages with the codes of cases: ordered by the browser, queued once.

If the health worker wants it, the office sends the text message with a code. The browser sends number, code and link
of one row; the office's text names neither disease nor result. Number and text are sealed in the outbox until the
operator has accepted them, and then deleted (docs/messaging.md). The only record left is that the message of this code
was sent; it identifies neither list nor number.
"""

import datetime
import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from bluezone.healthauthority import facilities
from bluezone.healthauthority.codes import tickets
from bluezone.healthauthority.models import IssuedCode
from bluezone.identity.models import User
from bluezone.keyserver.service import KeyServer
from bluezone.messaging.sms import outbox
from bluezone.messaging.sms.destinations import language_of, read_destination
from bluezone.messaging.sms.models import OPEN_STATES, Message, Purpose, State
from bluezone.messaging.sms.providers import LogFile
from bluezone.messaging.sms.segmentation import without_diacritics
from bluezone.messaging.sms.validity import HEALTH_CODE_VALIDITY
from bluezone.protocol.upload.codes import InvalidCode
from bluezone.refusal import Refused
from bluezone.training import practising

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
class MessageOrder:
    """The order to send the message of a code. pk, ticket: of the issued code; phone: as in the list."""

    pk: int
    ticket: str
    phone: str
    code: str
    link: str


def can_send_messages() -> bool:
    """Whether the office sends such messages: it has an operator, and this is not training mode."""
    return settings.SMS is not None and not isinstance(settings.SMS, LogFile) and not practising()


def read_order(body: bytes) -> MessageOrder:
    """Read `{"pk", "ticket", "phone", "code", "link"}`. Raises MessageOrderInvalid."""
    try:
        sent = json.loads(body)
    except ValueError:
        sent = None
    if not isinstance(sent, dict) or {name: type(value) for name, value in sent.items()} != _MEMBERS:
        raise MessageOrderInvalid("expected pk, ticket, phone, code and link, and nothing else")
    return MessageOrder(**sent)


def send_message(server: KeyServer, worker: User, order: MessageOrder, now: datetime.datetime) -> Message:
    """Queue the message of a code that `worker` issued, once.

    Raises CodeNotYours, CodeMessageSentBefore, and the refusals of `outbox.queue_sms`; nothing is stored then.
    """
    number = read_destination(order.phone)
    with transaction.atomic():
        issued = IssuedCode.objects.filter(worker=worker, pk=order.pk).first()
        ends = _expiry_of(server, order, issued) if issued else None
        if issued is None or ends is None:
            raise CodeNotYours("this is not a code that you issued, or the link is another code's; nothing was sent")
        if not IssuedCode.objects.filter(pk=issued.pk, messaged=False).update(messaged=True):
            raise CodeMessageSentBefore("the message of this code was sent before; it was not sent again")
        language = language_of(number)
        text = code_message(worker, order, ends, language)
        return outbox.queue_sms(number, text, language, Purpose.CODE, valid=HEALTH_CODE_VALIDITY, now=now)


def code_message(worker: User, order: MessageOrder, ends: int, language: str) -> str:
    """The text for the patient; Vietnamese without diacritics, which halves the segments. ends: Unix seconds."""
    with translation.override(language):
        until = timezone.localtime(datetime.datetime.fromtimestamp(ends, datetime.UTC))
        words = _("Bluezone: your code is {code}, until {until}. Open {link} . It is only for you. %(agency)s")
        text = words.format(code=order.code, until=f"{until:%H:%M %d/%m/%Y}", link=order.link)
        return without_diacritics(text % {"agency": facilities.workplace(worker)})


def message_states(names: Iterable[str]) -> dict[str, str]:
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


def _expiry_of(server: KeyServer, order: MessageOrder, issued: IssuedCode) -> int | None:
    """When the digits expire; None if code, link and ticket are not of the same code."""
    try:
        row_id = tickets.verify_ticket(issued, order.ticket)
        ends = server.codes.ends_at(order.code, row_id)
        link_ends = server.codes.ends_at(order.link, row_id)
    except (InvalidCode, tickets.TicketInvalid):
        return None
    return ends if link_ends is not None else None
