# SPDX-License-Identifier: Apache-2.0
"""The protocol data units that an ESME writes and reads, as octets.

Source: Short Message Peer to Peer Protocol Specification v3.4, sections 3.2 (format), 4 (PDUs), 5 (parameters).
"""

import struct
from dataclasses import dataclass

from bluezone.refusal import Refused

HEADER_BYTES = 16
# A deliver_sm with message_payload is at most some 64 kB; more is no PDU.
MOST_BYTES = 70_000

# fmt: off
GENERIC_NACK          = 0x80000000
SUBMIT_SM             = 0x00000004
QUERY_SM              = 0x00000003
DELIVER_SM            = 0x00000005
UNBIND                = 0x00000006
BIND_TRANSCEIVER      = 0x00000009
ENQUIRE_LINK          = 0x00000015
ALERT_NOTIFICATION    = 0x00000102
RESPONSE              = 0x80000000

OK                    = 0x00000000
INVALID_COMMAND       = 0x00000003
SYSTEM_ERROR          = 0x00000008
INVALID_MESSAGE_ID    = 0x0000000C
BIND_FAILED           = 0x0000000D
INVALID_PASSWORD      = 0x0000000E
INVALID_SYSTEM_ID     = 0x0000000F
QUEUE_FULL            = 0x00000014
SUBMIT_FAILED         = 0x00000045
THROTTLED             = 0x00000058
RECEIVER_TEMPORARY    = 0x00000064
QUERY_FAILED          = 0x00000067
DELIVERY_FAILURE      = 0x000000FE
UNKNOWN_ERROR         = 0x000000FF

RECEIPTED_MESSAGE_ID  = 0x001E
USER_MESSAGE_REFERENCE = 0x0204
MESSAGE_STATE         = 0x0427

USER_DATA_HEADER      = 0x40
DELIVERY_RECEIPT      = 0x04
# fmt: on


class GarbageReceived(Refused):
    """What came over the line is no PDU of SMPP 3.4; the session is ended, nothing is lost."""

    code = "smpp_garbage"


@dataclass(frozen=True)
class Pdu:
    """One PDU. command, status, sequence: of its header; body: the rest."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def octets(self) -> bytes:
        """As it goes over the line."""
        return struct.pack(">4I", HEADER_BYTES + len(self.body), self.command, self.status, self.sequence) + self.body

    @property
    def is_response(self) -> bool:
        """Whether it answers one of ours."""
        return bool(self.command & RESPONSE)


def take(buffer: bytearray) -> Pdu | None:
    """Take one whole PDU off the front of what was received, None when it is not all there. Raises GarbageReceived."""
    if len(buffer) < 4:
        return None
    (length,) = struct.unpack_from(">I", buffer)
    if not HEADER_BYTES <= length <= MOST_BYTES:
        raise GarbageReceived(f"a PDU of {length} octets, expected {HEADER_BYTES} to {MOST_BYTES}")
    if len(buffer) < length:
        return None
    command, status, sequence = struct.unpack_from(">3I", buffer, 4)
    body = bytes(buffer[HEADER_BYTES:length])
    del buffer[:length]
    return Pdu(command, status, sequence, body)


def cstring(text: str) -> bytes:
    """A C-Octet string; what is not ASCII would be refused by everybody."""
    return text.encode("ascii", "replace").replace(b"\0", b"") + b"\0"


def tlv(tag: int, value: bytes) -> bytes:
    """An optional parameter."""
    return struct.pack(">2H", tag, len(value)) + value


class Reader:
    """Reads the fields of a body in order; raises GarbageReceived where it ends too early."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def byte(self) -> int:
        """One integer of one octet."""
        return self.octets(1)[0]

    def octets(self, count: int) -> bytes:
        """So many octets."""
        if self._at + count > len(self._body):
            raise GarbageReceived("a PDU ends within a field")
        self._at += count
        return self._body[self._at - count : self._at]

    def cstring(self) -> str:
        """Text up to the next zero octet."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise GarbageReceived("a PDU has a text without end")
        text = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return text

    def tlvs(self) -> dict[int, bytes]:
        """The optional parameters that remain; those nobody knows too."""
        found = {}
        while self._at < len(self._body):
            tag, length = struct.unpack(">2H", self.octets(4))
            found[tag] = self.octets(length)
        return found
