# SPDX-License-Identifier: Apache-2.0
"""SMPP 3.4 as an ESME: one transceiver session with the operator's message centre (SMSC), which stays bound.

Sends no faster than agreed, and turns all answers and receipts into events.
"""

import contextlib
import logging
import select
import socket
import ssl
import time
from dataclasses import dataclass

from bluezone.logs import event_fields
from bluezone.messaging.sms.providers import (
    Accepted,
    Answer,
    Declined,
    DeclineReason,
    Event,
    OutgoingPart,
    Smsc,
    StatusQuery,
    Unanswered,
    smpp_pdu,
)
from bluezone.messaging.sms.providers.smpp_pdu import InvalidPdu, Pdu
from bluezone.refusal import Refused

CONNECT_SECONDS = 5.0
_CHUNK = 65_536
_PASSWORD_REFUSED = (smpp_pdu.BIND_FAILED, smpp_pdu.INVALID_PASSWORD, smpp_pdu.INVALID_SYSTEM_ID)

ANSWER_SECONDS = 10.0
ENQUIRE_SECONDS = 30.0
# First and longest pause between tries to connect; it is doubled each time.
RECONNECT_SECONDS = (1.0, 30.0)
# Longer, since repeated wrong passwords lock an account.
REFUSED_SECONDS = 60.0
THROTTLE_SECONDS = (0.5, 30.0)
_LATER = {
    smpp_pdu.SYSTEM_ERROR,
    smpp_pdu.SUBMIT_FAILED,
    smpp_pdu.RECEIVER_TEMPORARY,
    smpp_pdu.DELIVERY_FAILURE,
    smpp_pdu.UNKNOWN_ERROR,
}
_TOO_FAST = {smpp_pdu.THROTTLED, smpp_pdu.QUEUE_FULL}

log = logging.getLogger(__name__)

__all__ = ["SmppProvider"]


class SessionLost(Refused):
    """No connection to the message centre, or it ended."""

    code = "smpp_session_lost"


class BindRefused(Refused):
    """The message centre refuses us: wrong or expired credentials."""

    code = "smpp_bind_refused"


class Session:
    """A session, connected and bound as transceiver. Raises SessionLost, BindRefused, InvalidPdu."""

    def __init__(self, smsc: Smsc) -> None:
        self._buffer = bytearray()
        # PDUs that arrived together with the answer to bind: receipts that waited for us.
        self._early: list[Pdu] = []
        self._sequence = 0
        self._socket = _connect(smsc)
        try:
            self._bind(smsc)
        except Refused:
            self.close()
            raise

    def _bind(self, smsc: Smsc) -> None:
        sequence = self.send(smpp_pdu.BIND_TRANSCEIVER, smpp_pdu.bind(smsc))
        deadline = time.monotonic() + CONNECT_SECONDS
        while time.monotonic() < deadline:
            received_now = self.receive(0.2)
            for place, received in enumerate(received_now):
                if received.sequence == sequence and received.is_response:
                    if received.status in _PASSWORD_REFUSED:
                        raise BindRefused(f"the message centre refuses name or password (status {received.status:#x})")
                    if received.status != smpp_pdu.OK or received.command == smpp_pdu.GENERIC_NACK:
                        raise SessionLost(f"the message centre refuses to bind (status {received.status:#x})")
                    self._early = received_now[place + 1 :]
                    return
        raise SessionLost("the message centre does not answer to bind_transceiver")

    def send(self, command: int, body: bytes = b"") -> int:
        """Send a request. Returns its sequence number. Raises SessionLost if it is unknown whether it was sent."""
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        self._write(Pdu(command, smpp_pdu.OK, self._sequence, body))
        return self._sequence

    def respond(self, to: Pdu, body: bytes = b"", status: int = smpp_pdu.OK) -> None:
        """Answer a request of the message centre. Raises SessionLost."""
        self._write(Pdu(to.command | smpp_pdu.RESPONSE, status, to.sequence, body))

    def refuse(self, to: Pdu) -> None:
        """Answer an unknown command with generic_nack. Raises SessionLost."""
        self._write(Pdu(smpp_pdu.GENERIC_NACK, smpp_pdu.INVALID_COMMAND, to.sequence))

    def receive(self, seconds: float) -> list[Pdu]:
        """All complete PDUs; waits at most this long for the first. Raises SessionLost, InvalidPdu."""
        if self._early:
            early = self._early
            self._early = []
            return early
        pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0
        if not pending and not select.select([self._socket], [], [], seconds)[0]:
            return []
        try:
            chunk = self._socket.recv(_CHUNK)
        except (ssl.SSLWantReadError, BlockingIOError):
            return []
        except OSError as error:
            raise SessionLost(f"the connection ended ({type(error).__name__})") from None
        if not chunk:
            raise SessionLost("the message centre closed the connection")
        self._buffer += chunk
        pdus = []
        while (pdu := smpp_pdu.read_pdu(self._buffer)) is not None:
            pdus.append(pdu)
        return pdus

    def close(self) -> None:
        """Close the connection without unbind."""
        self._socket.close()

    def _write(self, out: Pdu) -> None:
        try:
            self._socket.sendall(out.octets())
        except OSError as error:
            raise SessionLost(f"the connection ended ({type(error).__name__})") from None


def _connect(smsc: Smsc) -> socket.socket:
    try:
        plain = socket.create_connection((smsc.host, smsc.port), CONNECT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if smsc.tls:
            return ssl.create_default_context().wrap_socket(plain, server_hostname=smsc.host)
    except OSError as error:
        raise SessionLost(f"the message centre cannot be reached ({type(error).__name__})") from None
    return plain


@dataclass(frozen=True)
class _Request:
    """A request without an answer yet. part_id: None for enquire_link."""

    command: int
    part_id: int | None
    deadline: float


class SmppProvider:
    """A transceiver session with one message centre; connects at the first `capacity()`."""

    name = "smpp"

    def __init__(self, smsc: Smsc) -> None:
        self._smsc = smsc
        self._session: Session | None = None
        self._unanswered: dict[int, _Request] = {}
        self._events: list[Event] = []
        self._unconfirmed: list[Pdu] = []
        self._connect_at = 0.0
        self._pause = RECONNECT_SECONDS[0]
        self._throttled_until = 0.0
        self._throttle = THROTTLE_SECONDS[0]
        self._allowance = float(smsc.rate)
        self._counted_at = time.monotonic()
        self._last_received_at = time.monotonic()
        self.finds_references = smsc.references
        self.trouble = ""

    def capacity(self) -> int:
        """Free places in the window, no more than the rate allows; 0 unless bound."""
        now = time.monotonic()
        if self._session is None and now >= self._connect_at:
            self._connect()
        if self._session is None or now < self._throttled_until:
            return 0
        self._allowance = min(float(self._smsc.rate), self._allowance + (now - self._counted_at) * self._smsc.rate)
        self._counted_at = now
        return max(0, min(self._smsc.window - len(self._unanswered), int(self._allowance)))

    def submit(self, parts: list[OutgoingPart]) -> None:
        """Submit parts; each gets an event, even if the session ends in the middle."""
        for part in parts:
            self._request(smpp_pdu.SUBMIT_SM, smpp_pdu.submit(part, self._smsc.sender), part.part_id)

    def query(self, question: StatusQuery) -> None:
        """Send query_sm."""
        self._request(smpp_pdu.QUERY_SM, smpp_pdu.query(question, self._smsc.sender), question.part_id)

    def wait_for_events(self, seconds: float) -> list[Event]:
        """Read PDUs, answer those that need an immediate answer, and end a session that does not answer."""
        if self._session is None:
            if not self._events:
                time.sleep(seconds)
        else:
            try:
                for received in self._session.receive(0.0 if self._events else seconds):
                    self._last_received_at = time.monotonic()
                    self._read(received)
                self._check_line(time.monotonic())
            except (SessionLost, InvalidPdu) as trouble:
                self._lose(trouble, RECONNECT_SECONDS[0])
        events = self._events
        self._events = []
        return events

    def acknowledge(self) -> None:
        """Send deliver_sm_resp for the receipts that are stored now."""
        unconfirmed = self._unconfirmed
        self._unconfirmed = []
        if self._session is None:
            return
        try:
            for received in unconfirmed:
                self._session.respond(received, b"\0")
        except SessionLost as trouble:
            self._lose(trouble, RECONNECT_SECONDS[0])

    def close(self) -> None:
        """Send unbind, and close without waiting for the answer."""
        if self._session is not None:
            with contextlib.suppress(SessionLost):
                self._session.send(smpp_pdu.UNBIND)
            self._session.close()
            self._session = None

    def _connect(self) -> None:
        try:
            self._session = Session(self._smsc)
        except BindRefused as refusal:
            self._lose(refusal, REFUSED_SECONDS)
        except (SessionLost, InvalidPdu) as trouble:
            self._lose(trouble, self._pause)
            self._pause = min(RECONNECT_SECONDS[1], self._pause * 2)
        else:
            self.trouble = ""
            self._pause = RECONNECT_SECONDS[0]
            self._last_received_at = time.monotonic()

    def _request(self, command: int, body: bytes, part_id: int) -> None:
        self._allowance -= 1
        if self._session is None:
            # The session has just ended, and nothing of this part was written: it can be handed over again.
            if command == smpp_pdu.QUERY_SM:
                self._events.append(Unanswered(part_id))
            else:
                self._events.append(Declined(part_id, DeclineReason.THROTTLED, "not connected"))
            return
        try:
            sequence = self._session.send(command, body)
        except SessionLost as trouble:
            self._events.append(Unanswered(part_id))
            self._lose(trouble, RECONNECT_SECONDS[0])
        else:
            self._unanswered[sequence] = _Request(command, part_id, time.monotonic() + ANSWER_SECONDS)

    def _read(self, received: Pdu) -> None:
        if received.is_response:
            request = self._unanswered.pop(received.sequence, None)
            if request is not None and request.part_id is not None:
                self._read_answer(request.part_id, request.command, received)
            elif request is None and received.command == smpp_pdu.GENERIC_NACK:
                raise InvalidPdu("the message centre did not understand us (generic_nack)")
        elif received.command == smpp_pdu.DELIVER_SM:
            self._read_delivery(received)
        elif self._session is not None:
            if received.command == smpp_pdu.ENQUIRE_LINK:
                self._session.respond(received)
            elif received.command == smpp_pdu.UNBIND:
                self._session.respond(received)
                raise SessionLost("the message centre ended the session")
            elif received.command != smpp_pdu.ALERT_NOTIFICATION:
                self._session.refuse(received)

    def _read_delivery(self, received: Pdu) -> None:
        try:
            receipt = smpp_pdu.read_receipt(received.body)
        except InvalidPdu as garbage:
            # Acknowledge it all the same, or the message centre would repeat it for ever.
            log.warning(
                "sms: a receipt cannot be read: %s", garbage.message, extra=event_fields("sms_receipt_unreadable")
            )
            receipt = None
        if receipt is not None:
            self._events.append(receipt)
        # A message from a person is dropped: most senders have a name and cannot be answered, and no one reads answers.
        self._unconfirmed.append(received)

    def _read_answer(self, part_id: int, command: int, received: Pdu) -> None:
        status = received.status
        if received.command != smpp_pdu.GENERIC_NACK and received.command != command | smpp_pdu.RESPONSE:
            self._events.append(Unanswered(part_id))
            raise InvalidPdu("the message centre answered with another command than that of the request")
        if command == smpp_pdu.QUERY_SM:
            self._events.append(self._query_answer(part_id, received))
        elif status == smpp_pdu.OK and received.command != smpp_pdu.GENERIC_NACK:
            self._throttle = THROTTLE_SECONDS[0]
            try:
                provider_id = smpp_pdu.Reader(received.body).cstring()
            except InvalidPdu:
                self._events.append(Unanswered(part_id))
                raise
            self._events.append(Accepted(part_id, provider_id[:65]))
        elif status in _TOO_FAST:
            if time.monotonic() >= self._throttled_until:
                # Only once for all requests under way at the same time.
                self._throttled_until = time.monotonic() + self._throttle
                self._throttle = min(THROTTLE_SECONDS[1], self._throttle * 2)
            self._events.append(Declined(part_id, DeclineReason.THROTTLED, f"status {status:#x}"))
        else:
            why = DeclineReason.LATER if status in _LATER else DeclineReason.FINAL
            self._events.append(Declined(part_id, why, f"status {status:#x}"))

    def _query_answer(self, part_id: int, received: Pdu) -> Answer:
        if received.status == smpp_pdu.INVALID_MESSAGE_ID and received.command != smpp_pdu.GENERIC_NACK:
            # This proves that the operator never had the message only if it knows our references.
            return Answer(part_id, is_known=False if self.finds_references else None)
        if received.status != smpp_pdu.OK or received.command == smpp_pdu.GENERIC_NACK:
            return Answer(part_id, is_known=None)
        answer = smpp_pdu.read_query_answer(received.body)
        return Answer(part_id, True, answer.provider_id, answer.fate)

    def _check_line(self, now: float) -> None:
        """Raise SessionLost if an answer is late; test an idle connection with enquire_link."""
        if self._session is None:
            return
        if any(request.deadline < now for request in self._unanswered.values()):
            raise SessionLost("the message centre does not answer")
        enquiring = any(request.command == smpp_pdu.ENQUIRE_LINK for request in self._unanswered.values())
        if now - self._last_received_at >= ENQUIRE_SECONDS and not enquiring:
            sequence = self._session.send(smpp_pdu.ENQUIRE_LINK)
            self._unanswered[sequence] = _Request(smpp_pdu.ENQUIRE_LINK, None, now + ANSWER_SECONDS)

    def _lose(self, why: Refused, pause: float) -> None:
        """End the session and report unanswered parts; the operator will repeat unconfirmed receipts."""
        if self._session is not None:
            self._session.close()
        trouble = f"{why.code}: {why.message}"
        if trouble != self.trouble:
            log.warning("sms: %s; messages wait", trouble, extra=event_fields("sms_centre_lost", code=why.code))
        self._session = None
        self.trouble = trouble
        self._connect_at = time.monotonic() + pause
        self._events += [
            Unanswered(request.part_id) for request in self._unanswered.values() if request.part_id is not None
        ]
        self._unanswered.clear()
        self._unconfirmed.clear()
