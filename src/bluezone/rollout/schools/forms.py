# SPDX-License-Identifier: Apache-2.0
"""Forms of the schools: the four numbers, lists of classes, pasted rows, weeks without school; and the sentences for
refusals.
"""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bluezone.directory import refusals
from bluezone.directory.forms import ListFileForm
from bluezone.directory.models import Agency
from bluezone.identity.edits import SharedForm
from bluezone.identity.models import Role, User
from bluezone.identity.typed_fields import CountField, DayField, PlainLineField
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools.models import MOST_PUPILS, MOST_RELATIVES, NAMES, ClassCounts, ClassCountsRefused

NAMED = _(
    "This looks like a list of pupils: a column or cell holds names, birthdays or telephone numbers. Nothing was "
    "stored and the text was discarded. Remove those columns: a class needs four numbers and no names."
)
COUNTS: dict[str, Promise] = {
    "range": _("Enter a whole number, at most 100 pupils or 1,000 relatives."),
    "smartphones": _("More pupils with a smartphone than pupils. Correct one of the two."),
    "running": _("More phones running it than pupils with a smartphone. Correct one of the two."),
}
ROWS: dict[str, Promise] = {
    "cells": _("Five cells are needed: the class and four numbers. Copy whole cells from the spreadsheet."),
    "number": _("A cell is empty or not a whole number. Write 0 for none."),
    "unknown": _("The school has no class with this name this year. Enter the class first."),
    "repeated": _("This class is in the list twice. Delete one of the two rows."),
}
CLOSED: dict[str, Promise] = {
    "to_come": _("This week is in the future. Nothing was stored."),
    "break": _("There is no school this week, so no report is due. Nothing was stored."),
    "locked": _("This week is locked. What was sent stays. To change it, the school must ask the office to reopen it."),
}
LIST: dict[str, Promise] = {
    "cells": _("Line %(line)s: enter the name of a class and the number of pupils."),
    "number": _("Line %(line)s: a class has at most 100 pupils."),
    "name": _("Line %(line)s: this is not a class name such as 6A. Names of people are not accepted."),
    "twice": _("Line %(line)s: this class already exists."),
    "many": _("A school has at most 150 classes a year."),
}
# Refused rows of an uploaded list of classes.
FILED: dict[str, Promise] = {
    "name": _("This is not a class name such as 6A. Names of people are not accepted."),
    "number": _("Enter a whole number, at most 100 pupils."),
    "school": _(
        "You do not manage a school with this name. Write the name as in the directory, or leave the cell empty."
    ),
    "year": _("Enter this school year or the next, such as 2020-2021."),
    "teacher": _("Several accounts of the school have this name. Write the sign-in name."),
    "repeated": _("Another row is about the same class. Remove one of the two."),
    "many": _("A school has at most 150 classes a year."),
}
NO_TEACHER = _("%(row)s: %(name)s has no account as a teacher of this school. The class reports with its link.")
OPENING: dict[str, Promise] = {
    "reason": _("Give the reason. Nothing was sent."),
    "not_locked": _("This week is not locked, so there is nothing to ask for."),
    "asked": _("The school is waiting for the answer to an earlier request."),
    "answered": _("Someone has already answered this request."),
    "day": _("Choose a day from today up to one month ahead. Nothing was changed."),
}
_PLAIN: dict[str, Promise] = {
    "pupils_named": NAMED,
    "school_break_refused": _("Enter the first and last week (at most 20 weeks) and why there is no school."),
    "class_return_refused": _("Nothing was sent back: give the reason, and choose numbers that have been received."),
    "class_out_of_year": _("This class is not part of this school year, or has ended. Nothing was stored."),
}
# Characters. A Vietnamese letter takes up to three bytes, so this is well under the 64 KB of a form.
LONGEST_PASTE = 18_000


def sentence_of(refused: Refused) -> str:
    """The sentence that a page shows for a refusal."""
    for name, table in (("rule", {**COUNTS, **LIST}), ("why", {**CLOSED, **OPENING})):
        key = getattr(refused, name, None)
        if key in table:
            text = str(table[key])
            if "%(line)s" in text:
                return text % {"line": getattr(refused, "line", "")}
            return text
    if refused.code in _PLAIN:
        return str(_PLAIN[refused.code])
    return refusals.sentence_of(refused)


def _count(label: Any, most: int, help_text: Any = "") -> CountField:
    return CountField(label=label, help_text=help_text, min_value=0, max_value=most)


class CountsForm(SharedForm, forms.Form):
    """The four numbers of one class. counts: set once the form is valid."""

    # Even the first numbers of a week may conflict: a teacher and the school may enter them at the same time.
    changes_something = True
    pupils = _count(_("Pupils"), MOST_PUPILS)
    with_smartphone = _count(_("With a smartphone"), MOST_PUPILS)
    running = _count(_("Bluezone running"), MOST_PUPILS, _("With Bluetooth on. The web version does not count."))
    relatives = _count(_("Relatives helped"), MOST_RELATIVES, _("This week, by pupils or by the school."))
    counts: ClassCounts

    def clean(self) -> dict[str, Any]:
        """Set `counts`; refuse numbers that contradict each other, with an error at the number to check first."""
        values: dict[str, Any] = super().clean() or {}
        if all(values.get(name) is not None for name in NAMES):
            try:
                self.counts = ClassCounts(**{name: values[name] for name in NAMES})
            except ClassCountsRefused as refused:
                self.add_error(refused.field, sentence_of(refused))
        return values


class RowForm(CountsForm):
    """The four numbers as a row of a school's table; a row with nothing but the pupils counts as left out.

    label: the name of the class, for screen readers.
    """

    def __init__(self, *args: Any, label: str, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            field.required = False
            field.widget.attrs["aria-label"] = f"{label}: {field.label}"

    def clean(self) -> dict[str, Any]:
        """Require all four numbers, unless the row is left out."""
        values = super().clean()
        if not self.is_left_out and not self.errors:
            for name in NAMES:
                if values.get(name) is None:
                    self.add_error(name, _("Write 0 for none."))
        return values

    @property
    def is_left_out(self) -> bool:
        """Whether no number except that of the pupils was entered."""
        return all(self.data.get(self.add_prefix(name), "").strip() == "" for name in NAMES[1:])


class ClassListForm(forms.Form):
    """Names of classes with their numbers of pupils, one class a line."""

    classes = forms.CharField(
        label=_("Classes, one per line"),
        help_text=_("For example: 6A 32. The number of pupils may be left out. No names of people."),
        max_length=6_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )


class ClassesFileForm(ListFileForm):
    """A list of classes as a file, and the school for rows that name no school."""

    school = forms.ModelChoiceField(
        label=_("School if the list gives none"), queryset=Agency.objects.none(), empty_label=None
    )
    field_order = ("school", "file")

    def __init__(self, *args: Any, schools: QuerySet[Agency], **more: Any) -> None:
        super().__init__(*args, **more)
        field: Any = self.fields["school"]
        field.queryset = schools


def teachers_of(school: Agency) -> QuerySet[User]:
    """The accounts that may report for classes of a school."""
    teachers = User.objects.with_roles([Role.TEACHER]).filter(grants__agency=school, grants__role=Role.TEACHER)
    return teachers.distinct().order_by("name", "pk")


class ClassForm(SharedForm, forms.Form):
    """A class's name, size and teacher."""

    changes_something = True
    name = PlainLineField(label=_("Class name"), max_length=20)
    pupils = CountField(
        label=_("Pupils"), required=False, min_value=0, max_value=MOST_PUPILS,
    )  # fmt: skip
    teacher = forms.ModelChoiceField(
        label=_("Teacher with an account"),
        help_text=_("The teacher sees and reports this class. Without a teacher, the class link is used."),
        queryset=User.objects.none(),
        required=False,
    )

    def __init__(self, *args: Any, school: Agency, **more: Any) -> None:
        super().__init__(*args, **more)
        field: Any = self.fields["teacher"]
        field.queryset = teachers_of(school)


class PasteForm(forms.Form):
    """Rows copied from a school's spreadsheet."""

    rows = forms.CharField(
        label=_("Rows copied from the spreadsheet"),
        help_text=_(
            "Class, pupils, with a smartphone, running, relatives helped. Do not include a column with pupils’ names."
        ),
        max_length=LONGEST_PASTE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off", "wrap": "off"}),
    )


class BreakForm(forms.Form):
    """Weeks without school: any day of the first and of the last week, and the reason."""

    first = DayField(label=_("A day of the first week"))
    last = DayField(label=_("A day of the last week"))
    reason = forms.CharField(label=_("Reason"), max_length=80)

    @property
    def weeks(self) -> tuple[Week, Week]:
        """The first and the last week of a valid form."""
        return Week.of(self.cleaned_data["first"]), Week.of(self.cleaned_data["last"])
