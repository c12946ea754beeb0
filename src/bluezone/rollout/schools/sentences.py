# SPDX-License-Identifier: Apache-2.0
"""Each refusal of the schools as a sentence in the reader's language: what happened, what was kept, what to do next."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bluezone.refusal import Refused

NAMED = _(
    "This looks like a list of pupils: a column or cell holds names, birthdays or telephone numbers. Nothing was "
    "stored and the text was thrown away. Leave those columns out: a class needs four numbers, no name."
)
COUNTS: dict[str, Promise] = {
    "range": _("Expected a whole number, at most 100 pupils or 1,000 relatives."),
    "smartphones": _("More pupils with a smartphone than pupils. Correct one of the two."),
    "running": _("More phones running it than pupils with a smartphone. Correct one of the two."),
}
ROWS: dict[str, Promise] = {
    "cells": _("Expected five cells: class and four numbers. Copy whole cells from the spreadsheet."),
    "number": _("A cell is empty or no whole number. Write 0 for none."),
    "unknown": _("The school has no class of this name this year. Enter it among the classes first."),
    "repeated": _("This class is in the list twice. Delete one of the two rows."),
}
CLOSED: dict[str, Promise] = {
    "to_come": _("This week is still to come. Nothing was stored."),
    "break": _("There is no school this week, so nothing is owed. Nothing was stored."),
    "locked": _("This week is locked. What was sent stays. To change it, the school asks the office to open it again."),
}
LIST: dict[str, Promise] = {
    "cells": _("Line %(line)s: expected the name of a class and its pupils."),
    "number": _("Line %(line)s: expected at most 100 pupils."),
    "name": _("Line %(line)s: this is no name of a class, such as 6A. Names of people are not taken."),
    "twice": _("Line %(line)s: this class is there already."),
    "many": _("A school has at most 150 classes a year."),
}
OPENING: dict[str, Promise] = {
    "reason": _("Say why. Nothing was sent."),
    "not_locked": _("This week is not locked, so there is nothing to ask for."),
    "asked": _("The school waits for the answer to an earlier request."),
    "answered": _("Somebody has answered this request already."),
    "day": _("Choose a day from today on and at most a month ahead. Nothing was changed."),
}
_PLAIN: dict[str, Promise] = {
    "pupils_named": NAMED,
    "school_break_refused": _("Give the first and last week, at most 20 weeks, and why there is no school."),
    "class_return_refused": _("Nothing was sent back: say why, and choose numbers that have come in."),
    "class_out_of_year": _("This class is none of this school year, or has ended. Nothing was stored."),
}


def sentence_of(refused: Refused) -> str:
    """What a page says for a refusal."""
    for name, table in (("rule", {**COUNTS, **LIST}), ("why", {**CLOSED, **OPENING})):
        key = getattr(refused, name, None)
        if key in table:
            text = str(table[key])
            return text % {"line": getattr(refused, "line", "")} if "%(line)s" in text else text
    return str(_PLAIN[refused.code])
