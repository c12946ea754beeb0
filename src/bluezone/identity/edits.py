# SPDX-License-Identifier: Apache-2.0
"""Two people who edit one form: no change of one is overwritten by the other unseen.

The form carries the values that it showed. When it is sent, they are compared with what is stored now. A field that
only one person changed gets that person's value. If both changed the same field, the page shows both values, and
nothing is stored until somebody has looked. Validate such a form in a transaction that locks the row, or two
requests at the same moment may miss each other.
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
# Name of the hidden field.
SHOWN = "shown"
# Prefix of the name of a checkbox that takes the stored value.
TAKE = "take-"
# The name of the one hidden field of a table of forms.
SHOWN_ROWS = "shown-rows"
Texts = dict[str, str]


@dataclass(frozen=True)
class Clash:
    """A field that both people changed. stored: the other person's value as a text. label: of the field."""

    name: str
    label: str
    stored: str


def sign_shown_values(values: Mapping[str, str]) -> str:
    """The values that a page shows, signed, to be sent back with the form."""
    return signing.dumps(dict(values), salt=_SALT, compress=True)


def read_shown_values(text: str) -> Texts | None:
    """The values that the page showed, None if the text is missing or not ours."""
    try:
        values: Texts = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        return None
    return values


def comparable_text(value: Any) -> str:
    """One value of a form as a text to compare: a day in ISO format, a row as its key, all line ends the same."""
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
        return "\n".join(sorted(comparable_text(item) for item in value))
    return str(value).replace("\r\n", "\n").strip()


class SharedForm(forms.BaseForm):
    """A form for a stored row that other people may change too; put it before `forms.Form` or `forms.ModelForm`.

    clashes: fields that both people changed; form_errors.html shows them.
    meanwhile: whether others have stored something since the page was shown. Then the form is invalid,
    `acts.form_status` answers 409, and the page shows the merged values, ready to be stored.
    """

    data: Any
    clashes: tuple[Clash, ...] = ()
    meanwhile = False
    _merged = False

    @property
    def changes_something(self) -> bool:
        """Whether the form changes a stored row and does not make a new one."""
        stored = getattr(self, "instance", None) or getattr(self, "entry", None)
        return stored is not None and stored.pk is not None

    @property
    def shown_field(self) -> SafeString | str:
        """The hidden field for the page, within the form; "" for a new row."""
        if not self.changes_something:
            return ""
        return _hidden(self.add_prefix(SHOWN), self._shown_now())

    def full_clean(self) -> None:
        """Merge what others have stored, then clean as usual."""
        if self.is_bound and not self._merged and self.changes_something:
            self._merged = True
            self._merge()
        super().full_clean()
        if self.is_bound and self.meanwhile:
            sentence = _(
                "Someone else has stored a change since you opened this page. Both versions are shown below; yours "
                "is not stored yet. Check them and store again."
            )
            self.add_error(None, ValidationError(sentence, code=CONFLICT))

    def _merge(self) -> None:
        self._apply_chosen_stored_values()
        before = self._shown_texts()
        if before is None:
            return
        typed = self._typed_texts()
        data = self.data.copy()
        clashes = []
        for name, stored in self._stored_texts().items():
            if stored == before.get(name, ""):
                continue
            self.meanwhile = True
            if typed[name] == before.get(name, ""):
                _put_stored_value(data, self.add_prefix(name), self[name])
            elif typed[name] != stored:
                clashes.append(Clash(self.add_prefix(name), str(self[name].label), _readable(self[name], stored)))
        self.clashes = tuple(clashes)
        self.data = data

    def _apply_chosen_stored_values(self) -> None:
        """Put the stored value into each field for which the person chose it."""
        chosen = [name for name, _field in self._compared_fields() if f"{TAKE}{self.add_prefix(name)}" in self.data]
        if chosen:
            self.data = self.data.copy()
            for name in chosen:
                _put_stored_value(self.data, self.add_prefix(name), self[name])

    def _shown_now(self) -> Texts:
        """The values for the hidden field. A form that learns its row from the input overrides this with all rows."""
        return self._stored_texts()

    def _shown_texts(self) -> Texts | None:
        """The values that the page showed in this form, alone or as a row of a table."""
        rows = read_shown_values(self.data.get(SHOWN_ROWS, "")) if self.prefix else None
        if rows is None:
            return read_shown_values(self.data.get(self.add_prefix(SHOWN), ""))
        return {name: rows.get(self.add_prefix(name), "") for name, _field in self._compared_fields()}

    def _stored_texts(self) -> Texts:
        return {
            name: comparable_text(field.prepare_value(self[name].initial)) for name, field in self._compared_fields()
        }

    def _typed_texts(self) -> Texts:
        return {name: comparable_text(self._typed(name, field)) for name, field in self._compared_fields()}

    def _typed(self, name: str, field: forms.Field) -> Any:
        """The typed value; a day, a time or a number as it is stored, because 1/9/2020 is the same as 2020-09-01."""
        typed = field.widget.value_from_datadict(self.data, self.files, self.add_prefix(name))
        if isinstance(field, DayField | TimeOfDayField | MomentField | CountField):
            with suppress(ValidationError):
                return field.prepare_value(field.to_python(typed))
        return typed

    def _compared_fields(self) -> list[tuple[str, forms.Field]]:
        return [(name, field) for name, field in self.fields.items() if not isinstance(field, forms.FileField)]


class SharedRows:
    """A table of shared forms on one page; form_errors.html shows it like a single form.

    The values of all forms are sent back in one hidden field, because a page may not send more than 400 fields.
    rows: the reader's name of each row, and its form, each with a different prefix.
    """

    def __init__(self, rows: Sequence[tuple[str, SharedForm]]) -> None:
        self._rows = rows

    @property
    def shown_field(self) -> SafeString:
        """The hidden field for the page, within the form."""
        texts: Texts = {}
        for _row, form in self._rows:
            texts |= {form.add_prefix(name): text for name, text in form._stored_texts().items()}
        return _hidden(SHOWN_ROWS, texts)

    @property
    def clashes(self) -> list[Clash]:
        """Fields that both changed, each with the name of its row."""
        clashes: list[Clash] = []
        for row, form in self._rows:
            clashes += [replace(clash, label=f"{row}: {clash.label}") for clash in form.clashes]
        return clashes

    @property
    def errors(self) -> bool:
        """Whether any row has to be corrected or looked at again."""
        return any(form.errors for _row, form in self._rows)

    @property
    def non_field_errors(self) -> list[str]:
        """Each sentence about whole rows once."""
        sentences: dict[str, None] = {}
        for _row, form in self._rows:
            sentences |= dict.fromkeys(str(error) for error in form.non_field_errors())
        return list(sentences)


def _hidden(name: str, values: Texts) -> SafeString:
    return format_html('<input type="hidden" name="{}" value="{}">', name, sign_shown_values(values))


def _put_stored_value(data: Any, name: str, bound: Any) -> None:
    """Put the stored value into the data of a form."""
    value = bound.field.prepare_value(bound.initial)
    if isinstance(value, list | tuple | models.QuerySet):
        data.setlist(name, [comparable_text(item) for item in value])
    elif comparable_text(value):
        data[name] = comparable_text(value)
    else:
        data.pop(name, None)


def _readable(bound: Any, text: str) -> str:
    """A stored value in words: the labels of a choice, else the text."""
    labels = {str(value): str(label) for value, label in getattr(bound.field, "choices", ())}
    if not labels:
        return text
    return "; ".join(labels.get(value, value) for value in text.split("\n"))
