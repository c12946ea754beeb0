# SPDX-License-Identifier: Apache-2.0
"""The four numbers of a class and week, and what makes them contradict each other."""

from dataclasses import dataclass

from bluezone.refusal import Refused

MOST_PUPILS = 100
MOST_RELATIVES = 1_000
NAMES = ("pupils", "with_smartphone", "running", "relatives")


class ClassCountsRefused(Refused):
    """Numbers that cannot be true together; `field` is the one to look at first, `rule` which rule they break."""

    code = "class_counts_refused"

    def __init__(self, message: str, field: str, rule: str) -> None:
        super().__init__(message)
        self.field = field
        self.rule = rule


@dataclass(frozen=True)
class ClassCounts:
    """Counts of one class; raises ClassCountsRefused when they contradict each other.

    pupils, with_smartphone, running: pupils, 0..MOST_PUPILS, each no more than the one before.
    relatives: people at home whom pupils or the school helped to install in the week, 0..MOST_RELATIVES.
    Source: Công văn 458/UBND-VP, clause 4 ("cho bản thân và người thân").
    """

    pupils: int
    with_smartphone: int
    running: int
    relatives: int

    def __post_init__(self) -> None:
        for name in NAMES:
            most = MOST_RELATIVES if name == "relatives" else MOST_PUPILS
            if not 0 <= getattr(self, name) <= most:
                raise ClassCountsRefused(f"{name} is {getattr(self, name)}, expected 0..{most}", name, "range")
        if self.with_smartphone > self.pupils:
            raise ClassCountsRefused(
                f"{self.with_smartphone} with a smartphone among {self.pupils} pupils", "with_smartphone", "smartphones"
            )
        if self.running > self.with_smartphone:
            raise ClassCountsRefused(
                f"{self.running} running on {self.with_smartphone} smartphones", "running", "running"
            )
