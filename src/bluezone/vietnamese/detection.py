# SPDX-License-Identifier: Apache-2.0
"""Is this text Unicode, TCVN3 or VNI? A guess with a score, for a person to confirm; nothing is converted here.

A reading of the text is as good as the share of its words with accents that come out as Vietnamese syllables. That
alone would call the French "laïc" VNI ("lạc"), so a legacy reading also needs words that no other language writes.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence

from bluezone.vietnamese.legacy_fonts import (
    LEGACY_ENCODINGS,
    VIETNAMESE_LETTERS,
    TextEncoding,
    is_written_in,
    to_unicode,
)
from bluezone.vietnamese.spelling import is_syllable

# Below this share of readable words a legacy reading is not proposed.
LEAST_SCORE = 0.7
# Words that could also be French, Spanish or a footnote mark only count together, and only from this number on.
WEAK_WORDS_NEEDED = 5

_LATIN1_WORD = re.compile(r"[A-Za-z\u00a1-\u00ff]+(?:\u00ad[A-Za-z\u00a1-\u00ff]+)*")
_ANY_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*")
# Signs that are letters only in TCVN3, right after another letter: "B¾c", "T­". ² ³ ° are no TCVN3 letters.
_TCVN3_SIGN = re.compile(r"[A-Za-z\u00c0-\u00ff®§][¡-¦¨-¬\xad®µ-¹»-¾×÷]")
# A vowel with a mark that French, German, Spanish or Portuguese does not put there, or not before a last consonant.
_VNI_PAIR = re.compile(
    r"[aA][áàåãäâøõÁÀÅÃÄÂØÕ]|[aA][éèÉÈ](?:ng|NG|[cmnptCMNPT])\Z|[eE][áàåãäâøõùÁÀÅÃÄÂØÕÙ]|[oO][áàåãäâøÁÀÅÃÄÂØ]"
    r"|[uUyY][øõØÕ]|[ôöÔÖ][ùøûõïÙØÛÕÏ]"
)


@dataclasses.dataclass(frozen=True)
class Detection:
    """What a text most likely is.

    encoding: the best reading; ASCII when there is nothing to decide, UNKNOWN when no reading is Vietnamese.
    score:    0..1, share of the distinct words with accents that are Vietnamese syllables in that reading.
    mixed:    True when some words can only be Unicode and others only legacy text.
    """

    encoding: TextEncoding
    score: float
    mixed: bool = False

    @property
    def is_legacy(self) -> bool:
        """True when the text should be shown to a person with a proposal to convert it."""
        return self.encoding in LEGACY_ENCODINGS


@dataclasses.dataclass(frozen=True)
class Change:
    """One text before and after the proposed conversion."""

    before: str
    after: str


def detect(text: str) -> Detection:
    """Guess the encoding of `text`, which may be one cell or a whole file.

    Unicode wins every tie, because converting what is right does damage and leaving what is wrong does not.
    """
    if text.isascii():
        return Detection(TextEncoding.ASCII, 1.0)
    unicode_words = {word for word in _ANY_WORD.findall(text) if not word.isascii()}
    certain = {word for word in unicode_words if _only_unicode(word)}
    if certain:
        rest = " ".join(unicode_words - certain)
        mixed = any(_evidence(rest, encoding)[1] >= 2 for encoding in (TextEncoding.TCVN3, TextEncoding.VNI))
        return Detection(TextEncoding.UNICODE, _share(unicode_words), mixed)

    readings = [(_evidence(text, encoding), encoding) for encoding in (TextEncoding.TCVN3, TextEncoding.VNI)]
    (score, strong, words), encoding = max(readings, key=lambda reading: reading[0][:2])
    # "S«ng" is no word of a Unicode text, and what lies around its sign may by chance be one.
    signed = {word for word in _LATIN1_WORD.findall(text) if _TCVN3_SIGN.search(word)}
    as_unicode = _share(unicode_words | signed)
    convincing = strong > 0 or words >= WEAK_WORDS_NEEDED
    if convincing and score >= LEAST_SCORE and score > as_unicode:
        return Detection(encoding, score)
    return Detection(TextEncoding.UNICODE if as_unicode >= LEAST_SCORE else TextEncoding.UNKNOWN, as_unicode)


def preview(texts: Iterable[str], encoding: TextEncoding, limit: int = 8) -> tuple[Change, ...]:
    """The first `limit` different texts that converting from `encoding` would change, before and after."""
    changes: dict[str, Change] = {}
    for text in texts:
        if len(changes) >= limit:
            break
        after = to_unicode(text, encoding)
        if after != text and text not in changes:
            changes[text] = Change(text, after)
    return tuple(changes.values())


def first_contradiction(texts: Sequence[str], encoding: TextEncoding) -> int | None:
    """Index of the first text that can only be Unicode although the others are `encoding`; None when they agree."""
    if encoding not in LEGACY_ENCODINGS:
        return None
    return next((index for index, text in enumerate(texts) if any(map(_only_unicode, _ANY_WORD.findall(text)))), None)


def _only_unicode(word: str) -> bool:
    """True for a syllable with a letter that the Windows-1252 view of a legacy text cannot show."""
    return any(ord(letter) > 0xFF and letter in VIETNAMESE_LETTERS for letter in to_unicode(word, TextEncoding.UNICODE))


def _share(words: set[str]) -> float:
    return sum(map(is_syllable, words)) / len(words) if words else 0.0


def _evidence(text: str, encoding: TextEncoding) -> tuple[float, int, int]:
    """Share of readable words, how many of them no other language writes, how many are not syllables as they stand."""
    words = {word for word in _LATIN1_WORD.findall(text) if not word.isascii() and len(word) > 1}
    if not words:
        return 0.0, 0, 0
    telling = _VNI_PAIR if encoding is TextEncoding.VNI else _TCVN3_SIGN
    readable = [
        word for word in words if is_written_in(word, encoding) and is_syllable(to_unicode(word, encoding).lower())
    ]
    only_legacy = [word for word in readable if not is_syllable(word)]
    return len(readable) / len(words), sum(bool(telling.search(word)) for word in only_legacy), len(only_legacy)
