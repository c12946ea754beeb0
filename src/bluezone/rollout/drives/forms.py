# SPDX-License-Identifier: Apache-2.0
"""Forms of drives: a team, a drive, its radio, a request by telephone, a tally sheet."""

import datetime
from typing import Any

from django import forms
from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.kinds import WARDS
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.identity.typed_fields import CountField, DayField, PlainLineField, TimeOfDayField
from bluezone.rollout.drives.help_requests import CONTACT_LENGTH, NOTE_LENGTH, PLACE_LENGTH
from bluezone.rollout.drives.models import MOST_PEOPLE, Drive, Hindrance, Team

MOST_ON_A_SHEET = 999


class TeamForm(forms.Form):
    """A team of one of the unions for which the reader plans."""

    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Union"))
    name = PlainLineField(
        label=_("Name of the team"),
        max_length=80,
        help_text=_("For example: Team 1, ward Sông Cầu. Do not use people’s names."),
    )
    people = CountField(label=_("Number of helpers"), min_value=1, max_value=MOST_PEOPLE, initial=4)

    def __init__(self, *args: Any, agencies: QuerySet[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["agency"]
        field.queryset = agencies.order_by("name")
        field.empty_label = None


class DriveForm(forms.Form):
    """A drive: its campaign, its team, where and when."""

    campaign = forms.ModelChoiceField(Team.objects.none(), label=_("Campaign"))
    team = forms.ModelChoiceField(Team.objects.none(), label=_("Team"))
    unit = forms.ModelChoiceField(AdminUnit.objects.none(), label=_("Ward or commune"))
    place = PlainLineField(label=_("Where it is"), max_length=PLACE_LENGTH, help_text=_("As people there call it."))
    day = DayField(label=_("Day"))
    begins = TimeOfDayField(label=_("From"))
    ends = TimeOfDayField(label=_("Until"))

    def __init__(self, *args: Any, teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        today = timezone.localdate()
        self.initial.setdefault("day", today)
        self.initial.setdefault("begins", "08:00")
        self.initial.setdefault("ends", "11:00")
        campaigns = apps.get_model("directives", "Campaign").objects.filter(Q(ends=None) | Q(ends__gte=today))
        current_units = AdminUnit.objects.valid_on(day_to_show(AdminUnit, today))
        choices = {
            "campaign": campaigns.order_by("-begins", "name"),
            "team": teams.order_by("agency__name", "name"),
            "unit": current_units.filter(kind__in=WARDS).order_by("name"),
        }
        for name, queryset in choices.items():
            field: Any = self.fields[name]
            field.queryset = queryset
        team_field: Any = self.fields["team"]
        team_field.label_from_instance = lambda team: f"{team.name} · {team.agency.short_name or team.agency.name}"

    def clean(self) -> dict[str, Any]:
        """Combine the day with both times; refuse a drive that ends before it begins."""
        values: dict[str, Any] = super().clean() or {}
        if {"day", "begins", "ends"} <= set(values):
            zone = timezone.get_current_timezone()
            for name in ("begins", "ends"):
                values[name] = datetime.datetime.combine(values["day"], values[name], zone)
            if values["ends"] <= values["begins"]:
                self.add_error("ends", _("The drive would end before it starts."))
        return values


class OpenForm(forms.Form):
    """The device at which phones prove that they run, if there is one."""

    radio = forms.ModelChoiceField(
        Device.objects.none(),
        required=False,
        label=_("Radio of the drive"),
        empty_label=_("none: what helpers see counts as attested"),
    )

    def __init__(self, *args: Any, drive: Drive, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        radios = Device.objects.filter(kind=DeviceKind.DRIVE, agency=drive.team.agency).exclude(token_digest=None)
        self.fields["radio"].queryset = radios.order_by("name")  # type: ignore[attr-defined]


class PhoneForm(forms.Form):
    """A request for help by telephone."""

    contact = PlainLineField(
        label=_("Telephone of the person"),
        max_length=CONTACT_LENGTH,
        widget=forms.TextInput({"autocomplete": "off", "inputmode": "tel"}),
    )
    unit = forms.ChoiceField(required=False, label=_("Ward or commune"))
    place = PlainLineField(required=False, max_length=PLACE_LENGTH, label=_("Address"))
    note = forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        label=_("What do you need help with?"),
        widget=forms.Textarea({"rows": 3}),
        help_text=_("Do not write about illness: give the health station’s number instead."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wards = AdminUnit.objects.valid_on(timezone.localdate()).filter(kind__in=WARDS)
        choices = [(unit.code, unit.name) for unit in wards.exclude(code=None).order_by("name")]
        self.fields["unit"].choices = [("", _("not stated")), *choices]  # type: ignore[attr-defined]


class HindranceForm(forms.Form):
    """Why a person could not be helped."""

    hindrance = forms.ChoiceField(choices=Hindrance, label=_("Why not"))


def _count(label: Any) -> CountField:
    return CountField(label=label, min_value=0, max_value=MOST_ON_A_SHEET, initial=0)


class TallyForm(forms.Form):
    """One tally sheet, in the order of the sheet."""

    sheet = CountField(label=_("Number of the sheet"), min_value=1, max_value=MOST_ON_A_SHEET)
    running = _count(_("Seen running"))
    other_help = _count(_("Helped otherwise"))
    no_smartphone = _count(_("No smartphone"))
    could_not = _count(_("Could not"))

    @property
    def counts(self) -> dict[str, int]:
        """The four numbers of a valid form, by name."""
        return {name: self.cleaned_data[name] for name in ("running", "other_help", "no_smartphone", "could_not")}
