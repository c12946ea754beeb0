# SPDX-License-Identifier: Apache-2.0
"""What a gate counts: a passage is a direction, a verdict and a proof class in five minutes, never a person.

Source: docs/design.md, "gate log"; docs/texts.md section 4; docs/protocol.md section 7 (proof classes are never added).
"""

from dataclasses import dataclass
from typing import Literal

from bluezone.refusal import Refused

BUCKET_SECONDS = 300

Direction = Literal["in", "out"]
Proof = Literal["proven", "fresh", "attested", "none"]

# What each verdict counts as. Only `running` is ever counted as running; the attendant's word is attested.
PROOF_OF: dict[str, Proof] = {
    "running": "proven",
    "valid_code": "fresh",
    "screen_seen": "attested",
    "asked_before": "attested",  # let through: was asked this half-day
    "installed_off": "attested",
    "helped": "attested",
    "told": "attested",
    "no_smartphone": "none",
    "out": "none",
}


class PassageInvalid(Refused):
    """A direction and a verdict that do not belong together."""

    code = "passage_invalid"


@dataclass(frozen=True, order=True)
class Passage:
    """One direction and verdict; the proof class follows from the verdict. Raises PassageInvalid."""

    direction: Direction
    verdict: str

    def __post_init__(self) -> None:
        if self.verdict not in PROOF_OF or (self.direction == "out") != (self.verdict == "out"):
            raise PassageInvalid(f"{self.direction}/{self.verdict} is not a passage")

    @property
    def proof(self) -> Proof:
        """Proof class of the verdict."""
        return PROOF_OF[self.verdict]


@dataclass(frozen=True, order=True)
class Counter:
    """How many such passages there were in the five minutes from `bucket` (Unix seconds, a multiple of 300)."""

    bucket: int
    passage: Passage
    count: int


def bucket_of(unix_seconds: float) -> int:
    """The beginning of the five minutes that a moment lies in."""
    return int(unix_seconds // BUCKET_SECONDS) * BUCKET_SECONDS
