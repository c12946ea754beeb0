# SPDX-License-Identifier: Apache-2.0
"""Forms of codes: issuing one, raising a limit."""

import datetime
import uuid
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.models import User
from bluezone.agencies.models import Agency
from bluezone.healthauthority import issuing, quotas
from bluezone.healthauthority.facilities import facilities_of
from bluezone.healthauthority.models import CaseClass, RaiseReason


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


class RaiseForm(forms.Form):
    """Whose limit, how many more, and why: three choices, nothing to write."""

    whose = forms.ChoiceField(label=_("Whose limit?"))
    more = forms.IntegerField(
        label=_("How many codes more, today only"),
        min_value=1,
        max_value=1000,
        initial=50,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    reason = forms.ChoiceField(label=_("Why?"), choices=RaiseReason.choices, widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._workers = {str(worker.pk): worker for worker in quotas.issuers()}
        agencies = facilities_of(self._workers.values()).values()
        self._facilities = {str(agency.pk): agency for agency in sorted(agencies, key=lambda each: each.name)}
        workers = [(f"worker:{pk}", worker.name) for pk, worker in self._workers.items()]
        facilities = [(f"facility:{pk}", agency.name) for pk, agency in self._facilities.items()]
        self.fields["whose"].choices = [  # type: ignore[attr-defined]
            ("", _("choose")),
            (_("One worker"), workers),
            (_("A facility, all its workers together"), facilities),
        ]

    @property
    def target(self) -> User | Agency:
        """The worker or the facility whose limit is raised."""
        kind, _separator, pk = self.cleaned_data["whose"].partition(":")
        return self._workers[pk] if kind == "worker" else self._facilities[pk]
