# SPDX-License-Identifier: Apache-2.0
"""Verification codes and reporting links, which health workers give to cases, and reading what a case entered."""

import base64
import re
import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from bluezone.refusal import Refused

# A short code has 36.5 random bits. A long one has 49.8, for times when many wrong codes are tried.
CODE_LENGTH = 12
LONG_CODE_LENGTH = 16
_LENGTHS = f"{CODE_LENGTH} or {LONG_CODE_LENGTH}"
LINK_LENGTH = 16
CREDENTIAL_LENGTH = 16

# Longer input cannot be a mistyped code and is refused before it is normalised.
_LONGEST_TEXT = 200

# A totally anti-symmetric quasigroup of order 10: the check digit detects every single wrong digit and every swap of
# adjacent digits. Source: H. Michael Damm, "Total anti-symmetrische Quasigruppen", 2004.
_DAMM = (
    "0317598642",
    "7092154863",
    "4206871359",
    "1750983426",
    "6123045978",
    "3674209581",
    "5869720134",
    "8945362017",
    "9438617205",
    "2581436790",
)

# All kinds of dashes and spaces, and the invisible marks that chat programs put into copied text.
_SEPARATOR_CATEGORIES = {"Pd", "Zs", "Zl", "Zp", "Cf", "Cc"}
_SEPARATORS = {"\u2212", ".", "_"}

_LINK = re.compile(r"(?:https?://[^/\s?#]+/r#)?([A-Za-z0-9_-]{22})")


class InvalidCode(Refused):
    """The text is neither a verification code nor a reporting link; the refusal does not repeat the text."""

    code = "code_malformed"


class CredentialKind(IntEnum):
    """Which of the two secrets of an issued code a person uses: its digits or its link."""

    DIGITS = 0
    LINK = 1


@dataclass(frozen=True)
class Credential:
    """A code or a link as a request contains it.

    value: 16 bytes, left out of `repr`, because they are secret. For DIGITS: 16 ASCII digits, or 12 and four zero
           bytes. For LINK: the bytes of the link.
    Raises InvalidCode for another value.

    Source: docs/protocol.md section 4, verify1.
    """

    kind: CredentialKind
    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.value) != CREDENTIAL_LENGTH:
            raise InvalidCode(f"credential is {len(self.value)} bytes, expected {CREDENTIAL_LENGTH}")
        if self.kind is CredentialKind.DIGITS and not re.fullmatch(rb"[0-9]{12}(\0{4}|[0-9]{4})", self.value):
            raise InvalidCode("credential is not 16 digits, nor 12 digits followed by four zero bytes")

    @classmethod
    def from_digits(cls, digits: str) -> "Credential":
        """Return the credential of a code. digits: 12 or 16 ASCII digits, as `parse_code` returns them."""
        return cls(CredentialKind.DIGITS, digits.encode().ljust(CREDENTIAL_LENGTH, b"\0"))

    @classmethod
    def from_link(cls, link: bytes) -> "Credential":
        """Return the credential of a link. link: 16 bytes."""
        return cls(CredentialKind.LINK, link)

    @classmethod
    def from_text(cls, text: str) -> "Credential":
        """Read the credential from what a person typed, pasted or scanned; raises InvalidCode."""
        if _LINK.fullmatch(text.strip()):
            return cls.from_link(parse_link(text))
        return cls.from_digits(parse_code(text))


def damm_digit(digits: str) -> str:
    """Return the check digit of a string of ASCII digits; "0" for a string that ends with its check digit."""
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return str(interim)


def new_code(randbelow: Callable[[int], int] = secrets.randbelow, length: int = CODE_LENGTH) -> str:
    """Return a new code: random digits and their check digit.

    randbelow: n -> uniform integer in 0..n-1. length: CODE_LENGTH or LONG_CODE_LENGTH.
    """
    count = length - 1
    digits = f"{randbelow(10**count):0{count}d}"
    return digits + damm_digit(digits)


def format_code(digits: str) -> str:
    """Write 12 or 16 digits in groups of four, as `dddd-dddd-dddd`, the form to read out and print."""
    return "-".join(digits[start : start + 4] for start in range(0, len(digits), 4))


def parse_code(text: str) -> str:
    """Return the 12 or 16 ASCII digits of a code that a person wrote, perhaps with spaces, dashes or full-width digits.

    Raises InvalidCode for any other text and for a wrong check digit.
    """
    return checked_digits(typed_digits(text), (CODE_LENGTH, LONG_CODE_LENGTH))


def typed_digits(text: str) -> str:
    """Return what a person wrote without spaces, dashes and the like. Raises InvalidCode if it is too long."""
    if len(text) > _LONGEST_TEXT:
        raise InvalidCode(f"text is {len(text)} characters long, expected a code of {_LENGTHS} digits")
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", text)
        if character not in _SEPARATORS and unicodedata.category(character) not in _SEPARATOR_CATEGORIES
    )


def checked_digits(digits: str, lengths: tuple[int, ...]) -> str:
    """Return the digits if their number is one of `lengths` and the check digit fits. Raises InvalidCode."""
    expected = " or ".join(map(str, lengths))
    if not re.fullmatch(r"[0-9]*", digits):
        raise InvalidCode(f"the code contains something that is not a digit, expected {expected} digits")
    if len(digits) not in lengths:
        raise InvalidCode(f"the code has {len(digits)} digits, expected {expected}")
    if damm_digit(digits) != "0":
        raise InvalidCode("the check digit does not fit the code: a digit is wrong or two are swapped")
    return digits


def new_link(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> bytes:
    """Return a new link: 16 random bytes."""
    return random_bytes(LINK_LENGTH)


def link_url(origin: str, link: bytes) -> str:
    """Return the URL of a link, for a message or a QR code. origin: the public origin, `https://host[:port]`.

    The secret is after `#`. Browsers do not send this part, so the secret is in no request and no server log.
    """
    return f"{origin}/r#{base64.urlsafe_b64encode(link).rstrip(b'=').decode()}"


def parse_link(text: str) -> bytes:
    """Return the 16 bytes of a link, given as a complete URL or only the part after `#`. Raises InvalidCode.

    The host may be any: the phone always calls its city's server.
    """
    match = _LINK.fullmatch(text.strip()) if len(text) <= _LONGEST_TEXT else None
    if match is None:
        raise InvalidCode("the text is not a reporting link, expected https://…/r# and 22 characters")
    encoded = match[1].encode()
    link = base64.urlsafe_b64decode(encoded + b"==")
    if base64.urlsafe_b64encode(link).rstrip(b"=") != encoded:
        raise InvalidCode("the link's last character is impossible: the link was truncated or altered")
    return link
