# SPDX-License-Identifier: Apache-2.0
"""The form of a new device."""

import datetime
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show


class UnitField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A unit, with the one above it: residential groups are called "Tổ 5" in every ward."""

    def label_from_instance(self, unit: AdminUnit) -> str:
        """`Tổ 5 · Phường Sông Cầu`."""
        return f"{unit.name} · {unit.parent.name}" if unit.parent else unit.name


class DeviceForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the office says of a device: what it does, who keeps it, where it works. reached: agencies to choose."""

    kind = forms.ChoiceField(label=_("Kind"), choices=DeviceKind.choices, widget=forms.RadioSelect)
    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Agency that keeps it"))
    unit = UnitField(
        AdminUnit.objects.none(),
        label=_("Area it works in"),
        required=False,
        empty_label=_("the agency’s own"),
        help_text=_("For a loudspeaker or house visits: the ward, commune or residential group."),
    )

    class Meta:
        model = Device
        fields = ("kind", "name", "agency", "unit")
        help_texts: ClassVar = {
            "name": _("What is written on the device, for example: Front gate, tablet 2. No name of a person.")
        }
        widgets: ClassVar = {"name": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, today: datetime.date, reached: QuerySet[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Where the directory has ended (the units of 2020 are merged since), its last day still names who keeps what.
        agencies = Agency.objects.in_force(day_to_show(Agency, today)).filter(pk__in=reached)
        units = AdminUnit.objects.in_force(day_to_show(AdminUnit, today))
        self.fields["agency"].queryset = agencies.order_by("name")  # type: ignore[attr-defined]
        below_district = units.filter(kind__in=[UnitKind.WARD, UnitKind.COMMUNE, UnitKind.GROUP])
        self.fields["unit"].queryset = below_district.select_related("parent").order_by("path")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask for another name where the agency has a device of this one; a name whose device is cut off is free."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        same = Device.objects.filter(agency=values.get("agency"), name=values.get("name"), revoked_at=None)
        if same.exists():
            self.add_error("name", _("This agency already has a device of this name. Choose another name."))
        return values
