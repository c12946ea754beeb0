# SPDX-License-Identifier: Apache-2.0
"""Forms of the gates: a new gate, a tablet for it, a nomination and its end, a paper slip."""

import datetime
from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.models import Agency
from bluezone.identity.edits import SHOWN, SharedForm, Texts, read_shown_values
from bluezone.identity.typed_fields import CountField, DayField, PhoneLineField, PlainLineField
from bluezone.rollout.gates.counters import MOST_COUNT
from bluezone.rollout.gates.models import DayPart, Gate, Gatekeeper, PaperSlip
from bluezone.rollout.gates.paper_slips import COUNTS


class GateForm(forms.ModelForm):  # type: ignore[type-arg]
    """A gate of one of the agencies that the reader keeps."""

    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Agency"))

    class Meta:
        model = Gate
        fields = ("agency", "name")
        help_texts: ClassVar = {"name": _("As people call it, for example: Main gate. Do not use a person’s name.")}
        widgets: ClassVar = {"name": forms.TextInput(attrs={"autocomplete": "off"})}
        field_classes: ClassVar = {"name": PlainLineField}

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

    since = DayField(label=_("From"))
    until = DayField(label=_("Until"), help_text=_("Leave empty if there is no end."), required=False)

    class Meta:
        model = Gatekeeper
        fields = ("name", "phone", "is_substitute", "since", "until")
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
        }
        field_classes: ClassVar = {"name": PlainLineField, "phone": PhoneLineField}

    def clean(self) -> dict[str, Any]:
        """Refuse an end before the beginning."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        since, until = values.get("since"), values.get("until")
        if since and until and until < since:
            self.add_error("until", _("The nomination would end before it starts."))
        return values


class EndForm(forms.Form):
    """The last day of a nomination, not before it began."""

    until = DayField(label=_("Last day"))

    def __init__(self, *args: Any, since: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.since = since

    def clean_until(self) -> datetime.date:
        """Refuse a day before the beginning."""
        until: datetime.date = self.cleaned_data["until"]
        if until < self.since:
            raise forms.ValidationError(_("The nomination would end before it starts."))
        return until


def _count(label: Any, help_text: Any = "") -> CountField:
    return CountField(label=label, help_text=help_text, min_value=0, max_value=MOST_COUNT, required=False)


class InsideForm(forms.Form):
    """How many people are inside, as somebody saw who looked."""

    number = _count(_("People inside now"))
    number.required = True


class SlipForm(SharedForm, forms.Form):
    """The sums of a paper tally; an empty number is none. There is no field for "running": paper cannot prove it.

    slips: that the gate has now. Which of them the form changes says the day and part that are typed, so that the page
    carries what it knew of every one.
    """

    changes_something = True
    day = DayField(label=_("Day"))
    part = forms.ChoiceField(label=_("Part of the day"), choices=DayPart)
    screen_seen = _count(_("Screen seen"))
    installed_off = _count(_("Installed, not on"))
    helped = _count(_("Not installed, helped"))
    told = _count(_("Not installed, told"))
    no_smartphone = _count(_("No smartphone"))
    went_out = _count(_("Out"))

    def __init__(self, *args: Any, slips: Iterable[PaperSlip], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slips = {_place(one.day, one.part): one for one in slips}
        if self.is_bound and (stored := self._slips.get(self._typed_place())):
            self.initial = {name: getattr(stored, name) for name in COUNTS}

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of a valid form."""
        return {name: self.cleaned_data[name] or 0 for name in COUNTS}

    def _typed_place(self) -> str:
        try:
            day = self.fields["day"].clean(self.data.get("day"))
        except forms.ValidationError:
            return ""
        return _place(day, self.data.get("part", ""))

    def _shown_now(self) -> Texts:
        return {
            f"{place} {name}": str(number)
            for place, slip in self._slips.items()
            for name in COUNTS
            if (number := getattr(slip, name))
        }

    def _shown_texts(self) -> Texts | None:
        shown = read_shown_values(self.data.get(SHOWN, ""))
        # Who enters what is stored already changes nothing and need not look at it.
        if shown is None or self._typed_texts() == self._stored_texts():
            return None
        place = self._typed_place()
        return {name: shown.get(f"{place} {name}", "") for name in COUNTS}

    def _stored_texts(self) -> Texts:
        return _without_zeros(super()._stored_texts())

    def _typed_texts(self) -> Texts:
        return _without_zeros(super()._typed_texts())

    def _compared_fields(self) -> list[tuple[str, forms.Field]]:
        return [(name, self.fields[name]) for name in COUNTS]


def _place(day: datetime.date, part: str) -> str:
    return f"{day} {part}"


def _without_zeros(texts: Texts) -> Texts:
    return {name: "" if text == "0" else text for name, text in texts.items()}
