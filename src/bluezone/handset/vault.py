# SPDX-License-Identifier: Apache-2.0
"""Seals all data that the phone stores: AES-256-GCM with a key from a file next to the store.

Only the owner's account can read the key file. Without this file, a copy of the database cannot be opened; to destroy
it makes all remnants unreadable at once. Sealing does not protect against a person who can read the whole folder
(docs/handset.md), unless the key in the file is also sealed: see KeySealing.
"""

import os
from pathlib import Path
from typing import Protocol

from bluezone.protocol import primitives
from bluezone.refusal import Refused

KEY_LENGTH = 32
NONCE_LENGTH = 12


class HandsetKeyDamaged(Refused):
    """The store's key file is missing, or the key is not 32 bytes."""

    code = "handset_key_damaged"


class HandsetStoreDamaged(Refused):
    """A value in the store cannot be opened with the key: it was altered or truncated, or is of another phone."""

    code = "handset_store_damaged"


class KeySealing(Protocol):
    """How the key file protects the 32-byte key. On a system with a key store, the key store seals it."""

    def seal(self, key: bytes) -> bytes:
        """Return the contents of the key file for a new key."""

    def unseal(self, sealed: bytes) -> bytes:
        """Return the key. Raises HandsetKeyDamaged, or another Refused."""

    def destroy(self) -> None:
        """Make every sealed key unreadable for ever."""


class PlainKey:
    """Without a key store: the key file, mode 0600, contains the key itself."""

    def seal(self, key: bytes) -> bytes:
        """Return the key unchanged."""
        return key

    def unseal(self, sealed: bytes) -> bytes:
        """Return the contents unchanged."""
        return sealed

    def destroy(self) -> None:
        """Do nothing: only the key file contains the key."""


PLAIN_KEY = PlainKey()


class Vault:
    """Seals and opens values. Each value is bound to its place in the store, so that rows cannot be swapped."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_LENGTH:
            raise HandsetKeyDamaged(f"sealing key is {len(key)} bytes, expected {KEY_LENGTH}")
        self._key = key

    @classmethod
    def create(cls, path: Path, sealing: KeySealing = PLAIN_KEY) -> "Vault":
        """Make a new random key in `path`, mode 0600; the file must not exist."""
        key = os.urandom(KEY_LENGTH)
        contents = sealing.seal(key)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(contents)
            file.flush()
            os.fsync(file.fileno())
        return cls(key)

    @classmethod
    def open(cls, path: Path, sealing: KeySealing = PLAIN_KEY) -> "Vault":
        """Read the key of an existing store. Raises HandsetKeyDamaged, and as `sealing` does."""
        try:
            contents = path.read_bytes()
        except OSError as error:
            raise HandsetKeyDamaged(f"no readable sealing key at {path.name}; `forget` starts again") from error
        return cls(sealing.unseal(contents))

    def seal(self, place: str, plain: bytes) -> bytes:
        """Return nonce || ciphertext of `plain`, bound to `place` (table, column and row)."""
        nonce = os.urandom(NONCE_LENGTH)
        return nonce + primitives.seal(self._key, nonce, plain, place.encode())

    def unseal(self, place: str, sealed: bytes) -> bytes:
        """Return the plain bytes of a value sealed for `place`. Raises HandsetStoreDamaged."""
        try:
            return primitives.unseal(self._key, sealed[:NONCE_LENGTH], sealed[NONCE_LENGTH:], place.encode())
        except primitives.InvalidTag as error:
            raise HandsetStoreDamaged(f"{place} does not open with this phone's key") from error


def overwrite_and_remove(path: Path) -> None:
    """Fill a file with random bytes, sync them to disk, and remove it; do nothing if it is absent."""
    if not path.exists():
        return
    size = path.stat().st_size
    with path.open("r+b", buffering=0) as file:
        for start in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size - start)))
        os.fsync(file.fileno())
    path.unlink()
