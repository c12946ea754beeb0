# SPDX-License-Identifier: Apache-2.0
"""Encode and cut the text of a short message: default alphabet, graphemes, segments and cost. Pure functions."""

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

_JOINER = "\u200d"
_HANGUL_LEADING = range(0x1100, 0x1160)
_HANGUL_VOWEL = range(0x1160, 0x11A8)
_HANGUL_TRAILING = range(0x11A8, 0x1200)
_HANGUL_SYLLABLES = range(0xAC00, 0xD7A4)
_REGIONAL = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)

# Longer notices are not read; the limit also stops a program that writes endless texts.
MOST_SEGMENTS = 6

# Signs of word processors, and letters without a decomposition.
_REPLACEMENTS = str.maketrans(
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


class NotInAlphabet(Refused):
    """A character that is not in the default alphabet, or septets that are none of its characters."""

    code = "sms_not_in_alphabet"


def septets_of(character: str) -> int | None:
    """The number of septets of a character: 1, 2 (extension table), or None if the alphabet lacks it."""
    septets = _SEPTETS.get(character)
    return len(septets) if septets else None


def encode_default_alphabet(text: str) -> bytes:
    """One octet for each septet, unpacked, as SMPP sends data_coding 0. Raises NotInAlphabet."""
    try:
        return b"".join(_SEPTETS[character] for character in text)
    except KeyError:
        raise NotInAlphabet("the text has a character that the default alphabet lacks") from None


def decode_default_alphabet(septets: bytes) -> str:
    """The text of unpacked septets. Raises NotInAlphabet for an octet over 127 or an unknown or cut-off escape."""
    characters = []
    escaped = False
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


def graphemes(text: str) -> Iterator[str]:
    """Cut the text into clusters that each look like one character; joined again they are the text."""
    cluster = ""
    flags = 0
    for character in text:
        if cluster and not _joins(cluster, character, flags):
            yield cluster
            cluster = ""
            flags = 0
        cluster += character
        flags += ord(character) in _REGIONAL
    if cluster:
        yield cluster


def _joins(cluster: str, character: str, flags: int) -> bool:
    """Whether `character` belongs to `cluster`, which has `flags` regional indicators."""
    last = cluster[-1]
    point = ord(character)
    if last == "\r":
        return character == "\n"
    if unicodedata.category(last) == "Cc" or unicodedata.category(character) == "Cc":
        return False
    if _extends(character) or last == _JOINER:
        return True
    # Two regional indicators make one flag.
    return (point in _REGIONAL and ord(last) in _REGIONAL and flags % 2 == 1) or _one_syllable(ord(last), point)


def _extends(character: str) -> bool:
    point = ord(character)
    marks = unicodedata.category(character) in ("Mn", "Me", "Mc")
    return marks or character in ("\u200c", _JOINER) or point in _SKIN_TONES or point in _TAGS


def _one_syllable(last: int, point: int) -> bool:
    """Whether two code points of Hangul are in one syllable of leading consonants, vowel and trailing consonants."""
    open_syllable = last in _HANGUL_SYLLABLES and (last - _HANGUL_SYLLABLES.start) % 28 == 0
    if last in _HANGUL_LEADING:
        return point in _HANGUL_LEADING or point in _HANGUL_VOWEL or point in _HANGUL_SYLLABLES
    if last in _HANGUL_VOWEL or open_syllable:
        return point in _HANGUL_VOWEL or point in _HANGUL_TRAILING
    return (last in _HANGUL_TRAILING or last in _HANGUL_SYLLABLES) and point in _HANGUL_TRAILING


class TextEmpty(Refused):
    """There is no text to send."""

    code = "sms_text_empty"


class TextTooLong(Refused):
    """The text takes more segments than a message may have."""

    code = "sms_text_too_long"


class Encoding(enum.Enum):
    """How characters become octets. alone, joined: units in a single segment, and in one of several."""

    GSM_7 = ("gsm-7", 160, 153, 0)
    UCS_2 = ("ucs-2", 70, 67, 8)

    def __init__(self, label: str, alone: int, joined: int, data_coding: int) -> None:
        self.label = label
        self.alone = alone
        self.joined = joined
        self.data_coding = data_coding

    def octets(self, text: str) -> bytes:
        """The text as SMPP sends it, without header."""
        if self is Encoding.GSM_7:
            return encode_default_alphabet(text)
        return text.encode("utf-16-be")


@dataclass(frozen=True)
class SegmentedText:
    """A text as it will be sent.

    text: in NFC. units: septets or 16-bit units. parts: the text of each segment. room: units free in the last one.
    """

    text: str
    encoding: Encoding
    units: int
    parts: tuple[str, ...]
    room: int

    @property
    def segments(self) -> int:
        """The number of messages that the operator counts."""
        return len(self.parts)

    def cost(self, price: int) -> int:
        """The cost of all segments, in the unit of `price`, which is for one."""
        return self.segments * price


def segment_text(text: str) -> SegmentedText:
    """Bring a text of any length to NFC, choose its encoding and cut it into parts; "" has none."""
    normalized = unicodedata.normalize("NFC", text)
    size: Callable[[str], int]
    if all(septets_of(character) for character in normalized):
        encoding = Encoding.GSM_7
        size = _septets
    else:
        encoding = Encoding.UCS_2
        size = _utf16_units
    units = size(normalized)
    if units <= encoding.alone:
        return SegmentedText(normalized, encoding, units, (normalized,) if normalized else (), encoding.alone - units)
    parts = _cut(normalized, size, encoding.joined)
    return SegmentedText(normalized, encoding, units, tuple(parts), encoding.joined - size(parts[-1]))


def segment_within_limit(text: str, most: int = MOST_SEGMENTS) -> SegmentedText:
    """The same as `segment_text`, for a text that may be sent. Raises TextEmpty, TextTooLong."""
    measured = segment_text(text)
    if not measured.text.strip():
        raise TextEmpty("the text is empty; nothing was queued")
    if measured.segments > most:
        raise TextTooLong(f"the text takes {measured.segments} segments, expected at most {most}; nothing was queued")
    return measured


def _cut(text: str, size: Callable[[str], int], most: int) -> list[str]:
    parts = []
    part = ""
    used = 0
    for piece in _pieces(text, size, most):
        length = size(piece)
        if used + length > most:
            parts.append(part)
            part = ""
            used = 0
        part += piece
        used += length
    return [*parts, part]


def _pieces(text: str, size: Callable[[str], int], most: int) -> Iterator[str]:
    """The graphemes of a text; one that is longer than a segment is cut into code points."""
    for grapheme in graphemes(text):
        if size(grapheme) <= most:
            yield grapheme
        else:
            yield from grapheme


def _septets(text: str) -> int:
    return sum(septets_of(character) or 0 for character in text)


def _utf16_units(text: str) -> int:
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def without_diacritics(text: str) -> str:
    """The base letters of a text; what the default alphabet still lacks becomes "?", so that it fits in septets."""
    base = unicodedata.normalize("NFD", without_unseen(text).translate(_REPLACEMENTS))
    plain = "".join(character for character in base if not unicodedata.combining(character))
    return "".join(character if septets_of(character) else "?" for character in plain)
