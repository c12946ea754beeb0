# SPDX-License-Identifier: Apache-2.0
"""Forms of accounts: sign-in, own password, making and changing accounts."""

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import gettext_lazy as _

from bluezone.accounts.models import Role, User


class SignInForm(forms.Form):
    """Name and password."""

    username = forms.CharField(
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


class NewPasswordForm(forms.Form):
    """A password typed twice, checked against the account it is for."""

    password = forms.CharField(
        label=_("New password"),
        max_length=200,
        strip=False,
        help_text=_("At least 10 characters. A sentence of four or five words is good and easy to remember."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=_("The same password again"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        """Refuse what is short, common, all digits, or like the person's own name."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self.user)
        return password

    def clean_again(self) -> str:
        """Both must be the same."""
        again: str = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError(_("The two passwords differ. Type the second one again."))
        return again


class FirstPasswordForm(NewPasswordForm):
    """What a person says of themselves when they open their one-time link."""

    name = forms.CharField(
        label=_("Full name"), max_length=80, widget=forms.TextInput(attrs={"autocomplete": "name", "autofocus": True})
    )
    field_order = ["name", "password", "again"]  # noqa: RUF012 - as Django declares it

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, user=user, initial={"name": user.name}, **kwargs)


class PasswordChangeForm(NewPasswordForm):
    """The present password, and the new one twice."""

    present = forms.CharField(
        label=_("Present password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ["present", "password", "again"]  # noqa: RUF012 - as Django declares it

    def clean_present(self) -> str:
        """Whoever finds an open browser cannot take the account."""
        present: str = self.cleaned_data["present"]
        if not self.user.check_password(present):
            raise forms.ValidationError(_("This is not the present password."))
        return present


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new account: nothing about the person but name, agency and duty."""

    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        initial=Role.HEALTH_WORKER,
        widget=forms.RadioSelect,
        help_text=_(
            "A health worker issues codes. A supervisor also sees and revokes the codes of others and reads the audit. "
            "An administrator makes accounts and reads the audit, and issues no codes."
        ),
    )

    class Meta:
        model = User
        fields = ("name", "agency", "username", "role")
        help_texts: ClassVar = {
            "agency": _("For example: City health centre, Sông Cầu ward health station."),
            "username": _("Small letters without diacritics, digits, dot or dash, for example lan.nguyen."),
        }
        widgets: ClassVar = {
            "username": forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].required = True


class AccountChangeForm(AccountForm):
    """Changing an account; the sign-in name stays, because the audit speaks of it."""

    class Meta(AccountForm.Meta):
        fields = ("name", "agency", "role", "is_active")
        help_texts: ClassVar = {
            "is_active": _("Without the tick the person is signed out at once and their links stop working."),
        }
