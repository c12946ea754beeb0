# SPDX-License-Identifier: Apache-2.0
"""Forms for sign-in, passwords, one's own e-mail address, and the second factor."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from bluezone.identity.models import User, normalize_password
from bluezone.identity.typed_fields import MailField, PlainLineField, SignInNameField
from bluezone.vietnamese.typed import plain

# A passkey's answer is about one kilobyte; a security key with a certificate stays under this.
ANSWER_LENGTH = 16_000


class SignInForm(forms.Form):
    """Name and password."""

    username = SignInNameField(
        label=_("Sign-in name"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class OwnForm(forms.Form):
    """A setting of one's own account; without a second factor, it takes the password to change it."""

    present = forms.CharField(
        label=_("Current password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User, ask_password: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        if not ask_password:
            del self.fields["present"]

    def clean_present(self) -> str:
        """Refuse a wrong password, so that a stranger at an open browser cannot redirect the owner's messages."""
        present: str = self.cleaned_data["present"]
        if not self.user.check_password(present):
            raise forms.ValidationError(_("This is not the current password."))
        return present


class EmailForm(OwnForm):
    """The user's own e-mail address, empty for none."""

    email = MailField(
        label=_("Your e-mail address"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    field_order = ("email", "present")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"email": user.email})
        super().__init__(*args, user=user, **kwargs)


class NewPasswordForm(forms.Form):
    """A new password, typed twice, and checked against the account."""

    password = forms.CharField(
        label=_("New password"),
        max_length=200,
        strip=False,
        help_text=_("At least 10 characters. A sentence of four or five words is secure and easy to remember."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("Repeat the password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Refuse a password that is short, common, all digits, or like the person's own name."""
        password = normalize_password(self.cleaned_data["password"])
        validate_password(password, self.user)
        return password

    def clean_again(self) -> str:
        """Refuse two passwords that differ."""
        again = normalize_password(self.cleaned_data["again"])
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError(_("The two passwords are different. Type the second one again."))
        return again


class FirstPasswordForm(NewPasswordForm):
    """The name and password of a person who opens their one-time link."""

    name = PlainLineField(
        label=_("Full name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    field_order = ("name", "password", "again")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, initial={"name": user.name}, **kwargs)


class PasswordChangeForm(NewPasswordForm):
    """The present password, and the new one twice."""

    present = forms.CharField(
        label=_("Current password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("present", "password", "again")

    def clean_present(self) -> str:
        """Refuse a wrong password, so that a stranger at an open browser cannot take over the account."""
        present: str = self.cleaned_data["present"]
        if not self.user.check_password(present):
            raise forms.ValidationError(_("This is not the current password."))
        return present


class ProofForm(forms.Form):
    """A code of the authenticator app, a recovery code, or the answer of a passkey."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        required=False,
        help_text=_("The current six digits in the authenticator app, or one of the printed recovery codes."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )
    answer = forms.CharField(max_length=ANSWER_LENGTH, required=False, widget=forms.HiddenInput)

    def clean_code(self) -> str:
        """Refuse a recovery code with Vietnamese letters, which a keyboard made, before it counts as a try."""
        code = plain(self.cleaned_data["code"])
        if not code.isascii():
            raise forms.ValidationError(_("The keyboard changed this into Vietnamese letters. Switch it to English."))
        return code


class AppForm(forms.Form):
    """The first code of a new authenticator app."""

    code = forms.CharField(
        label=_("The six digits that the app shows now"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasskeyForm(forms.Form):
    """A new passkey and its owner's name for it."""

    name = forms.CharField(
        label=_("Name of this key"),
        max_length=40,
        help_text=_("For example: my telephone, the blue security key."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    answer = forms.CharField(max_length=ANSWER_LENGTH, widget=forms.HiddenInput)
