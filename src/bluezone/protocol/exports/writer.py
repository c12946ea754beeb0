# SPDX-License-Identifier: Apache-2.0
"""Writes export files. The same keys give the same bytes, so repeating a run after a crash changes nothing.

Source: docs/protocol.md section 5, "Export zip"; docs/exposure-notification.md section 2.
"""

import io
import zipfile
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from numpy.typing import NDArray

from bluezone.protocol.exports.wire import (
    HEADER,
    InvalidExport,
    SignatureInfo,
    delimited_field,
    fixed64_field,
    number_field,
    signature_info_bytes,
)
from bluezone.protocol.keys import INTERVALS_PER_KEY, KEY_LENGTH

# Starts between November 2009 and the year 7073 are varints of 4 bytes, so that all key messages are equally long.
EARLIEST_START = 2**21
LATEST_START = 2**28 - 1
# Zigzag encoding writes -63..63 in one byte.
FARTHEST_ONSET_DAYS = 63
HIGHEST_REPORT_TYPE = 127

_KEY_MESSAGE = (
    delimited_field(1, bytes(KEY_LENGTH))
    + number_field(3, EARLIEST_START)
    + number_field(4, INTERVALS_PER_KEY)
    + number_field(5, 0)
    + number_field(6, 0)
)
_KEY_FIELD = delimited_field(7, _KEY_MESSAGE)
_KEY_AT = _KEY_FIELD.index(bytes(KEY_LENGTH))
_START_AT, _REPORT_TYPE_AT, _ONSET_AT = (_KEY_FIELD.index(number << 3) + 1 for number in (3, 5, 6))


class P256Signer(Protocol):
    """A private key on P-256 of `cryptography`, or an object that gets its signatures from the signer process."""

    def sign(self, data: bytes, signature_algorithm: ECDSA, /) -> bytes:
        """Return the signature in DER."""


@dataclass(frozen=True, slots=True)
class ExportKeys:
    """Keys to publish; row i of each column is key i. The period is always 144.

    keys:             shape (n, 16), dtype uint8.
    starts:           shape (n,), dtype int64, first interval numbers.
    report_types:     shape (n,), dtype uint8, values of ReportType.
    days_since_onset: shape (n,), dtype int8, -63..63; 0 means high, 7 standard infectiousness.
    """

    keys: NDArray[np.uint8]
    starts: NDArray[np.int64]
    report_types: NDArray[np.uint8]
    days_since_onset: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.keys)


def write_export(
    columns: ExportKeys,
    *,
    start_timestamp: int,
    end_timestamp: int,
    region: str,
    signing_key: P256Signer,
    info: SignatureInfo,
) -> bytes:
    """Return the zip of export.bin and export.sig with the keys sorted by their bytes.

    start_timestamp, end_timestamp: Unix seconds of the period in which the keys arrived.
    signing_key: on P-256; the signature is deterministic (RFC 6979).
    Raises InvalidExport if a column has another shape or a value outside our exports.
    """
    info_bytes = signature_info_bytes(info)
    export_bin = b"".join(
        (
            HEADER,
            fixed64_field(1, start_timestamp),
            fixed64_field(2, end_timestamp),
            delimited_field(3, region.encode()),
            number_field(4, 1),
            number_field(5, 1),
            delimited_field(6, info_bytes),
            _key_fields(columns),
        )
    )
    return zip_export(export_bin, sign_export(export_bin, signing_key), info)


def sign_export(export_bin: bytes, signing_key: P256Signer) -> bytes:
    """Return the signature (DER) of the signed part of an export, the same each time."""
    return signing_key.sign(export_bin, ECDSA(hashes.SHA256(), deterministic_signing=True))


def zip_export(export_bin: bytes, signature: bytes, info: SignatureInfo) -> bytes:
    """Return the file that phones fetch, from its signed part and the signature (DER)."""
    info_bytes = signature_info_bytes(info)
    signed = delimited_field(1, info_bytes) + number_field(2, 1) + number_field(3, 1) + delimited_field(4, signature)
    return _zip({"export.bin": export_bin, "export.sig": delimited_field(1, signed)})


def _key_fields(columns: ExportKeys) -> bytes:
    _check(columns)
    count = len(columns)
    halves = np.ascontiguousarray(columns.keys).view(">u8").astype(np.uint64)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    fields = np.tile(np.frombuffer(_KEY_FIELD, dtype=np.uint8), (count, 1))
    fields[:, _KEY_AT : _KEY_AT + KEY_LENGTH] = columns.keys[order]
    starts = columns.starts[order]
    for index in range(4):
        continuation = 0x80 if index < 3 else 0
        fields[:, _START_AT + index] = starts >> (7 * index) & 0x7F | continuation
    fields[:, _REPORT_TYPE_AT] = columns.report_types[order]
    onset = columns.days_since_onset[order].astype(np.int16)
    fields[:, _ONSET_AT] = onset << 1 ^ onset >> 15
    return fields.tobytes()


def _check(columns: ExportKeys) -> None:
    count = len(columns.keys)
    if columns.keys.shape != (count, KEY_LENGTH) or columns.keys.dtype != np.uint8:
        raise InvalidExport(f"keys have shape {columns.keys.shape}, expected ({count}, {KEY_LENGTH}) of uint8")
    for name in ("starts", "report_types", "days_since_onset"):
        if getattr(columns, name).shape != (count,):
            raise InvalidExport(f"{name} has shape {getattr(columns, name).shape}, expected ({count},)")
    if ((columns.starts < EARLIEST_START) | (columns.starts > LATEST_START)).any():
        raise InvalidExport(f"a key starts outside intervals {EARLIEST_START}..{LATEST_START}")
    if (columns.report_types > HIGHEST_REPORT_TYPE).any():
        raise InvalidExport(f"a report type is over {HIGHEST_REPORT_TYPE}")
    if (np.abs(columns.days_since_onset.astype(np.int16)) > FARTHEST_ONSET_DAYS).any():
        raise InvalidExport(f"a key is over {FARTHEST_ONSET_DAYS} days from onset")


def _zip(members: dict[str, bytes]) -> bytes:
    """Return an uncompressed zip: random keys do not compress. The fixed time makes equal members give equal bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    return target.getvalue()
