# SPDX-License-Identifier: Apache-2.0
"""The codes for check-in: those of venues, which the city signs, and those of events, which anyone can make.

V is the bytes of a venue's code, E those of an event's. Both are read strictly, because anyone can print a poster.
Source: docs/protocol.md section 6 (V and E); docs/venues.md ("The code", "Events"); docs/attacks.md rows 24, 42, 63.
"""

import base64
import binascii
import hashlib
import re
import struct
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from bluezone.protocol.primitives import Ed25519Signer, verify_ed25519
from bluezone.refusal import Refused

VERSION = 1
EVENT_VERSION = 2
HIGHEST_TYPE = 12
SIGNED = 0x01
TEMPORARY = 0x04
SEED_LENGTH = 16
SIGNATURE_LENGTH = 64
MAX_NAME_BYTES = 80
MAX_ADDRESS_BYTES = 100
MAX_STAY_MINUTES = 1440
MIN_EVENT_MINUTES = 15
MAX_EVENT_MINUTES = 1440
FINGERPRINT_LENGTH = 6

_HEAD = struct.Struct(f">BBBHII{SEED_LENGTH}s")
_EVENT_HEAD = struct.Struct(f">BIH{SEED_LENGTH}s")
_SIGNATURE_CONTEXT = b"BZ-VENUE-SIG-v1"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LINK = re.compile(r"https?://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?/v#([A-Za-z0-9_-]{1,600})")
# Categories of characters that are invisible or change the direction of text: they could make two names look alike.
_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
# No one verifies an event's name, and it appears in warnings: it must not contain a telephone number or web address.
_NUMBER_OR_ADDRESS = re.compile(r"\d(?:[\s.()+-]*\d){8}|://|www\.", re.IGNORECASE)


class InvalidVenue(Refused):
    """The text or the bytes are not a venue code of this version."""

    code = "venue_code_unknown"


class VenueForeign(Refused):
    """A valid code without a signature of this city: it is another city's, unsigned, or altered."""

    code = "venue_foreign"


class VenueRevoked(Refused):
    """The city has revoked this code."""

    code = "venue_revoked"


class VenueNotYet(Refused):
    """The code is for a later time."""

    code = "venue_not_yet"


class VenueExpired(Refused):
    """The code has expired."""

    code = "venue_expired"


@dataclass(frozen=True)
class Venue:
    """The content of a venue's code.

    type:         kind of place, 0..12, with the numbers of the Corona-Warn-App.
    stay_minutes: usual length of a stay, 1..1440, after which the phone checks out automatically.
    valid_from, valid_to: Unix minutes, valid_to exclusive; 0 for no limit.
    seed:         16 random bytes, so that no one can make the code from name and address.
    name, address: at most 80 and 100 bytes of UTF-8, NFC, no invisible characters.
    kid:          number of the city's key that signed the code, 0..255.
    signature:    64 bytes.
    Raises InvalidVenue for other values.
    """

    type: int
    stay_minutes: int
    name: str
    address: str
    seed: bytes = field(repr=False)
    kid: int
    valid_from: int = 0
    valid_to: int = 0
    temporary: bool = False
    signed: bool = True
    signature: bytes = field(default=bytes(SIGNATURE_LENGTH), repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.type <= HIGHEST_TYPE:
            raise InvalidVenue(f"type is {self.type}, expected 0..{HIGHEST_TYPE}")
        if not 1 <= self.stay_minutes <= MAX_STAY_MINUTES:
            raise InvalidVenue(f"the usual stay is {self.stay_minutes} minutes, expected 1..{MAX_STAY_MINUTES}")
        if not (0 <= self.valid_from < 2**32 and 0 <= self.valid_to < 2**32):
            raise InvalidVenue("valid_from or valid_to does not fit 32 bits of minutes")
        if self.valid_to and self.valid_to <= self.valid_from:
            raise InvalidVenue("valid_to is not after valid_from")
        if len(self.seed) != SEED_LENGTH or len(self.signature) != SIGNATURE_LENGTH or not 0 <= self.kid <= 255:
            raise InvalidVenue("seed, key number or signature has another size than 16 bytes, 1 and 64")
        _check_text("name", self.name, MAX_NAME_BYTES)
        if not self.name.strip():
            raise InvalidVenue("the name is empty")
        _check_text("address", self.address, MAX_ADDRESS_BYTES)

    def unsigned_bytes(self) -> bytes:
        """Return the signed part of V: all but the signature."""
        flags = (SIGNED if self.signed else 0) | (TEMPORARY if self.temporary else 0)
        head = _HEAD.pack(VERSION, self.type, flags, self.stay_minutes, self.valid_from, self.valid_to, self.seed)
        name = self.name.encode()
        address = self.address.encode()
        return head + bytes([len(name)]) + name + bytes([len(address)]) + address + bytes([self.kid])

    def to_bytes(self) -> bytes:
        """Return V, at most 276 bytes."""
        return self.unsigned_bytes() + self.signature


@dataclass(frozen=True)
class Event:
    """The content of an event's code, which the host makes and no one signs.

    name:    at most 80 bytes, like a venue's, but without a telephone number or web address.
    begin:   Unix minutes. minutes: duration, 15..1440. Check-in is possible only during the event.
    seed:    16 random bytes.
    Raises InvalidVenue for other values.
    """

    name: str
    begin: int
    minutes: int
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not MIN_EVENT_MINUTES <= self.minutes <= MAX_EVENT_MINUTES:
            raise InvalidVenue(f"the event lasts {self.minutes} minutes, expected 15..1440")
        if not 0 <= self.begin < 2**32 - self.minutes or len(self.seed) != SEED_LENGTH:
            raise InvalidVenue("the beginning does not fit 32 bits of minutes, or the seed is not 16 bytes")
        _check_text("name", self.name, MAX_NAME_BYTES)
        if not self.name.strip():
            raise InvalidVenue("the name is empty")
        if _NUMBER_OR_ADDRESS.search(self.name):
            raise InvalidVenue("the name of an event contains a telephone number or a web address")

    @property
    def valid_from(self) -> int:
        """Beginning of the event, Unix minutes."""
        return self.begin

    @property
    def valid_to(self) -> int:
        """End of the event, exclusive, Unix minutes."""
        return self.begin + self.minutes

    def to_bytes(self) -> bytes:
        """Return E, at most 104 bytes."""
        name = self.name.encode()
        return _EVENT_HEAD.pack(EVENT_VERSION, self.begin, self.minutes, self.seed) + bytes([len(name)]) + name


def parse_code(payload: bytes) -> Venue | Event:
    """Read V or E. Raises InvalidVenue. Does not verify the signature; see `verify_venue_signature`."""
    if payload[:1] == bytes([EVENT_VERSION]):
        return parse_event(payload)
    return parse_venue(payload)


def parse_event(payload: bytes) -> Event:
    """Read E. Raises InvalidVenue."""
    if len(payload) < _EVENT_HEAD.size:
        raise InvalidVenue(f"an event's code of {len(payload)} bytes is too short")
    version, begin, minutes, seed = _EVENT_HEAD.unpack_from(payload)
    if version != EVENT_VERSION:
        raise InvalidVenue(f"the code has version {version}, expected {EVENT_VERSION}")
    name, after_name = _text(payload[_EVENT_HEAD.size :])
    if after_name:
        raise InvalidVenue(f"{len(after_name)} bytes follow the name, expected none")
    return Event(name=name, begin=begin, minutes=minutes, seed=seed)


def parse_venue(payload: bytes) -> Venue:
    """Read V. Raises InvalidVenue. Does not verify the signature; see `verify_venue_signature`."""
    if len(payload) < _HEAD.size:
        raise InvalidVenue(f"a venue code of {len(payload)} bytes is too short")
    version, kind, flags, stay, valid_from, valid_to, seed = _HEAD.unpack_from(payload)
    if version != VERSION:
        raise InvalidVenue(f"the code has version {version}, expected {VERSION}")
    if flags & ~(SIGNED | TEMPORARY):
        raise InvalidVenue(f"the code has flags {flags:#04x}, expected none but signed and temporary")
    name, after_name = _text(payload[_HEAD.size :])
    address, end = _text(after_name)
    if len(end) != 1 + SIGNATURE_LENGTH:
        raise InvalidVenue(f"{len(end)} bytes follow the address, expected {1 + SIGNATURE_LENGTH}")
    return Venue(
        type=kind, stay_minutes=stay, name=name, address=address, seed=seed, kid=end[0], valid_from=valid_from,
        valid_to=valid_to, temporary=bool(flags & TEMPORARY), signed=bool(flags & SIGNED), signature=end[1:],
    )  # fmt: skip


def sign_venue(venue: Venue, private_key: Ed25519Signer) -> Venue:
    """Return the venue with the city's signature, which is the same each time: Ed25519 is deterministic."""
    signed = replace(venue, signed=True)
    return replace(signed, signature=private_key.sign(_SIGNATURE_CONTEXT + signed.unsigned_bytes()))


def verify_venue_signature(venue: Venue, trusted: Mapping[int, bytes]) -> None:
    """Raise VenueForeign unless a key of this city signed the code. trusted: venue keys, 32 bytes, by their number."""
    key = trusted.get(venue.kid)
    if key is None or not venue.signed:
        raise VenueForeign("no key of this city is named in the code; nothing was kept")
    if not verify_ed25519(key, venue.signature, _SIGNATURE_CONTEXT + venue.unsigned_bytes()):
        raise VenueForeign("the city's signature does not fit the code, which was changed; nothing was kept")


def check_validity(venue: Venue | Event, revoked: Collection[str], now: float) -> None:
    """Raise VenueRevoked, VenueNotYet or VenueExpired unless the code is valid now.

    revoked: SHA256(V) in hex, from the venues index. now: Unix seconds.
    """
    minute = now // 60
    if venue_sha256(venue).hex() in revoked:
        raise VenueRevoked("the city has withdrawn this code; ask the venue for its new poster")
    if minute < venue.valid_from:
        raise VenueNotYet("this code is for a later time")
    if venue.valid_to and minute >= venue.valid_to:
        raise VenueExpired("the time of this code is over; ask the venue for its new poster")


def venue_sha256(venue: Venue | Event) -> bytes:
    """Return SHA-256 of V or E, 32 bytes. The registrar stores only this of a venue's code, nothing of an event's."""
    return hashlib.sha256(venue.to_bytes()).digest()


def venue_fingerprint(venue: Venue | Event) -> str:
    """Return six characters that both poster and phone show: the first 30 bits of SHA256(V) in Crockford's base32.

    Source: docs/venues.md; docs/attacks.md row 42.
    """
    bits = int.from_bytes(venue_sha256(venue)[:4], "big") >> 2
    return "".join(_CROCKFORD[bits >> shift & 31] for shift in range(5 * (FINGERPRINT_LENGTH - 1), -1, -5))


def venue_link(venue: Venue | Event, origin: str) -> str:
    """Return the text of the QR code. origin: the public origin, `https://host[:port]`."""
    return f"{origin}/v#{base64.urlsafe_b64encode(venue.to_bytes()).rstrip(b'=').decode()}"


def read_venue_link(text: str) -> Venue:
    """Read the text of a venue's QR code. Raises InvalidVenue. The URL is ignored and never opened."""
    return parse_venue(_payload_of(text))


def read_code_link(text: str) -> Venue | Event:
    """Read the text of the QR code of a venue or an event. Raises InvalidVenue. The URL is never opened."""
    return parse_code(_payload_of(text))


def _payload_of(text: str) -> bytes:
    match = _LINK.fullmatch(text.strip()) if len(text) < 1000 else None
    if match is None:
        raise InvalidVenue("the text is no address of a venue code")
    payload = _base64url(match[1])
    if base64.urlsafe_b64encode(payload).rstrip(b"=").decode() != match[1]:
        raise InvalidVenue("the code is written in more than one way, expected its only base64url text")
    return payload


def _base64url(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise InvalidVenue("the code is not base64url") from None


def _text(data: bytes) -> tuple[str, bytes]:
    """Return the text at the beginning of `data`, where its length is in the first byte, and the bytes after it."""
    if not data or len(data) < 1 + data[0]:
        raise InvalidVenue("the code ends within a text")
    length = data[0]
    try:
        return data[1 : 1 + length].decode(), data[1 + length :]
    except UnicodeDecodeError:
        raise InvalidVenue("a text of the code is not UTF-8") from None


def _check_text(what: str, text: str, most_bytes: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidVenue(f"the {what} contains half a character") from None
    if size > most_bytes:
        raise InvalidVenue(f"the {what} is {size} bytes, expected at most {most_bytes}")
    if unicodedata.normalize("NFC", text) != text:
        raise InvalidVenue(f"the {what} is not in Unicode's composed form (NFC)")
    if any(unicodedata.category(character) in _INVISIBLE_CATEGORIES for character in text):
        raise InvalidVenue(f"the {what} contains an invisible character")
