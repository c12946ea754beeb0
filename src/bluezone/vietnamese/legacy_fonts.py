# SPDX-License-Identifier: Apache-2.0
"""Text typed with TCVN3 (ABC) or VNI-Windows fonts: conversion to Unicode and back, and detection.

Such text is bytes that look right only in their own font; copied into a modern file it appears as Windows-1252
characters ("B¾c K¹n", "Baéc Kaïn"). All functions here take and return that Windows-1252 view as `str`.

Sources: TCVN 5712:1993, subset VN3 (67 small letters and 7 capitals at 0xA1..0xFE); VNI-Windows as published in the
"Bảng đối chiếu encoding các bộ chữ hiện hành với Unicode" (base letter and one mark, nine separate letters).

`detect` guesses whether a text is Unicode, TCVN3 or VNI, with a score, for a person to confirm. It scores an encoding
by the share of the words with accents that become Vietnamese syllables. This alone would take the French "laïc" for
VNI ("lạc"), so a legacy encoding also needs words that exist in none of the other languages.
"""

import dataclasses
import enum
import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence

from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import is_syllable


class TextEncoding(enum.StrEnum):
    """How the characters of a text are to be read."""

    ASCII = "ascii"  # no letter outside ASCII: nothing to convert
    UNICODE = "unicode"
    TCVN3 = "tcvn3"
    TCVN3_CAPITALS = "tcvn3-capitals"  # fonts named .Vn…H draw every small letter as a capital
    VNI = "vni"
    UNKNOWN = "unknown"


LEGACY_ENCODINGS = frozenset({TextEncoding.TCVN3, TextEncoding.TCVN3_CAPITALS, TextEncoding.VNI})


class NotInLegacyEncoding(Refused):
    """A letter is not in the encoding (TCVN3 has no toned capitals except in its capital fonts)."""

    code = "text_not_in_encoding"


# fmt: off
_TCVN3 = {
    "ă": 0xA8, "â": 0xA9, "ê": 0xAA, "ô": 0xAB, "ơ": 0xAC, "ư": 0xAD, "đ": 0xAE,
    "Ă": 0xA1, "Â": 0xA2, "Ê": 0xA3, "Ô": 0xA4, "Ơ": 0xA5, "Ư": 0xA6, "Đ": 0xA7,
    "à": 0xB5, "ả": 0xB6, "ã": 0xB7, "á": 0xB8, "ạ": 0xB9,
    "ằ": 0xBB, "ẳ": 0xBC, "ẵ": 0xBD, "ắ": 0xBE, "ặ": 0xC6,
    "ầ": 0xC7, "ẩ": 0xC8, "ẫ": 0xC9, "ấ": 0xCA, "ậ": 0xCB,
    "è": 0xCC, "ẻ": 0xCE, "ẽ": 0xCF, "é": 0xD0, "ẹ": 0xD1,
    "ề": 0xD2, "ể": 0xD3, "ễ": 0xD4, "ế": 0xD5, "ệ": 0xD6,
    "ì": 0xD7, "ỉ": 0xD8, "ĩ": 0xDC, "í": 0xDD, "ị": 0xDE,
    "ò": 0xDF, "ỏ": 0xE1, "õ": 0xE2, "ó": 0xE3, "ọ": 0xE4,
    "ồ": 0xE5, "ổ": 0xE6, "ỗ": 0xE7, "ố": 0xE8, "ộ": 0xE9,
    "ờ": 0xEA, "ở": 0xEB, "ỡ": 0xEC, "ớ": 0xED, "ợ": 0xEE,
    "ù": 0xEF, "ủ": 0xF1, "ũ": 0xF2, "ú": 0xF3, "ụ": 0xF4,
    "ừ": 0xF5, "ử": 0xF6, "ữ": 0xF7, "ứ": 0xF8, "ự": 0xF9,
    "ỳ": 0xFA, "ỷ": 0xFB, "ỹ": 0xFC, "ý": 0xFD, "ỵ": 0xFE,
}
# Unicode combining marks, of which one VNI mark means one or two, in the order in which NFC composes them.
_CIRCUMFLEX = "\u0302"
_BREVE = "\u0306"
_GRAVE = "\u0300"
_ACUTE = "\u0301"
_TILDE = "\u0303"
_HOOK = "\u0309"
_DOT = "\u0323"
_VNI_TONES = {"ù": _ACUTE, "ø": _GRAVE, "û": _HOOK, "õ": _TILDE, "ï": _DOT}
_VNI_CIRCUMFLEX = {"â": "", "á": _ACUTE, "à": _GRAVE, "å": _HOOK, "ã": _TILDE, "ä": _DOT}
_VNI_BREVE = {"ê": "", "é": _ACUTE, "è": _GRAVE, "ú": _HOOK, "ü": _TILDE, "ë": _DOT}
_VNI_LETTERS = {"ô": "ơ", "ö": "ư", "ñ": "đ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}
# fmt: on


def _vni_pairs() -> dict[str, str]:
    """Small letters: VNI base and mark (one or two characters) -> Unicode letter."""
    pairs = dict(_VNI_LETTERS)
    for base in ("a", "e", "o", "u", "y", "ô", "ö"):
        letter = _VNI_LETTERS.get(base, base)
        for mark, tone in _VNI_TONES.items():
            if base + mark != "yï":  # ỵ is a single character in VNI
                pairs[base + mark] = unicodedata.normalize("NFC", letter + tone)
    for base, marks, shape in (("aeo", _VNI_CIRCUMFLEX, _CIRCUMFLEX), ("a", _VNI_BREVE, _BREVE)):
        for letter in base:
            for mark, tone in marks.items():
                pairs[letter + mark] = unicodedata.normalize("NFC", letter + shape + tone)
    return pairs


def _both_cases(pairs: dict[str, str]) -> dict[str, str]:
    """Add the capitals. A capital base with a small mark also occurs, and means the capital."""
    both = dict(pairs)
    for legacy, letter in pairs.items():
        both[legacy.upper()] = letter.upper()
        if len(legacy) == 2:
            both.setdefault(legacy[0].upper() + legacy[1], letter.upper())
    return both


_FROM_TCVN3 = {chr(code): letter for letter, code in _TCVN3.items()}
_TO_TCVN3 = {letter: chr(code) for letter, code in _TCVN3.items()}
_FROM_VNI = _both_cases(_vni_pairs())
_TO_VNI = {letter: legacy for legacy, letter in reversed(_FROM_VNI.items()) if legacy.islower() or legacy.isupper()}

# The letters that Vietnamese adds to ASCII, in both cases: vowels with marks, and đ.
VIETNAMESE_LETTERS = frozenset(_TO_VNI)


# TCVN3 has no toned capitals, so "PHÒNG" is typed "PHßNG": a small letter among capitals is a capital too.
_CAPITAL = "A-ZĂÂÊÔƠƯĐ"
_WORD_IN_CAPITALS = re.compile(rf"(?<![^\W\d_])(?=(?:[^\W\d_]*[{_CAPITAL}]){{2}})(?:(?![a-z])[^\W\d_])+(?![^\W\d_])")
_LINE_IN_CAPITALS = re.compile(rf"\A(?=.*[{_CAPITAL}]{{2}})[^a-z]*\Z", re.DOTALL)


def _restore_capitals(text: str) -> str:
    """The text with small letters among capitals turned into capitals."""
    if _LINE_IN_CAPITALS.match(text):
        return text.upper()
    return _WORD_IN_CAPITALS.sub(lambda word: word.group().upper(), text)


@functools.cache
def _pattern(encoding: TextEncoding) -> re.Pattern[str]:
    table = _FROM_VNI if encoding is TextEncoding.VNI else _FROM_TCVN3
    longest_first = sorted(table, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)))


def to_unicode(text: str, encoding: TextEncoding) -> str:
    """Convert the Windows-1252 view of `text` to Unicode NFC; characters that are not of `encoding` do not change.

    ASCII, UNICODE and UNKNOWN only normalise. Call it only after a person has confirmed the `preview`: a wrong guess
    would damage correct names.
    """
    composed = unicodedata.normalize("NFC", text)
    if encoding not in LEGACY_ENCODINGS:
        return composed
    table = _FROM_VNI if encoding is TextEncoding.VNI else _FROM_TCVN3
    converted = _pattern(encoding).sub(lambda match: table[match.group()], composed)
    if encoding is TextEncoding.TCVN3_CAPITALS:
        converted = converted.upper()
    elif encoding is TextEncoding.TCVN3:
        converted = _restore_capitals(converted)
    return unicodedata.normalize("NFC", converted)


def is_written_in(text: str, encoding: TextEncoding) -> bool:
    """True if every character of `text` outside ASCII is part of a letter of `encoding`, one of LEGACY_ENCODINGS."""
    return _pattern(encoding).sub("", unicodedata.normalize("NFC", text)).isascii()


def from_unicode(text: str, encoding: TextEncoding) -> str:
    """Convert Unicode text to the Windows-1252 view of a legacy encoding.

    Raises NotInLegacyEncoding for a letter that is not in `encoding`.
    """
    composed = unicodedata.normalize("NFC", text)
    if encoding not in LEGACY_ENCODINGS:
        return composed
    if encoding is TextEncoding.TCVN3_CAPITALS:
        if composed != composed.upper():
            raise NotInLegacyEncoding("a capital font has no small letters; got some")
        composed = composed.lower()
    table = _TO_VNI if encoding is TextEncoding.VNI else _TO_TCVN3
    characters = []
    for letter in composed:
        if letter.isascii():
            characters.append(letter)
        elif letter in table:
            characters.append(table[letter])
        else:
            raise NotInLegacyEncoding(f"U+{ord(letter):04X} has no place in {encoding.value}")
    return "".join(characters)


def encoding_of_font(name: str) -> TextEncoding:
    """The encoding that a font's name suggests: .VnTime -> TCVN3, .VnTimeH -> TCVN3_CAPITALS, VNI-Times -> VNI."""
    folded = name.strip().lower()
    if folded.startswith(".vn"):
        return TextEncoding.TCVN3_CAPITALS if folded.endswith("h") else TextEncoding.TCVN3
    if folded.startswith(("vni-", "vni ")):
        return TextEncoding.VNI
    return TextEncoding.UNKNOWN


# Below this share of readable words a legacy encoding is not proposed.
LEAST_SCORE = 0.7
# Words that could also be French, Spanish or a footnote mark count only if there are at least this many.
WEAK_WORDS_NEEDED = 5

_LATIN1_WORD = re.compile(r"[A-Za-z\u00a1-\u00ff]+(?:\u00ad[A-Za-z\u00a1-\u00ff]+)*")
_ANY_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f])*")
# Signs that are letters only in TCVN3, right after another letter: "B¾c", "T­". ² ³ ° are not TCVN3 letters.
_TCVN3_SIGN = re.compile(r"[A-Za-z\u00c0-\u00ff®§][¡-¦¨-¬\xad®µ-¹»-¾×÷]")
# A vowel and a mark that do not occur in French, German, Spanish or Portuguese, or not before a final consonant.
_VNI_PAIR = re.compile(
    r"[aA][áàåãäâøõÁÀÅÃÄÂØÕ]|[aA][éèÉÈ](?:ng|NG|[cmnptCMNPT])\Z|[eE][áàåãäâøõùÁÀÅÃÄÂØÕÙ]|[oO][áàåãäâøÁÀÅÃÄÂØ]"
    r"|[uUyY][øõØÕ]|[ôöÔÖ][ùøûõïÙØÛÕÏ]"
)


@dataclasses.dataclass(frozen=True)
class Detection:
    """The most likely encoding of a text.

    encoding: the best guess; ASCII if there is nothing to decide, UNKNOWN if the text is Vietnamese in no encoding.
    score:    0..1, share of the distinct words with accents that are Vietnamese syllables in that encoding.
    mixed:    whether some words can only be Unicode and others only legacy text.
    """

    encoding: TextEncoding
    score: float
    mixed: bool = False

    @property
    def is_legacy(self) -> bool:
        """True if a page should propose to a person to convert the text."""
        return self.encoding in LEGACY_ENCODINGS


@dataclasses.dataclass(frozen=True)
class Change:
    """A text before and after the proposed conversion."""

    before: str
    after: str


def detect(text: str) -> Detection:
    """Guess the encoding of `text`, which may be one cell or a whole file.

    Unicode wins every tie: converting correct text does damage, leaving wrong text does not.
    """
    if text.isascii():
        return Detection(TextEncoding.ASCII, 1.0)
    unicode_words = {word for word in _ANY_WORD.findall(text) if not word.isascii()}
    certain = {word for word in unicode_words if _only_unicode(word)}
    if certain:
        others = " ".join(unicode_words - certain)
        mixed = any(_evidence(others, encoding)[1] >= 2 for encoding in (TextEncoding.TCVN3, TextEncoding.VNI))
        return Detection(TextEncoding.UNICODE, _share(unicode_words), mixed)

    readings = [(_evidence(text, encoding), encoding) for encoding in (TextEncoding.TCVN3, TextEncoding.VNI)]
    (score, strong, words), encoding = max(readings, key=lambda reading: reading[0][:2])
    # "S«ng" is not a word in a Unicode text, but the letters around its sign may be one by chance.
    with_sign = {word for word in _LATIN1_WORD.findall(text) if _TCVN3_SIGN.search(word)}
    as_unicode = _share(unicode_words | with_sign)
    convincing = strong > 0 or words >= WEAK_WORDS_NEEDED
    if convincing and score >= LEAST_SCORE and score > as_unicode:
        return Detection(encoding, score)
    return Detection(TextEncoding.UNICODE if as_unicode >= LEAST_SCORE else TextEncoding.UNKNOWN, as_unicode)


def preview(texts: Iterable[str], encoding: TextEncoding, limit: int = 8) -> tuple[Change, ...]:
    """The first `limit` different texts that a conversion from `encoding` would change, before and after."""
    changes: dict[str, Change] = {}
    for text in texts:
        if len(changes) >= limit:
            break
        after = to_unicode(text, encoding)
        if after != text and text not in changes:
            changes[text] = Change(text, after)
    return tuple(changes.values())


def first_contradiction(texts: Sequence[str], encoding: TextEncoding) -> int | None:
    """Index of the first text that can only be Unicode although the others are in `encoding`; None if there is none."""
    if encoding not in LEGACY_ENCODINGS:
        return None
    for index, text in enumerate(texts):
        if any(map(_only_unicode, _ANY_WORD.findall(text))):
            return index
    return None


def _only_unicode(word: str) -> bool:
    """True for a word with a letter that cannot be in the Windows-1252 view of a legacy text."""
    return any(ord(letter) > 0xFF and letter in VIETNAMESE_LETTERS for letter in to_unicode(word, TextEncoding.UNICODE))


def _share(words: set[str]) -> float:
    return sum(map(is_syllable, words)) / len(words) if words else 0.0


def _evidence(text: str, encoding: TextEncoding) -> tuple[float, int, int]:
    """Evidence for an encoding: share of readable words, number of words certain to be in it, number of possible ones.

    Readable: a syllable after conversion. Possible: also no syllable before it. Certain: also with a sign or pair that
    occurs in none of the other languages.
    """
    words = {word for word in _LATIN1_WORD.findall(text) if not word.isascii() and len(word) > 1}
    if not words:
        return 0.0, 0, 0
    certain = _VNI_PAIR if encoding is TextEncoding.VNI else _TCVN3_SIGN
    readable = [
        word for word in words if is_written_in(word, encoding) and is_syllable(to_unicode(word, encoding).lower())
    ]
    only_legacy = [word for word in readable if not is_syllable(word)]
    return len(readable) / len(words), sum(bool(certain.search(word)) for word in only_legacy), len(only_legacy)
