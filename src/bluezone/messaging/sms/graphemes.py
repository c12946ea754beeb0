# SPDX-License-Identifier: Apache-2.0
"""What a reader sees as one character, so that no message is cut within one.

Source: Unicode Standard Annex 29, rules GB3 to GB13, in a form that joins rather too much than too little: whatever
follows a zero-width joiner belongs to what is before it.
"""

import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"
_HANGUL_LEADING, _HANGUL_VOWEL, _HANGUL_TRAILING = range(0x1100, 0x1160), range(0x1160, 0x11A8), range(0x11A8, 0x1200)
_HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)
_REGIONAL = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)


def graphemes(text: str) -> Iterator[str]:
    """The text in pieces that each look like one character; joined again they are the text."""
    cluster, flags = "", 0
    for character in text:
        if cluster and not _joins(cluster, character, flags):
            yield cluster
            cluster, flags = "", 0
        cluster += character
        flags += ord(character) in _REGIONAL
    if cluster:
        yield cluster


def _joins(cluster: str, character: str, flags: int) -> bool:
    last, point = cluster[-1], ord(character)
    if last == "\r":
        return character == "\n"
    if unicodedata.category(last) == "Cc" or unicodedata.category(character) == "Cc":
        return False
    if _extends(character) or last == _JOINER:
        return True
    # Two letters that together are one flag.
    return (point in _REGIONAL and ord(last) in _REGIONAL and flags % 2 == 1) or _one_syllable(ord(last), point)


def _extends(character: str) -> bool:
    point = ord(character)
    marks = unicodedata.category(character) in ("Mn", "Me", "Mc")
    return marks or character in ("\u200c", _JOINER) or point in _SKIN_TONES or point in _TAGS


def _one_syllable(last: int, point: int) -> bool:
    """Hangul: leading consonants, vowel and trailing consonants that make one syllable."""
    open_syllable = last in _HANGUL_SYLLABLES and (last - _HANGUL_SYLLABLES.start) % 28 == 0
    if last in _HANGUL_LEADING:
        return point in _HANGUL_LEADING or point in _HANGUL_VOWEL or point in _HANGUL_SYLLABLES
    if last in _HANGUL_VOWEL or open_syllable:
        return point in _HANGUL_VOWEL or point in _HANGUL_TRAILING
    return (last in _HANGUL_TRAILING or last in _HANGUL_SYLLABLES) and point in _HANGUL_TRAILING
