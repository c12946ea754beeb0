# SPDX-License-Identifier: Apache-2.0
"""The default alphabet of short messages: one septet a character, two for those of the extension table.

Source: 3GPP TS 23.038 (formerly GSM 03.38), sections 6.2.1 and 6.2.1.1.
"""

from bluezone.refusal import Refused

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


def encode(text: str) -> bytes:
    """One octet a septet, unpacked, as SMPP carries data_coding 0. Raises NotInAlphabet."""
    try:
        return b"".join(_SEPTETS[character] for character in text)
    except KeyError:
        raise NotInAlphabet("the text has a character that the default alphabet lacks") from None


def decode(septets: bytes) -> str:
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
