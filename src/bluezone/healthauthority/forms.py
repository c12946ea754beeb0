# SPDX-License-Identifier: Apache-2.0
"""Forms for codes, limits, declarations and their passphrase, and venue alerts."""

import datetime
import uuid
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import Agency
from bluezone.healthauthority import alerts, permissions
from bluezone.healthauthority.codes import issuance
from bluezone.healthauthority.facilities import facilities_of
from bluezone.healthauthority.models import CaseClass, RaiseReason
from bluezone.identity.models import User
from bluezone.identity.typed_fields import CountField, DayField, TimeOfDayField
from bluezone.keyserver.venues.alerts import OLDEST_SECONDS
from bluezone.protocol.declarationkey import MIN_PASSPHRASE_CHARACTERS
from bluezone.vietnamese.typed import plain

_DAYS = OLDEST_SECONDS // 86_400


class IssueForm(forms.Form):
    """Class and onset of a case: all that a phone needs to choose the days, and nothing that identifies a person."""

    case_class = forms.ChoiceField(
        label=_("How was the infection established?"), choices=CaseClass.choices, widget=forms.RadioSelect
    )
    onset = DayField(
        label=_("First symptoms on"),
        help_text=_("No symptoms: the day the sample was taken."),
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["form_id"] = uuid.uuid4()
        first, last = issuance.onset_bounds(timezone.localdate())
        self.fields["onset"].widget.attrs |= {"min": first.isoformat(), "max": last.isoformat()}

    def clean_onset(self) -> datetime.date:
        """Refuse a day for which phones have no keys."""
        onset: datetime.date = self.cleaned_data["onset"]
        first, last = issuance.onset_bounds(timezone.localdate())
        if onset > last:
            raise forms.ValidationError(_("This day is in the future. Enter the day symptoms started."))
        if onset < first:
            raise forms.ValidationError(
                _(
                    "More than %(days)s days ago: phones keep their codes for 14 days, so no one could be warned "
                    "any more. Check the date; if it is right, no code is needed."
                )
                % {"days": (last - first).days}
            )
        return onset


class RaiseForm(forms.Form):
    """A raised limit: for a worker or facility, how many more, and why. by: the supervisor; sets the choices."""

    limit_of = forms.ChoiceField(label=_("Whose limit?"))
    more = CountField(
        label=_("How many more codes, today only"),
        min_value=1,
        max_value=1000,
        initial=50,
    )
    reason = forms.ChoiceField(label=_("Why?"), choices=RaiseReason.choices, widget=forms.RadioSelect)

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workers = permissions.issuers_in_reach(by)
        self._workers = {str(worker.pk): worker for worker in self.workers}
        agencies = facilities_of(self.workers).values()
        self._facilities = {str(agency.pk): agency for agency in sorted(agencies, key=lambda agency: agency.name)}
        workers = [(f"worker:{pk}", worker.name) for pk, worker in self._workers.items()]
        facilities = [(f"facility:{pk}", agency.name) for pk, agency in self._facilities.items()]
        self.fields["limit_of"].choices = [  # type: ignore[attr-defined]
            ("", _("choose")),
            (_("One worker"), workers),
            (_("A facility: all its workers together"), facilities),
        ]

    @property
    def target(self) -> User | Agency:
        """The worker or the facility to get a higher limit."""
        kind, _separator, pk = self.cleaned_data["limit_of"].partition(":")
        return self._workers[pk] if kind == "worker" else self._facilities[pk]


def _passphrase(label: Any, autocomplete: str, help_text: Any = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=200, strip=False, help_text=help_text, widget=widget)


class OpenForm(forms.Form):
    """The passphrase; the declarations to open are ticked in the list."""

    passphrase = _passphrase(_("Passphrase for declarations"), "off")


class NewPassphraseForm(forms.Form):
    """A passphrase typed twice."""

    new = _passphrase(
        _("New passphrase"),
        "new-password",
        _("At least 16 characters: a sentence of five words or more. It is not the password of an account."),
    )
    again = _passphrase(_("Repeat the passphrase"), "new-password")

    def clean_new(self) -> str:
        """Refuse a passphrase that is too short."""
        new: str = self.cleaned_data["new"]
        if len(new.strip()) < MIN_PASSPHRASE_CHARACTERS:
            raise forms.ValidationError(_("Too short: at least 16 characters. Nothing was changed."))
        return new

    def clean_again(self) -> str:
        """Refuse two different passphrases."""
        again: str = self.cleaned_data["again"]
        if "new" in self.cleaned_data and again != self.cleaned_data["new"]:
            raise forms.ValidationError(_("The two passphrases are different. Type the second one again."))
        return again


class KeyForm(NewPassphraseForm):
    """Make or replace the key for declarations."""

    understood = forms.BooleanField(
        label=_("The passphrase is written down and locked away. Without it no one can open a declaration.")
    )


class ChangePassphraseForm(NewPassphraseForm):
    """The present passphrase, and the new one twice."""

    present = _passphrase(_("Current passphrase"), "off")
    field_order = ("present", "new", "again")


class AlertForm(forms.Form):
    """The poster's code, a day and two times of day."""

    code = forms.CharField(
        label=_("Code of the venue's poster"),
        help_text=_("Scan it with a QR reader, or paste what a phone's camera shows: https://…/v#…"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
    )
    day = DayField(
        label=_("Day"),
    )
    begins = TimeOfDayField(label=_("Began at"))
    ends = TimeOfDayField(
        label=_("Ended at"),
        help_text=_("If the end is before the start, it is on the next day."),
    )
    form_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["form_id"] = uuid.uuid4()
        today = timezone.localdate()
        first = today - datetime.timedelta(days=_DAYS)
        self.fields["day"].widget.attrs |= {"min": first.isoformat(), "max": today.isoformat()}

    def clean_code(self) -> str:
        """The scanned or pasted text, without the line breaks that a message may have added."""
        return plain(self.cleaned_data["code"]).replace(" ", "")

    def clean(self) -> None:
        """Combine the day and the two times into start and end."""
        super().clean()
        values = self.cleaned_data
        if {"day", "begins", "ends"} <= set(values):
            begins = values["begins"].replace(second=0, microsecond=0)
            ends = values["ends"].replace(second=0, microsecond=0)
            values["start"], values["end"] = alerts.hours_between(values["day"], begins, ends)
