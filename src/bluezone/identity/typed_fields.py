# SPDX-License-Identifier: Apache-2.0
"""What people type into forms, read alike on every page: a day, a time of day, a number, one line of a name or an
address, an e-mail address, a telephone number. What cannot be read is refused with a sentence on how to write it.
"""

import datetime
import unicodedata
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.vietnamese.contact_cells import read_email, read_phone
from bluezone.vietnamese.legacy_fonts import detect, to_unicode
from bluezone.vietnamese.spelling import without_unseen
from bluezone.vietnamese.typed import pasted, plain, read_count, read_day, read_moment, read_time

_Value = TypeVar("_Value")
# Control, direction-changing, private and broken characters: with them one name can look like another.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def typed_day(text: str) -> datetime.date | None:
    """The day that somebody typed or chose (see `read_day`), None where it is none."""
    return read_day(text, timezone.localdate())


def chosen_day(text: str, usual: datetime.date) -> datetime.date:
    """The day that somebody typed or chose, `usual` where nothing stands there.

    What is no day is the first of the calendar, which every rule about days to come refuses: nothing is taken for it.
    """
    return (typed_day(text) or datetime.date.min) if text.strip() else usual


class DayField(forms.DateField):
    """A day, chosen or typed: "1/9", "01-09-2020", "ngày 1/9/2020", "mai"."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    default_error_messages: ClassVar = {"invalid": _("Write the day first, then the month, for example 1/9/2020.")}

    def to_python(self, value: Any) -> datetime.date | None:
        """The day, or how to write one."""
        return _read(self, value, typed_day)


class TimeOfDayField(forms.TimeField):
    """A time of day, chosen or typed: "7:30", "7h30", "19 giờ 30", "7:30 tối"."""

    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    default_error_messages: ClassVar = {"invalid": _("Write a time like 7:30 or 19:30.")}

    def to_python(self, value: Any) -> datetime.time | None:
        """The time, or how to write one."""
        return _read(self, value, read_time)


class MomentField(forms.DateTimeField):
    """A day and a time of it, in either order."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
    default_error_messages: ClassVar = {"invalid": _("Write day and time, for example 1/9/2020 19:30.")}

    def to_python(self, value: Any) -> datetime.datetime | None:
        """The moment in the city's zone, or how to write one."""
        if isinstance(value, datetime.datetime):
            return value
        found = _read(self, value, lambda text: read_moment(text, timezone.localdate()))
        return None if found is None else timezone.make_aware(found)


class CountField(forms.IntegerField):
    """A whole number: "1500", "1.500", "1 500", "12 người". No field of type number: a browser takes 1.500 for 1,5."""

    default_error_messages: ClassVar = {"invalid": _("Write a whole number in digits, for example 1500 or 1.500.")}

    def __init__(self, **kwargs: Any) -> None:
        # The pad of digits of some phones has no minus.
        below_zero = (kwargs.get("min_value") or 0) < 0
        attrs = {"autocomplete": "off"} | ({} if below_zero else {"inputmode": "numeric"})
        super().__init__(**{"widget": forms.TextInput(attrs=attrs), **kwargs})

    def to_python(self, value: Any) -> int | None:
        """The number, or how to write one."""
        return _read(self, value, read_count)


def _read(field: forms.Field, value: Any, read: Callable[[str], _Value | None]) -> _Value | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        stored: _Value = value
        return stored
    if (found := read(value)) is None:
        raise forms.ValidationError(field.error_messages["invalid"], code="invalid")
    return found


class PlainLineField(forms.CharField):
    """A line in NFC with single blanks and no sign of no width; refused with what turns letters round or is none.

    most_bytes: of UTF-8, where what is stored is limited so (the code of a venue).
    Text of an old font (TCVN3, VNI) is refused with its conversion, which then stands in the field.
    """

    def __init__(self, *, most_bytes: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most_bytes = most_bytes

    def clean(self, value: Any) -> Any:
        """The line, or what is wrong with it."""
        text = unicodedata.normalize("NFC", " ".join(str(value or "").split()))
        found = detect(text)
        if found.is_legacy:
            proposed = to_unicode(text, found.encoding)
            raise forms.ValidationError(
                _("This is written in an old font. Is it “%(text)s”? It stands in the field: look and send again."),
                code="legacy",
                params={"text": proposed},
            )
        # After the old fonts, one of which has its ư where Unicode has an invisible hyphen.
        text = " ".join(without_unseen(text).split())
        if any(unicodedata.category(letter) in _UNSEEN for letter in text):
            raise forms.ValidationError(_("There are invisible characters in it. Type it anew."), code="unseen")
        if self.most_bytes is not None and len(text.encode()) > self.most_bytes:
            raise forms.ValidationError(_("This is too long for the code. Shorten it, for example by “P.”, “Q.”."))
        return super().clean(text)

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        """A field that shows the conversion of what was refused."""
        return _ConvertedField(form, self, field_name)


class _ConvertedField(forms.BoundField):
    def value(self) -> Any:
        errors = self.form.errors.as_data().get(self.name, ()) if self.form.is_bound else ()
        proposed = [error.params["text"] for error in errors if error.code == "legacy" and error.params]
        return proposed[0] if proposed else super().value()


class PastedField(forms.CharField):
    """A longer text as it is pasted from Word or a message: composed, plain blanks, each point after "- "."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        """The text as if it had been typed."""
        return pasted(super().to_python(value) or "")


class MailField(forms.EmailField):
    """One e-mail address, also as it stands in a link ("mailto:") or in the list of a mail program ("<…>")."""

    def to_python(self, value: Any) -> str:
        """The address alone."""
        text = plain(super().to_python(value) or "")
        found, more = read_email(text) or ("", True)
        return found if found and not more else text


class PhoneLineField(forms.CharField):
    """One telephone number to be called, as people write it; messages go to a `read_destination`."""

    widget = forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"})

    def to_python(self, value: Any) -> str:
        """The number with the blanks and dots that it was written with."""
        text = plain(super().to_python(value) or "")
        number, more = (read_phone(text) or ("", True)) if text else ("", False)
        if more:
            raise forms.ValidationError(_("Write one telephone number, for example 0209 3870 115."), code="invalid")
        return number


class SignInNameField(forms.CharField):
    """A sign-in name, which has small letters alone."""

    widget = forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"})

    def to_python(self, value: Any) -> str:
        """The name in small letters."""
        return plain(super().to_python(value) or "").lower()
