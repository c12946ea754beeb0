# SPDX-License-Identifier: Apache-2.0
"""Base45, an alphabet that QR codes store with 5.5 bits a character (RFC 9285)."""

from bluezone.refusal import Refused

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}


class InvalidBase45(Refused):
    """Text that is not Base45, or that no encoder writes."""

    code = "base45_invalid"


def encode(data: bytes) -> str:
    """Write bytes as Base45: three letters for two bytes, two for a last single byte.

    Source: RFC 9285 section 4.
    """
    letters: list[str] = []
    for start in range(0, len(data), 2):
        pair = data[start : start + 2]
        number = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            number, value = divmod(number, 45)
            letters.append(ALPHABET[value])
    return "".join(letters)


def decode(text: str) -> bytes:
    """Read Base45 text exactly as `encode` writes it.

    Raises InvalidBase45 for a letter outside the alphabet, a single last letter, or a group with too large a value.

    Source: RFC 9285 sections 4 and 6.
    """
    if len(text) % 3 == 1:
        raise InvalidBase45(f"got {len(text)} letters, which is not a whole number of groups")
    data = bytearray()
    for start in range(0, len(text), 3):
        group = text[start : start + 3]
        try:
            number = sum(_VALUES[letter] * 45**place for place, letter in enumerate(group))
        except KeyError:
            raise InvalidBase45("a letter is not in the Base45 alphabet") from None
        if number >> (8 * (len(group) - 1)):
            raise InvalidBase45(f"the value of group {start // 3} does not fit its bytes")
        data += number.to_bytes(len(group) - 1, "big")
    return bytes(data)
