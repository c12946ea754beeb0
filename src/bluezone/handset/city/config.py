# SPDX-License-Identifier: Apache-2.0
"""The city as the phone knows it: the key it trusts, and the signed config, followed along one unbroken history.

The key is given to the phone at set-up (built in, or scanned; its fingerprint is on the portal), and all other trust
follows from it.
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
from bluezone.handset.city.publiclog import PublicLog
from bluezone.handset.client import Client, ServerAnswerRefused
from bluezone.handset.clocks import JUMP_SECONDS, Clock, moment_of, seconds_since
from bluezone.handset.store import Kept
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.primitives import ED25519_KEY_LENGTH, InvalidPublicKey, read_ed25519_pem
from bluezone.protocol.signed.config import (
    ANNOUNCED_BEFORE_USE_SECONDS,
    HISTORY_LENGTH,
    Config,
    ConfigGap,
    ConfigHistoryDiffers,
    ConfigRolledBack,
    WeekKey,
    decode_config,
    follow_config,
)
from bluezone.protocol.signed.envelope import fingerprint, open_signed
from bluezone.protocol.signed.epoch import Epoch, EpochRefused, check_epoch, check_first_config
from bluezone.protocol.signed.index import EXPORTS, VENUES
from bluezone.refusal import Refused
from bluezone.transparency.leaves import epoch_leaf
from bluezone.transparency.watch import policy_of

# Until the first config, the zone of the country that this was made for.
FIRST_ZONE = "Asia/Ho_Chi_Minh"


class TrustMissing(Refused):
    """The phone was never given the key of the city whose files it should trust."""

    code = "trust_missing"


class InvalidTrust(Refused):
    """What was given is no Ed25519 public key, or not the one this phone was set up with."""

    code = "trust_invalid"


class WeekKeyUntrusted(Refused):
    """The server named a key for the certificate that this phone has not known for a week."""

    code = "week_key_untrusted"


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
    """The config in force on this phone, and how a newer one is taken in. Every refusal keeps the one in force.

    trusted_now: trusted Unix seconds, None while there are none. clock: the phone's own, that no signed file moves.
    epochs: which epoch the phone is in. public_log: what the city has shown of its log, and who watches it.
    """

    def __init__(self, store: Kept, client: Client, trusted_now: Callable[[], float | None], clock: Clock) -> None:
        self._store = store
        self.clock = clock
        self._client = client
        self.trusted_now = trusted_now
        self.epochs = Epochs(store)
        self.public_log = PublicLog(store, client, self._city_key)
        self._read: Config | None = None

    def pin(self, public: bytes | None) -> None:
        """Fix whose files are trusted; a phone that has a key accepts no other (`forget` first). public: 32 bytes."""
        held = self._store.get("trust")
        if public is None:
            return
        if held is not None and held != public.hex():
            raise InvalidTrust("this phone was set up with another key; `forget` starts anew")
        self._store.put("trust", public.hex())

    def trusted(self) -> dict[str, bytes]:
        """The pinned key by its fingerprint. Raises TrustMissing."""
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
        """The config in force on this phone, or None before the first."""
        if self._read is None:
            kept = self._store.get("config")
            self._read = None if kept is None else decode_config(base64.b64decode(kept["payload"]))
        return self._read

    @property
    def current_sha256(self) -> str | None:
        """SHA-256 (hex) of the payload in force."""
        kept = self._store.get("config")
        return None if kept is None else str(kept["sha256"])

    def zone(self) -> ZoneInfo:
        """The city's time zone; before the first config FIRST_ZONE."""
        return ZoneInfo(self.current.zone if self.current else FIRST_ZONE)

    def knows(self, config_sha256: str) -> bool:
        """Whether an index that names this config belongs to the history held here."""
        held = self.current
        return held is not None and config_sha256 in (self.current_sha256, *held.history)

    def covers(self, now: float) -> bool:
        """Whether the config held is recent enough to know this week's upload keys."""
        keys = self.current.week_keys if self.current else ()
        return any(key.purpose == "upload" and 0 <= now - key.use_from < 7 * SECONDS_PER_DAY for key in keys)

    def update(self) -> Config:
        """Fetch the config and take it in if it continues the history; returns the one in force.

        A phone that was away for more configs than one lists follows the older ones first. Raises ConfigGap if the
        server has them no more: a number that is far ahead makes no key trusted. Its owner begins anew (`begin_anew`).
        """
        payload = open_signed("config", self._client.get("/v1/config"), self.trusted())
        config, held = decode_config(payload), self.current
        if held is None:
            with self._store.transaction():
                self.epochs.begin(config)
                self._accept(config, payload, first=True)
            return config
        if len(config.epochs) < self.epochs.number:
            raise ConfigRolledBack(f"config is of epoch {len(config.epochs)}, expected at least {self.epochs.number}")
        for record in config.epochs[self.epochs.number :]:
            held = self._enter_epoch(record, config, payload)
        try:
            self._follow(config, payload, held)
        except ConfigGap:
            self._catch_up(config.number)
            caught_up = self.current
            assert caught_up is not None
            self._follow(config, payload, caught_up)
        return config

    def begin_anew(self, public: bytes) -> None:
        """Forget what was followed so far, and take in the config now in force as at first install.

        Its owner has compared the key, 32 bytes, with the one that the city shows; what was heard, warnings and the
        recovery key stay. Raises InvalidTrust for another key than the pinned one, TrustMissing, and as `update`.
        """
        if public not in self.trusted().values():
            raise InvalidTrust("this is not the key that this phone was set up with")
        # Fetched first: without a network nothing is forgotten.
        payload = open_signed("config", self._client.get("/v1/config"), self.trusted())
        config = decode_config(payload)
        with self._store.transaction():
            for name in (EXPORTS, VENUES, f"{EXPORTS}_heads", f"{VENUES}_heads"):
                self._store.put(name, None)
            self.epochs.begin(config)
            self._accept(config, payload, first=True)

    def require_trusted(self, kid: int, klass: int, now: float) -> WeekKey:
        """The upload key `kid` for a class, if this phone may ask it for a certificate now. Raises WeekKeyUntrusted."""
        key = self._find(kid, "upload")
        if key.klass != klass or not key.use_from <= now <= key.accept_until:
            raise WeekKeyUntrusted(f"key {kid} is not for this kind of code and this week; nothing was sent")
        self._require_announced(key)
        return key

    def chaff_key(self, now: float) -> WeekKey:
        """The key that signs random packets. Raises WeekKeyUntrusted."""
        held = self.current
        keys = [key for key in held.week_keys if key.purpose == "chaff"] if held else []
        usable = [key for key in keys if key.use_from <= now <= key.accept_until] or keys
        if not usable:
            raise WeekKeyUntrusted("the config names no key for random packets")
        return usable[0]

    def _enter_epoch(self, record: str, newest: Config, payload: bytes) -> Config:
        """Go along with one epoch and return its first config, which is then held. Raises EpochRefused and the like.

        newest: the config in force in the city, and its payload.
        """
        now = self.trusted_now() or float(newest.generated_at)
        epoch = self.epochs.open(record, now)
        self._reach_ancestor(epoch)
        held, sha256 = self.current, self.current_sha256
        assert held is not None
        assert sha256 is not None
        check_epoch(epoch, self.epochs.held(held, sha256), now)
        if newest.number != epoch.config.first:
            payload = open_signed("config", self._client.get(f"/v1/config/{epoch.config.first}"), self.trusted())
        first = decode_config(payload)
        check_first_config(first, epoch, held)
        if self._says_new_keys(first):
            raise EpochRefused("new_key: the epoch comes with another week key")
        self.public_log.require_quorum(epoch_leaf(record), held, now)
        self.public_log.require_agreed(first, held, now)
        with self._store.transaction():
            self._accept(first, payload, first=False)
            self.epochs.enter(epoch, now)
        return first

    def _reach_ancestor(self, epoch: Epoch) -> None:
        """A phone that has not come to the last config of the old history yet goes there first."""
        held = self.current
        assert held is not None
        if held.number >= epoch.config.ancestor:
            return
        payload = open_signed("config", self._client.get(f"/v1/config/{epoch.config.ancestor}"), self.trusted())
        config = decode_config(payload)
        if hashlib.sha256(payload).hexdigest() != epoch.config.head or config.number != epoch.config.ancestor:
            raise EpochRefused(f"ancestor: config {config.number} is not the one that the epoch names")
        try:
            self._follow(config, payload, held)
        except ConfigGap:
            self._catch_up(config.number)
            caught_up = self.current
            assert caught_up is not None
            self._follow(config, payload, caught_up)

    def _find(self, kid: int, purpose: str) -> WeekKey:
        held = self.current
        for key in held.week_keys if held else ():
            if key.kid == kid and key.purpose == purpose:
                return key
        raise WeekKeyUntrusted(f"key {kid} is not in the city's config; nothing was sent")

    def _require_announced(self, key: WeekKey) -> None:
        seen = self._store.get("week_keys", {}).get(_digest(key))
        if seen is None or not (seen["first"] or self._stood_a_week(seen, key)):
            raise WeekKeyUntrusted(f"this phone has not known key {key.kid} for a week; nothing was sent")

    def _stood_a_week(self, seen: dict[str, Any], key: WeekKey) -> bool:
        """Whether a week lies between first sight and use, by trusted time and by the clocks that no file moves."""
        if seen["at"] > key.use_from - ANNOUNCED_BEFORE_USE_SECONDS:
            return False
        passed = seconds_since(seen.get("moment"), self.clock)
        return passed is None or passed >= ANNOUNCED_BEFORE_USE_SECONDS - JUMP_SECONDS

    def _follow(self, config: Config, payload: bytes, held: Config) -> None:
        sha256 = hashlib.sha256(payload).hexdigest()
        held_sha256 = self.current_sha256
        assert held_sha256 is not None
        follow_config(config, sha256, held.number, held_sha256, held.generated_at)
        _check_shared_past(config, held)
        self.public_log.require_agreed(config, held, self.trusted_now() or float(config.generated_at))
        self._accept(config, payload, first=False)

    def _says_new_keys(self, config: Config) -> bool:
        known = self._store.get("week_keys", {})
        return any(_digest(key) not in known for key in config.week_keys)

    def _catch_up(self, newest: int) -> None:
        """Go forward in steps of one history's length. Raises ConfigGap if the server has such a config no more."""
        while True:
            held = self.current
            assert held is not None
            number = held.number + HISTORY_LENGTH
            if number >= newest:
                return
            try:
                payload = open_signed("config", self._client.get(f"/v1/config/{number}"), self.trusted())
            except ServerAnswerRefused:
                raise ConfigGap(f"config {newest} is far ahead of {held.number}, and {number} is not there") from None
            config = decode_config(payload)
            if config.number != number:
                raise ConfigHistoryDiffers(f"config {number} says it is number {config.number}")
            self._follow(config, payload, held)

    def _accept(self, config: Config, payload: bytes, *, first: bool) -> None:
        # Taken as it is at first, but never what cannot be read afterwards.
        policy_of(config.witnesses)
        kept = {"payload": base64.b64encode(payload).decode(), "sha256": hashlib.sha256(payload).hexdigest()}
        with self._store.transaction():
            self.epochs.pin(config, self.trusted_now() or float(config.generated_at), first=self.current is None)
            if first:
                self._store.put("week_keys", None)
            self._note_week_keys(config, first=first)
            self._store.put("config", kept)
        self._read = config

    def _note_week_keys(self, config: Config, *, first: bool) -> None:
        """Note which keys are seen for the first time, and when; while no time can be trusted they are not seen yet."""
        now = self.trusted_now()
        if now is None and not first:
            return
        known: dict[str, Any] = self._store.get("week_keys", {})
        for key in config.week_keys:
            known.setdefault(_digest(key), {"first": first, "at": now or 0.0, "moment": moment_of(self.clock)})
        self._store.put("week_keys", known)


def _digest(key: WeekKey) -> str:
    """Digest of everything in a week key, so that a changed key counts as another one."""
    told = [key.kid, key.purpose, key.klass, key.week, key.use_from, key.accept_until, key.n, key.e]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _check_shared_past(config: Config, held: Config) -> None:
    """Raise ConfigHistoryDiffers where two configs list different payloads under one number."""
    past = {held.number - len(held.history) + place: sha256 for place, sha256 in enumerate(held.history)}
    for place, sha256 in enumerate(config.history):
        number = config.number - len(config.history) + place
        if past.get(number, sha256) != sha256:
            raise ConfigHistoryDiffers(f"config {config.number} lists another number {number} than was seen here")
