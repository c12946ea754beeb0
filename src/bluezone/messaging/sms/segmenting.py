# SPDX-License-Identifier: Apache-2.0
"""How a text travels: its encoding, its size, its segments and what they cost. Pure functions; the meter shows them.

A text that fits the default alphabet takes 160 septets in one segment or 153 in each of several; any other character
makes the whole text UCS-2, of 70 or 67 units of 16 bits. No segment ends within a character as a reader sees it.
Source: 3GPP TS 23.038; 3GPP TS 23.040 section 9.2.3.24.1 (concatenated messages, the header of six octets).
"""

import enum
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from bluezone.messaging.sms import alphabet
from bluezone.messaging.sms.graphemes import graphemes
from bluezone.refusal import Refused

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
        return alphabet.encode(text) if self is Encoding.GSM_7 else text.encode("utf-16-be")


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
    if all(alphabet.septets_of(character) for character in whole):
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
    return sum(alphabet.septets_of(character) or 0 for character in text)


def _utf16_units(text: str) -> int:
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)
