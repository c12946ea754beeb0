# SPDX-License-Identifier: Apache-2.0
"""How the machine pronounces a text: by its rules, and by the pronunciations that the city has set for its words."""

import datetime
import unicodedata

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.identity.models import User
from bluezone.rollout.bulletins.models import (
    MACHINE_LANGUAGES,
    Language,
    SpokenWord,
)
from bluezone.speech import spoken


def read_aloud_form(text: str, language: str) -> str:
    """How the machine reads a text now, by its rules and the city's words; "" if no machine speaks the language."""
    if language not in MACHINE_LANGUAGES:
        return ""
    if language != Language.VI:
        return text
    return spoken(text, city_words())


def city_words() -> dict[str, str]:
    """The pronunciation of the city's own words, by spelling."""
    return dict(SpokenWord.objects.values_list("written", "pronunciation"))


def lock_word(written: str) -> SpokenWord | None:
    """The city's word of this spelling, locked until the transaction ends; None if it is not stored.

    written: as it was typed.
    """
    if "\0" in written:
        # PostgreSQL refuses the character in a query.
        return None
    return SpokenWord.objects.select_for_update().filter(written=normalise_text(written)).first()


def set_word(
    written: str, pronunciation: str, user: User, now: datetime.datetime, existing: SpokenWord | None = None
) -> SpokenWord:
    """Set how the machine pronounces a word in texts written from now on; existing sounds stay as they are.

    existing: the stored word, None for a new one. Raises IntegrityError if another request has just stored it.
    """
    with transaction.atomic():
        word = existing or SpokenWord()
        word.written = normalise_text(written)
        word.pronunciation = spoken(normalise_text(pronunciation))
        word.set_by = user
        word.set_at = now
        word.save()
        hash_chain.record(user.username, "spoken_word_set", f"word {word.pk}", now=now)
    return word


def remove_word(word: SpokenWord, user: User, now: datetime.datetime) -> None:
    """Let the machine read a word by its own rules again."""
    with transaction.atomic():
        hash_chain.record(user.username, "spoken_word_removed", f"word {word.pk}", now=now)
        word.delete()


def normalise_text(text: str) -> str:
    """A text as it is stored: in NFC, without white space around it."""
    return unicodedata.normalize("NFC", text).strip()
