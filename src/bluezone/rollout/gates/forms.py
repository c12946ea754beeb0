# SPDX-License-Identifier: Apache-2.0
"""Forms of the gates: a new gate, a tablet for it, a nomination and its end, a paper slip."""

import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.models import Agency
from bluezone.rollout.gates.counters import MOST_COUNT
from bluezone.rollout.gates.models import DayPart, Gate, Gatekeeper
from bluezone.rollout.gates.paper_slips import COUNTS


def _day(label: Any, help_text: Any = "", required: bool = True) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, help_text=help_text, required=required, widget=widget)


class GateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A gate of one of the agencies that the reader keeps."""

    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Agency"))

    class Meta:
        model = Gate
        fields = ("agency", "name")
        help_texts: ClassVar = {"name": _("As people call it, for example: Main gate. No name of a person.")}
        widgets: ClassVar = {"name": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, agencies: QuerySet[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = agencies.order_by("name")  # type: ignore[attr-defined]
        if len(only := list(agencies[:2])) == 1:
            self.initial["agency"] = only[0].pk


class TabletForm(forms.Form):
    """A tablet of the gate's agency that will count for this gate."""

    device = forms.ModelChoiceField(Device.objects.none(), label=_("Another tablet"), empty_label=_("Choose a tablet"))

    def __init__(self, *args: Any, gate: Gate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Device.objects.filter(kind=DeviceKind.GATE, agency=gate.agency, revoked_at=None)
        self.fields["device"].queryset = found.exclude(at_gate__gate=gate)  # type: ignore[attr-defined]


class NominationForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person who records entries and exits, or stands in for one."""

    since = _day(_("From"))
    until = _day(_("Until"), _("Leave empty where no end is set."), required=False)

    class Meta:
        model = Gatekeeper
        fields = ("name", "phone", "is_substitute", "since", "until")
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "phone": forms.TextInput(attrs={"autocomplete": "off", "inputmode": "tel"}),
        }

    def clean(self) -> dict[str, Any]:
        """Refuse an end before the beginning."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and until < since:
            self.add_error("until", _("The nomination would end before it begins."))
        return values


class EndForm(forms.Form):
    """The last day of a nomination, not before it began."""

    until = _day(_("Last day"))

    def __init__(self, *args: Any, since: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.since = since

    def clean_until(self) -> datetime.date:
        """Refuse a day before the beginning."""
        until: datetime.date = self.cleaned_data["until"]
        if until < self.since:
            raise forms.ValidationError(_("The nomination would end before it begins."))
        return until


def _count(label: Any, help_text: Any = "") -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(
        label=label, help_text=help_text, min_value=0, max_value=MOST_COUNT, required=False, widget=widget
    )


class SlipForm(forms.Form):
    """The sums of a paper tally; an empty number is none. There is no field for "running": paper cannot prove it."""

    day = _day(_("Day"))
    part = forms.ChoiceField(label=_("Part of the day"), choices=DayPart)
    screen_seen = _count(_("Screen seen"))
    installed_off = _count(_("Installed, not on"))
    helped = _count(_("Not installed, helped"))
    told = _count(_("Not installed, told"))
    no_smartphone = _count(_("No smartphone"))
    went_out = _count(_("Out"))

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of a valid form."""
        return {name: self.cleaned_data[name] or 0 for name in COUNTS}
