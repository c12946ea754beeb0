# SPDX-License-Identifier: Apache-2.0
"""The protocol data units (PDU) of SMPP 3.4 that an ESME writes and reads: bind, submit, query and receipts."""

import re
import struct
from dataclasses import dataclass

from bluezone.messaging.sms.providers import DeliveryState, OutgoingPart, Receipt, Smsc, StatusQuery
from bluezone.refusal import Refused

HEADER_BYTES = 16
# A deliver_sm with message_payload has at most about 64 kB.
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

_VERSION = 0x34
_FINAL_RECEIPT = 1
# Types of number of an address, and its numbering plan.
_INTERNATIONAL = 1
_SHORT_CODE = 3
_ALPHANUMERIC = 5
_ISDN = 1
_MOST_VALID_SECONDS = 86_400 * 30
# message_state of section 5.2.28, and its short names in the text of a receipt.
_FATES = {
    1: DeliveryState.UNDER_WAY, 2: DeliveryState.DELIVERED, 3: DeliveryState.EXPIRED, 4: DeliveryState.FAILED,
    5: DeliveryState.FAILED, 6: DeliveryState.UNDER_WAY, 7: DeliveryState.UNDER_WAY, 8: DeliveryState.FAILED,
}  # fmt: skip
_UNKNOWN = 7
_NAMES = {
    "ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8,
}  # fmt: skip
_TEXT = re.compile(rb"\bid:(\S{1,65}).{0,120}?\bstat:([A-Z]{5,7})\b", re.DOTALL)


class InvalidPdu(Refused):
    """The message centre sent something other than PDUs of SMPP 3.4; the session ends, nothing is lost."""

    code = "smpp_garbage"


@dataclass(frozen=True)
class Pdu:
    """A PDU. command, status, sequence: from its header; body: what follows."""

    command: int
    status: int
    sequence: int
    body: bytes = b""

    def octets(self) -> bytes:
        """The PDU as bytes to send."""
        return struct.pack(">4I", HEADER_BYTES + len(self.body), self.command, self.status, self.sequence) + self.body

    @property
    def is_response(self) -> bool:
        """Whether this answers one of our requests."""
        return bool(self.command & RESPONSE)


def read_pdu(buffer: bytearray) -> Pdu | None:
    """Remove a PDU from the front of the buffer; None if it is not complete yet. Raises InvalidPdu."""
    if len(buffer) < 4:
        return None
    (length,) = struct.unpack_from(">I", buffer)
    if not HEADER_BYTES <= length <= MOST_BYTES:
        raise InvalidPdu(f"a PDU of {length} octets, expected {HEADER_BYTES} to {MOST_BYTES}")
    if len(buffer) < length:
        return None
    command, status, sequence = struct.unpack_from(">3I", buffer, 4)
    body = bytes(buffer[HEADER_BYTES:length])
    del buffer[:length]
    return Pdu(command, status, sequence, body)


def cstring(text: str) -> bytes:
    """A C-Octet string. Characters outside ASCII become "?", since message centres refuse them."""
    return text.encode("ascii", "replace").replace(b"\0", b"") + b"\0"


def tlv(tag: int, value: bytes) -> bytes:
    """An optional parameter."""
    return struct.pack(">2H", tag, len(value)) + value


class Reader:
    """Reads the fields of a body in order; raises InvalidPdu if it ends too early."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def byte(self) -> int:
        """An integer of one octet."""
        return self.octets(1)[0]

    def octets(self, count: int) -> bytes:
        """The next `count` octets."""
        if self._at + count > len(self._body):
            raise InvalidPdu("a PDU ends within a field")
        self._at += count
        return self._body[self._at - count : self._at]

    def cstring(self) -> str:
        """Text up to the next zero octet."""
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise InvalidPdu("a PDU has a text without end")
        text = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return text

    def tlvs(self) -> dict[int, bytes]:
        """The remaining optional parameters, including unknown ones."""
        parameters = {}
        while self._at < len(self._body):
            tag, length = struct.unpack(">2H", self.octets(4))
            parameters[tag] = self.octets(length)
        return parameters


@dataclass(frozen=True)
class QueryAnswer:
    """The content of query_sm_resp."""

    provider_id: str
    fate: DeliveryState


def bind(smsc: Smsc) -> bytes:
    """The body of bind_transceiver."""
    words = [smsc.system_id, smsc.password, smsc.system_type]
    return b"".join(map(cstring, words)) + bytes([_VERSION, 0, 0]) + cstring("")


def submit(part: OutgoingPart, sender: str) -> bytes:
    """The body of submit_sm: a segment in short_message, with a concatenation header if there are several."""
    header = bytes([5, 0, 3, part.group, part.count, part.number]) if part.count > 1 else b""
    message = header + part.octets
    return b"".join(
        (
            cstring(""), _source(sender), bytes([_INTERNATIONAL, _ISDN]), cstring(part.destination.lstrip("+")),
            bytes([USER_DATA_HEADER if header else 0, 0, 0]), cstring(""),
            cstring(_period(part.valid_seconds)),
            bytes([_FINAL_RECEIPT, 0, part.data_coding, 0, len(message)]), message,
            tlv(USER_MESSAGE_REFERENCE, struct.pack(">H", part.reference)),
        )
    )  # fmt: skip


def query(question: StatusQuery, sender: str) -> bytes:
    """The body of query_sm, by the operator's id, or else by our reference, as SMPP 5.0 does for broadcasts."""
    body = cstring(question.provider_id) + _source(sender)
    if question.provider_id:
        return body
    return body + tlv(USER_MESSAGE_REFERENCE, struct.pack(">H", question.reference))


def read_query_answer(body: bytes) -> QueryAnswer:
    """The body of query_sm_resp. Raises InvalidPdu."""
    reader = Reader(body)
    provider_id = reader.cstring()
    reader.cstring()
    return QueryAnswer(provider_id, _fate(reader.byte()))


def read_receipt(body: bytes) -> Receipt | None:
    """The receipt in the body of a deliver_sm, None if it is a person's message. Raises InvalidPdu."""
    reader = Reader(body)
    reader.cstring()
    for _ in range(2):
        reader.octets(2)
        reader.cstring()
    esm_class = reader.byte()
    reader.octets(2)
    reader.cstring()
    reader.cstring()
    reader.octets(4)
    text = reader.octets(reader.byte())
    tlvs = reader.tlvs()
    if not esm_class & DELIVERY_RECEIPT and RECEIPTED_MESSAGE_ID not in tlvs:
        return None
    match = _TEXT.search(text)
    provider_id = tlvs.get(RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1")
    state = tlvs.get(MESSAGE_STATE, b"")
    if state:
        number = state[0]
    elif match:
        number = _NAMES.get(match[2].decode(), _UNKNOWN)
    else:
        number = _UNKNOWN
    reference = tlvs.get(USER_MESSAGE_REFERENCE, b"")
    return Receipt(
        provider_id or (match[1].decode("latin-1") if match else ""),
        int.from_bytes(reference) if len(reference) == 2 else None,
        _fate(number),
    )


def _fate(number: int) -> DeliveryState:
    if number not in _FATES:
        raise InvalidPdu(f"message_state {number}, expected 1 to 8")
    return _FATES[number]


def _source(sender: str) -> bytes:
    digits = sender.lstrip("+")
    if not digits.isdigit():
        return bytes([_ALPHANUMERIC, 0]) + cstring(sender)
    if sender.startswith("+"):
        kind = _INTERNATIONAL
    elif len(digits) <= 8:
        kind = _SHORT_CODE
    else:
        kind = 0
    return bytes([kind, _ISDN]) + cstring(digits)


def _period(seconds: int) -> str:
    """The relative time (section 7.1.1) after which the operator gives up, as we do."""
    whole = max(60, min(seconds, _MOST_VALID_SECONDS))
    days, second = divmod(whole, 86_400)
    months, days = divmod(days, 30)
    return f"00{months:02}{days:02}{second // 3600:02}{second // 60 % 60:02}{second % 60:02}000R"
