# SPDX-License-Identifier: Apache-2.0
"""The five numbers of a staff report, the rules between them, and the sentence for each refusal."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bluezone.refusal import Refused

# No agency of a city has more staff: a larger number is a code or a telephone number in the wrong column.
MOST_STAFF = 100_000
NAMES = ("staff", "with_smartphone", "running", "web_edition", "reminded")


class StaffCountsRefused(Refused):
    """The numbers cannot all be true. field: the number to check first. rule: the broken rule, a key of COUNTS."""

    code = "staff_counts_refused"

    def __init__(self, message: str, field: str, rule: str) -> None:
        super().__init__(message)
        self.field = field
        self.rule = rule


@dataclass(frozen=True)
class StaffCounts:
    """Numbers of people of one agency, each 0..MOST_STAFF. Raises StaffCountsRefused if they contradict each other.

    running: people with a smartphone that runs Bluezone. web_edition: people with only the web edition.
    reminded: people with a smartphone that does not run Bluezone, who were reminded.
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


COUNTS: dict[str, Promise] = {
    "range": _("Expected a whole number of people, 0 or more and at most 100,000."),
    "smartphones": _("More people with a smartphone than staff. Correct one of the two."),
    "running": _("More people running it than with a smartphone. Correct one of the two."),
    "web_edition": _(
        "Running and web version together are more than the people with a smartphone. Count under web version only "
        "people with a phone that does not run Bluezone."
    ),
    "reminded": _(
        "More people reminded than with a smartphone that is not running. Count only those who do not run it yet."
    ),
}
ROWS: dict[str, Promise] = {
    "cells": _("Six cells are needed: the agency and five numbers. Copy whole cells from the spreadsheet."),
    "number": _("A cell is empty or not a whole number. Write 0 for none."),
    "unknown": _("No agency of this week has this name or code."),
    "several": _("More than one agency has this name. Write its code."),
    "outside": _("This account cannot report for this agency. The agency’s own officer or the city office does."),
    "repeated": _("This agency is in the list twice. Delete one of the two rows."),
}


def counts_sentence(refused: StaffCountsRefused) -> str:
    """The sentence for the rule that the numbers break."""
    return str(COUNTS[refused.rule])
