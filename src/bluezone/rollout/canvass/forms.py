# SPDX-License-Identifier: Apache-2.0
"""Forms of the desk of house visits."""

import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device
from bluezone.directory.forms import ListFileForm
from bluezone.directory.models import AdminUnit
from bluezone.identity.edits import SharedForm
from bluezone.identity.typed_fields import CountField, DayField
from bluezone.rollout.canvass.leases import LONGEST as LONGEST_LEASE
from bluezone.rollout.canvass.models import Household, LeafletMove
from bluezone.rollout.canvass.visits.entries import LONGEST, MOST_PHONES

MOST_DAYS = LONGEST_LEASE.days


class WardField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the reader's wards."""


class DoorsImportForm(ListFileForm):
    """A list of households of one ward."""

    unit = WardField(AdminUnit.objects.none(), label=_("Ward or commune"), empty_label=None)
    field_order = ("unit", "file")

    def __init__(self, *args: Any, wards: QuerySet[AdminUnit], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = wards  # type: ignore[attr-defined]


class HouseholdForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
    """The facts of one household."""

    smartphones = CountField(label=_("Smartphones"), min_value=0, max_value=MOST_PHONES, required=False)

    class Meta:
        model = Household
        fields = ("address", "head", "group", "smartphones", "note")
        help_texts: ClassVar = {"note": _("To find the door, for example: green gate. Nothing about anyone’s health.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, longest in LONGEST.items():
            self.fields[name].widget.attrs.update(maxlength=longest, autocomplete="off")

    @property
    def facts(self) -> dict[str, str]:
        """What was entered, as changes keep it."""
        return {name: "" if value is None else str(value) for name, value in self.cleaned_data.items()}


class GroupTurfForm(forms.Form):
    """Cut a list by residential group."""

    group = forms.ChoiceField(label=_("Residential group"))

    def __init__(self, *args: Any, groups: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["group"].choices = groups  # type: ignore[attr-defined]


class LeaseForm(forms.Form):
    """Give a list to a phone for some days."""

    device = forms.ModelChoiceField(Device.objects.none(), label=_("Phone"), empty_label=None)
    days = CountField(label=_("For how many days"), min_value=1, max_value=MOST_DAYS, initial=7)

    def __init__(self, *args: Any, phones: QuerySet[Device], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["device"].queryset = phones.filter(revoked_at=None)  # type: ignore[attr-defined]


class SheetForm(forms.Form):
    """The head of a sheet that is typed in."""

    day = DayField(label=_("Day of the visits"))
    lot = forms.CharField(label=_("Leaflet lot"), max_length=20, required=False,
                          widget=forms.TextInput(attrs={"autocomplete": "off"}))  # fmt: skip


class LeafletForm(forms.Form):
    """Book leaflets one step on."""

    kind = forms.ChoiceField(label=_("Step"), choices=LeafletMove.Kind.choices, widget=forms.RadioSelect)
    lot = forms.CharField(label=_("Leaflet lot"), max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    unit = WardField(AdminUnit.objects.none(), label=_("Ward or commune"), required=False)
    group = forms.CharField(label=_("Residential group"), max_length=60, required=False,
                            widget=forms.TextInput(attrs={"autocomplete": "off"}))  # fmt: skip
    count = CountField(label=_("Leaflets"), min_value=-1_000_000, max_value=1_000_000)

    def __init__(self, *args: Any, wards: QuerySet[AdminUnit], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = wards  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A step to the ward needs a ward, one to a group both; nothing else."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        kind = values.get("kind")
        if values.get("count") == 0:
            self.add_error("count", _("Enter how many."))
        if kind == LeafletMove.Kind.PRINTED:
            values["unit"], values["group"] = None, ""
        elif kind and not values.get("unit"):
            self.add_error("unit", _("Choose the ward or commune."))
        if kind == LeafletMove.Kind.WARD:
            values["group"] = ""
        if kind == LeafletMove.Kind.GROUP and not values.get("group"):
            self.add_error("group", _("Write the residential group."))
        return values


def lease_end(days: int, now: datetime.datetime) -> datetime.datetime:
    """When a lease of so many days ends."""
    return now + datetime.timedelta(days=days)
