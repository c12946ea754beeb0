# SPDX-License-Identifier: Apache-2.0
"""The form for issuing a code."""

import datetime
import uuid
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.healthauthority import issuing
from bluezone.healthauthority.models import CaseClass


class IssueForm(forms.Form):
    """Class and onset: all that a phone needs to choose the days, and nothing that says who."""

    case_class = forms.ChoiceField(
        label=_("How was the infection established?"), choices=CaseClass.choices, widget=forms.RadioSelect
    )
    onset = forms.DateField(
        label=_("First symptoms on"),
        help_text=_("No symptoms: the day the sample was taken."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["form_id"] = uuid.uuid4()
        first, last = issuing.onset_bounds(timezone.localdate())
        self.fields["onset"].widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}

    def clean_onset(self) -> datetime.date:
        """Within the days of which a phone still has keys."""
        onset: datetime.date = self.cleaned_data["onset"]
        first, last = issuing.onset_bounds(timezone.localdate())
        if onset > last:
            raise forms.ValidationError(_("This day is still to come. Enter the day symptoms began."))
        if onset < first:
            raise forms.ValidationError(
                _(
                    "More than %(days)s days ago: phones keep their codes for 14 days, so nobody could be warned "
                    "any more. Check the date; if it is right, no code is needed."
                )
                % {"days": (last - first).days}
            )
        return onset
