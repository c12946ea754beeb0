# SPDX-License-Identifier: Apache-2.0
"""What a way to send text messages must do: one provider is one module (or folder) beside this one.

The outbox calls `room`, marks parts as being submitted, hands them over, listens, stores what it heard, and then lets
the provider confirm. A provider keeps nothing that must survive: after a crash the outbox asks it again.

Through whom text messages go: one address in the environment.

    smpps://SYSTEM_ID:PASSWORD@smsc.example:3550?from=BACKAN     SMPP 3.4 over TLS
    smpp://SYSTEM_ID:PASSWORD@10.0.0.1:2775?from=BACKAN          without TLS: inside a tunnel to the operator
    file:sms-not-sent.log                                        no operator: written to a file of the data folder

More after `?`: `rate` (submits a second, 50), `window` (submits without an answer, 10), `references=1` where the
operator answers query_sm for our own reference, `system_type`. Imported by Django's settings: nothing of Django here.
"""

import enum
import re
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from bluezone.refusal import Refused


@dataclass(frozen=True)
class Outgoing:
    """One segment to hand over.

    part_id: ours. reference: ours too, 0..65535, given to the provider for receipts. destination: E.164 with plus.
    octets: the text, without header. number of count: its place; group: 0..255, the same for all of one message.
    valid_seconds: how long the operator may still try.
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
class Question:
    """Asks what became of a part. provider_id: the operator's own, "" where it never told one."""

    part_id: int
    reference: int
    provider_id: str


class Fate(enum.Enum):
    """What an operator says of a message that it has."""

    UNDER_WAY = "under_way"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Accepted:
    """The operator has taken a part. provider_id: its name for it. is_sent: False where nothing really goes out."""

    part_id: int
    provider_id: str
    is_sent: bool = True


class Why(enum.Enum):
    """Why a part was not taken: it never will be, not now, or too fast (no fault of this message)."""

    FINAL = "final"
    LATER = "later"
    THROTTLED = "throttled"


@dataclass(frozen=True)
class Declined:
    """The operator has not taken a part. trouble: its own code, for the page of the operator of the service."""

    part_id: int
    why: Why
    trouble: str


@dataclass(frozen=True)
class Unanswered:
    """Handed over, and no answer came: whether it was taken is not known."""

    part_id: int


@dataclass(frozen=True)
class Receipt:
    """What became of a part, said by the operator later. reference: None where it does not repeat ours."""

    provider_id: str
    reference: int | None
    fate: Fate


@dataclass(frozen=True)
class Answer:
    """To a Question. found: False only where the operator surely never took it; None: it cannot say."""

    part_id: int
    found: bool | None
    provider_id: str = ""
    fate: Fate = Fate.UNDER_WAY


Event = Accepted | Declined | Unanswered | Receipt | Answer


class Provider(Protocol):
    """A way to send. name: for pages and rows. finds_references: can answer a Question without provider_id.

    trouble: why nothing can be handed over now, a code, a colon and the detail in English; "" when it can.
    """

    name: str
    finds_references: bool
    trouble: str

    def room(self) -> int:
        """How many parts and questions may be handed over now; connects where need be, 0 when it cannot."""
        ...

    def hand_over(self, parts: list[Outgoing]) -> None:
        """Hand over at most `room()` parts; what becomes of each is heard by `listen`."""
        ...

    def ask(self, question: Question) -> None:
        """Ask what became of a part."""
        ...

    def listen(self, seconds: float) -> list[Event]:
        """What has happened, waiting for it at most so long."""
        ...

    def confirm(self) -> None:
        """Everything heard is stored: tell the operator, who else repeats its receipts."""
        ...

    def close(self) -> None:
        """End politely."""
        ...


_PORTS = {"smpp": 2775, "smpps": 3550}
_SENDER = re.compile(r"[A-Za-z0-9 ._-]{1,11}|\+?[0-9]{3,15}")
_FILE = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


class SmsUrlInvalid(Refused):
    """`BLUEZONE_SMS_URL` names no provider; the message does not repeat it, for it may hold a password."""

    code = "sms_url_invalid"


@dataclass(frozen=True)
class Smsc:
    """An operator's message centre. rate: submits a second. window: submits without an answer at a time.

    references: whether it finds a message by the reference that we gave it.
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
    """A file of the data folder that says what would have been sent."""

    name: str


def read_sms_url(url: str | None) -> Smsc | LogFile | None:
    """The provider that a URL names, None without one: then nothing is queued. Raises SmsUrlInvalid."""
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
        asked = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()}
    except ValueError:
        raise SmsUrlInvalid(
            "BLUEZONE_SMS_URL is no address, expected smpp://user:password@host:2775?from=NAME"
        ) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SmsUrlInvalid("BLUEZONE_SMS_URL has no host or another scheme than smpp, smpps or file")
    if unknown := sorted(set(asked) - {"from", "rate", "window", "references", "system_type"}):
        raise SmsUrlInvalid(f"BLUEZONE_SMS_URL has {unknown[0][:20]!r}, which docs/messaging.md does not name")
    if not _SENDER.fullmatch(asked.get("from", "")):
        raise SmsUrlInvalid("BLUEZONE_SMS_URL has no ?from=, 1 to 11 letters or a number")
    return Smsc(
        host=parts.hostname, port=port or _PORTS[parts.scheme], tls=parts.scheme == "smpps",
        system_id=unquote(parts.username or ""), password=unquote(parts.password or ""), sender=asked["from"],
        rate=_number(asked, "rate", 50, 10_000), window=_number(asked, "window", 10, 1000),
        references=asked.get("references") == "1", system_type=asked.get("system_type", ""),
    )  # fmt: skip


def _number(asked: dict[str, str], name: str, usual: int, most: int) -> int:
    text = asked.get(name, str(usual))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise SmsUrlInvalid(f"{name} in BLUEZONE_SMS_URL is not a whole number from 1 to {most}")
    return int(text)
