# SPDX-License-Identifier: Apache-2.0
"""Two people at one form: what a form showed goes with it, and what others have stored meanwhile is never overwritten
unseen.

A form that comes back is compared with what is stored now. What only one of the two changed is taken from whom changed
it; where both changed the same field, the page is shown again with both, and nothing is stored until somebody has
looked. Call it in a transaction that holds the row, or two that come in the same moment may miss each other.
"""

import datetime
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from bluezone.identity.acts import CONFLICT
from bluezone.identity.typed_fields import CountField, DayField, MomentField, TimeOfDayField

_SALT = "bluezone.identity.edits"
# The name of the hidden field, and the beginning of the name of a tick that takes what is stored.
SHOWN, TAKE = "shown", "take-"
# The name of the one hidden field of a table of forms.
SHOWN_ROWS = "shown-rows"
Texts = dict[str, str]


@dataclass(frozen=True)
class Clash:
    """A field that both changed. stored: what the other stored, as a text; label: of the field."""

    name: str
    label: str
    stored: str


def seal(values: Mapping[str, str]) -> str:
    """What a page shows, signed, to be sent back with it."""
    return signing.dumps(dict(values), salt=_SALT, compress=True)


def unseal(text: str) -> Texts | None:
    """What the page showed, None where nothing or something else came back."""
    try:
        found: Texts = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    return found


def as_text(value: Any) -> str:
    """One value of a form as it compares: a day as ISO, a row as its key, lines ended alike."""
    if value is None or value is False:
        return ""
    if value is True:
        return "on"
    if isinstance(value, datetime.time):
        return f"{value:%H:%M}"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, list | tuple | set | models.QuerySet):
        return "\n".join(sorted(as_text(one) for one in value))
    return str(value).replace("\r\n", "\n").strip()


class SharedForm(forms.BaseForm):
    """For a form of something stored that others change too; put it before `forms.Form` or `forms.ModelForm`.

    clashes: fields that both changed, for the page (form_errors.html shows them). meanwhile: others have stored
    something since the page was shown; the form is not valid then, `acts.status_of` answers 409, and what is shown is
    both together, ready to be stored.
    """

    data: Any
    clashes: tuple[Clash, ...] = ()
    meanwhile = False
    _merged = False

    @property
    def changes_something(self) -> bool:
        """Whether the form changes what is stored, and does not make something new."""
        stored = getattr(self, "instance", None) or getattr(self, "entry", None)
        return stored is not None and stored.pk is not None

    @property
    def shown_field(self) -> SafeString | str:
        """The hidden field for the page, within the form; "" where something new is made."""
        if not self.changes_something:
            return ""
        return _hidden(self.add_prefix(SHOWN), self._shown_now())

    def full_clean(self) -> None:
        """Bring in what others have stored, then clean as ever."""
        if self.is_bound and not self._merged and self.changes_something:
            self._merged = True
            self._merge()
        super().full_clean()
        if self.is_bound and self.meanwhile:
            sentence = _(
                "Somebody else has stored a change since you opened this page. Both are together below; nothing of "
                "yours is stored yet. Look at it and store it again."
            )
            self.add_error(None, ValidationError(sentence, code=CONFLICT))

    def _merge(self) -> None:
        self._take_stored()
        shown = self._shown_texts()
        if shown is None:
            return
        stored, mine = self._stored_texts(), self._typed_texts()
        data, clashes = self.data.copy(), []
        for name, now in stored.items():
            if now == shown.get(name, ""):
                continue
            self.meanwhile = True
            if mine[name] == shown.get(name, ""):
                _put(data, self.add_prefix(name), self[name])
            elif mine[name] != now:
                clashes.append(Clash(self.add_prefix(name), str(self[name].label), _readable(self[name], now)))
        self.clashes, self.data = tuple(clashes), data

    def _take_stored(self) -> None:
        """Where the person chose what the other had stored, let the form say it."""
        taken = [name for name, _field in self._compared() if f"{TAKE}{self.add_prefix(name)}" in self.data]
        if taken:
            self.data = self.data.copy()
            for name in taken:
                _put(self.data, self.add_prefix(name), self[name])

    def _shown_now(self) -> Texts:
        """What the hidden field says; a form whose row is known only once it is typed says it of every row."""
        return self._stored_texts()

    def _shown_texts(self) -> Texts | None:
        """What the page showed of this form, by itself or as a row of a table."""
        rows = unseal(self.data.get(SHOWN_ROWS, "")) if self.prefix else None
        if rows is None:
            return unseal(self.data.get(self.add_prefix(SHOWN), ""))
        return {name: rows.get(self.add_prefix(name), "") for name, _field in self._compared()}

    def _stored_texts(self) -> Texts:
        return {name: as_text(field.prepare_value(self[name].initial)) for name, field in self._compared()}

    def _typed_texts(self) -> Texts:
        return {name: as_text(self._typed(name, field)) for name, field in self._compared()}

    def _typed(self, name: str, field: forms.Field) -> Any:
        """What was typed; a day, a time or a number as it is stored, since 1/9/2020 changes nothing of 2020-09-01."""
        typed = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        if isinstance(field, DayField | TimeOfDayField | MomentField | CountField):
            with suppress(ValidationError):
                return field.prepare_value(field.to_python(typed))
        return typed

    def _compared(self) -> list[tuple[str, forms.Field]]:
        return [(name, field) for name, field in self.fields.items() if not isinstance(field, forms.FileField)]


class SharedRows:
    """A table of shared forms on one page; form_errors.html shows it as it shows one form.

    What all of them show is sent back in one hidden field, because a page may not send more than 400 fields.
    rows: forms with a prefix each, by what the reader calls the row.
    """

    def __init__(self, rows: Sequence[tuple[str, SharedForm]]) -> None:
        self._rows = rows

    @property
    def shown_field(self) -> SafeString:
        """The hidden field for the page, within the form."""
        texts = {
            form.add_prefix(name): text for _row, form in self._rows for name, text in form._stored_texts().items()
        }
        return _hidden(SHOWN_ROWS, texts)

    @property
    def clashes(self) -> list[Clash]:
        """Fields that both changed, each with the name of its row."""
        return [replace(one, label=f"{row}: {one.label}") for row, form in self._rows for one in form.clashes]

    @property
    def errors(self) -> bool:
        """Whether any row is to be corrected or looked at again."""
        return any(form.errors for _row, form in self._rows)

    @property
    def non_field_errors(self) -> list[str]:
        """Each sentence about whole rows once."""
        return list(dict.fromkeys(str(error) for _row, form in self._rows for error in form.non_field_errors()))


def _hidden(name: str, values: Texts) -> SafeString:
    return format_html('<input type="hidden" name="{}" value="{}">', name, seal(values))


def _put(data: Any, name: str, bound: Any) -> None:
    """Let the form say what is stored."""
    value = bound.field.prepare_value(bound.initial)
    if isinstance(value, list | tuple | models.QuerySet):
        data.setlist(name, [as_text(one) for one in value])
    elif as_text(value):
        data[name] = as_text(value)
    else:
        data.pop(name, None)


def _readable(bound: Any, text: str) -> str:
    """What is stored in words: the label of a choice, else the text."""
    labels = {str(value): str(label) for value, label in getattr(bound.field, "choices", ())}
    return "; ".join(labels.get(one, one) for one in text.split("\n")) if labels else text
