# SPDX-License-Identifier: Apache-2.0
"""Forms of the portal: a news item in the office, a request for help on the public origin."""

from typing import Any, ClassVar

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from bluezone.directory.kinds import WARDS
from bluezone.directory.models import AdminUnit
from bluezone.identity.edits import SharedForm
from bluezone.identity.typed_fields import PastedField, PlainLineField
from bluezone.portal import markup
from bluezone.portal.models import MOST_NOTE, NewsItem
from bluezone.rollout.drives.api import CONTACT_LENGTH, NOTE_LENGTH, PLACE_LENGTH


class NewsForm(SharedForm, forms.ModelForm):  # type: ignore[type-arg]
    """The four texts of a news item: English whole or not at all, links only to https."""

    class Meta:
        model = NewsItem
        fields: ClassVar = ["title_vi", "body_vi", "title_en", "body_en"]
        field_classes: ClassVar = {
            "title_vi": PlainLineField, "body_vi": PastedField, "title_en": PlainLineField, "body_en": PastedField,
        }  # fmt: skip
        widgets: ClassVar = {
            "body_vi": forms.Textarea(attrs={"rows": 10}),
            "body_en": forms.Textarea(attrs={"rows": 10}),
        }
        help_texts: ClassVar = {
            "body_vi": _(
                "An empty line starts a paragraph, “- ” a list item, “## ” a heading. **bold**, "
                "[words](https://address)."
            ),
            "body_en": _(
                "Leave the title and the text empty if there is none; English readers then get the Vietnamese."
            ),
        }

    def clean(self) -> dict[str, Any]:
        """Check the links, and that English has both title and text, or neither."""
        values: dict[str, Any] = super().clean() or {}
        for name in ("body_vi", "body_en"):
            if foreign := markup.foreign_links(values.get(name) or ""):
                self.add_error(name, _("This link is not allowed: %(link)s") % {"link": foreign[0][:80]})
        if bool(values.get("title_en")) != bool(values.get("body_en")) and not self.errors:
            missing = "body_en" if values.get("title_en") else "title_en"
            self.add_error(missing, _("Enter both the title and the text in English, or neither."))
        return values


class NoteForm(forms.Form):
    """What was corrected, or why an item is withdrawn, for readers."""

    note = forms.CharField(max_length=MOST_NOTE, label=_("What readers will see"), widget=forms.Textarea({"rows": 3}))


class HelpForm(forms.Form):
    """A request for help; the rules are those of `open_help_request`."""

    contact = forms.CharField(
        max_length=CONTACT_LENGTH,
        label=_("How can we reach you?"),
        help_text=_("A telephone number, or the name and address of someone who can be contacted."),
        widget=forms.TextInput({"autocomplete": "tel", "inputmode": "tel"}),
    )
    unit = forms.ChoiceField(required=False, label=_("Ward or commune"))
    place = forms.CharField(
        required=False, max_length=PLACE_LENGTH, label=_("Address"), help_text=_("Residential group, house, shop.")
    )
    note = forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        label=_("What do you need help with?"),
        widget=forms.Textarea({"rows": 4}),
        help_text=_("Please do not write about illness here. Call the number instead."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wards = AdminUnit.objects.valid_on(timezone.localdate()).filter(kind__in=WARDS)
        choices = [(unit.code, unit.name) for unit in wards.exclude(code=None).order_by("name")]
        self.fields["unit"].choices = [("", _("I do not know")), *choices]  # type: ignore[attr-defined]
