# SPDX-License-Identifier: Apache-2.0
"""Forms of venues: registration, the one-time code, a reason, an inspection."""

import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.kinds import WARDS
from bluezone.directory.models import AdminUnit
from bluezone.directory.queries import day_to_show
from bluezone.identity.edits import SharedForm
from bluezone.identity.typed_fields import CountField, DayField, MailField, PlainLineField
from bluezone.messaging.sms.destinations import DestinationInvalid, read_destination
from bluezone.protocol.venues.codes import MAX_ADDRESS_BYTES, MAX_NAME_BYTES
from bluezone.rollout.venues.applications import PERSON_LENGTH, PHONE_LENGTH, Application, Contact, contact_of
from bluezone.rollout.venues.models import MOST_STAY_MINUTES, Venue, VenueKind

MOST_DAYS_AGO = 30


class VenueForm(SharedForm, forms.Form):
    """The data of a venue that are signed and printed, and its contact.

    units: wards to choose from, None for all wards. venue: the venue to change, None for a new venue.
    """

    entry: Venue | None

    name = PlainLineField(
        label=_("Name of the venue"), max_length=80, most_bytes=MAX_NAME_BYTES, help_text=_("As guests know it.")
    )
    address = PlainLineField(
        label=_("Address"), max_length=100, most_bytes=MAX_ADDRESS_BYTES, help_text=_("Street or residential group.")
    )
    unit = forms.ModelChoiceField(AdminUnit.objects.none(), label=_("Ward or commune"))
    kind = forms.TypedChoiceField(label=_("Kind"), choices=VenueKind, coerce=int, initial=VenueKind.FOOD)
    stay_minutes = CountField(
        label=_("Usual stay in minutes"), min_value=10, max_value=MOST_STAY_MINUTES, initial=60,
        help_text=_("After this time a guest’s phone checks out automatically."),
    )  # fmt: skip
    person = PlainLineField(label=_("Who runs it"), max_length=PERSON_LENGTH)
    phone = PlainLineField(
        label=_("Telephone"), required=False, max_length=PHONE_LENGTH, widget=forms.TextInput({"inputmode": "tel"})
    )
    email = MailField(label=_("E-mail"), required=False)

    def __init__(self, *args: Any, units: Any = None, venue: Venue | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry = venue
        current_units = AdminUnit.objects.valid_on(day_to_show(AdminUnit, timezone.localdate()))
        wards = current_units.filter(kind__in=WARDS).order_by("name")
        field: Any = self.fields["unit"]
        field.queryset = wards if units is None else wards.filter(pk__in=units)
        if venue is not None:
            contact = contact_of(venue)
            for name in ("name", "address", "unit", "kind", "stay_minutes"):
                self.initial[name] = getattr(venue, name)
            self.initial.update(person=contact.person, phone=contact.phone, email=contact.email)

    @property
    def application(self) -> Application:
        """The cleaned values as an application."""
        values = self.cleaned_data
        contact = Contact(values["person"], values["phone"], values["email"])
        return Application(
            values["name"], values["address"], values["kind"], values["stay_minutes"], values["unit"], contact
        )


class PublicVenueForm(VenueForm):
    """The form on the public site, where a code confirms the e-mail address or, without one, the telephone number."""

    email = MailField(
        label=_("E-mail"), required=False, help_text=_("We send a code there. You enter it on the next page.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.SMS is None:
            self.fields["email"].required = True
        else:
            help_text = _("Without an e-mail address, we send the code by text message to this number.")
            self.fields["phone"].help_text = help_text

    def clean(self) -> dict[str, Any]:
        """Require an e-mail address, or a telephone number that can get a text message."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not values.get("email") and "email" not in self.errors and "phone" not in self.errors:
            try:
                read_destination(values.get("phone", ""))
            except DestinationInvalid:
                self.add_error("phone", _("Enter an e-mail address, or a mobile number that can receive a code."))
        return values


class CodeForm(forms.Form):
    """The six digits that were sent."""

    code = forms.CharField(
        label=_("Code of six digits"),
        max_length=20,
        widget=forms.TextInput({"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class ReasonForm(forms.Form):
    """The reason for refusing an application or revoking a code; the owner reads it."""

    reason = PlainLineField(label=_("Reason (the owner will read it)"), max_length=300)


class InspectionForm(forms.Form):
    """The result of an inspection."""

    day = DayField(label=_("Day"))
    poster_seen = forms.BooleanField(
        label=_("The poster with the current code is where people can see it"), required=False
    )
    findings = forms.CharField(
        label=_("Findings"), required=False, max_length=1000, widget=forms.Textarea({"rows": 3}),
        help_text=_("A picture of the venue, never of a guest."),
    )  # fmt: skip
    photo = forms.FileField(
        label=_("Picture"),
        required=False,
        widget=forms.FileInput({"accept": "image/jpeg,image/png,image/webp"}),
        help_text=_(
            "Optional, at most 12 MB, no faces. Its location and time data are removed. It is deleted after 90 days."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("day", timezone.localdate())

    def clean_day(self) -> datetime.date:
        """Refuse days in the future and days more than MOST_DAYS_AGO ago."""
        day: datetime.date = self.cleaned_data["day"]
        if not 0 <= (timezone.localdate() - day).days <= MOST_DAYS_AGO:
            raise forms.ValidationError(_("Enter inspections of the last 30 days."))
        return day
