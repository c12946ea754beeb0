# SPDX-License-Identifier: Apache-2.0
"""Forms of declarations: which to open and with what passphrase, making the key, changing its passphrase."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bluezone.protocol.declarationkey import MIN_PASSPHRASE_CHARACTERS


def _passphrase(label: Any, autocomplete: str, help_text: Any = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=200, strip=False, help_text=help_text, widget=widget)


class OpenForm(forms.Form):
    """The passphrase; which declarations is ticked in the list itself."""

    passphrase = _passphrase(_("Passphrase for declarations"), "off")


class NewPassphraseForm(forms.Form):
    """A passphrase typed twice."""

    new = _passphrase(
        _("New passphrase"),
        "new-password",
        _("At least 16 characters: a sentence of five words or more. It is not the password of an account."),
    )
    again = _passphrase(_("The same passphrase again"), "new-password")

    def clean_new(self) -> str:
        """Long enough not to be guessed."""
        new: str = self.cleaned_data["new"]
        if len(new.strip()) < MIN_PASSPHRASE_CHARACTERS:
            raise forms.ValidationError(_("Too short: at least 16 characters. Nothing was changed."))
        return new

    def clean_again(self) -> str:
        """Both must be the same."""
        again: str = self.cleaned_data["again"]
        if "new" in self.cleaned_data and again != self.cleaned_data["new"]:
            raise forms.ValidationError(_("The two passphrases differ. Type the second one again."))
        return again


class KeyForm(NewPassphraseForm):
    """Making a key, or another one."""

    understood = forms.BooleanField(
        label=_("The passphrase is written down and locked away: without it nobody can open a declaration.")
    )


class ChangePassphraseForm(NewPassphraseForm):
    """The present passphrase, and the new one twice."""

    present = _passphrase(_("Present passphrase"), "off")
    field_order = ("present", "new", "again")
