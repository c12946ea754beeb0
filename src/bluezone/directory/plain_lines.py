# SPDX-License-Identifier: Apache-2.0
"""One line of a name or an address as people type or paste it: composed, without signs that nobody sees."""

import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from bluezone.vietnamese.legacy_fonts import detect, to_unicode

# Control, direction-changing, private and broken characters: with them one name can look like another.
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


class PlainLineField(forms.CharField):
    """A line brought to NFC with single blanks; refused with a character that nobody sees.

    most_bytes: of UTF-8, where what is stored is limited so (the code of a venue).
    Text of an old font (TCVN3, VNI) is refused with its conversion, which the form then shows (see `converted`).
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
        if any(unicodedata.category(letter) in _UNSEEN for letter in text):
            raise forms.ValidationError(_("There are invisible characters in it. Type it anew."), code="unseen")
        if self.most_bytes is not None and len(text.encode()) > self.most_bytes:
            raise forms.ValidationError(_("This is too long for the code. Shorten it, for example by “P.”, “Q.”."))
        return super().clean(text)


def converted(form: forms.Form) -> None:
    """Put the proposed conversions of a form's refused fields into its data, for the reader to look at."""
    proposals = {
        name: error.params["text"]
        for name, errors in form.errors.as_data().items()
        for error in errors
        if error.code == "legacy" and error.params
    }
    if proposals:
        corrected: Any = form.data.copy()  # type: ignore[attr-defined]
        for name, text in proposals.items():
            corrected[form.add_prefix(name)] = text
        form.data = corrected
