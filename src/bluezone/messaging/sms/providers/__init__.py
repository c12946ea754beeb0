# SPDX-License-Identifier: Apache-2.0
"""The interface of providers of text messages; each provider is a module (or folder) next to this one.

The sender calls `capacity`, marks parts as being submitted, submits them, waits for events, stores these, and then
calls `acknowledge`. A provider keeps nothing that must survive a crash: the next sender queries the operator again.

One URL in the environment names the provider:

    smpps://SYSTEM_ID:PASSWORD@smsc.example:3550?from=BACKAN     SMPP 3.4 over TLS
    smpp://SYSTEM_ID:PASSWORD@10.0.0.1:2775?from=BACKAN          without TLS: inside a tunnel to the operator
    file:sms-not-sent.log                                        no operator: written to a file of the data folder

Further options after `?`: `rate` (submits a second, by default 50), `window` (submits that may wait for an answer, by
default 10), `references=1` if the operator answers query_sm for our own reference, and `system_type`.

Django's settings import this module, so it imports nothing of Django.
"""

import enum
import re
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from bluezone.refusal import Refused

_PORTS = {"smpp": 2775, "smpps": 3550}
_SENDER = re.compile(r"[A-Za-z0-9 ._-]{1,11}|\+?[0-9]{3,15}")
_FILE = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


@dataclass(frozen=True)
class OutgoingPart:
    """A segment to hand over.

    part_id: ours. reference: ours too, 0..65535, which receipts repeat. destination: E.164 with plus.
    octets: the text, without header. number, count: place in the message; group: 0..255, the same for all segments of a
    message. valid_seconds: how long the operator may still try.
    """

    part_id: int
    reference: int
    destination: str
    octets: bytes
    data_coding: int
    number: int
    count: int
    group: int
    valid_seconds: int


@dataclass(frozen=True)
class StatusQuery:
    """A query for the fate of a part. provider_id: the operator's own, "" if we never got one."""

    part_id: int
    reference: int
    provider_id: str


class DeliveryState(enum.Enum):
    """The fate of a part that the operator has accepted."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Accepted:
    """The operator has accepted a part. provider_id: its id there. is_sent: False if nothing is really sent."""

    part_id: int
    provider_id: str
    is_sent: bool = True


class DeclineReason(enum.Enum):
    """Why a part was not accepted: for good, for now, or because we send too fast (not this message's fault)."""

    FINAL = "final"
    LATER = "later"
    THROTTLED = "throttled"


@dataclass(frozen=True)
class Declined:
    """The operator has not accepted a part. trouble: the operator's code, for the page of our administrator."""

    part_id: int
    why: DeclineReason
    trouble: str


@dataclass(frozen=True)
class Unanswered:
    """A part was handed over without an answer: whether it was accepted is unknown."""

    part_id: int


@dataclass(frozen=True)
class Receipt:
    """The operator's later report on a part. reference: None if it does not repeat ours."""

    provider_id: str
    reference: int | None
    fate: DeliveryState


@dataclass(frozen=True)
class Answer:
    """The answer to a StatusQuery. is_known: False only if the operator never accepted the part; None: unclear."""

    part_id: int
    is_known: bool | None
    provider_id: str = ""
    fate: DeliveryState = DeliveryState.UNDER_WAY


Event = Accepted | Declined | Unanswered | Receipt | Answer


class Provider(Protocol):
    """A way to send. name: for pages and rows. finds_references: whether it answers a StatusQuery without
    provider_id.

    trouble: why nothing can be handed over now, as code, colon and detail in English; "" if it can.
    """

    name: str
    finds_references: bool
    trouble: str

    def capacity(self) -> int:
        """How many parts and queries may be handed over now. Connects if necessary; 0 if it cannot."""
        ...

    def submit(self, parts: list[OutgoingPart]) -> None:
        """Hand over at most `capacity()` parts; `wait_for_events` returns an event for each."""
        ...

    def query(self, question: StatusQuery) -> None:
        """Query the fate of a part."""
        ...

    def wait_for_events(self, seconds: float) -> list[Event]:
        """The events so far; waits for the first at most this long."""
        ...

    def acknowledge(self) -> None:
        """Tell the operator that all events are stored; otherwise it repeats its receipts."""
        ...

    def close(self) -> None:
        """Close the connection properly."""
        ...


class SmsUrlInvalid(Refused):
    """`BLUEZONE_SMS_URL` names no provider; the message does not repeat it, since it may contain a password."""

    code = "sms_url_invalid"


@dataclass(frozen=True)
class Smsc:
    """An operator's message centre. rate: submits a second. window: submits without an answer at a time.

    references: whether it finds a message by our reference.
    """

    host: str
    port: int
    tls: bool
    system_id: str
    password: str = field(repr=False)
    sender: str
    rate: int = 50
    window: int = 10
    references: bool = False
    system_type: str = ""


@dataclass(frozen=True)
class LogFile:
    """A file in the data folder with the messages that would have been sent."""

    name: str


def read_sms_url(url: str | None) -> Smsc | LogFile | None:
    """The provider that a URL names; None without a URL, and then nothing is queued. Raises SmsUrlInvalid."""
    if not url:
        return None
    if url.startswith("file:"):
        name = url.removeprefix("file:")
        if not _FILE.fullmatch(name):
            raise SmsUrlInvalid("BLUEZONE_SMS_URL names no file, expected file:sms-not-sent.log")
        return LogFile(name)
    try:
        parts = urlsplit(url)
        port = parts.port
        options = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
    except ValueError:
        raise SmsUrlInvalid(
            "BLUEZONE_SMS_URL is not an address, expected smpp://user:password@host:2775?from=NAME"
        ) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SmsUrlInvalid("BLUEZONE_SMS_URL has no host or another scheme than smpp, smpps or file")
    if unknown := sorted(set(options) - {"from", "rate", "window", "references", "system_type"}):
        raise SmsUrlInvalid(f"BLUEZONE_SMS_URL has {unknown[0][:20]!r}, which docs/messaging.md does not name")
    if not _SENDER.fullmatch(options.get("from", "")):
        raise SmsUrlInvalid("BLUEZONE_SMS_URL has no ?from=, 1 to 11 letters or a number")
    return Smsc(
        host=parts.hostname, port=port or _PORTS[parts.scheme], tls=parts.scheme == "smpps",
        system_id=unquote(parts.username or ""), password=unquote(parts.password or ""), sender=options["from"],
        rate=_number(options, "rate", 50, 10_000), window=_number(options, "window", 10, 1000),
        references=options.get("references") == "1", system_type=options.get("system_type", ""),
    )  # fmt: skip


def _number(options: dict[str, str], name: str, default: int, limit: int) -> int:
    text = options.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= limit:
        raise SmsUrlInvalid(f"{name} in BLUEZONE_SMS_URL is not a whole number from 1 to {limit}")
    return int(text)
