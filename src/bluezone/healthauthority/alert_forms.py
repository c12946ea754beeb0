# SPDX-License-Identifier: Apache-2.0
"""The form of an alert for a venue's guests."""

import datetime
import uuid
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.healthauthority import alerting
from bluezone.keyserver.venuealerts import OLDEST_SECONDS

_DAYS = OLDEST_SECONDS // 86_400


class AlertForm(forms.Form):
    """The poster's code, a day and two times of day."""

    code = forms.CharField(
        label=_("Code of the venue's poster"),
        help_text=_("Scan it with a QR reader, or paste what a phone's camera reads: https://…/v#…"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    day = forms.DateField(
        label=_("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
    )
    begins = forms.TimeField(label=_("Began at"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    ends = forms.TimeField(
        label=_("Ended at"),
        help_text=_("An end before the beginning is on the next day."),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["form_id"] = uuid.uuid4()
        today = timezone.localdate()
        first = today - datetime.timedelta(days=_DAYS)
        self.fields["day"].widget.attrs |= {"min": first.isoformat(), "max": today.isoformat()}

    def clean_code(self) -> str:
        """A text that was scanned or pasted, without the line breaks that a message may have put into it."""
        return "".join(str(self.cleaned_data["code"]).split())

    def clean(self) -> dict[str, Any]:
        """Two times of one day, or of it and the next."""
        values: dict[str, Any] = super().clean() or {}
        if {"day", "begins", "ends"} <= set(values):
            begins, ends = (values[name].replace(second=0, microsecond=0) for name in ("begins", "ends"))
            values["start"], values["end"] = alerting.hours(values["day"], begins, ends)
        return values
