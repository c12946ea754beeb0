# SPDX-License-Identifier: Apache-2.0
"""The forms of the desk: for one guest, for a list of guests; and the public form for people who opt out."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bluezone.directory.imports.files.raw_sheets import MAX_FILE_BYTES
from bluezone.messaging.sms.destinations import DestinationInvalid, read_destination

MESSAGE_LANGUAGE_CHOICES = [("", _("according to the number")), ("vi", _("Vietnamese")), ("en", _("English"))]


class PhoneField(forms.CharField):
    """A mobile number as people type it; the cleaned value is in E.164 ("+84…")."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"type": "tel", "inputmode": "tel", "autocomplete": "off"}
        super().__init__(max_length=40, widget=forms.TextInput(attrs=attributes), **kwargs)

    def clean(self, value: Any) -> str:
        """Refuse a number that cannot get a text message."""
        typed = super().clean(value)
        try:
            return read_destination(typed)
        except DestinationInvalid:
            raise forms.ValidationError(
                _(
                    "Messages cannot be sent to this number. Check the digits; a foreign number starts with "
                    "+ and the country code."
                )
            ) from None


class DeskForm(forms.Form):
    """The form that the desk fills in with the guest."""

    phone = PhoneField(label=_("Mobile number"), help_text=_("For foreign numbers: with + and the country code."))
    language = forms.ChoiceField(
        label=_("Language of the message"), choices=MESSAGE_LANGUAGE_CHOICES, required=False, widget=forms.RadioSelect
    )
    consent = forms.BooleanField(
        label=_("Asked, and the guest said yes"),
        error_messages={"required": _("Ask the guest first. Nothing is sent without consent.")},
    )


class ListForm(forms.Form):
    """The list of guests as a file."""

    file = forms.FileField(
        label=_("List as XLSX, XLS or CSV"),
        help_text=_("Columns: Số điện thoại, Đồng ý (x) and, optionally, Ngôn ngữ (vi or en). At most 500 rows."),
    )

    def clean_file(self) -> Any:
        """Refuse a file that is too large for a list."""
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(_("The file is too large for a list. Send it in parts."))
        return file


class StopForm(forms.Form):
    """The number that gets no more messages."""

    phone = PhoneField(label=_("Your mobile number"))
