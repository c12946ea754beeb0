# SPDX-License-Identifier: Apache-2.0
"""Read the signed configs in a folder: they are numbered, retained for ever and never changed.

Source: docs/protocol.md section 5, "History": a phone follows numbers and payload hashes without a gap.
"""

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from bluezone.keyserver.storage.store import StoreDamaged
from bluezone.protocol.signed.config import Config, decode_config
from bluezone.protocol.signed.envelope import InvalidSignedFile, fingerprint, open_signed
from bluezone.protocol.signed.epoch import Epoch, open_epoch

KIND = "config"
# Members that change with each number although nothing else has changed.
PER_NUMBER = ("number", "generated_at", "history")
_NAME = re.compile(r"([0-9]+)\.json")


class ConfigFolder:
    """The configs in a folder: `<number>.json`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest_number(self) -> int:
        """Number of the current config, 0 before the first."""
        return max(self.numbers(), default=0)

    def path(self, number: int) -> Path:
        """The path for the config of a number, whether or not there is one."""
        return self.folder / f"{number}.json"

    def numbers(self) -> list[int]:
        """The numbers of all configs in the folder, oldest first."""
        # Not `glob`, which finds nothing in a folder that cannot be opened now.
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        return sorted(int(match[1]) for match in map(_NAME.fullmatch, names) if match)


class ConfigFiles(ConfigFolder):
    """The configs in a folder, verified. city_key: the public key that has signed them, 32 bytes."""

    def __init__(self, folder: Path, city_key: bytes) -> None:
        super().__init__(folder)
        self._trusted = {fingerprint(city_key): city_key}
        self._sha256s: dict[int, str] = {}
        self._newest: Config | None = None

    def payload(self, number: int) -> bytes:
        """The signed payload of an existing number; raises StoreDamaged if the file is not ours or is damaged."""
        try:
            return open_signed(KIND, self.path(number).read_bytes(), self._trusted)
        except (OSError, InvalidSignedFile) as error:
            raise StoreDamaged(f"config {number} cannot be read: {error}") from None

    def config(self, number: int) -> Config:
        """The config of an existing number."""
        return decode_config(self.payload(number))

    def newest_sha256(self) -> str:
        """SHA-256 (hex) of the current payload."""
        return self.sha256_of(self.newest_number())

    def sha256_of(self, number: int) -> str:
        """SHA-256 (hex) of the payload of an existing number."""
        if number not in self._sha256s:
            self._sha256s[number] = hashlib.sha256(self.payload(number)).hexdigest()
        return self._sha256s[number]

    def has(self, sha256: str) -> bool:
        """Whether a config of this hash (hex) is in the folder. Raises StoreDamaged."""
        return any(self.sha256_of(number) == sha256 for number in reversed(self.numbers()))

    def newest_config(self) -> Config | None:
        """The current config, None before the first."""
        number = self.newest_number()
        if self._newest is None or self._newest.number != number:
            self._newest = decode_config(self.payload(number)) if number else None
        return self._newest

    def epoch(self) -> Epoch | None:
        """The current epoch, None before the first."""
        newest = self.newest_config()
        if newest is None or not newest.epochs or newest.recovery_key is None:
            return None
        return open_epoch(newest.epochs[-1], bytes.fromhex(newest.recovery_key))

    def epoch_number(self) -> int:
        """How many epochs have been opened."""
        newest = self.newest_config()
        return len(newest.epochs) if newest else 0


def comparable_members(payload: bytes) -> dict[str, Any]:
    """The members of a config, without those that change with each number although nothing else has changed."""
    members: dict[str, Any] = json.loads(payload)
    return {name: value for name, value in members.items() if name not in PER_NUMBER}
