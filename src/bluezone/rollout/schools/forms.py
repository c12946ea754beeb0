# SPDX-License-Identifier: Apache-2.0
"""Forms of the schools: the four numbers, lists of classes, rows from a spreadsheet, weeks; and the sentence for each
refusal in the reader's language.
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
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.schools.models import MOST_PUPILS, MOST_RELATIVES, NAMES, ClassCounts, ClassCountsRefused

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
# Refused rows of an uploaded list of classes.
FILED: dict[str, Promise] = {
    "name": _("This is no name of a class, such as 6A. Names of people are not taken."),
    "number": _("Expected at most 100 pupils, as a whole number."),
    "school": _("You keep no school of this name. Write it as the directory does, or leave the cell empty."),
    "year": _("Expected this school year or the next, such as 2020-2021."),
    "teacher": _("Several accounts of the school have this name. Write the sign-in name."),
    "repeated": _("Another row is about the same class. Leave one of the two out."),
    "many": _("A school has at most 150 classes a year."),
}
NO_TEACHER = _("%(row)s: %(name)s has no account as a teacher of this school. The class reports by its link.")
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

    # Also for the first numbers of a week: a teacher and the school may enter them at the same time.
    changes_something = True
    pupils = _count(_("Pupils"), MOST_PUPILS)
    with_smartphone = _count(_("With a smartphone"), MOST_PUPILS)
    running = _count(_("Bluezone running"), MOST_PUPILS, _("With Bluetooth on. The web edition does not count."))
    relatives = _count(_("Relatives helped"), MOST_RELATIVES, _("This week, by pupils or by the school."))
    counts: ClassCounts

    def clean(self) -> dict[str, Any]:
        """Refuse numbers that contradict each other, with an error at the one to check first."""
        values: dict[str, Any] = super().clean() or {}
        if all(values.get(name) is not None for name in NAMES):
            try:
                self.counts = ClassCounts(**{name: values[name] for name in NAMES})
            except ClassCountsRefused as refused:
                self.add_error(refused.field, sentence_of(refused))
        return values


class RowForm(CountsForm):
    """The same form as a row of a school's table; a row with nothing but the pupils is left out."""

    def __init__(self, *args: Any, label: str, **more: Any) -> None:
        super().__init__(*args, **more)
        for field in self.fields.values():
            field.required = False
            field.widget.attrs["aria-label"] = f"{label}: {field.label}"

    def clean(self) -> dict[str, Any]:
        """Require all four numbers if any but the pupils was entered."""
        values = super().clean()
        if not self.is_left_out and not self.errors:
            for name in NAMES:
                if values.get(name) is None:
                    self.add_error(name, _("Write 0 for none."))
        return values

    @property
    def is_left_out(self) -> bool:
        """Whether the class was not entered."""
        return all(self.data.get(self.add_prefix(name), "").strip() == "" for name in NAMES[1:])


class ClassListForm(forms.Form):
    """Names of classes with their numbers of pupils, one class a line."""

    classes = forms.CharField(
        label=_("Classes, one a line"),
        help_text=_("For example: 6A 32. The number of pupils may be left out. No names of people."),
        max_length=6_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )


class ClassesFileForm(ListFileForm):
    """A list of classes as a file, and the school for rows that name none."""

    school = forms.ModelChoiceField(
        label=_("School where the list names none"), queryset=Agency.objects.none(), empty_label=None
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
        help_text=_("Sees and reports this class. Without one the class link does."),
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
        help_text=_("Class, pupils, with a smartphone, running, relatives helped. No column with names of pupils."),
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
        """First and last week. Only after the form is valid."""
        return Week.of(self.cleaned_data["first"]), Week.of(self.cleaned_data["last"])
