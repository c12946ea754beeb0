# SPDX-License-Identifier: Apache-2.0
"""The five numbers of a staff report, and what makes them contradict each other."""

from dataclasses import dataclass

from bluezone.refusal import Refused

# No agency of a city has more; a longer number is a code or a telephone number in the wrong column.
MOST_STAFF = 100_000
NAMES = ("staff", "with_smartphone", "running", "web_edition", "reminded")


class StaffCountsRefused(Refused):
    """Numbers that cannot be true together; `field` is the one to look at first, `rule` which rule they break."""

    code = "staff_counts_refused"

    def __init__(self, message: str, field: str, rule: str) -> None:
        super().__init__(message)
        self.field = field
        self.rule = rule


@dataclass(frozen=True)
class StaffCounts:
    """Counts of people of one agency; raises StaffCountsRefused when they contradict each other.

    staff, with_smartphone, running, web_edition (only that), reminded (and not running): 0 or more.
    """

    staff: int
    with_smartphone: int
    running: int
    web_edition: int
    reminded: int

    def __post_init__(self) -> None:
        for name in NAMES:
            if not 0 <= getattr(self, name) <= MOST_STAFF:
                raise StaffCountsRefused(f"{name} is {getattr(self, name)}, expected 0..{MOST_STAFF}", name, "range")
        if self.with_smartphone > self.staff:
            raise StaffCountsRefused(
                f"{self.with_smartphone} with a smartphone among {self.staff} staff", "with_smartphone", "smartphones"
            )
        if self.running > self.with_smartphone:
            raise StaffCountsRefused(
                f"{self.running} running on {self.with_smartphone} smartphones", "running", "running"
            )
        if self.running + self.web_edition > self.with_smartphone:
            raise StaffCountsRefused(
                f"{self.running} running and {self.web_edition} web edition on {self.with_smartphone} smartphones",
                "web_edition",
                "web_edition",
            )
        if self.running + self.reminded > self.with_smartphone:
            raise StaffCountsRefused(
                f"{self.reminded} reminded, but {self.with_smartphone - self.running} are not running",
                "reminded",
                "reminded",
            )
