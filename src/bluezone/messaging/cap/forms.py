# SPDX-License-Identifier: Apache-2.0
"""The form of an alert."""

import unicodedata
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit
from bluezone.directory.queries import day_to_show
from bluezone.messaging.cap.models import Alert

_LONG = ("description_vi", "description_en", "instruction_vi", "instruction_en")


class AlertForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an alert says, where and until when."""

    expires_at = forms.DateTimeField(
        label=_("Holds until"),
        widget=forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"}),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )

    class Meta:
        model = Alert
        fields = (
            "headline_vi", "description_vi", "instruction_vi", "headline_en", "description_en", "instruction_en",
            "units", "expires_at", "severity", "urgency", "certainty", "status",
        )  # fmt: skip
        widgets: ClassVar = {
            **{name: forms.Textarea(attrs={"rows": 3}) for name in _LONG},
            "units": forms.SelectMultiple(attrs={"size": 8}),
        }
        help_texts: ClassVar = {
            "instruction_vi": _("Headline and this together: at most 600 characters, as phones show them."),
            "status": _("Only “real” is shown on phones."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shown = AdminUnit.objects.in_force(day_to_show(AdminUnit, timezone.localdate()))
        field: Any = self.fields["units"]
        field.queryset = shown.exclude(kind=UnitKind.GROUP).order_by("path")

    def clean(self) -> dict[str, Any]:
        """Texts in NFC without control characters, which XML cannot carry."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        for name, value in values.items():
            if isinstance(value, str):
                values[name] = _plain(value)
        return values


def _plain(text: str) -> str:
    lines = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    return "".join(c for c in lines if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs", "Cn", "Co"))
