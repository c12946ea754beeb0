# SPDX-License-Identifier: Apache-2.0
"""The city as the phone knows it: the pinned key, and the signed config with its unbroken history.

The phone gets the key at set-up: it is built in or scanned, and its fingerprint is on the portal. All other trust
follows from this key.
Source: docs/protocol.md sections 4 (week keys) and 5 (pinned key, history); docs/attacks.md rows 17, 18 and 37.
"""

import base64
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bluezone.handset.city.epochs import Epochs
from bluezone.handset.city.publiclog import PublicLog, WeekKeyUntrusted
from bluezone.handset.client import Client, ServerAnswerRefused
from bluezone.handset.clocks import JUMP_SECONDS, Clock, current_moment, seconds_since
from bluezone.handset.store import NamedValues
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR, week_name
from bluezone.protocol.primitives import ED25519_KEY_LENGTH, InvalidPublicKey, read_ed25519_pem
from bluezone.protocol.signed.config import (
    ANNOUNCED_BEFORE_USE_SECONDS,
    HISTORY_LENGTH,
    Config,
    ConfigGap,
    ConfigHistoryDiffers,
    ConfigLogMissing,
    ConfigRolledBack,
    WeekKey,
    decode_config,
    follow_config,
)
from bluezone.protocol.signed.envelope import fingerprint, open_signed
from bluezone.protocol.signed.epoch import Epoch, EpochRefused, check_epoch, check_first_config
from bluezone.protocol.signed.index import EXPORTS, VENUES
from bluezone.refusal import Refused
from bluezone.transparency.notes import log_key
from bluezone.transparency.watch import current_policy

# The time zone before the first config: that of Vietnam.
FIRST_ZONE = "Asia/Ho_Chi_Minh"


class TrustMissing(Refused):
    """The phone has no key of a city yet, so it cannot trust any file."""

    code = "trust_missing"


class InvalidTrust(Refused):
    """The text is not an Ed25519 public key, or not the key with which this phone was set up."""

    code = "trust_invalid"


def parse_trust(text: str) -> bytes:
    """Read the city's public key, 32 bytes: 64 hex digits, base64, PEM, or the path of a file with one of them.

    Raises InvalidTrust.
    """
    path = Path(text)
    if len(text) < 1024 and "\n" not in text and path.is_file():
        text = path.read_text("utf-8", errors="replace")
    text = text.strip()
    if text.startswith("-----BEGIN PUBLIC KEY-----"):
        return _from_pem(text)
    raw = bytes.fromhex(text) if re.fullmatch(r"[0-9a-fA-F]{64}", text) else _from_base64(text)
    if len(raw) != ED25519_KEY_LENGTH:
        raise InvalidTrust(f"the city's key is {len(raw)} bytes, expected {ED25519_KEY_LENGTH}")
    return raw


def _from_pem(text: str) -> bytes:
    try:
        return read_ed25519_pem(text)
    except InvalidPublicKey as refused:
        raise InvalidTrust(f"the city's key: {refused}") from None


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise InvalidTrust("the city's key is neither 64 hex digits, base64, PEM nor a file with one of them") from None


class CityConfig:
    """The current config on this phone, and how a newer config replaces it. Every refusal keeps the current config.

    trusted_now: returns trusted Unix seconds, or None before the first signed file.
    clock:       the phone's own, which no signed file can set.
    epochs:      the epoch of the phone.
    public_log:  what the phone has stored of the city's log and witnesses.
    """

    def __init__(
        self, store: NamedValues, client: Client, trusted_now: Callable[[], float | None], clock: Clock
    ) -> None:
        self._store = store
        self.clock = clock
        self._client = client
        self.trusted_now = trusted_now
        self.epochs = Epochs(store)
        self.public_log = PublicLog(store, client, self._city_key)
        self._decoded: Config | None = None

    def pin(self, public: bytes | None) -> None:
        """Store the city's key, 32 bytes; do nothing for None. Raises InvalidTrust if the phone has another key."""
        pinned = self._store.get("trust")
        if public is None:
            return
        if pinned is not None and pinned != public.hex():
            raise InvalidTrust("this phone was set up with another key; `forget` starts again")
        self._store.put("trust", public.hex())

    def trusted(self) -> dict[str, bytes]:
        """Return the pinned key by its fingerprint. Raises TrustMissing."""
        raw = self._store.get("trust")
        if raw is None:
            raise TrustMissing("no key of the city yet; give it with --trust (the portal shows it)")
        public = bytes.fromhex(raw)
        return {fingerprint(public): public}

    def _city_key(self) -> bytes:
        (public,) = self.trusted().values()
        return public

    @property
    def current(self) -> Config | None:
        """The current config on this phone, or None before the first."""
        if self._decoded is None:
            stored = self._store.get("config")
            if stored is not None:
                self._decoded = decode_config(base64.b64decode(stored["payload"]))
        return self._decoded

    @property
    def current_sha256(self) -> str | None:
        """SHA-256 (hex) of the current config's payload."""
        stored = self._store.get("config")
        return None if stored is None else str(stored["sha256"])

    def zone(self) -> ZoneInfo:
        """Return the city's time zone, FIRST_ZONE before the first config."""
        return ZoneInfo(self.current.zone if self.current else FIRST_ZONE)

    def is_in_history(self, config_sha256: str) -> bool:
        """Whether a config is in this phone's history. config_sha256: from an index."""
        current = self.current
        return current is not None and config_sha256 in (self.current_sha256, *current.history)

    def has_current_week_keys(self, now: float) -> bool:
        """Whether the current config is recent enough to have this week's upload keys."""
        keys = self.current.week_keys if self.current else ()
        return any(key.purpose == "upload" and 0 <= now - key.use_from < 7 * SECONDS_PER_DAY for key in keys)

    def update(self) -> Config:
        """Fetch the config and accept it if it continues the history; return it.

        If the phone missed more configs than the history lists, it follows older configs first. Raises ConfigGap if the
        server no longer has these; the owner can then start over with `restart_history`.
        """
        payload = open_signed("config", self._client.get("/v1/config"), self.trusted())
        config = decode_config(payload)
        current = self.current
        if current is None:
            with self._store.transaction():
                self.epochs.enter_first(config)
                self._accept(config, payload, first=True)
            return config
        if len(config.epochs) < self.epochs.number:
            raise ConfigRolledBack(f"config is of epoch {len(config.epochs)}, expected at least {self.epochs.number}")
        for record in config.epochs[self.epochs.number :]:
            current = self._enter_epoch(record, config, payload)
        try:
            self._follow(config, payload, current)
        except ConfigGap:
            self._catch_up(config.number)
            caught_up = self.current
            assert caught_up is not None
            self._follow(config, payload, caught_up)
        return config

    def restart_history(self, public: bytes) -> None:
        """Forget the histories followed so far, and accept the city's current config as at first install.

        public: the city's key, 32 bytes, which the owner has compared with the key on the portal.
        The encounter log, warnings and the recovery key remain. Raises InvalidTrust for another key than the pinned
        one, TrustMissing, and as `update`.
        """
        if public not in self.trusted().values():
            raise InvalidTrust("this is not the key that this phone was set up with")
        # Fetched first, so that nothing is forgotten without a network.
        payload = open_signed("config", self._client.get("/v1/config"), self.trusted())
        config = decode_config(payload)
        with self._store.transaction():
            for name in (EXPORTS, VENUES, f"{EXPORTS}_heads", f"{VENUES}_heads"):
                self._store.put(name, None)
            self.epochs.enter_first(config)
            self._accept(config, payload, first=True)

    def require_trusted(self, kid: int, klass: int, now: float) -> WeekKey:
        """Return the upload key `kid` for a class if this phone may use it now. Raises WeekKeyUntrusted."""
        key = self._find_key(kid, "upload")
        if key.klass != klass or not key.use_from <= now <= key.accept_until:
            raise WeekKeyUntrusted(f"key {kid} is not for this kind of code and this week; nothing was sent")
        self._require_announced(key)
        assert self.current is not None
        self.public_log.require_key(key, self.current, now)
        return key

    def choose_upload_key(self, klass: int, now: float) -> WeekKey:
        """Return the upload key of this week for a class, as `require_trusted`. Raises WeekKeyUntrusted.

        In the first hour of a week it is the last week's, if the config still names it: the server's clock may be slow.
        """
        keys = [key for key in self.current.week_keys if key.purpose == "upload"] if self.current else []
        for moment in (now - SECONDS_PER_HOUR, now):
            for key in keys:
                if key.klass == klass and key.week == week_name(moment):
                    return self.require_trusted(key.kid, klass, now)
        raise WeekKeyUntrusted("the config names no key of this week for this kind of code; nothing was sent")

    def rehearsal_key(self, now: float) -> WeekKey:
        """Return the key that signs random packets. Raises WeekKeyUntrusted."""
        current = self.current
        keys = [key for key in current.week_keys if key.purpose == "chaff"] if current else []
        usable = [key for key in keys if key.use_from <= now <= key.accept_until] or keys
        if not usable:
            raise WeekKeyUntrusted("the config names no key for random packets")
        return usable[0]

    def _enter_epoch(self, record: str, newest: Config, payload: bytes) -> Config:
        """Enter an epoch, accept its first config, and return this config.

        newest, payload: the city's current config. Raises EpochRefused and other refusals.
        """
        now = self.trusted_now() or float(newest.generated_at)
        epoch = self.epochs.read_record(record, now)
        self._follow_to_ancestor(epoch)
        current = self.current
        sha256 = self.current_sha256
        assert current is not None
        assert sha256 is not None
        check_epoch(epoch, self.epochs.known_histories(current, sha256), now)
        if newest.number != epoch.config.first:
            payload = open_signed("config", self._client.get(f"/v1/config/{epoch.config.first}"), self.trusted())
        first = decode_config(payload)
        check_first_config(first, epoch, current)
        if self._has_new_keys(first):
            raise EpochRefused("new_key: the epoch comes with another week key")
        self.public_log.require_epoch(record, epoch.number, current, now)
        self.public_log.require_agreed(first, current, now)
        with self._store.transaction():
            self._accept(first, payload, first=False)
            self.epochs.enter(epoch, now)
        return first

    def _follow_to_ancestor(self, epoch: Epoch) -> None:
        """Follow the old history to its last valid config, unless this phone has already done so."""
        current = self.current
        assert current is not None
        if current.number >= epoch.config.ancestor:
            return
        payload = open_signed("config", self._client.get(f"/v1/config/{epoch.config.ancestor}"), self.trusted())
        config = decode_config(payload)
        if hashlib.sha256(payload).hexdigest() != epoch.config.head or config.number != epoch.config.ancestor:
            raise EpochRefused(f"ancestor: config {config.number} is not the one that the epoch names")
        try:
            self._follow(config, payload, current)
        except ConfigGap:
            self._catch_up(config.number)
            caught_up = self.current
            assert caught_up is not None
            self._follow(config, payload, caught_up)

    def _find_key(self, kid: int, purpose: str) -> WeekKey:
        current = self.current
        for key in current.week_keys if current else ():
            if key.kid == kid and key.purpose == purpose:
                return key
        raise WeekKeyUntrusted(f"key {kid} is not in the city's config; nothing was sent")

    def _require_announced(self, key: WeekKey) -> None:
        first_sight = self._store.get("week_keys", {}).get(_digest(key))
        if first_sight is None or not (first_sight["first"] or self._known_for_a_week(first_sight, key)):
            raise WeekKeyUntrusted(f"this phone has not known key {key.kid} for a week; nothing was sent")

    def _known_for_a_week(self, first_sight: dict[str, Any], key: WeekKey) -> bool:
        """Whether this phone first saw a key a week before its use, by trusted time and by the phone's own clocks."""
        if first_sight["at"] > key.use_from - ANNOUNCED_BEFORE_USE_SECONDS:
            return False
        passed = seconds_since(first_sight.get("moment"), self.clock)
        return passed is None or passed >= ANNOUNCED_BEFORE_USE_SECONDS - JUMP_SECONDS

    def _follow(self, config: Config, payload: bytes, current: Config) -> None:
        sha256 = hashlib.sha256(payload).hexdigest()
        current_sha256 = self.current_sha256
        assert current_sha256 is not None
        follow_config(config, sha256, current.number, current_sha256, current.generated_at)
        _check_shared_past(config, current)
        self.public_log.require_agreed(config, current, self.trusted_now() or float(config.generated_at))
        self._accept(config, payload, first=False)

    def _has_new_keys(self, config: Config) -> bool:
        known = self._store.get("week_keys", {})
        return any(_digest(key) not in known for key in config.week_keys)

    def _catch_up(self, newest: int) -> None:
        """Follow every HISTORY_LENGTH-th config up to `newest`. Raises ConfigGap if the server no longer has one."""
        while True:
            current = self.current
            assert current is not None
            number = current.number + HISTORY_LENGTH
            if number >= newest:
                return
            try:
                payload = open_signed("config", self._client.get(f"/v1/config/{number}"), self.trusted())
            except ServerAnswerRefused:
                raise ConfigGap(
                    f"config {newest} is far ahead of {current.number}, and {number} is not there"
                ) from None
            config = decode_config(payload)
            if config.number != number:
                raise ConfigHistoryDiffers(f"config {number} says it is number {config.number}")
            self._follow(config, payload, current)

    def _accept(self, config: Config, payload: bytes, *, first: bool) -> None:
        # Refuses a witness policy that cannot be read; nothing else checks it in the first config.
        current_policy(config.witnesses)
        self._check_log_name(config, first=first)
        stored = {"payload": base64.b64encode(payload).decode(), "sha256": hashlib.sha256(payload).hexdigest()}
        with self._store.transaction():
            self.epochs.pin(config, self.trusted_now() or float(config.generated_at), first=self.current is None)
            if first:
                self._store.put("week_keys", None)
            self._note_week_keys(config, first=first)
            self._store.put("config", stored)
        self._decoded = config

    def _check_log_name(self, config: Config, *, first: bool) -> None:
        """Once a config has named the city's log, none after it may leave the log out. Raises ConfigLogMissing."""
        expected = log_key(self._city_key()).name
        had_log = not first and self.current is not None and self.current.log is not None
        if config.log not in ((expected,) if had_log else (expected, None)):
            raise ConfigLogMissing(f"config {config.number} does not name the log {expected}")

    def _note_week_keys(self, config: Config, *, first: bool) -> None:
        """Store when each week key was seen first; without trusted time, only those of the first config."""
        now = self.trusted_now()
        if now is None and not first:
            return
        known: dict[str, Any] = self._store.get("week_keys", {})
        for key in config.week_keys:
            known.setdefault(_digest(key), {"first": first, "at": now or 0.0, "moment": current_moment(self.clock)})
        self._store.put("week_keys", known)


def _digest(key: WeekKey) -> str:
    """Return a digest of all fields of a week key except announced_at, so that a changed key is a new key."""
    fields = [key.kid, key.purpose, key.klass, key.week, key.use_from, key.accept_until, key.n, key.e]
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()


def _check_shared_past(config: Config, current: Config) -> None:
    """Raise ConfigHistoryDiffers if the histories of two configs have different hashes for one number."""
    past = {current.number - len(current.history) + place: sha256 for place, sha256 in enumerate(current.history)}
    for place, sha256 in enumerate(config.history):
        number = config.number - len(config.history) + place
        if past.get(number, sha256) != sha256:
            raise ConfigHistoryDiffers(f"config {config.number} lists another number {number} than was seen here")
