# SPDX-License-Identifier: Apache-2.0
"""The file of a backup: an archive sealed under a fresh key, which is wrapped by the key of the day (daykeys.py)."""

import datetime
import json
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bluezone.refusal import Refused

MAGIC = b"BZBK1"
TAG_BYTES = 16
_PIECE = 1 << 20
_NONCE_BYTES = 12


class BackupDamaged(Refused):
    """The file is no backup, was truncated or altered, or its content is inconsistent; nothing was restored."""

    code = "backup_damaged"


class SealedWriter:
    """A file-like target that seals what is written to it; `finish` writes the tag.

    heights: number of the newest published file by kind that the stores know; readable without the key.
    """

    def __init__(self, file: BinaryIO, day: datetime.date, day_key: bytes, heights: Mapping[str, int]) -> None:
        key = os.urandom(32)
        nonce = os.urandom(_NONCE_BYTES)
        key_nonce = os.urandom(_NONCE_BYTES)
        wrapped = AESGCM(day_key).encrypt(key_nonce, key, day.isoformat().encode())
        header = json.dumps(
            {"day": day.isoformat(), "key": wrapped.hex(), "key_nonce": key_nonce.hex(), "nonce": nonce.hex(),
             "heights": dict(heights)}
        ).encode()  # fmt: skip
        file.write(MAGIC + struct.pack(">H", len(header)) + header)
        self._file = file
        self._encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
        self._encryptor.authenticate_additional_data(header)

    def write(self, data: bytes) -> int:
        """Seal and write a piece; returns its size."""
        self._file.write(self._encryptor.update(data))
        return len(data)

    def finish(self) -> None:
        """Write the tag; without it the file cannot be opened."""
        self._file.write(self._encryptor.finalize() + self._encryptor.tag)


def backup_day(path: Path) -> datetime.date:
    """The day of the key that opens a backup. Raises BackupDamaged."""
    with path.open("rb") as file:
        return datetime.date.fromisoformat(_header(file)[0]["day"])


def newest_file_numbers(path: Path) -> dict[str, int]:
    """Number of the newest published file by kind that a backup knows; empty in a backup of an older version."""
    with path.open("rb") as file:
        heights = _header(file)[0].get("heights", {})
    return {str(kind): int(number) for kind, number in heights.items()}


def open_sealed(path: Path, day_key: bytes, target: BinaryIO) -> None:
    """Write the archive of a backup to `target`, which may be used only after this returns. Raises BackupDamaged."""
    with path.open("rb") as file:
        fields, header = _header(file)
        try:
            key = AESGCM(day_key).decrypt(
                bytes.fromhex(fields["key_nonce"]), bytes.fromhex(fields["key"]), fields["day"].encode()
            )
            size = path.stat().st_size - file.tell() - TAG_BYTES
            begin = file.tell()
            file.seek(-TAG_BYTES, os.SEEK_END)
            tag = file.read()
            file.seek(begin)
            decryptor = Cipher(algorithms.AES(key), modes.GCM(bytes.fromhex(fields["nonce"]), tag)).decryptor()
            decryptor.authenticate_additional_data(header)
            for piece in _pieces(file, size):
                target.write(decryptor.update(piece))
            decryptor.finalize()
        except (InvalidTag, ValueError):
            raise BackupDamaged(f"{path} was cut or altered, or is not of this data folder") from None


def _header(file: BinaryIO) -> tuple[dict[str, Any], bytes]:
    try:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError
        header = file.read(struct.unpack(">H", file.read(2))[0])
        fields = json.loads(header)
        datetime.date.fromisoformat(fields["day"])
        for name in ("key", "key_nonce", "nonce"):
            bytes.fromhex(fields[name])
    except (ValueError, struct.error, KeyError, TypeError):
        raise BackupDamaged("the file is not a backup of Bluezone") from None
    return fields, header


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    if size < 0:
        raise ValueError
    while size > 0:
        piece = file.read(min(_PIECE, size))
        if not piece:
            raise ValueError
        size -= len(piece)
        yield piece
