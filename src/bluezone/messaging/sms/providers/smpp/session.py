# SPDX-License-Identifier: Apache-2.0
"""One bound connection: PDUs out, PDUs in, nothing remembered but the sequence number.

All of it in one thread: waiting is done in `receive` alone, by select.
"""

import select
import socket
import ssl
import time

from bluezone.messaging.sms.providers.address import Smsc
from bluezone.messaging.sms.providers.smpp import pdu
from bluezone.messaging.sms.providers.smpp.pdu import Pdu
from bluezone.refusal import Refused

CONNECT_SECONDS = 5.0
_CHUNK = 65_536
_PASSWORD_REFUSED = (pdu.BIND_FAILED, pdu.INVALID_PASSWORD, pdu.INVALID_SYSTEM_ID)


class SessionLost(Refused):
    """No connection to the message centre came about, or it ended."""

    code = "smpp_session_lost"


class BindRefused(Refused):
    """The message centre does not let us in: wrong or expired credentials."""

    code = "smpp_bind_refused"


class Session:
    """Connected and bound as transceiver when made. Raises SessionLost, BindRefused, GarbageReceived."""

    def __init__(self, smsc: Smsc) -> None:
        self._buffer = bytearray()
        # What came in one piece with the answer to bind: receipts that waited for us.
        self._early: list[Pdu] = []
        self._sequence = 0
        self._socket = _connect(smsc)
        try:
            self._bind(smsc)
        except Refused:
            self.close()
            raise

    def _bind(self, smsc: Smsc) -> None:
        sequence = self.send(pdu.BIND_TRANSCEIVER, pdu.bind(smsc))
        deadline = time.monotonic() + CONNECT_SECONDS
        while time.monotonic() < deadline:
            received_now = self.receive(0.2)
            for place, received in enumerate(received_now):
                if received.sequence == sequence and received.is_response:
                    if received.status in _PASSWORD_REFUSED:
                        raise BindRefused(f"the message centre refuses name or password (status {received.status:#x})")
                    if received.status != pdu.OK or received.command == pdu.GENERIC_NACK:
                        raise SessionLost(f"the message centre refuses to bind (status {received.status:#x})")
                    self._early = received_now[place + 1 :]
                    return
        raise SessionLost("the message centre does not answer to bind_transceiver")

    def send(self, command: int, body: bytes = b"") -> int:
        """Send a request; its sequence number. Raises SessionLost, and then whether it went out is not known."""
        self._sequence = self._sequence % 0x7FFFFFFF + 1
        self._write(Pdu(command, pdu.OK, self._sequence, body))
        return self._sequence

    def respond(self, to: Pdu, body: bytes = b"", status: int = pdu.OK) -> None:
        """Answer a request of the other side. Raises SessionLost."""
        self._write(Pdu(to.command | pdu.RESPONSE, status, to.sequence, body))

    def refuse(self, to: Pdu) -> None:
        """generic_nack for a command that nobody knows. Raises SessionLost."""
        self._write(Pdu(pdu.GENERIC_NACK, pdu.INVALID_COMMAND, to.sequence))

    def receive(self, seconds: float) -> list[Pdu]:
        """Every whole PDU that is there, waiting at most so long for the first. Raises SessionLost, GarbageReceived."""
        if self._early:
            early, self._early = self._early, []
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
        found = []
        while (one := pdu.take_pdu(self._buffer)) is not None:
            found.append(one)
        return found

    def close(self) -> None:
        """Close without a word."""
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
