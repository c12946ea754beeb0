# SPDX-License-Identifier: Apache-2.0
"""Sign the next config of a city, if its content would be new.

Source: docs/protocol.md section 5, "History": a phone follows numbers and payload hashes without a gap.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bluezone.city_settings import City
from bluezone.keyserver.configs.applied_settings import config_of_settings
from bluezone.keyserver.configs.configfiles import KIND, ConfigFiles, comparable_members
from bluezone.keyserver.configs.recoverykey import read_recovery_key
from bluezone.keyserver.keys.keyfolder import ApprovalMissing, Secrets, SigningRefused
from bluezone.keyserver.securefiles import write_atomically, write_new_file
from bluezone.keyserver.storage.store import StoreDamaged
from bluezone.logs import event_fields
from bluezone.protocol.signed.config import HISTORY_LENGTH, Config, InvalidConfig, decode_config, encode_config
from bluezone.protocol.signed.envelope import sign_payload
from bluezone.protocol.signed.epoch import Epoch
from bluezone.transparency.notes import log_key

logger = logging.getLogger(__name__)

# The payload of the last signature that was started. No config has this name, and nothing lists the file.
PENDING_NAME = ".pending.json"


class ConfigWriter(ConfigFiles):
    """Writes the configs of a city.

    agree: takes the proposed config and the current one; returns the proposed one without the changes for which a
    quorum of witnesses is still missing.
    before_written: called with name and content of each new config.
    """

    def __init__(
        self,
        folder: Path,
        secrets: Secrets,
        agree: Callable[[Config, Config], Config],
        before_written: Callable[[str, bytes], None] | None = None,
    ) -> None:
        super().__init__(folder, secrets.city_key)
        self.log_name = log_key(secrets.city_key).name
        self._secrets = secrets
        self._agree = agree
        self._before_written = before_written
        # Whether the next config waits for two persons; see signer/rules.py.
        self.waits_for_approval = False

    def store_signed(self, number: int, signed: bytes) -> None:
        """Store a config that is signed already; the caller has compared it with the configs in this folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not write_new_file(self.path(number), signed) and self.path(number).read_bytes() != signed:
            raise StoreDamaged(f"config {number} exists already, with other content")

    def replace_damaged(self, number: int, signed: bytes) -> None:
        """Put a signed config in place of a file that cannot be read, or that is missing, perhaps with its folder."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path(number), signed)

    def begin_epoch(self, record: str, epoch: Epoch, now: float) -> None:
        """Sign the first config of an epoch: the current config without any new key, and with the epoch's record."""
        current = self.newest_config()
        assert current is not None
        config = replace(
            current,
            number=epoch.config.first,
            generated_at=max(int(now), current.generated_at),
            history=(),
            epochs=(*current.epochs, record),
        )
        payload = self._pending(config.number)
        if payload is None or decode_config(payload).epochs != config.epochs:
            payload = encode_config(config)
        self._note_pending(payload)
        self.store_signed(config.number, sign_payload(KIND, payload, self._secrets.signing_key))

    def renew(self, city: City, data_dir: Path, now: float) -> int:
        """Write the next config if its content would be new; returns the current number.

        Call it under the service's lock. Raises CityInvalid if the disease profile cannot be read.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._finish()
        newest = self.newest_number()
        following = self._next(city, data_dir, now)
        if current := self.newest_config():
            following = self._agree(following, current)
        self.waits_for_approval = False
        try:
            return self._sign(newest, following)
        except ApprovalMissing as refused:
            logger.warning("config: %s", refused.message, extra=event_fields("approval_missing"))
            self.waits_for_approval = True
            assert current is not None
            # New week keys need no approval.
            routine = replace(
                current, number=following.number, generated_at=following.generated_at, history=following.history,
                week_keys=following.week_keys,
            )  # fmt: skip
            return self._sign(newest, routine)

    def _sign(self, newest: int, config: Config) -> int:
        payload = encode_config(config)
        if newest and comparable_members(payload) == comparable_members(self.payload(newest)):
            return newest
        self._note_pending(payload)
        try:
            signed = sign_payload(KIND, payload, self._secrets.signing_key)
        except ApprovalMissing:
            (self.folder / PENDING_NAME).unlink(missing_ok=True)
            raise
        self._put(config.number, signed)
        return config.number

    def _put(self, number: int, signed: bytes) -> None:
        path = self.path(number)
        if self._before_written:
            self._before_written(f"{self.folder.name}/{path.name}", signed)
        write_atomically(path, signed)

    def _note_pending(self, payload: bytes) -> None:
        """Note the payload before it is signed, because the signer signs only one for each number."""
        write_atomically(self.folder / PENDING_NAME, payload)

    def _pending(self, number: int) -> bytes | None:
        """The payload that `_note_pending` has noted for a number without a config."""
        path = self.folder / PENDING_NAME
        try:
            payload = path.read_bytes()
            return payload if decode_config(payload).number == number else None
        except (FileNotFoundError, InvalidConfig):
            return None

    def _finish(self) -> None:
        """Write a config that may have been signed before the disk was full or this process was killed."""
        number = self.newest_number() + 1
        payload = self._pending(number)
        if payload is None:
            return
        try:
            self._put(number, sign_payload(KIND, payload, self._secrets.signing_key))
        except SigningRefused:
            # The payload was never signed, so the number is free for another config.
            (self.folder / PENDING_NAME).unlink(missing_ok=True)

    def _next(self, city: City, data_dir: Path, now: float) -> Config:
        newest = self.newest_number()
        current = self.newest_config()
        epoch = self.epoch()
        oldest = max(epoch.config.first if epoch else 1, newest - HISTORY_LENGTH + 1)
        recovery = read_recovery_key(data_dir)
        return replace(
            config_of_settings(city, data_dir),
            number=newest + 1,
            # Phones refuse a config with an earlier time than the previous one.
            generated_at=max(int(now), current.generated_at if current else 0),
            history=tuple(self.sha256_of(number) for number in range(oldest, newest + 1)),
            week_keys=self._secrets.week_keys.announced_keys(now),
            export_keys=(self._secrets.export_public_pem,),
            venue_keys=self._secrets.venue_keys,
            push_key=self._secrets.push_public,
            # Phones never replace the first recovery key, so a config keeps it too.
            recovery_key=(current.recovery_key if current else None) or recovery,
            epochs=current.epochs if current else (),
            witnesses=current.witnesses if current else (),
            log=self.log_name,
        )
