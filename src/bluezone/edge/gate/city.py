# SPDX-License-Identifier: Apache-2.0
"""What a gate knows of its city: the signed config, for as many days as there is no network, and the time.

A config is believed only with the pinned key's signature, and only if it continues the one in force; anything else
changes nothing. Source: docs/protocol.md section 5.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bluezone.edge.gate.book import GateBook
from bluezone.protocol.signed.config import Config, ConfigGap, WeekKey, decode_config, follow_config
from bluezone.protocol.signed.envelope import fingerprint, open_signed
from bluezone.refusal import Refused

# A clock that is off by less puts a passage into the five minutes before or after, which does no harm.
TOLERATED_SECONDS = 300.0


class GateTrustInvalid(Refused):
    """The city's key given to the gate is no Ed25519 key of 64 hex digits, or not the one it was set up with."""

    code = "gate_trust_invalid"


class GateCity:
    """The config a gate holds and the clock it goes by. wall_clock: Unix seconds as the tablet shows them."""

    def __init__(self, book: GateBook, wall_clock: Callable[[], float]) -> None:
        self._book = book
        self._wall_clock = wall_clock
        self._offset = float(book.get("clock_offset") or 0.0)
        payload = book.get("config")
        self._current = None if payload is None else decode_config(base64.b64decode(payload))

    @property
    def current(self) -> Config | None:
        """The config in force, None before the first."""
        return self._current

    def pin(self, trust: str | None) -> None:
        """Keep the city's key, 64 hex digits, needed once. Raises GateTrustInvalid."""
        pinned = self._book.get("trust")
        if trust is None:
            if pinned is None:
                raise GateTrustInvalid("the gate was never told the city's key: give it with --trust")
            return
        try:
            raw = bytes.fromhex(trust.strip())
            Ed25519PublicKey.from_public_bytes(raw)
        except ValueError:
            raise GateTrustInvalid("the city's key is not 64 hex digits of an Ed25519 key") from None
        if pinned is not None and pinned != raw.hex():
            raise GateTrustInvalid("this gate was set up with another key; a new city needs a new data folder")
        self._book.put("trust", raw.hex())

    def week_keys(self) -> tuple[WeekKey, ...]:
        """The gate keys of the config in force."""
        return self._current.week_keys if self._current else ()

    def update(self, fetch: Callable[[str], bytes]) -> None:
        """Take in the config if it continues the one in force. fetch: path -> bytes.

        Raises InvalidSignedFile, UntrustedSignature, InvalidConfig, ConfigRolledBack, ConfigHistoryDiffers.
        """
        payload = open_signed("config", fetch("/v1/config"), self._trusted())
        config = decode_config(payload)
        if self._current is not None:
            held_sha256 = hashlib.sha256(base64.b64decode(self._book.get("config") or "")).hexdigest()
            try:
                follow_config(config, hashlib.sha256(payload).hexdigest(), self._current.number, held_sha256)
            except ConfigGap:
                # The gate was off for longer than the history reaches back: signature and higher number must suffice.
                if config.number <= self._current.number:
                    raise
        self._book.put("config", base64.b64encode(payload).decode())
        self._current = config

    def now(self) -> float:
        """Unix seconds: the tablet's clock, put right by what the office said last."""
        return self._wall_clock() + self._offset

    @property
    def clock_is_wrong(self) -> bool:
        """Whether the tablet shows another time than the gate uses, or a time before its own config was made."""
        floor = self._current.generated_at if self._current else 0
        return abs(self._offset) > TOLERATED_SECONDS or self.now() < floor - TOLERATED_SECONDS

    def take_server_time(self, server_time: float) -> float:
        """Take the office's time. Returns by how many seconds the counters so far must be moved, usually 0."""
        error = server_time - self.now()
        if abs(error) <= TOLERATED_SECONDS:
            return 0.0
        offset = server_time - self._wall_clock()
        self._offset = 0.0 if abs(offset) <= TOLERATED_SECONDS else offset
        self._book.put("clock_offset", str(self._offset))
        return error

    def _trusted(self) -> Mapping[str, Ed25519PublicKey]:
        raw = self._book.get("trust")
        if raw is None:
            raise GateTrustInvalid("the gate was never told the city's key: give it with --trust")
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw))
        return {fingerprint(public): public}
