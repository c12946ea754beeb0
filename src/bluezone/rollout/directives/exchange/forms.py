# SPDX-License-Identifier: Apache-2.0
"""Forms of the exchange with other offices: a file to read in, a certificate."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import Agency
from bluezone.rollout.directives.models import PartnerCertificate


class ExchangeFileForm(forms.Form):
    """An edXML file of another office."""

    file = forms.FileField(label=_("edXML file"), help_text=_("At most 15 MB. Nothing is stored before it is shown."))


class CertificateForm(forms.Form):
    """A certificate as a file or pasted, and whose it is."""

    agency = forms.ModelChoiceField(label=_("Agency"), queryset=Agency.objects.none())
    use = forms.ChoiceField(
        label=_("Used for"), choices=PartnerCertificate.Use.choices, initial=PartnerCertificate.Use.EXCHANGE
    )
    file = forms.FileField(label=_("Certificate file (PEM or DER)"), required=False)
    pem = forms.CharField(
        label=_("Or its text"),
        help_text=_("From “BEGIN CERTIFICATE” to “END CERTIFICATE”."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off"}),
        required=False,
        max_length=20_000,
    )

    def __init__(self, *args: Any, agencies: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["agency"].queryset = agencies  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Either a file or a text."""
        values = super().clean() or {}
        if not values.get("file") and not values.get("pem", "").strip() and not self.errors:
            raise forms.ValidationError(_("Choose the file of the certificate or paste its text."))
        return values

    @property
    def data_sent(self) -> bytes:
        """The bytes of the certificate; call on a valid form."""
        file = self.cleaned_data["file"]
        return bytes(file.read()) if file else self.cleaned_data["pem"].strip().encode()
