# SPDX-License-Identifier: Apache-2.0
"""Refusals of house visits as sentences in the reader's language: what happened, what was kept, what to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.directory import refusals
from bluezone.refusal import Refused

_SENTENCES: dict[str, Promise] = {
    "turf_invalid": gettext_lazy("Choose 1 to 400 doors of this ward and give the list a name. Nothing was stored."),
    "turf_leased": gettext_lazy("A phone has this list. Take it back first, then close it."),
    "lease_invalid": gettext_lazy("Choose a phone in force and a time of at most 30 days. Nothing was given."),
    "household_fact_invalid": gettext_lazy("A field is too long, or the number is none. Nothing was stored."),
    "nothing_to_decide": gettext_lazy("Somebody has decided this already. Nothing was changed."),
    "pair_decided": gettext_lazy("Somebody has decided on these two doors already. Nothing was changed."),
    "aside_not_taken": gettext_lazy(
        "This entry cannot be stored even now: it cannot be read, or its household is not there. It stays here."
    ),
    "import_outdated": gettext_lazy("The doors changed meanwhile, so nothing was stored. Below is the new preview."),
    "import_not_ready": gettext_lazy("There is nothing in this list that could be stored."),
}
ROWS: dict[str, Promise] = {
    "too_long": gettext_lazy("The text is too long. Shorten it."),
    "no_group": gettext_lazy("The residential group is missing. Write for example: Tổ 5."),
    "no_name": gettext_lazy("Neither householder nor address is there. Write at least one."),
    "no_count": gettext_lazy("The number of smartphones is no number from 0 to 60. Write a whole number."),
    "repeated": gettext_lazy("Another row is about the same household. Delete one of the two."),
}


def sentence_of(refused: Refused) -> str:
    """The sentence of a refusal; of the directory's where it comes from reading a spreadsheet."""
    if refused.code == "doors_leased":
        return _(
            "%(doors)s doors of this list are on another list that a phone has. "
            "Take that list back, or cut a list without these doors."
        ) % {"doors": getattr(refused, "doors", 0)}
    if refused.code == "leaflets_missing":
        return _("Only %(left)s leaflets of this lot are there. Nothing was booked.") % {
            "left": getattr(refused, "left", 0)
        }
    if refused.code == "sheet_invalid":
        return _("Line %(place)s cannot be stored: the outcome is a digit from 1 to 9, counts go up to 60.") % {
            "place": getattr(refused, "place", 0)
        }
    found = _SENTENCES.get(refused.code)
    return str(found) if found is not None else refusals.sentence_of(refused)


def row_sentence(number: int, letter: str, reason: str) -> str:
    """The sentence for a row that cannot be used, with its place in the file in front."""
    if not letter:
        return _("Row %(row)s: %(sentence)s") % {"row": number, "sentence": ROWS[reason]}
    return _("Row %(row)s, column %(column)s: %(sentence)s") % {
        "row": number,
        "column": letter,
        "sentence": ROWS[reason],
    }
