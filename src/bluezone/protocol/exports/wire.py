# SPDX-License-Identifier: Apache-2.0
"""The part of the protobuf wire format that export files use: varints, fixed numbers and length-delimited fields.

Source: docs/exposure-notification.md section 2 (export.proto, proto2); the protobuf encoding rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bluezone.refusal import Refused

HEADER = b"EK Export v1    "
VARINT = 0
FIXED64 = 1
DELIMITED = 2
FIXED32 = 5
LONGEST_VARINT = 10
# Without a limit, a hostile file of 32 MiB could contain 16 million fields of two bytes.
MOST_FIELDS = 1000
ECDSA_P256_SHA256 = "1.2.840.10045.4.3.2"


class InvalidExport(Refused):
    """Not an export file: wrong header, truncated, or an impossible field."""

    code = "export_invalid"


@dataclass(frozen=True, slots=True)
class SignatureInfo:
    """Which key signed an export; in files of other servers, any of these may be empty.

    verification_key_id: for a country its mobile country code, 452 for Vietnam.
    signature_algorithm: OID in dotted form.
    """

    verification_key_id: str = ""
    verification_key_version: str = ""
    signature_algorithm: str = ECDSA_P256_SHA256


def read_varint(data: bytes, position: int, end: int) -> tuple[int, int]:
    """Return (number below 2**64, position after it). Raises InvalidExport if it is truncated or over 10 bytes long."""
    value = 0
    for shift in range(0, 7 * LONGEST_VARINT, 7):
        if position >= end:
            raise InvalidExport(f"export ends inside a number at byte {position}")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise InvalidExport(f"a number before byte {position} is longer than {LONGEST_VARINT} bytes")


def read_field(data: bytes, position: int, end: int) -> tuple[int, int, int, int]:
    """Return (field number, wire type, value, position after it) of the field at `position`.

    The value is a number for VARINT, FIXED64 and FIXED32, and the position of the content for DELIMITED.
    Raises InvalidExport for groups, unknown wire types, field number 0 and anything truncated.
    """
    tag, position = read_varint(data, position, end)
    number = tag >> 3
    wire = tag & 7
    if number == 0:
        raise InvalidExport(f"field number 0 before byte {position}")
    if wire == VARINT:
        value, position = read_varint(data, position, end)
    elif wire == DELIMITED:
        length, value = read_varint(data, position, end)
        position = value + length
    elif wire in (FIXED64, FIXED32):
        width = 8 if wire == FIXED64 else 4
        value = int.from_bytes(data[position : position + width], "little")
        position += width
    else:
        raise InvalidExport(f"wire type {wire} before byte {position}")
    if position > end:
        raise InvalidExport(f"export ends inside field {number}, {position - end} bytes short")
    return number, wire, value, position


def read_fields(data: bytes, position: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield each field of the small message data[position:end], as read_field returns it.

    Raises InvalidExport for a malformed field or more than 1,000 fields.
    """
    for _ in range(MOST_FIELDS):
        if position >= end:
            return
        field = read_field(data, position, end)
        yield field
        position = field[3]
    raise InvalidExport(f"a message has over {MOST_FIELDS} fields")


def int32(value: int) -> int:
    """Return the value of a varint as an int32 field."""
    value &= 0xFFFF_FFFF
    return value - 2**32 if value >= 2**31 else value


def read_signature_info(data: bytes, position: int, end: int) -> SignatureInfo:
    """Read a SignatureInfo message; missing fields are empty. Raises InvalidExport."""
    texts = {3: "", 4: "", 5: ""}
    for number, wire, value, after in read_fields(data, position, end):
        if number in texts and wire == DELIMITED:
            texts[number] = data[value:after].decode(errors="replace")
    return SignatureInfo(texts[4], texts[3], texts[5])


def signature_info_bytes(info: SignatureInfo) -> bytes:
    """Return a SignatureInfo message."""
    return (
        delimited_field(3, info.verification_key_version.encode())
        + delimited_field(4, info.verification_key_id.encode())
        + delimited_field(5, info.signature_algorithm.encode())
    )


def encode_varint(value: int) -> bytes:
    """Encode a number, 0 <= value < 2**64, in as few bytes as possible."""
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def number_field(number: int, value: int) -> bytes:
    """Encode a varint field."""
    return encode_varint(number << 3 | VARINT) + encode_varint(value)


def fixed64_field(number: int, value: int) -> bytes:
    """Encode a fixed64 field, little-endian."""
    return encode_varint(number << 3 | FIXED64) + value.to_bytes(8, "little")


def delimited_field(number: int, content: bytes) -> bytes:
    """Encode a field of text, bytes or an inner message."""
    return encode_varint(number << 3 | DELIMITED) + encode_varint(len(content)) + content
