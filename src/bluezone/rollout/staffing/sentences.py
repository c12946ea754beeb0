# SPDX-License-Identifier: Apache-2.0
"""Each refusal of the staff report as a sentence in the reader's language: what happened, what to do next."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bluezone.rollout.staffing.counts import StaffCountsRefused

COUNTS: dict[str, Promise] = {
    "range": _("Expected a whole number of people, 0 or more and at most 100,000."),
    "smartphones": _("More people with a smartphone than staff. Correct one of the two."),
    "running": _("More people running it than with a smartphone. Correct one of the two."),
    "web_edition": _(
        "Running and web edition together are more than the people with a smartphone. "
        "Count under web edition only those whose phone does not run Bluezone."
    ),
    "reminded": _(
        "More people reminded than with a smartphone that is not running. Count only those who do not run it yet."
    ),
}
ROWS: dict[str, Promise] = {
    "cells": _("Expected six cells: agency and five numbers. Copy whole cells from the spreadsheet."),
    "number": _("A cell is empty or no whole number. Write 0 for none."),
    "unknown": _("No agency of this week has this name or code."),
    "several": _("More than one agency has this name. Write its code."),
    "outside": _("This account does not report for this agency. Its own officer does, or the city office."),
    "repeated": _("This agency is in the list twice. Delete one of the two rows."),
}


def of_counts(refused: StaffCountsRefused) -> str:
    """The sentence for numbers that contradict each other."""
    return str(COUNTS[refused.rule])
