# SPDX-License-Identifier: Apache-2.0
"""Forms of bulletins: texts, recordings, schedules, outlets, and what was aired."""

import datetime
import re
from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import Agency
from bluezone.identity.edits import SHOWN, SharedForm, Texts, read_shown_values
from bluezone.identity.typed_fields import CountField, DayField, PastedField, PlainLineField
from bluezone.rollout.bulletins.air.recurrence import MOST_TIMES, Rule
from bluezone.rollout.bulletins.models import Bulletin, Importance, Language, Outlet, OutletKind, Script, SpokenWord
from bluezone.rollout.bulletins.texts.pronunciation import normalise_text
from bluezone.vietnamese.typed import read_days, read_times

MOST_RECORDING_BYTES = 15 * 1024 * 1024
MOST_RELAY_MINUTES = 60
MOST_PHOTO_BYTES = 8 * 1024 * 1024
WEEKDAYS = [
    (0, _("Monday")), (1, _("Tuesday")), (2, _("Wednesday")), (3, _("Thursday")), (4, _("Friday")), (5, _("Saturday")),
    (6, _("Sunday")),
]  # fmt: skip


def _text(label: Any, help_text: Any = "", required: bool = True) -> PastedField:
    area = forms.Textarea(attrs={"rows": 8})
    return PastedField(label=label, help_text=help_text, max_length=6000, required=required, widget=area)


def _require_file_size(file: Any, most: int, message: Any) -> Any:
    if file is not None and file.size > most:
        raise forms.ValidationError(message)
    return file


class BulletinForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new bulletin with its Vietnamese text and an optional English one."""

    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Agency"))
    text_vi = _text(_("Vietnamese text"), _("Write it as it should be heard. 94 syllables take half a minute."))
    text_en = _text(_("English text"), required=False)
    relay = forms.ChoiceField(
        label=_("Relay a station"), required=False,
        help_text=_(
            "The station’s programme is aired for this number of minutes. The text is aired if the station fails."
        ),
    )  # fmt: skip
    relay_minutes = CountField(
        label=_("Minutes of the relay"), required=False, min_value=1, max_value=MOST_RELAY_MINUTES
    )

    class Meta:
        model = Bulletin
        fields = ("title", "importance", "agency")
        field_classes: ClassVar = {"title": PlainLineField}
        widgets: ClassVar = {"importance": forms.RadioSelect, "title": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, agencies: QuerySet[Agency], stations: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = agencies.order_by("name")  # type: ignore[attr-defined]
        names = sorted(stations)
        self.fields["relay"].choices = [("", _("none")), *((name, name) for name in names)]  # type: ignore[attr-defined]
        if not names:
            del self.fields["relay"], self.fields["relay_minutes"]

    def clean(self) -> dict[str, Any]:
        """Refuse a relay without an end, and a relay as an emergency."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("relay") and "relay_minutes" not in self.errors and not values.get("relay_minutes"):
            self.add_error("relay_minutes", _("Enter the number of minutes, 1 to 60."))
        if values.get("relay") and values.get("importance") == Importance.EMERGENCY:
            self.add_error("relay", _("An emergency bulletin is its own text or recording, never a relay."))
        return values


class TextForm(forms.Form):
    """The next version of a text in one language."""

    language = forms.ChoiceField(label=_("Language"), choices=Language.choices)
    text = _text(_("Text"))


class WrittenForm(SharedForm, TextForm):
    """The next version of a text, with the correction of how the machine reads it.

    bulletin: the bulletin of the text. before: its newest version in each language, by the code of the language.
    """

    said = forms.CharField(
        label=_("How the machine says it"),
        help_text=_("Leave this empty unless the machine misreads something. Then write every word as it is spoken."),
        max_length=12000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def __init__(self, *args: Any, bulletin: Bulletin, before: dict[str, Script], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry = bulletin
        self._newest = before

    def clean(self) -> dict[str, Any]:
        """Refuse a correction that was made for another text."""
        values = super().clean() or {}
        newest = self._newest.get(values.get("language", ""))
        correction = values.get("said", "")
        if newest is None or not correction:
            return values
        if correction == newest.spoken_text and values.get("text", "") != newest.text:
            self.add_error("said", _("The text has changed: correct this too, or leave it empty."))
        return values


class SpokenWordForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
    """A word and its pronunciation; a word that exists already gets the new pronunciation.

    instance: the stored word. words: the pronunciations of all of the city's words. The page contains them all, because
    the server learns only from the typed word which of them the form changes.
    """

    changes_something = True
    said = forms.CharField(
        label=_("How to say it"),
        help_text=_("Syllable by syllable, as you would read it out: “Zalo” is “da lô”."),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    class Meta:
        model = SpokenWord
        fields = ("written",)
        help_texts: ClassVar = {"written": _("A name, an abbreviation or a foreign word, as it is written in texts.")}
        widgets: ClassVar = {"written": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, words: Texts, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._words = words
        if self.instance.pk is not None:
            self.initial["said"] = self.instance.pronunciation

    def clean_written(self) -> str:
        """Refuse a number or a sign: the rules read those by their context."""
        written: str = self.cleaned_data["written"]
        if not re.search(r"[^\W\d_]", written):
            raise forms.ValidationError(_("A word must contain a letter. Numbers and signs are read by rules."))
        return written

    def validate_unique(self) -> None:
        """Allow a word that exists already: `pronunciation.set_word` changes it."""

    def _shown_now(self) -> Texts:
        return self._words

    def _shown_texts(self) -> Texts | None:
        shown_texts = read_shown_values(self.data.get(SHOWN, ""))
        # If the typed values are the stored ones, nothing changes, and there is no conflict to show.
        if shown_texts is None or self._typed_texts() == self._stored_texts():
            return None
        return {"said": shown_texts.get(normalise_text(self.data.get("written", "")), "")}

    def _compared_fields(self) -> list[tuple[str, forms.Field]]:
        return [("said", self.fields["said"])]


class RecordingForm(TextForm):
    """A person's recording with its text."""

    file = forms.FileField(
        label=_("Recording"), help_text=_("MP3, WAV, M4A, OGG, FLAC or WebM, from 1 second to 10 minutes.")
    )

    def clean_file(self) -> Any:
        """Refuse a file that is too large for a bulletin."""
        too_large = _("The file is larger than 15 MB. A bulletin of a few minutes as MP3 is much smaller.")
        return _require_file_size(self.cleaned_data["file"], MOST_RECORDING_BYTES, too_large)


class ReasonForm(forms.Form):
    """Why something is withdrawn."""

    reason = forms.CharField(label=_("Reason"), max_length=300)


class EmergencyForm(forms.Form):
    """Where an emergency bulletin is aired at once."""

    outlets = forms.ModelMultipleChoiceField(
        Outlet.objects.none(), label=_("Where it is aired"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, outlets: QuerySet[Outlet], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["outlets"].queryset = outlets  # type: ignore[attr-defined]


class ScheduleForm(EmergencyForm):
    """When a bulletin is repeated, and where."""

    languages = forms.MultipleChoiceField(label=_("Languages"), widget=forms.CheckboxSelectMultiple)
    first = DayField(label=_("First day"))
    last = DayField(
        label=_("Last day"),
        help_text=_("It is also aired on this day. Leave empty if there is no end."),
        required=False,
    )
    times = forms.CharField(
        label=_("Times of day"), max_length=200, help_text=_("For example: 5:30, 17:30"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Only on"), choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("For every day, tick none."),
    )  # fmt: skip
    exceptions = forms.CharField(
        label=_("Days left out"), max_length=400, required=False, help_text=_("For example: 2/9, 3/9/2020"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip

    field_order = ("outlets", "languages", "first", "last", "times", "weekdays", "exceptions")

    def __init__(self, *args: Any, languages: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(value, Language(value).label) for value in languages]
        self.fields["languages"].choices = choices  # type: ignore[attr-defined]

    def clean_times(self) -> tuple[datetime.time, ...]:
        """Times as people write them: 5:30, 5h30, 17h."""
        times = read_times(self.cleaned_data["times"])
        if not times or len(times) > MOST_TIMES:
            raise forms.ValidationError(_("Write times like 5:30, 17:30; at most 24 of them."))
        return times

    def clean_exceptions(self) -> frozenset[datetime.date]:
        """Days as people write them; a day without a year is the next such day from the first day on."""
        today = timezone.localdate()
        days = read_days(self.cleaned_data["exceptions"], today, self.cleaned_data.get("first") or today)
        if days is None:
            raise forms.ValidationError(_("Write days like 2/9, 3/9/2020."))
        return frozenset(days)

    def rule(self) -> Rule:
        """The rule of a valid form. Raises ScheduleEndsBeforeStart."""
        values = self.cleaned_data
        return Rule(
            values["first"], values["last"], values["times"], frozenset(values["weekdays"]), values["exceptions"]
        )


class OutletForm(forms.ModelForm):  # type: ignore[type-arg]
    """A station or paper; loudspeakers have their own form."""

    kind = forms.ChoiceField(
        label=_("Kind"), widget=forms.RadioSelect,
        choices=[choice for choice in OutletKind.choices if choice[0] != OutletKind.LOUDSPEAKERS],
    )  # fmt: skip
    agency = forms.ModelChoiceField(Agency.objects.none(), label=_("Agency"))

    class Meta:
        model = Outlet
        fields = ("kind", "name", "agency")
        field_classes: ClassVar = {"name": PlainLineField}
        widgets: ClassVar = {"name": forms.TextInput(attrs={"autocomplete": "off"})}

    def __init__(self, *args: Any, agencies: QuerySet[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agency"].queryset = agencies.order_by("name")  # type: ignore[attr-defined]


class LendForm(SharedForm, forms.Form):
    """Which other agencies may have their bulletins aired at an outlet."""

    changes_something = True
    lent_to = forms.ModelMultipleChoiceField(
        Agency.objects.none(), label=_("Agencies that may air here too"), required=False,
        widget=forms.SelectMultiple(attrs={"size": 10}),
        help_text=_("Their bulletins and those of agencies under them. Choose none to remove the permission."),
    )  # fmt: skip

    def __init__(self, *args: Any, agencies: QuerySet[Agency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lent_to"].queryset = agencies.order_by("name")  # type: ignore[attr-defined]


class AttestationForm(forms.Form):
    """The outcome of an airing, with a link or a photo as evidence."""

    was_aired = forms.TypedChoiceField(
        label=_("Result"), choices=[("1", _("Aired")), ("0", _("Not aired"))], initial="1",
        coerce=lambda value: value == "1", widget=forms.RadioSelect,
    )  # fmt: skip
    link = forms.URLField(
        label=_("Link"), required=False, max_length=500, assume_scheme="https",
        help_text=_("Link to the page, the broadcast or the issue."),
    )  # fmt: skip
    photo = forms.FileField(label=_("Photo"), required=False, help_text=_("JPEG or PNG, of the paper or the screen."))
    note = forms.CharField(label=_("Note"), max_length=300, required=False)

    def clean_photo(self) -> Any:
        """Refuse a file that is too large for a photo of a page."""
        return _require_file_size(self.cleaned_data["photo"], MOST_PHOTO_BYTES, _("The photo is larger than 8 MB."))

    def clean(self) -> dict[str, Any]:
        """Require a note with the reason if the bulletin was not aired."""
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if values.get("was_aired") is False and not values.get("note"):
            self.add_error("note", _("Say why it was not aired."))
        return values
