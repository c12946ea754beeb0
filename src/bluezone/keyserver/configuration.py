# SPDX-License-Identifier: Apache-2.0
"""The signed configs: numbered, retained for ever, and renewed only when their content changes; and the settings they
are made from, each version of which is applied once.

Source: docs/protocol.md section 5, "History": a phone follows numbers and payload hashes without a gap.
"""

import hashlib
import hmac
import json
import logging
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bluezone.city import City, CityInvalid
from bluezone.keyserver.declarations import published_key
from bluezone.keyserver.keyfolder import ApprovalMissing, Secrets, SigningRefused, write_new, write_whole
from bluezone.keyserver.storage.store import AbsentStore, Store, StoreDamaged, StoreRefused
from bluezone.logs import event
from bluezone.protocol.primitives import InvalidPublicKey, read_p256_pem
from bluezone.protocol.signed.config import (
    HISTORY_LENGTH,
    Care,
    Config,
    InvalidConfig,
    Neighbour,
    decode_config,
    encode_config,
)
from bluezone.protocol.signed.envelope import InvalidSignedFile, fingerprint, open_signed, sign_payload
from bluezone.protocol.signed.epoch import Epoch, open_epoch
from bluezone.protocol.upload import MAX_HIGH_KEYS, MAX_KEY_AGE_DAYS, MAX_KEYS, MAX_SLOTS
from bluezone.protocol.upload.puzzle import PUZZLE_BITS, PUZZLE_SECONDS

logger = logging.getLogger(__name__)

KIND = "config"
RECOVERY_FILE = Path("keys") / "recovery-ed25519.pub"
RECOVERY_CHECK_FILE = Path("keys") / "recovery-check"
# The payload of the last signature that was started. No config has this name, and nothing lists the file.
PENDING_NAME = ".pending.json"

# Members that change with each number although nothing else has changed.
_PER_NUMBER = ("number", "generated_at", "history")
# Members of a config that are not from the city's settings or this program's texts and limits.
_NO_SETTINGS = (
    *_PER_NUMBER, "week_keys", "export_keys", "venue_keys", "push_key", "recovery_key", "epochs", "witnesses",
)  # fmt: skip
# Settings that are in no config but influence the published files.
_OF_FILES = ("region", "publish_period_seconds", "embargo_seconds", "padding_mean", "venue_padding_mean")


class SettingsOutdated(StoreRefused):
    """After the settings of this process, another host or a newer process has applied different ones."""

    code = "settings_outdated"


class AppliedSettings:
    """The settings that were applied, in their order, by all hosts that share a store.

    Create it before the settings of this process are read: settings that are applied after that are newer.
    """

    def __init__(self, store: Store) -> None:
        # A process without the keys store applies none.
        self._seen = 0 if isinstance(store, AbsentStore) else self.newest(store)[0]

    def newest(self, store: Store) -> tuple[int, bytes]:
        """Number and digest of the settings applied last; 0 and no bytes before the first."""
        rows = store.read("SELECT version, digest FROM applied_settings ORDER BY version DESC LIMIT 1")
        return (int(rows[0][0]), bytes(rows[0][1])) if rows else (0, b"")

    def require(self, store: Store, digest: bytes) -> None:
        """Apply settings if they are new. Raises SettingsOutdated if others were applied after them.

        Call it in the turn.
        """
        number, newest = self.newest(store)
        if digest == newest:
            self._seen = number
            return
        if number != self._seen or store.read("SELECT 1 FROM applied_settings WHERE digest = ?", (digest,)):
            raise SettingsOutdated(
                f"settings with the number {number} were applied after those of this process, which signs nothing;"
                f" bring city.toml and the program up to date and restart, or `bluezone settings --apply`"
            )
        self.apply(store, digest)

    def require_newest(self, store: Store, digest: bytes) -> None:
        """Check that these settings were applied last, by another process. Raises SettingsOutdated."""
        number, newest = self.newest(store)
        if digest != newest:
            raise SettingsOutdated(f"settings with the number {number} were applied, and this process has others")

    def apply(self, store: Store, digest: bytes) -> None:
        """Apply these settings, as the newest of all. Call it in the turn."""
        number = self.newest(store)[0] + 1
        store.write(
            lambda transaction: transaction.execute("INSERT INTO applied_settings VALUES (?, ?)", (number, digest))
        )
        self._seen = number


class ConfigFiles:
    """The configs in a folder: `<number>.json`, each signed and never changed again."""

    def __init__(self, folder: Path, secrets: Secrets) -> None:
        self.folder = folder
        public = secrets.signing_key.public_key().public_bytes_raw()
        self._trusted = {fingerprint(public): public}
        self._secrets = secrets
        # Called with name and content of a new config before it is written.
        self.before_written: Callable[[str, bytes], None] = lambda _name, _content: None
        # Returns the next config with only the changes that need no quorum of witnesses or have one; its arguments are
        # the proposed config and the current one: see `service`.
        self.agreed: Callable[[Config, Config], Config] = lambda proposed, _current: proposed
        # Whether the next config waits for two persons; see signer/rules.py.
        self.waits_for_approval = False
        self._sha256s: dict[int, str] = {}
        self._newest: Config | None = None

    def newest_number(self) -> int:
        """Number of the current config, 0 before the first."""
        return max(self.numbers(), default=0)

    def path(self, number: int) -> Path:
        """The path for the config of a number, whether or not there is one."""
        return self.folder / f"{number}.json"

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

    def newest(self) -> Config | None:
        """The current config, None before the first."""
        number = self.newest_number()
        if self._newest is None or self._newest.number != number:
            self._newest = decode_config(self.payload(number)) if number else None
        return self._newest

    def epoch(self) -> Epoch | None:
        """The current epoch, None before the first."""
        newest = self.newest()
        if newest is None or not newest.epochs or newest.recovery_key is None:
            return None
        return open_epoch(newest.epochs[-1], bytes.fromhex(newest.recovery_key))

    def epoch_number(self) -> int:
        """How many epochs have been opened."""
        newest = self.newest()
        return len(newest.epochs) if newest else 0

    def numbers(self) -> list[int]:
        """The numbers of all configs in the folder, oldest first."""
        return sorted(int(path.stem) for path in self.folder.glob("[0-9]*.json"))

    def take(self, number: int, signed: bytes) -> None:
        """Store a config that was signed before; the caller has compared it with those that are here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not write_new(self.path(number), signed) and self.path(number).read_bytes() != signed:
            raise StoreDamaged(f"config {number} is here already, and is another")

    def begin_epoch(self, record: str, epoch: Epoch, now: float) -> None:
        """Sign the first config of an epoch: the current config, without any new key."""
        current = self.newest()
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
        self.take(config.number, sign_payload(KIND, payload, self._secrets.signing_key))

    def renew(self, city: City, data_dir: Path, now: float) -> int:
        """Write the next config if its content would be new; returns the current number.

        Call it under the service's lock. Raises CityInvalid if the disease profile cannot be read.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._finish()
        newest = self.newest_number()
        following = self._next(city, data_dir, now)
        if current := self.newest():
            following = self.agreed(following, current)
        self.waits_for_approval = False
        try:
            return self._sign(newest, following)
        except ApprovalMissing as refused:
            logger.warning("config: %s", refused.message, extra=event("approval_missing"))
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
        self.before_written(f"{self.folder.name}/{path.name}", signed)
        write_whole(path, signed)

    def _note_pending(self, payload: bytes) -> None:
        """Note the payload that will be signed: a signer signs only one per number, whatever happens next."""
        write_whole(self.folder / PENDING_NAME, payload)

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
            # It was never signed, so the number is free for another config.
            (self.folder / PENDING_NAME).unlink(missing_ok=True)

    def settings_digest(self, city: City, data_dir: Path) -> bytes:
        """SHA-256 of the settings that influence configs or files, including this program's texts and limits.

        Settings of a single host, such as its proxies, are excluded. Raises CityInvalid.
        """
        members = json.loads(encode_config(self._next(city, data_dir, 0)))
        settings = {name: value for name, value in members.items() if name not in _NO_SETTINGS}
        settings["files"] = {name: getattr(city, name) for name in _OF_FILES}
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).digest()

    def _next(self, city: City, data_dir: Path, now: float) -> Config:
        newest = self.newest_number()
        current = self.newest()
        epoch = self.epoch()
        oldest = max(epoch.config.first if epoch else 1, newest - HISTORY_LENGTH + 1)
        recovery = read_recovery_key(data_dir)
        return Config(
            number=newest + 1,
            # Phones refuse a config with an earlier time than the previous one.
            generated_at=max(int(now), current.generated_at if current else 0),
            history=tuple(self.sha256_of(number) for number in range(oldest, newest + 1)),
            city={"vi": city.name_vi, "en": city.name_en},
            zone=city.zone,
            public_host=city.public_host,
            office_host=city.office_host,
            hotline=city.hotline,
            profile=_profile(city.profile, data_dir),
            week_keys=self._secrets.week_keys.announced(now),
            export_keys=(self._secrets.export_public_pem,),
            declaration_key=published_key(data_dir),
            limits={
                "keys": MAX_KEYS,
                "high_keys": MAX_HIGH_KEYS,
                "key_age_days": MAX_KEY_AGE_DAYS,
                "slots": MAX_SLOTS,
                "puzzle_bits": PUZZLE_BITS,
                "puzzle_seconds": PUZZLE_SECONDS,
            },
            waits={
                "verify_to_upload_seconds": city.verify_to_upload_seconds,
                "web_minimum_seconds": city.web_minimum_seconds,
                # A city that holds nothing back has the same config as before holds existed.
                **({"hold_seconds": city.hold_seconds} if city.hold_seconds else {}),
            },
            poll_seconds=city.poll_seconds,
            texts=_texts(),
            venue_keys=self._secrets.venue_keys,
            push_key=self._secrets.push_public,
            national_hotline=city.national_hotline or None,
            reciprocity=bool(city.reciprocity),
            # Phones keep the first recovery key for good and would ignore another.
            recovery_key=(current.recovery_key if current else None) or recovery,
            epochs=current.epochs if current else (),
            witnesses=current.witnesses if current else (),
            care=Care(
                city.watch_days, city.home_days, city.isolation_days, city.test_from_day, tuple(city.test_places)
            ),
            neighbours=_neighbours(city),
        )


def _neighbours(city: City) -> tuple[Neighbour, ...]:
    """The neighbours of the city's settings. Raises CityInvalid if phones could not read the key of one."""
    neighbours = []
    for setting in city.neighbours:
        optional = {name: str(setting[name]) for name in ("key", "index", "export_key") if name in setting}
        name = {"vi": str(setting["name_vi"]), "en": str(setting["name_en"])}
        neighbours.append(Neighbour(name, str(setting["address"]), bool(setting.get("everybody", 0)), **optional))
    try:
        for neighbour in neighbours:
            if neighbour.export_key:
                read_p256_pem(neighbour.export_key)
    except InvalidPublicKey as refused:
        raise CityInvalid(f"neighbours: export_key: {refused}") from None
    if len({neighbour.id for neighbour in neighbours}) < len(neighbours):
        raise CityInvalid("neighbours names one of them twice")
    return tuple(neighbours)


def read_recovery_key(data_dir: Path) -> str | None:
    """The public part of the city's recovery key (hex), None before it is made; the private part is on paper."""
    path = data_dir / RECOVERY_FILE
    return path.read_text("ascii").strip() if path.exists() else None


def recovery_check(public: str, last_group: str) -> bytes:
    """The hash of the last four characters on the paper, stored to detect typing errors; it does not hide them."""
    return hashlib.sha256(f"{public} {last_group}".encode()).hexdigest().encode() + b"\n"


def tells_recovery_key(data_dir: Path, last_group: str) -> bool:
    """Whether these are the last four characters of the recovery key; also False if no hash of them is stored."""
    public = read_recovery_key(data_dir)
    path = data_dir / RECOVERY_CHECK_FILE
    if public is None or not path.exists():
        return False
    return hmac.compare_digest(path.read_bytes(), recovery_check(public, last_group.strip().lower()))


def comparable_members(payload: bytes) -> dict[str, Any]:
    """The members of a config, without those that change with each number although nothing else has changed."""
    members: dict[str, Any] = json.loads(payload)
    return {name: value for name, value in members.items() if name not in _PER_NUMBER}


def _profile(name: str, data_dir: Path) -> dict[str, Any]:
    shipped = files("bluezone.protocol") / "profiles" / f"{name}.toml"
    try:
        text = shipped.read_text("utf-8") if shipped.is_file() else (data_dir / name).read_text("utf-8")
        return tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CityInvalid(f"the disease profile {name!r} cannot be read: {error}") from None


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("bluezone.keyserver") / "texts.toml").read_text("utf-8"))
