# SPDX-License-Identifier: Apache-2.0
"""Forms of accounts, roles and the audit: make or change an account, grant or delegate a role, filter the audit."""

import datetime
import re
from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.audit.models import acts
from bluezone.authority.reach import GIVEN_BY_THE_CITY, Scope, may_grant
from bluezone.authority.role_grants import NEVER_DELEGATED
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import agencies_in_reach, has_city_role, units_in_reach
from bluezone.identity.edits import SharedForm
from bluezone.identity.models import Role, RoleGrant, User, valid_grants
from bluezone.identity.typed_fields import DayField, PlainLineField, SignInNameField

DAY = datetime.timedelta(days=1)
# Number and hash of an entry, as the audit page shows them.
_ENTRY = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


class RoleForm(forms.Form):
    """A role, its reach, and its last day. by: the person who gives it, who can choose only within their own reach."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices, initial=Role.HEALTH_WORKER)
    within_agency = forms.ModelChoiceField(
        label=_("Under this agency"),
        queryset=Agency.objects.none(),
        required=False,
        empty_label=_("no agency chosen"),
        help_text=_("The agency itself and those under it. For a health worker: the facility they work for."),
    )
    within_unit = forms.ModelChoiceField(
        label=_("Or in this unit"),
        queryset=AdminUnit.objects.none(),
        required=False,
        empty_label=_("no unit chosen"),
        help_text=_(
            "The unit, everything under it, and the agencies that serve it. With neither, the role is "
            "for the whole city."
        ),
    )
    last_day = DayField(
        label=_("Last day"),
        required=False,
        help_text=_("Leave empty for a role without an end."),
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._by = by
        today = timezone.localdate()
        reached: dict[str, Any] = {
            "within_agency": agencies_in_reach(by, [Role.ADMIN]),
            "within_unit": units_in_reach(by, [Role.ADMIN]),
        }
        # If the directory has ended (the units of 2020 have merged since), use its last day: it still has all agencies.
        for name, model in (("within_agency", Agency), ("within_unit", AdminUnit)):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = model.objects.valid_on(day_to_show(model, today)).filter(pk__in=reached[name])
        self.is_of_the_city = has_city_role(by, [Role.ADMIN])
        if not self.is_of_the_city:
            self._narrow()

    def _narrow(self) -> None:
        """For an administrator of an agency or a unit, leave out the roles that only the city gives."""
        role: Any = self.fields["role"]
        role.choices = [(value, label) for value, label in Role.choices if value not in GIVEN_BY_THE_CITY]
        agency: Any = self.fields["within_agency"]
        unit: Any = self.fields["within_unit"]
        unit.help_text = _("The unit, everything under it, and the agencies that serve it.")
        if not unit.queryset.exists():
            del self.fields["within_unit"]
            agency.required = True

    def clean_last_day(self) -> datetime.date | None:
        """Refuse a day in the past."""
        last_day: datetime.date | None = self.cleaned_data["last_day"]
        if last_day and last_day < timezone.localdate():
            raise forms.ValidationError(_("This day has passed. Choose today or a later day."))
        return last_day

    def clean(self) -> dict[str, Any]:
        """Refuse two scopes, a scope that the administrator does not cover, and a health worker without a facility."""
        values = super().clean() or self.cleaned_data
        if values.get("within_agency") and values.get("within_unit"):
            self.add_error("within_unit", _("Choose an agency or a unit, not both."))
        elif not self.errors and not may_grant(self._by, values["role"], self.within):
            self.add_error("within_agency", _("Your role does not cover the whole city. Choose an agency or a unit."))
        # Health workers of a facility share a limit of codes, and give its name on the phone.
        if values.get("role") == Role.HEALTH_WORKER and not values.get("within_agency") and self._has_agencies:
            self.add_error(
                "within_agency",
                _("Choose the facility the person works for. If it is not in the list, enter it in the directory."),
            )
        return values

    @property
    def _has_agencies(self) -> bool:
        field = self.fields["within_agency"]
        assert isinstance(field, forms.ModelChoiceField)
        return field.queryset is not None and field.queryset.exists()

    @property
    def within(self) -> Scope:
        """The chosen agency or unit, None for the city."""
        chosen: Scope = self.cleaned_data.get("within_agency") or self.cleaned_data.get("within_unit")
        return chosen

    @property
    def valid_to(self) -> datetime.date | None:
        """First day on which the role is no longer valid."""
        last_day: datetime.date | None = self.cleaned_data["last_day"]
        return last_day + DAY if last_day else None


class AccountForm(RoleForm, forms.ModelForm):  # type: ignore[type-arg]
    """A new account: of the person only the name, agency and role."""

    field_order = (
        "name",
        "agency",
        "username",
        "role",
        "within_agency",
        "within_unit",
        "last_day",
    )

    class Meta:
        model = User
        fields = ("name", "agency", "username")
        help_texts: ClassVar = {
            "agency": _("For example: City health centre, Sông Cầu ward health station."),
            "username": _("Small letters without diacritics, digits, dot or dash, for example lan.nguyen."),
        }
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
        }
        field_classes: ClassVar = {"name": PlainLineField, "agency": PlainLineField, "username": SignInNameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].required = True


class AccountChangeForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
    """Changes to an account, except for the sign-in name, which the audit refers to."""

    class Meta:
        model = User
        fields = ("name", "agency", "is_active")
        field_classes: ClassVar = {"name": PlainLineField, "agency": PlainLineField}
        help_texts: ClassVar = {
            "is_active": _("If you clear the tick, the person is signed out at once and their links stop working."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].required = True


class DelegationForm(forms.Form):
    """One of the user's own roles, for another person, for some days."""

    grant = forms.ModelChoiceField(label=_("Role"), queryset=RoleGrant.objects.none(), empty_label=None)
    to = SignInNameField(label=_("Sign-in name of the person who acts for you"), max_length=40)
    first_day = DayField(
        label=_("First day"),
        initial=timezone.localdate,
    )
    last_day = DayField(label=_("Last day"))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = [
            grant.pk for grant in valid_grants(user) if not grant.delegated_by_id and grant.role not in NEVER_DELEGATED
        ]
        field = self.fields["grant"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = RoleGrant.objects.filter(pk__in=own).select_related("agency", "unit")
        field.label_from_instance = describe_grant  # type: ignore[method-assign, assignment]
        self.may_delegate = bool(own)

    def clean_to(self) -> User:
        """The account of the other person, who may sign in."""
        user = User.objects.filter(username=self.cleaned_data["to"], is_active=True).first()
        if user is None:
            raise forms.ValidationError(
                _("No one here has this sign-in name. Ask the person or an administrator for it.")
            )
        return user

    @property
    def valid_to(self) -> datetime.date:
        """First day on which the delegation is no longer valid."""
        last_day: datetime.date = self.cleaned_data["last_day"]
        return last_day + DAY


def describe_grant(grant: RoleGrant) -> str:
    """A grant in words: its role and where it reaches."""
    return f"{grant.get_role_display()} ({grant.scope})" if grant.scope else grant.get_role_display()


class AuditFilterForm(forms.Form):
    """Which entries to show; an empty form shows all."""

    action = forms.ChoiceField(
        label=_("What was done"), required=False, choices=lambda: [("", _("everything")), *acts().items()]
    )
    actor = SignInNameField(label=_("Person (sign-in name)"), required=False, max_length=40)
    first = DayField(label=_("From"), required=False)
    last = DayField(label=_("To"), required=False)


class NotedHeadForm(forms.Form):
    """A line that the reader noted earlier, or nothing."""

    noted = forms.CharField(
        label=_("A line you noted earlier, if you have one"),
        required=False,
        max_length=90,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "placeholder": "123:9f86d081…"}),
    )

    def clean_noted(self) -> tuple[int, str] | None:
        """Number and hash; None for an empty field."""
        text = self.cleaned_data["noted"].strip().lower()
        if not text:
            return None
        match = _ENTRY.fullmatch(text)
        if match is None:
            raise forms.ValidationError(
                _("Enter a number, a colon and 64 digits or letters a–f, as this page showed it at the time.")
            )
        return int(match[1]), match[2]
