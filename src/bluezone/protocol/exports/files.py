# SPDX-License-Identifier: Apache-2.0
"""Reads and verifies export files of our own servers and of other Exposure Notification servers.

Source: docs/protocol.md section 5, "Export zip"; docs/exposure-notification.md sections 2 and 3.
"""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from bluezone.protocol.exports.columns import KeyColumns, NativeKeys, PlainKeys, UnusualKeys
from bluezone.protocol.exports.wire import (
    DELIMITED,
    FIXED64,
    HEADER,
    MOST_FIELDS,
    VARINT,
    InvalidExport,
    SignatureInfo,
    int32,
    read_field,
    read_fields,
    read_signature_info,
)
from bluezone.protocol.kernel import native_library
from bluezone.protocol.keys import DiagnosisKey
from bluezone.protocol.primitives import verify_ecdsa

__all__ = [
    "Export",
    "ExportTooLarge",
    "InvalidExport",
    "SignatureInfo",
    "read_export",
    "verify_export",
]

# A file of 500,000 keys, the largest number in a file of other servers, is about 20 MB.
MAX_EXPORT_BYTES = 32 * 1024 * 1024
MAX_SIGNATURE_BYTES = 64 * 1024
MAX_DIRECTORY_BYTES = 64 * 1024
MAX_SIGNATURES = 64

_ZIP_MAGIC = b"PK\x03\x04"
_DIRECTORY_END = b"PK\x05\x06"
_ZIP64_LOCATOR = b"PK\x06\x07"


class ExportTooLarge(InvalidExport):
    """The file, or its unpacked content, is larger than any export."""

    code = "export_too_large"


@dataclass(frozen=True)
class Export:
    """The content of an export file.

    start_timestamp, end_timestamp: Unix seconds, 0 in some servers' files.
    columns, revised_columns:       the keys as columns, in the order of the file.
    export_bin:                     the signed bytes.
    signatures:                     DER signatures of export.sig, none for a bare export.bin.
    """

    start_timestamp: int
    end_timestamp: int
    region: str
    batch_num: int
    batch_size: int
    signature_infos: tuple[SignatureInfo, ...]
    columns: KeyColumns
    revised_columns: KeyColumns
    export_bin: bytes
    signatures: tuple[bytes, ...]

    @cached_property
    def keys(self) -> tuple[DiagnosisKey, ...]:
        """The published keys as objects, made on first access; reading `columns` is faster."""
        return self.columns.diagnosis_keys()

    @cached_property
    def revised_keys(self) -> tuple[DiagnosisKey, ...]:
        """Keys that were published earlier and have a changed diagnosis; not matched."""
        return self.revised_columns.diagnosis_keys()


def read_export(data: bytes) -> Export:
    """Read an export zip, or a bare export.bin.

    data: the file, at most 32 MiB.
    Accepts any number of signatures, empty signature infos, keys in any order, zero timestamps, odd periods, revised
    keys and unknown fields. Raises InvalidExport (ExportTooLarge) for a file that is truncated or oversized (checked
    before it is unpacked), has no header, or a key that is not 16 bytes. Does not check signatures.
    """
    if len(data) > MAX_EXPORT_BYTES:
        raise ExportTooLarge(f"file is {len(data)} bytes, expected at most {MAX_EXPORT_BYTES}")
    if not data.startswith(_ZIP_MAGIC):
        return _read_export_bin(data, ())
    export_bin, export_sig = _unzip(data)
    return _read_export_bin(export_bin, _read_signatures(export_sig))


def verify_export(export: Export, public_key: bytes) -> Literal["verified", "invalid", "absent"]:
    """Return "verified" if `public_key` made one of the export's signatures, "absent" if it has none, else "invalid".

    public_key: point on P-256, 65 bytes.
    """
    if not export.signatures:
        return "absent"
    verified = any(verify_ecdsa(public_key, signature, export.export_bin) for signature in export.signatures)
    return "verified" if verified else "invalid"


def _read_export_bin(data: bytes, signatures: tuple[bytes, ...]) -> Export:
    if not data.startswith(HEADER):
        raise InvalidExport(f"file of {len(data)} bytes does not begin with the export header {HEADER.decode()!r}")
    columns, revised_columns, message = _read_message(data)
    return Export(
        start_timestamp=message.fixed[1],
        end_timestamp=message.fixed[2],
        region=message.region,
        batch_num=message.numbers[4],
        batch_size=message.numbers[5],
        signature_infos=tuple(message.infos),
        columns=columns,
        revised_columns=revised_columns,
        export_bin=data,
        signatures=signatures,
    )


def _read_message(data: bytes) -> "tuple[KeyColumns, KeyColumns, _ExportMessage]":
    """Return keys, revised keys and the other fields, read natively if possible."""
    if kernel := native_library():
        keys = NativeKeys(kernel, data)
        try:
            message = _ExportMessage(data, keys)
        except UnusualKeys:
            pass
        else:
            return *keys.columns(), message
    plain = PlainKeys(data)
    message = _ExportMessage(data, plain)
    return *plain.columns(), message


class _ExportMessage:
    """The outer message of an export: passes the key messages to `keys` and stores the other fields.

    fixed, numbers: values of the fields by field number.
    """

    def __init__(self, data: bytes, keys: NativeKeys | PlainKeys) -> None:
        self._data = data
        self.fixed = {1: 0, 2: 0}
        self.numbers = {4: 0, 5: 0}
        self.region = ""
        self.infos: list[SignatureInfo] = []
        position = len(HEADER)
        for _ in range(MOST_FIELDS):
            position = keys.read(position)
            if position >= len(data):
                return
            position = self._read_field(position)
        raise InvalidExport(f"export has over {MOST_FIELDS} fields besides its keys")

    def _read_field(self, position: int) -> int:
        number, wire, value, after = read_field(self._data, position, len(self._data))
        if wire == FIXED64 and number in self.fixed:
            self.fixed[number] = value
        elif wire == VARINT and number in self.numbers:
            self.numbers[number] = int32(value)
        elif wire == DELIMITED and number == 3:
            self.region = self._data[value:after].decode(errors="replace")
        elif wire == DELIMITED and number == 6:
            self.infos.append(read_signature_info(self._data, value, after))
        elif wire == DELIMITED and number in (7, 8):
            # `keys` reads all fields 7 and 8 with the usual tag of one byte.
            raise InvalidExport("a key field has a tag that no server writes")
        return after


def _read_signatures(export_sig: bytes) -> tuple[bytes, ...]:
    """Return the signatures of a TEKSignatureList without their infos, because any trusted key may have made them."""
    signatures = []
    for number, wire, start, end in read_fields(export_sig, 0, len(export_sig)):
        if number == 1 and wire == DELIMITED:
            inner = read_fields(export_sig, start, end)
            signatures += [export_sig[at:after] for field, kind, at, after in inner if (field, kind) == (4, DELIMITED)]
    if len(signatures) > MAX_SIGNATURES:
        raise InvalidExport(f"export has {len(signatures)} signatures, expected at most {MAX_SIGNATURES}")
    return tuple(signatures)


def _unzip(data: bytes) -> tuple[bytes, bytes]:
    """Return export.bin and export.sig (empty if there is none) of a zip, each within its size limit."""
    _check_directory(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            export_bin = _member(archive, "export.bin", MAX_EXPORT_BYTES)
            export_sig = _member(archive, "export.sig", MAX_SIGNATURE_BYTES)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, NotImplementedError):
        raise InvalidExport(f"zip of {len(data)} bytes is damaged") from None
    if export_bin is None:
        raise InvalidExport("zip holds no export.bin")
    return export_bin, export_sig or b""


def _check_directory(data: bytes) -> None:
    """Refuse a zip with a directory of over 64 KiB before it is read."""
    end = data.rfind(_DIRECTORY_END, -0x10000 - 22)
    if end < 0 or end + 22 > len(data):
        raise InvalidExport(f"zip of {len(data)} bytes is cut off")
    size = struct.unpack_from("<I", data, end + 12)[0]
    if size > MAX_DIRECTORY_BYTES or data[end - 20 : end].startswith(_ZIP64_LOCATOR):
        raise ExportTooLarge(f"zip has a directory of {size} bytes, expected at most {MAX_DIRECTORY_BYTES}")


def _member(archive: zipfile.ZipFile, name: str, most_bytes: int) -> bytes | None:
    members = [member for member in archive.infolist() if member.filename == name]
    if not members:
        return None
    member = members[0]
    if (
        len(members) > 1
        or member.flag_bits & 1
        or member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    ):
        raise InvalidExport(f"{name} is in the zip twice, encrypted, or compressed in a way that no export uses")
    if member.file_size > most_bytes:
        raise ExportTooLarge(f"{name} would unpack to {member.file_size} bytes, expected at most {most_bytes}")
    with archive.open(member) as content:
        # With a limit, a member larger than its stated size is not unpacked completely.
        return content.read(member.file_size + 1)
