# SPDX-License-Identifier: Apache-2.0
"""Forms of the audit: what to show, and a line noted at an earlier look."""

import re

from django import forms
from django.utils.translation import gettext_lazy as _

from bluezone.audit.acts import acts

_NOTED = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


def _day(label: object) -> forms.DateField:
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget)  # type: ignore[arg-type]


class FilterForm(forms.Form):
    """Which entries to show; nothing filled in shows all."""

    action = forms.ChoiceField(
        label=_("What was done"), required=False, choices=lambda: [("", _("everything")), *acts().items()]
    )
    actor = forms.CharField(
        label=_("By (sign-in name)"),
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"autocapitalize": "none"}),
    )
    first = _day(_("From"))
    last = _day(_("To"))


class NotedForm(forms.Form):
    """A line that was noted at an earlier look, or nothing."""

    noted = forms.CharField(
        label=_("A line noted earlier, if there is one"),
        required=False,
        max_length=90,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "123:9f86d081…"}),
    )

    def clean_noted(self) -> tuple[int, str] | None:
        """Number and hash, None when nothing was given."""
        text = self.cleaned_data["noted"].strip().lower()
        if not text:
            return None
        found = _NOTED.fullmatch(text)
        if found is None:
            raise forms.ValidationError(_("Expected a number, a colon and 64 digits, as this page showed it then."))
        return int(found[1]), found[2]
