# SPDX-License-Identifier: Apache-2.0
"""Forms of the second factor."""

from django import forms
from django.utils.translation import gettext_lazy as _

# A passkey's answer is about one kilobyte; a security key with a certificate stays under this.
ANSWER_LENGTH = 16_000


class ProofForm(forms.Form):
    """A code of the authenticator app, a recovery code, or the answer of a passkey."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        required=False,
        help_text=_("The six digits of the authenticator app now, or one of the printed recovery codes."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )
    answer = forms.CharField(max_length=ANSWER_LENGTH, required=False, widget=forms.HiddenInput)


class AppForm(forms.Form):
    """The first code of a new authenticator app."""

    code = forms.CharField(
        label=_("The six digits that the app shows now"),
        max_length=8,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasskeyForm(forms.Form):
    """A new passkey and what its owner calls it."""

    name = forms.CharField(
        label=_("What is it?"),
        max_length=40,
        help_text=_("For example: my telephone, the blue security key."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    answer = forms.CharField(max_length=ANSWER_LENGTH, widget=forms.HiddenInput)
