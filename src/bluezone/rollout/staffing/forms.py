# SPDX-License-Identifier: Apache-2.0
"""Forms of the staff report: the five numbers, rows pasted from a spreadsheet, opening a week again."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bluezone.rollout.staffing import counts
from bluezone.rollout.staffing.counts import MOST_STAFF, NAMES, StaffCounts, StaffCountsRefused

# In bytes at most 54 KB of a form's 64, since a Vietnamese letter takes up to three.
LONGEST_PASTE = 18_000


def _count(label: Any, help_text: Any = "") -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(label=label, help_text=help_text, min_value=0, max_value=MOST_STAFF, widget=widget)


class StaffForm(forms.Form):
    """What one agency says of its staff; `counts` once valid."""

    staff = _count(_("Staff"), _("All cadres, staff and workers."))
    with_smartphone = _count(_("With a smartphone"))
    running = _count(_("Bluezone running"), _("With Bluetooth on. Not the web edition: it cannot run it."))
    web_edition = _count(_("Web edition only"), _("Their phone does not run Bluezone."))
    reminded = _count(_("Not running, reminded"), _("Reminded this week, and not running yet."))
    counts: StaffCounts

    def clean(self) -> dict[str, Any]:
        """Refuse numbers that contradict each other, beside the one to look at first."""
        values: dict[str, Any] = super().clean() or {}
        if all(name in values for name in NAMES):
            try:
                self.counts = StaffCounts(**{name: values[name] for name in NAMES})
            except StaffCountsRefused as refused:
                self.add_error(refused.field, counts.of_counts(refused))
        return values


class PasteForm(forms.Form):
    """Rows copied from a spreadsheet."""

    rows = forms.CharField(
        label=_("Rows copied from the spreadsheet"),
        help_text=_("Agency, staff, with a smartphone, running, web edition only, reminded. With or without headings."),
        max_length=LONGEST_PASTE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off", "wrap": "off"}),
    )


class ReopenForm(forms.Form):
    """Why a locked week is opened again for one agency."""

    reason = forms.CharField(label=_("Reason"), max_length=200)
