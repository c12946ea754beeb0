# SPDX-License-Identifier: Apache-2.0
"""How a text travels: the default alphabet of short messages, Vietnamese without diacritics, what a reader sees as one
character, and the segments a text takes and costs. Pure functions.
"""

import enum
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import without_unseen

ESCAPE = 0x1B
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}
_SEPTETS = {
    **{character: bytes([septet]) for septet, character in enumerate(_BASIC) if septet != ESCAPE},
    **{character: bytes([ESCAPE, septet]) for septet, character in _EXTENSION.items()},
}


class NotInAlphabet(Refused):
    """A character that the default alphabet does not have, or septets that are none of it."""

    code = "sms_not_in_alphabet"


def septets_of(character: str) -> int | None:
    """How many septets a character takes: 1, 2 (extension table), or None where the alphabet lacks it."""
    found = _SEPTETS.get(character)
    return len(found) if found else None


def encode_default_alphabet(text: str) -> bytes:
    """One octet a septet, unpacked, as SMPP carries data_coding 0. Raises NotInAlphabet."""
    try:
        return b"".join(_SEPTETS[character] for character in text)
    except KeyError:
        raise NotInAlphabet("the text has a character that the default alphabet lacks") from None


def decode_default_alphabet(septets: bytes) -> str:
    """The text of unpacked septets. Raises NotInAlphabet for an octet over 127 or an unknown or cut-off escape."""
    characters, escaped = [], False
    for septet in septets:
        if septet > 0x7F or (escaped and septet not in _EXTENSION):
            raise NotInAlphabet("the octets are no text in the default alphabet")
        if escaped:
            characters.append(_EXTENSION[septet])
            escaped = False
        elif septet == ESCAPE:
            escaped = True
        else:
            characters.append(_BASIC[septet])
    if escaped:
        raise NotInAlphabet("the octets end within an escape")
    return "".join(characters)


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


# Longer notices are not read; a loop that writes texts would be noticed here first.
MOST_SEGMENTS = 6


class TextEmpty(Refused):
    """There is no text to send."""

    code = "sms_text_empty"


class TextTooLong(Refused):
    """The text takes more segments than a message may have."""

    code = "sms_text_too_long"


class Encoding(enum.Enum):
    """How characters become octets. alone, joined: units that one segment holds, alone and as a part of several."""

    GSM_7 = ("gsm-7", 160, 153, 0)
    UCS_2 = ("ucs-2", 70, 67, 8)

    def __init__(self, label: str, alone: int, joined: int, data_coding: int) -> None:
        self.label = label
        self.alone = alone
        self.joined = joined
        self.data_coding = data_coding

    def octets(self, text: str) -> bytes:
        """The text as SMPP carries it, without header."""
        return encode_default_alphabet(text) if self is Encoding.GSM_7 else text.encode("utf-16-be")


@dataclass(frozen=True)
class Measured:
    """A text as it will travel.

    text: in NFC. units: septets or 16-bit units. parts: the text of each segment. room: units left in the last one.
    """

    text: str
    encoding: Encoding
    units: int
    parts: tuple[str, ...]
    room: int

    @property
    def segments(self) -> int:
        """How many messages the operator counts."""
        return len(self.parts)

    def cost(self, price: int) -> int:
        """What all segments cost, in the unit of the price of one."""
        return self.segments * price


def measure(text: str) -> Measured:
    """Bring a text to NFC, choose its encoding and cut it; any length, "" gives no part."""
    whole = unicodedata.normalize("NFC", text)
    size: Callable[[str], int]
    if all(septets_of(character) for character in whole):
        encoding, size = Encoding.GSM_7, _septets
    else:
        encoding, size = Encoding.UCS_2, _utf16_units
    units = size(whole)
    if units <= encoding.alone:
        return Measured(whole, encoding, units, (whole,) if whole else (), encoding.alone - units)
    parts = _cut(whole, size, encoding.joined)
    return Measured(whole, encoding, units, tuple(parts), encoding.joined - size(parts[-1]))


def checked(text: str, most: int = MOST_SEGMENTS) -> Measured:
    """What `measure` says of a text that may be sent. Raises TextEmpty, TextTooLong."""
    measured = measure(text)
    if not measured.text.strip():
        raise TextEmpty("the text is empty; nothing was queued")
    if measured.segments > most:
        raise TextTooLong(f"the text takes {measured.segments} segments, expected at most {most}; nothing was queued")
    return measured


def _cut(text: str, size: Callable[[str], int], most: int) -> list[str]:
    parts, part, used = [], "", 0
    for piece in _pieces(text, size, most):
        taken = size(piece)
        if used + taken > most:
            parts.append(part)
            part, used = "", 0
        part, used = part + piece, used + taken
    return [*parts, part]


def _pieces(text: str, size: Callable[[str], int], most: int) -> list[str]:
    """Characters as a reader sees them; one that alone is longer than a segment, by its code points."""
    return [
        smaller
        for grapheme in graphemes(text)
        for smaller in ([grapheme] if size(grapheme) <= most else list(grapheme))
    ]


def _septets(text: str) -> int:
    return sum(septets_of(character) or 0 for character in text)


def _utf16_units(text: str) -> int:
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


# Signs that word processors put in, and letters that no decomposition turns into others.
_INSTEAD = str.maketrans(
    {
        "đ": "d",
        "Đ": "D",
        "“": '"',
        "”": '"',
        "‘": "'",
        "’": "'",
        "–": "-",
        "—": "-",
        "…": "...",
        "·": ".",
        "\u00a0": " ",
    }
)


def without_diacritics(text: str) -> str:
    """Base letters only; what the default alphabet lacks even so becomes "?", so that the size is that of septets."""
    base = unicodedata.normalize("NFD", without_unseen(text).translate(_INSTEAD))
    plain = "".join(character for character in base if not unicodedata.combining(character))
    return "".join(character if septets_of(character) else "?" for character in plain)
