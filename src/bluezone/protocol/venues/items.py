# SPDX-License-Identifier: Apache-2.0
"""The keys of a venue, and sealed items about its hours, which only people who were there in that hour can open.

K_v is the key of a venue. K_h is its key of one hour, from which the tag and the cipher key E_h follow.

Source: docs/protocol.md section 6 (K_v, K_h, tag, E_h, rec, item); docs/attacks.md row 20.
"""

import hmac
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bluezone.protocol.primitives import InvalidTag, seal, unseal
from bluezone.refusal import Refused

TAG_LENGTH = 16
NONCE_LENGTH = 12
SLOT_KEY_LENGTH = 32
_RECORD = struct.Struct(">BBBBI")
_RECORD_VERSION = 1
_SEAL_LENGTH = 16
ITEM_LENGTH = TAG_LENGTH + NONCE_LENGTH + _RECORD.size + _SEAL_LENGTH

# Level of an item by the class of its report.
CLINICAL_LEVEL = 1
CONFIRMED_LEVEL = 2


class InvalidPackage(Refused):
    """A venue package does not consist of whole items."""

    code = "venue_package_invalid"


@dataclass(frozen=True, slots=True)
class Record:
    """The content of an opened item: when a case was at the venue.

    level: 1 clinical, 2 confirmed.
    start_minute, end_minute: minutes of the hour, end exclusive.
    hour:  Unix seconds // 3600.
    """

    level: int
    start_minute: int
    end_minute: int
    hour: int

    @property
    def start(self) -> int:
        """Beginning, Unix seconds."""
        return self.hour * 3600 + self.start_minute * 60

    @property
    def end(self) -> int:
        """End, Unix seconds."""
        return self.hour * 3600 + self.end_minute * 60


def venue_key(payload: bytes) -> bytes:
    """Return K_v, 32 bytes. payload: the whole V, including the signature."""
    # HKDF-SHA256 without salt (RFC 5869); only one block of 32 bytes is needed.
    extracted = hmac.digest(bytes(32), payload, "sha256")
    return hmac.digest(extracted, b"BZ-VENUE-v1\x01", "sha256")


def slot_key(key: bytes, hour: int) -> bytes:
    """Return K_h, 32 bytes. key: K_v; hour: Unix seconds // 3600."""
    return hmac.digest(key, b"BZ-SLOT" + struct.pack(">I", hour), "sha256")


def slot_tag(key: bytes) -> bytes:
    """Return the tag by which phones find the items of a venue and hour, 16 bytes. key: K_h."""
    return hmac.digest(key, b"BZ-TAG", "sha256")[:TAG_LENGTH]


def slot_cipher_key(key: bytes) -> bytes:
    """Return E_h, 32 bytes. key: K_h."""
    return hmac.digest(key, b"BZ-ENC", "sha256")


def seal_item(key: bytes, record: Record, nonce: bytes) -> bytes:
    """Return an item, 52 bytes. key: K_h; nonce: 12 random bytes, never used again with this key."""
    tag = slot_tag(key)
    plain = _RECORD.pack(_RECORD_VERSION, record.level, record.start_minute, record.end_minute, record.hour)
    return tag + nonce + seal(slot_cipher_key(key), nonce, plain, tag)


def open_item(key: bytes, hour: int, item: bytes) -> Record | None:
    """Open an item. Returns None if it is of another venue or hour, was altered, or has impossible values.

    key: K_h of `hour`; item: 52 bytes.
    """
    tag = item[:TAG_LENGTH]
    nonce = item[TAG_LENGTH : TAG_LENGTH + NONCE_LENGTH]
    if len(item) != ITEM_LENGTH or not hmac.compare_digest(tag, slot_tag(key)):
        return None
    try:
        plain = unseal(slot_cipher_key(key), nonce, item[TAG_LENGTH + NONCE_LENGTH :], tag)
    except InvalidTag:
        return None
    version, level, start, end, item_hour = _RECORD.unpack(plain)
    is_possible = version == _RECORD_VERSION and level in (CLINICAL_LEVEL, CONFIRMED_LEVEL) and start < end <= 60
    return Record(level, start, end, hour) if is_possible and item_hour == hour else None


def split_package(data: bytes) -> Iterator[bytes]:
    """Yield the items of a package. Raises InvalidPackage."""
    if not data or len(data) % ITEM_LENGTH:
        raise InvalidPackage(f"a venue package is {len(data)} bytes, expected a multiple of {ITEM_LENGTH}")
    for start in range(0, len(data), ITEM_LENGTH):
        yield data[start : start + ITEM_LENGTH]


def index_items(items: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """Return the items by their tag, which is the same for all cases of one venue and hour."""
    by_tag: dict[bytes, list[bytes]] = defaultdict(list)
    for item in items:
        by_tag[item[:TAG_LENGTH]].append(item)
    return by_tag


def open_records(keys: Mapping[int, bytes], items: Mapping[bytes, list[bytes]]) -> list[Record]:
    """Return the records for the hours of one stay. keys: K_h by hour; items: from `index_items`."""
    records = []
    for hour, key in sorted(keys.items()):
        for item in items.get(slot_tag(key), ()):
            record = open_item(key, hour, item)
            if record is not None:
                records.append(record)
    return records
