# SPDX-License-Identifier: Apache-2.0
"""Form fields that read what people type in the same way on every page: a day, a time of day, a number, a line of a
name or an address, an e-mail address, a telephone number. They refuse unreadable text with an example.
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
# Control, direction-changing, private-use and broken characters: they can make one name look like another.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


def typed_day(text: str) -> datetime.date | None:
    """The day that somebody typed or chose (see `read_day`), None for unreadable text."""
    return read_day(text, timezone.localdate())


def chosen_day(text: str, usual: datetime.date) -> datetime.date:
    """The day that somebody typed or chose, `usual` for an empty text.

    Unreadable text gives the first day of the calendar, which every rule about coming days refuses.
    """
    if not text.strip():
        return usual
    return typed_day(text) or datetime.date.min


class DayField(forms.DateField):
    """A day, chosen or typed: "1/9", "01-09-2020", "ngày 1/9/2020", "mai"."""

    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    default_error_messages: ClassVar = {"invalid": _("Write the day first, then the month, for example 1/9/2020.")}

    def to_python(self, value: Any) -> datetime.date | None:
        """The day; raises ValidationError with an example."""
        return _read(self, value, typed_day)


class TimeOfDayField(forms.TimeField):
    """A time of day, chosen or typed: "7:30", "7h30", "19 giờ 30", "7:30 tối"."""

    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    default_error_messages: ClassVar = {"invalid": _("Write a time like 7:30 or 19:30.")}

    def to_python(self, value: Any) -> datetime.time | None:
        """The time; raises ValidationError with an example."""
        return _read(self, value, read_time)


class MomentField(forms.DateTimeField):
    """A day and a time of day, in either order."""

    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
    default_error_messages: ClassVar = {"invalid": _("Write day and time, for example 1/9/2020 19:30.")}

    def to_python(self, value: Any) -> datetime.datetime | None:
        """The moment in the city's time zone; raises ValidationError with an example."""
        if isinstance(value, datetime.datetime):
            return value
        moment = _read(self, value, lambda text: read_moment(text, timezone.localdate()))
        return None if moment is None else timezone.make_aware(moment)


class CountField(forms.IntegerField):
    """A whole number: "1500", "1.500", "1 500", "12 người". Not an input of type number: that reads 1.500 as 1,5."""

    default_error_messages: ClassVar = {"invalid": _("Write a whole number in digits, for example 1500 or 1.500.")}

    def __init__(self, **kwargs: Any) -> None:
        # The numeric keypad of some phones has no minus.
        below_zero = (kwargs.get("min_value") or 0) < 0
        attrs = {"autocomplete": "off"} | ({} if below_zero else {"inputmode": "numeric"})
        super().__init__(**{"widget": forms.TextInput(attrs=attrs), **kwargs})

    def to_python(self, value: Any) -> int | None:
        """The number; raises ValidationError with an example."""
        return _read(self, value, read_count)


def _read(field: forms.Field, value: Any, read: Callable[[str], _Value | None]) -> _Value | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        stored: _Value = value
        return stored
    result = read(value)
    if result is None:
        raise forms.ValidationError(field.error_messages["invalid"], code="invalid")
    return result


class PlainLineField(forms.CharField):
    """A line in NFC with single blanks and no zero-width characters; refused with control or direction characters.

    most_bytes: limit in UTF-8 bytes, if storage has one (the code of a venue).
    Text of an old font (TCVN3, VNI) is refused, and the field then shows its conversion.
    """

    def __init__(self, *, most_bytes: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most_bytes = most_bytes

    def clean(self, value: Any) -> Any:
        """The line; raises ValidationError."""
        text = unicodedata.normalize("NFC", " ".join(str(value or "").split()))
        font = detect(text)
        if font.is_legacy:
            proposed = to_unicode(text, font.encoding)
            raise forms.ValidationError(
                _("This is written in an old font. Is it “%(text)s”? It is now in the field: check it and send again."),
                code="legacy",
                params={"text": proposed},
            )
        # After the check for old fonts: one of them has its ư at the code of Unicode's invisible hyphen.
        text = " ".join(without_unseen(text).split())
        if any(unicodedata.category(letter) in _UNSEEN for letter in text):
            raise forms.ValidationError(_("It contains invisible characters. Type it again."), code="unseen")
        if self.most_bytes is not None and len(text.encode()) > self.most_bytes:
            raise forms.ValidationError(_("This is too long for the code. Shorten it, for example with “P.”, “Q.”."))
        return super().clean(text)

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        """A field that shows the conversion of refused text."""
        return _ConvertedField(form, self, field_name)


class _ConvertedField(forms.BoundField):
    def value(self) -> Any:
        errors = self.form.errors.as_data().get(self.name, ()) if self.form.is_bound else ()
        proposed = [error.params["text"] for error in errors if error.code == "legacy" and error.params]
        return proposed[0] if proposed else super().value()


class PastedField(forms.CharField):
    """A longer text pasted from Word or a message: composed, with plain blanks, and each point after "- "."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        """The text, as if it had been typed."""
        return pasted(super().to_python(value) or "")


class MailField(forms.EmailField):
    """One e-mail address, also as written in a link ("mailto:") or by a mail program ("<…>")."""

    def to_python(self, value: Any) -> str:
        """The address without anything around it; unreadable text as it is, for the validators to refuse."""
        text = plain(super().to_python(value) or "")
        address, more = read_email(text) or ("", True)
        return address if address and not more else text


class PhoneLineField(forms.CharField):
    """One telephone number to call, as people write it; numbers for messages are read by `read_destination`."""

    widget = forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"})

    def to_python(self, value: Any) -> str:
        """The number, with the blanks and dots as typed."""
        text = plain(super().to_python(value) or "")
        if not text:
            return ""
        number, more = read_phone(text) or ("", True)
        if more:
            raise forms.ValidationError(_("Write one telephone number, for example 0209 3870 115."), code="invalid")
        return number


class SignInNameField(forms.CharField):
    """A sign-in name, converted to small letters."""

    widget = forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"})

    def to_python(self, value: Any) -> str:
        """The name in small letters."""
        return plain(super().to_python(value) or "").lower()
