# SPDX-License-Identifier: Apache-2.0
"""Forms of loudspeakers: a zone, how it is set, and a machine for it."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.models import Agency
from bluezone.rollout.loudspeakers.models import Zone


class ZoneForm(forms.Form):
    """A new zone of one of the agencies that the reader keeps."""

    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Agency"))
    name = forms.CharField(
        label=_("Name of the zone"), max_length=80, help_text=_("For example: Group 5, cultural house"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    by_hand = forms.BooleanField(
        label=_("Played by hand"), required=False,
        help_text=_("Somebody plays it from a memory stick and says so; nothing reports by itself."),
    )  # fmt: skip

    def __init__(self, *args: Any, agencies: QuerySet[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = agencies.order_by("name")  # type: ignore[attr-defined]


class SettingForm(forms.Form):
    """Volume and quiet hours of a zone."""

    volume = forms.IntegerField(label=_("Volume (percent)"), min_value=0, max_value=100)
    quiet_from = forms.TimeField(label=_("Quiet from"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}))
    quiet_to = forms.TimeField(
        label=_("Quiet until"), widget=forms.TimeInput(format="%H:%M", attrs={"type": "time"}),
        help_text=_("In these hours only emergencies are aired."),
    )  # fmt: skip
    by_hand = forms.BooleanField(label=_("Played by hand"), required=False)


class MachineForm(forms.Form):
    """A machine of the zone's agency that will play for it."""

    device = forms.ModelChoiceField(Device.objects.none(), label=_("Loudspeaker"))

    def __init__(self, *args: Any, zone: Zone, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Device.objects.filter(kind=DeviceKind.SPEAKER, agency=zone.outlet.agency, revoked_at=None)
        self.fields["device"].queryset = found.exclude(speaker__zone=zone)  # type: ignore[attr-defined]


class VolumeForm(forms.Form):
    """A machine's own volume."""

    volume = forms.IntegerField(label=_("Volume (percent)"), min_value=0, max_value=100, required=False)
