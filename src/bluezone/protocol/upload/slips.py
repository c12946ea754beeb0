# SPDX-License-Identifier: Apache-2.0
"""Slips of a code book: their digits and links, the keys made from them, and how a slip is used for a certificate.

A slip is made before there is a case. A server is given its public key, never anything made of its digits alone.
Source: docs/protocol.md section 4, "Code books".
"""

import base64
import hashlib
import re
import secrets
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_WEEK, week_start
from bluezone.protocol.primitives import ED25519_KEY_LENGTH, public_ed25519, sign_ed25519, verify_ed25519
from bluezone.protocol.upload.codes import InvalidCode, checked_digits, damm_digit, typed_digits

SECRET_DIGITS = 16
SLIP_LENGTH = SECRET_DIGITS + 2
SECRET_LENGTH = 16
# The second digit from the end: one of five books, and the class. A book of 28 days and 2 of grace begins on a Monday
# and ends within its fifth week, so that of any five weeks in a row only one can be meant.
BOOKS_OF_A_DIGIT = 5
CLASSES = (1, 2)
LARGEST_BOOK = 0x7FFF

# A try costs 32 MiB and about a tenth of a second of one core.
_SCRYPT_COST = 2**15
_SCRYPT_BLOCK = 8
_SCRYPT_MEMORY = 64 * 2**20
_SALT_PREFIX = b"bluezone-book/v1"
_KEY_PREFIX = b"bluezone-slip/v1"
_USE_PREFIX = b"bluezone-slip-use/v1"
_USE = struct.Struct(">IH256s")
_LINK_TAIL = struct.Struct(">H")
_LINK = re.compile(r"(?:https?://[^/\s?#]+/r#)?([A-Za-z0-9_-]{24})")
# 1970-01-01 was a Thursday; the week that contains it is number 0.
_DAYS_OF_WEEK_0 = 3


def book_number(unix_seconds: float) -> int:
    """The number of the book that begins in the ISO week of a moment: weeks since the one that contains 1970-01-01."""
    return (week_start(unix_seconds) + _DAYS_OF_WEEK_0 * SECONDS_PER_DAY) // SECONDS_PER_WEEK


def book_begin(book: int) -> int:
    """The Unix seconds at which a book begins: Monday, 00:00 UTC, of its week."""
    return book * SECONDS_PER_WEEK - _DAYS_OF_WEEK_0 * SECONDS_PER_DAY


@dataclass(frozen=True)
class Slip:
    """A slip of a book.

    secret: 16 bytes, left out of `repr`. book: 0..32,767, its number. klass: 1 confirmed test, 2 clinical.
    Raises InvalidCode for other values.
    """

    secret: bytes = field(repr=False)
    book: int
    klass: int

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_LENGTH or self.klass not in CLASSES or not 0 <= self.book <= LARGEST_BOOK:
            raise InvalidCode("not a slip: its secret, book or class is impossible")

    @cached_property
    def _key(self) -> bytes:
        return hashlib.sha256(_KEY_PREFIX + self.secret).digest()

    @cached_property
    def public(self) -> bytes:
        """The public key that the city registers, 32 bytes."""
        return public_ed25519(self._key)

    def sign_use(self, kid: int, blinded: bytes) -> bytes:
        """The signature, 64 bytes, that has the blinded value (256 bytes) signed with week key `kid`."""
        return sign_ed25519(self._key, use_message(self.book, kid, blinded))

    def to_bytes(self) -> bytes:
        """The 18 bytes of its link; `from_bytes` reads them."""
        return self.secret + _LINK_TAIL.pack(self.book * len(CLASSES) + self.klass - 1)

    @classmethod
    def from_bytes(cls, content: bytes) -> "Slip":
        """Read what `to_bytes` made. Raises InvalidCode."""
        if len(content) != SECRET_LENGTH + _LINK_TAIL.size:
            raise InvalidCode(f"a slip's link has {len(content)} bytes, expected {SECRET_LENGTH + _LINK_TAIL.size}")
        book, klass = divmod(_LINK_TAIL.unpack_from(content, SECRET_LENGTH)[0], len(CLASSES))
        return cls(content[:SECRET_LENGTH], book, klass + 1)

    def link(self, origin: str) -> str:
        """The address for a QR code or a message. origin: the public origin, `https://host[:port]`.

        The secret is after `#`, which browsers do not send.
        """
        return f"{origin}/r#{base64.urlsafe_b64encode(self.to_bytes()).decode()}"


def new_secret_digits(randbelow: Callable[[int], int] = secrets.randbelow) -> str:
    """Draw the 16 digits from which a slip is made. randbelow: n -> uniform integer in 0..n-1."""
    return f"{randbelow(10**SECRET_DIGITS):0{SECRET_DIGITS}d}"


def make_slip(secret_digits: str, book: int, klass: int, city_key: bytes) -> Slip:
    """The slip of 16 digits, by a function that costs 32 MiB for each try. city_key: the city's public key, 32 bytes.

    Raises InvalidCode.
    """
    salt = hashlib.sha256(_SALT_PREFIX + city_key + struct.pack(">I", book)).digest()
    secret = hashlib.scrypt(
        secret_digits.encode(), salt=salt, n=_SCRYPT_COST, r=_SCRYPT_BLOCK, p=1, maxmem=_SCRYPT_MEMORY,
        dklen=SECRET_LENGTH,
    )  # fmt: skip
    return Slip(secret, book, klass)


def slip_digits(secret_digits: str, book: int, klass: int) -> str:
    """The 18 digits of a slip: those of the secret, one for book and class, and a check digit."""
    digits = f"{secret_digits}{book % BOOKS_OF_A_DIGIT * len(CLASSES) + klass - 1}"
    return digits + damm_digit(digits)


def format_slip(digits: str) -> str:
    """Write 18 digits in three groups of six, the form to read out and print."""
    return " ".join(digits[start : start + 6] for start in range(0, SLIP_LENGTH, 6))


def is_slip(text: str) -> bool:
    """Whether a text has the form of a slip, right or wrong, rather than that of a code or its link."""
    return bool(_LINK.fullmatch(text.strip())) or len(typed_digits(text)) == SLIP_LENGTH


def read_slip(text: str, city_key: bytes, now: float) -> Slip:
    """Read a slip that a person typed, pasted or scanned. now: Unix seconds, by which the digits name their book.

    Raises InvalidCode.
    """
    match = _LINK.fullmatch(text.strip())
    if match:
        return Slip.from_bytes(base64.urlsafe_b64decode(match[1]))
    digits = checked_digits(typed_digits(text), (SLIP_LENGTH,))
    place, klass = divmod(int(digits[SECRET_DIGITS]), len(CLASSES))
    this_week = book_number(now)
    book = this_week - (this_week - place) % BOOKS_OF_A_DIGIT
    return make_slip(digits[:SECRET_DIGITS], book, klass + 1, city_key)


def use_message(book: int, kid: int, blinded: bytes) -> bytes:
    """What the key of a slip signs. book: its number; kid: of the week key; blinded: 256 bytes."""
    return _USE_PREFIX + _USE.pack(book, kid, blinded)


@dataclass(frozen=True)
class SlipUse:
    """The use of a slip for one blind signature.

    public: the slip's key, 32 bytes. kid: number of the week key. blinded: 256 bytes. signature: 64 bytes.
    Raises InvalidCode for another length.
    """

    public: bytes
    kid: int
    blinded: bytes
    signature: bytes

    def to_bytes(self) -> bytes:
        """The 354 bytes as a phone and a signer exchange them."""
        return _USE_BYTES.pack(self.public, self.kid, self.blinded, self.signature)

    @classmethod
    def from_bytes(cls, content: bytes) -> "SlipUse":
        """Read what `to_bytes` made. Raises InvalidCode."""
        if len(content) != USE_LENGTH:
            raise InvalidCode(f"the use of a slip has {len(content)} bytes, expected {USE_LENGTH}")
        return cls(*_USE_BYTES.unpack(content))

    @property
    def digest(self) -> bytes:
        """What a signer notes of this use, 32 bytes."""
        return hashlib.sha256(self.kid.to_bytes(2, "big") + self.blinded).digest()

    def is_signed(self, book: int) -> bool:
        """Whether the slip's key has signed this use, as a slip of a book."""
        return verify_ed25519(self.public, self.signature, use_message(book, self.kid, self.blinded))


_USE_BYTES = struct.Struct(f">{ED25519_KEY_LENGTH}sH256s64s")
USE_LENGTH = _USE_BYTES.size


def use_slip(slip: Slip, kid: int, blinded: bytes) -> SlipUse:
    """Sign the use of a slip for the signature of a blinded value (256 bytes) with week key `kid`."""
    return SlipUse(slip.public, kid, blinded, slip.sign_use(kid, blinded))
