# SPDX-License-Identifier: Apache-2.0
"""The file of a backup: an archive under a fresh key, which is wrapped by the key of the day.

Layout: "BZBK1" | length of the header (2 bytes, big endian) | header (JSON: day, wrapped key, nonces) | AES-256-GCM
of the archive | tag (16 bytes). The header is authenticated with both.
"""

import datetime
import json
import os
import struct
from collections.abc import Iterator
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
    """The file is no backup, was cut or altered, or what is in it contradicts itself; nothing was restored."""

    code = "backup_damaged"


class SealedWriter:
    """A file-like target that seals what is written to it; `finish` writes the tag."""

    def __init__(self, file: BinaryIO, day: datetime.date, day_key: bytes) -> None:
        key, nonce, wrapping = os.urandom(32), os.urandom(_NONCE_BYTES), os.urandom(_NONCE_BYTES)
        said = day.isoformat().encode()
        wrapped = AESGCM(day_key).encrypt(wrapping, key, said)
        header = json.dumps(
            {"day": day.isoformat(), "key": wrapped.hex(), "key_nonce": wrapping.hex(), "nonce": nonce.hex()}
        ).encode()
        file.write(MAGIC + struct.pack(">H", len(header)) + header)
        self._file = file
        self._encryptor = Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor()
        self._encryptor.authenticate_additional_data(header)

    def write(self, data: bytes) -> int:
        """Seal a piece."""
        self._file.write(self._encryptor.update(data))
        return len(data)

    def finish(self) -> None:
        """Write the tag; without it the file opens nowhere."""
        self._file.write(self._encryptor.finalize() + self._encryptor.tag)


def day_of(path: Path) -> datetime.date:
    """The day whose key opens a backup. Raises BackupDamaged."""
    with path.open("rb") as file:
        return datetime.date.fromisoformat(_header(file)[0]["day"])


def open_sealed(path: Path, day_key: bytes, target: BinaryIO) -> None:
    """Write the archive of a backup to `target`; it may be used only when this returns. Raises BackupDamaged."""
    with path.open("rb") as file:
        said, header = _header(file)
        try:
            key = AESGCM(day_key).decrypt(
                bytes.fromhex(said["key_nonce"]), bytes.fromhex(said["key"]), said["day"].encode()
            )
            size = path.stat().st_size - file.tell() - TAG_BYTES
            begin = file.tell()
            file.seek(-TAG_BYTES, os.SEEK_END)
            tag = file.read()
            file.seek(begin)
            decryptor = Cipher(algorithms.AES(key), modes.GCM(bytes.fromhex(said["nonce"]), tag)).decryptor()
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
        said = json.loads(header)
        datetime.date.fromisoformat(said["day"])
        for name in ("key", "key_nonce", "nonce"):
            bytes.fromhex(said[name])
    except (ValueError, struct.error, KeyError, TypeError):
        raise BackupDamaged("the file is no backup of Bluezone") from None
    return said, header


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    if size < 0:
        raise ValueError
    while size > 0:
        piece = file.read(min(_PIECE, size))
        if not piece:
            raise ValueError
        size -= len(piece)
        yield piece
