# SPDX-License-Identifier: Apache-2.0
"""A declaration: what a warned person chooses to tell the health authority, sealed so that no one else can read it.

It is sealed with HPKE (hpke.py).
"""

import re
import struct
import unicodedata
from dataclasses import dataclass, field
from typing import Literal

from bluezone.protocol import hpke, primitives
from bluezone.refusal import Refused

DeclaredLevel = Literal["low", "high", "unclear"]

DECLARATION_SIZE = 1024
MAX_TEXT_CHARACTERS = 500

INFO = b"BZ-DECLARATION-v1"
_ENC_LENGTH = 65
_TAG_LENGTH = 16
_PLAIN_SIZE = DECLARATION_SIZE - _ENC_LENGTH - _TAG_LENGTH

_VERSION = 1
_HEAD = struct.Struct(">BIBB")
_TEXT_LENGTH = struct.Struct(">H")
_LEVELS: "tuple[DeclaredLevel, ...]" = ("low", "high", "unclear")

# E.164 allows 15 digits; numbers shorter than 8 are services, not people.
_PHONE = re.compile(r"\+?[0-9]{8,15}")
_LONGEST_PHONE = 16

# 500 characters of Vietnamese prose take about 680 bytes. Only emoji, or a script with three bytes a character, can
# exceed this limit.
MAX_TEXT_BYTES = _PLAIN_SIZE - _HEAD.size - _LONGEST_PHONE - _TEXT_LENGTH.size


class InvalidDeclaration(Refused):
    """A value of a declaration is out of range; the refusal repeats none of the person's text or number."""

    code = "declaration_invalid"


class InvalidDeclarationKey(Refused):
    """The public key for declarations is not a P-256 key in PEM."""

    code = "declaration_key_invalid"


class DeclarationUnreadable(Refused):
    """The message was sealed for another key, or was altered or truncated on the way."""

    code = "declaration_unreadable"


@dataclass(frozen=True)
class Declaration:
    """What a warned person declares.

    day:   local date of the exposure, in days since 1970-01-01, 0 <= day < 2**32.
    level: the level of the warning; "unclear" if it is low and the phone could not estimate the distance.
    phone: number to call back, 8 to 15 digits, with or without a "+" before them.
    text:  the person's own words, may be empty; at most 500 characters and 918 bytes as UTF-8; no control characters
           except line feeds; normalised to NFC.
    Phone and text are left out of `repr`. Raises InvalidDeclaration.
    """

    day: int
    level: DeclaredLevel
    phone: str = field(repr=False)
    text: str = field(repr=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", unicodedata.normalize("NFC", self.text))
        if not 0 <= self.day < 2**32:
            raise InvalidDeclaration(f"day is {self.day}, expected 0..4294967295")
        if self.level not in _LEVELS:
            raise InvalidDeclaration("level is neither low nor high nor unclear")
        if not _PHONE.fullmatch(self.phone):
            raise InvalidDeclaration("the telephone number is not 8 to 15 digits, with or without + before them")
        if len(self.text) > MAX_TEXT_CHARACTERS:
            raise InvalidDeclaration(f"text has {len(self.text)} characters, expected at most {MAX_TEXT_CHARACTERS}")
        if any(unicodedata.category(character) in {"Cc", "Cs"} and character != "\n" for character in self.text):
            raise InvalidDeclaration("text contains a control character other than a line feed")
        if len(self.text.encode()) > MAX_TEXT_BYTES:
            raise InvalidDeclaration(
                f"text takes {len(self.text.encode())} bytes as UTF-8, expected at most {MAX_TEXT_BYTES}: shorten it"
            )


def read_public_key(pem: str) -> bytes:
    """Return the point on P-256, 65 bytes, of a config's `declaration_key`. Raises InvalidDeclarationKey."""
    try:
        return primitives.read_p256_pem(pem)
    except primitives.InvalidPublicKey as refused:
        raise InvalidDeclarationKey(f"the declaration key: {refused}") from None


def seal_declaration(declaration: Declaration, public_key: bytes) -> bytes:
    """Return the 1,024 bytes to send. They differ in every call, even for the same declaration.

    public_key: as `read_public_key` returns it.
    """
    return hpke.seal(_encode(declaration), public_key, INFO)


def _encode(declaration: Declaration) -> bytes:
    phone = declaration.phone.encode()
    text = declaration.text.encode()
    level = _LEVELS.index(declaration.level) + 1
    content = _HEAD.pack(_VERSION, declaration.day, level, len(phone)) + phone + _TEXT_LENGTH.pack(len(text)) + text
    return content.ljust(_PLAIN_SIZE, b"\0")


def decode_declaration(plain: bytes) -> Declaration:
    """Read the decrypted content of a message, as long as `seal_declaration` encrypts it. Raises InvalidDeclaration."""
    version, day, level, phone_length = _HEAD.unpack_from(plain)
    if version != _VERSION:
        raise InvalidDeclaration(f"declaration version is {version}, expected {_VERSION}")
    if not 1 <= level <= len(_LEVELS):
        raise InvalidDeclaration(f"level is {level}, expected 1 to {len(_LEVELS)}")
    if phone_length > _LONGEST_PHONE:
        raise InvalidDeclaration(f"the telephone number is {phone_length} bytes, expected at most {_LONGEST_PHONE}")
    start = _HEAD.size + phone_length
    (text_length,) = _TEXT_LENGTH.unpack_from(plain, start)
    start += _TEXT_LENGTH.size
    if text_length > MAX_TEXT_BYTES:
        raise InvalidDeclaration(f"text is {text_length} bytes, expected at most {MAX_TEXT_BYTES}")
    if any(plain[start + text_length :]):
        raise InvalidDeclaration("the text is followed by other bytes, expected zeros")
    try:
        phone = plain[_HEAD.size : _HEAD.size + phone_length].decode("ascii")
        text = plain[start : start + text_length].decode()
    except UnicodeDecodeError:
        raise InvalidDeclaration("telephone number or text is not UTF-8") from None
    return Declaration(day=day, level=_LEVELS[level - 1], phone=phone, text=text)
