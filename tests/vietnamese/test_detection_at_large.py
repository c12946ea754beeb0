# SPDX-License-Identifier: Apache-2.0
"""bluezone.vietnamese.legacy_fonts on the texts of Django's translations: ninety languages nobody chose for this."""

import collections
import gettext
import re
from pathlib import Path

import django
import pytest

from bluezone.vietnamese.legacy_fonts import NotInLegacyEncoding, TextEncoding, detect, from_unicode


@pytest.fixture(scope="module")
def messages():
    """Language -> its translated messages, without placeholders."""
    found = collections.defaultdict(set)
    for path in Path(django.__file__).parent.rglob("locale/*/LC_MESSAGES/*.mo"):
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog
        texts = (text for text in catalogue.values() if isinstance(text, str))
        found[path.parts[-3]] |= {re.sub(r"%\(\w+\)[sd]|%[sd]", "", text) for text in texts}
    return found


@pytest.mark.long
def test_no_message_of_any_language_is_taken_for_legacy_text(messages):
    assert len(messages) > 50
    wrong = [(language, text) for language, texts in messages.items() for text in texts if detect(text).is_legacy]

    assert wrong == []


@pytest.mark.long
@pytest.mark.parametrize("language", ["fr", "en_GB", "de", "es", "pt", "it", "vi"])
def test_no_single_word_of_a_language_met_in_vietnam_is_taken_for_legacy_text(messages, language):
    words = {word for text in messages[language] for word in text.split()}

    assert len(words) > 200
    assert [word for word in words if detect(word).is_legacy] == []


@pytest.mark.long
@pytest.mark.parametrize("encoding", [TextEncoding.TCVN3, TextEncoding.VNI])
def test_a_vietnamese_sentence_in_a_legacy_font_is_told(messages, encoding):
    told = collections.Counter()
    for text in messages["vi"]:
        try:
            legacy = from_unicode(text, encoding)
        except NotInLegacyEncoding:
            continue
        if len(text.split()) >= 8 and not legacy.isascii():
            told[detect(legacy).encoding] += 1

    assert told.total() > 80
    assert set(told) == {encoding}
