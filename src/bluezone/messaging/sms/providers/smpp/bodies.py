# SPDX-License-Identifier: Apache-2.0
"""What stands in the bodies: binding, submitting, asking, and reading receipts.

Source: SMPP v3.4, sections 4.1.5, 4.4.1, 4.6.1, 4.8; appendix B for the text of a receipt.
"""

import re
import struct
from dataclasses import dataclass

from bluezone.messaging.sms.providers import Fate, Outgoing, Question, Receipt
from bluezone.messaging.sms.providers.smpp import pdu
from bluezone.messaging.sms.smsurl import Smsc

_VERSION = 0x34
_FINAL_RECEIPT = 1
_INTERNATIONAL, _ALPHANUMERIC, _SHORT_CODE, _ISDN = 1, 5, 3, 1
_MOST_VALID_SECONDS = 86_400 * 30
# message_state of section 5.2.28, and its short names in the text of a receipt.
_FATES = {
    1: Fate.UNDER_WAY, 2: Fate.DELIVERED, 3: Fate.EXPIRED, 4: Fate.FAILED, 5: Fate.FAILED, 6: Fate.UNDER_WAY,
    7: Fate.UNDER_WAY, 8: Fate.FAILED,
}  # fmt: skip
_NAMES = {
    "ENROUTE": 1, "DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8,
}  # fmt: skip
_TEXT = re.compile(rb"\bid:(\S{1,65}).{0,120}?\bstat:([A-Z]{5,7})\b", re.DOTALL)


@dataclass(frozen=True)
class Found:
    """What query_sm_resp says."""

    provider_id: str
    fate: Fate


def bind(smsc: Smsc) -> bytes:
    """bind_transceiver."""
    words = [smsc.system_id, smsc.password, smsc.system_type]
    return b"".join(map(pdu.cstring, words)) + bytes([_VERSION, 0, 0]) + pdu.cstring("")


def submit(part: Outgoing, sender: str) -> bytes:
    """submit_sm: a segment in short_message, with the header of a concatenated message where there are several."""
    header = bytes([5, 0, 3, part.group, part.count, part.number]) if part.count > 1 else b""
    message = header + part.octets
    return b"".join(
        (
            pdu.cstring(""), _source(sender), bytes([_INTERNATIONAL, _ISDN]), pdu.cstring(part.destination.lstrip("+")),
            bytes([pdu.USER_DATA_HEADER if header else 0, 0, 0]), pdu.cstring(""),
            pdu.cstring(_period(part.valid_seconds)),
            bytes([_FINAL_RECEIPT, 0, part.data_coding, 0, len(message)]), message,
            pdu.tlv(pdu.USER_MESSAGE_REFERENCE, struct.pack(">H", part.reference)),
        )
    )  # fmt: skip


def query(question: Question, sender: str) -> bytes:
    """query_sm; without an id of the operator's, by our reference, as SMPP 5.0 does for broadcasts."""
    body = pdu.cstring(question.provider_id) + _source(sender)
    if question.provider_id:
        return body
    return body + pdu.tlv(pdu.USER_MESSAGE_REFERENCE, struct.pack(">H", question.reference))


def read_query_answer(body: bytes) -> Found:
    """Raises GarbageReceived."""
    reader = pdu.Reader(body)
    provider_id = reader.cstring()
    reader.cstring()
    return Found(provider_id, _fate(reader.byte()))


def read_receipt(body: bytes) -> Receipt | None:
    """The receipt that a deliver_sm is, None where it is a message of a person. Raises GarbageReceived."""
    reader = pdu.Reader(body)
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
    if not esm_class & pdu.DELIVERY_RECEIPT and pdu.RECEIPTED_MESSAGE_ID not in tlvs:
        return None
    said = _TEXT.search(text)
    provider_id = tlvs.get(pdu.RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1")
    state = tlvs.get(pdu.MESSAGE_STATE, b"")
    number = state[0] if state else _NAMES.get(said[2].decode(), 7) if said else 7
    reference = tlvs.get(pdu.USER_MESSAGE_REFERENCE, b"")
    return Receipt(
        provider_id or (said[1].decode("latin-1") if said else ""),
        int.from_bytes(reference) if len(reference) == 2 else None,
        _fate(number),
    )


def _fate(number: int) -> Fate:
    if number not in _FATES:
        raise pdu.GarbageReceived(f"message_state {number}, expected 1 to 8")
    return _FATES[number]


def _source(sender: str) -> bytes:
    digits = sender.lstrip("+")
    if not digits.isdigit():
        return bytes([_ALPHANUMERIC, 0]) + pdu.cstring(sender)
    kind = _INTERNATIONAL if sender.startswith("+") else _SHORT_CODE if len(digits) <= 8 else 0
    return bytes([kind, _ISDN]) + pdu.cstring(digits)


def _period(seconds: int) -> str:
    """A relative time (section 7.1.1): the operator gives up when we would."""
    whole = max(60, min(seconds, _MOST_VALID_SECONDS))
    days, rest = divmod(whole, 86_400)
    months, days = divmod(days, 30)
    return f"00{months:02}{days:02}{rest // 3600:02}{rest // 60 % 60:02}{rest % 60:02}000R"
