# SPDX-License-Identifier: Apache-2.0
"""What a way to send text messages must do: one provider is one module (or folder) beside this one.

The outbox calls `room`, marks parts as being submitted, hands them over, listens, stores what it heard, and then lets
the provider confirm. A provider keeps nothing that must survive: after a crash the outbox asks it again.
"""

import enum
from dataclasses import dataclass
from typing import Protocol


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
