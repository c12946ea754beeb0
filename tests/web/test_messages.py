# SPDX-License-Identifier: Apache-2.0
"""Every text of a page has its Vietnamese, and what is compiled is what is written."""

import importlib.util
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "src" / "bluezone" / "web" / "locale" / "vi" / "LC_MESSAGES"
MEND = "run tools/messages.sh, translate what it names in django.po, run it again"


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("extract_messages", REPOSITORY / "tools" / "extract_messages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def catalogue():
    with (FOLDER / "django.po").open("rb") as file:
        return read_po(file, locale="vi")


@pytest.mark.long
def test_the_catalogue_holds_the_texts_of_the_sources_and_no_others(tool, catalogue):
    written = {message.id for message in catalogue if message.id}
    used = {message.id for message in tool.extracted() if message.id}

    assert len(used) > 100, "the extraction finds texts"
    assert used - written == set(), MEND
    assert written - used == set(), MEND


@pytest.mark.long
def test_every_text_is_translated_and_none_is_a_guess(tool, catalogue):
    assert tool.missing(catalogue) == [], MEND
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []


def test_a_translation_has_the_placeholders_of_its_text(catalogue):
    wrong = []
    for message in catalogue:
        texts = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(re.findall(r"%\(\w+\)s|</?\w+>", texts[-1]))
        wrong += [text for text in strings if set(re.findall(r"%\(\w+\)s|</?\w+>", text)) != wanted]

    assert wrong == []


@pytest.mark.long
def test_the_compiled_catalogue_is_fresh(tool):
    po = (FOLDER / "django.po").read_bytes()

    assert (FOLDER / "django.mo").read_bytes() == tool.as_mo(po, "vi"), MEND
    assert tool.as_po(tool.updated("vi")) == po, MEND


def test_spelling_keeps_to_one_form(catalogue):
    """hóa, khỏe, hủy: the older forms with the tone on the last vowel are not used; "quý" has but one form."""
    text = " ".join(str(message.string) for message in catalogue)

    assert re.findall(r"\w*(?:oá|oà|oẻ|(?<![qQ])u[ỷý]|khoẻ|huỷ)\b", text) == []
