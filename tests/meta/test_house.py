# SPDX-License-Identifier: Apache-2.0
"""The house rules that a machine can check."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest
from django import forms

REPOSITORY = Path(__file__).parents[2]
SOURCES = sorted(path for path in (REPOSITORY / "src").rglob("*.py") if "migrations" not in path.parts)


LICENCE = "# SPDX-License-Identifier: Apache-2.0"


def test_every_module_says_what_it_is():
    guilty = []
    for path in SOURCES:
        text = path.read_text()
        broken = {
            "does not begin with its licence": not text.startswith(LICENCE),
            "does not open with a sentence on its duty": not re.match(r'# SPDX.*\n(#[^\n]*\n)*(r?"""|\Z)', text),
        }
        guilty += [f"{path.relative_to(REPOSITORY)} {what}" for what, is_so in broken.items() if is_so]

    assert guilty == []
    assert len(SOURCES) > 100, "looked in the wrong folder"


def test_what_people_type_is_read_by_the_same_fields_in_every_form():
    """Django's own take 1/9/2020 for the ninth of January in an English page, and 1.000 for 1."""
    own = re.compile(r"forms\.(DateField|TimeField|DateTimeField|IntegerField|DateInput|TimeInput|NumberInput)\b")
    guilty = [f"{path.name}: {found[0]}" for path in SOURCES for found in own.finditer(path.read_text())]
    for module in ("bluezone.web.urls_office", "bluezone.web.urls_public"):
        importlib.import_module(module)
    of_models = [form for form in every_form(forms.ModelForm) if form.__module__.startswith("bluezone.")]
    made = forms.DateField, forms.TimeField, forms.DateTimeField, forms.IntegerField
    guilty += [
        f"{form.__name__}.{name}"
        for form in of_models
        for name, field in form.base_fields.items()
        if isinstance(field, made) and type(field).__module__ != "bluezone.identity.typed_fields"
    ]

    assert [one for one in guilty if not one.startswith("typed_fields.py")] == []
    assert guilty != [], "looked in the wrong folder"
    assert len(of_models) > 10


def every_form(base):
    """The classes below one, at any depth."""
    return [found for one in base.__subclasses__() for found in (one, *every_form(one))]


@pytest.mark.long
def test_no_tracked_file_carries_an_address_of_a_package_index():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    address = re.compile(r"(index-url|registry|resolved)[\"= :]+https?://", re.IGNORECASE)
    guilty = []
    for name in filter(None, listing.stdout.split("\0")):
        path = REPOSITORY / name
        if path.suffix in {".png", ".woff2", ".mo", ".zip"} or not path.is_file():
            continue
        if address.search(path.read_text(errors="replace")):
            guilty.append(name)

    assert guilty == []
