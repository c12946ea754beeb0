# SPDX-License-Identifier: Apache-2.0
"""How far this phone has followed the city's numbered histories, and how it enters a new epoch.

Source: docs/protocol.md section 5, "Epochs"; docs/attacks.md rows 55 to 60.
"""

from dataclasses import dataclass
from typing import Any

from bluezone.handset.clocks import Clock, seconds_since
from bluezone.handset.store import NamedValues
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.signed.config import Config
from bluezone.protocol.signed.envelope import CHAIN_START
from bluezone.protocol.signed.epoch import CONFIG, LEAST_SECONDS, Epoch, EpochRefused, KnownHistories, open_epoch
from bluezone.protocol.signed.index import EXPORTS, STALE_SECONDS, VENUES, Index, chain_heads

NOTICE = "epoch_began"
# The number of heads to store: 42 days of exports, 21 of hourly packages. No backup is older than 30 days.
MOST_HEADS = 512
# An index lists files with a period that ended in the last 14 days; one day less, to be safe.
LONGEST_ABSENCE_SECONDS = 13 * SECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class Position:
    """How far this phone has followed the files of one kind.

    number:       number of the newest matched file, 0 before the first.
    chain:        chain value after this file, 32 bytes.
    generated_at: largest `generated_at` of an index that was followed completely, Unix seconds.
    epoch:        to which the number belongs.
    rescan:       whether the files from before the epoch must still be matched again.
    moment:       when the last index was followed, from clocks.current_moment; None from earlier releases.
    """

    number: int
    chain: bytes
    generated_at: int
    epoch: int = 0
    rescan: bool = False
    moment: dict[str, Any] | None = None

    def is_stale(self, now: float) -> bool:
        """Whether the newest index is over 36 hours old, or there is none."""
        return now - self.generated_at > STALE_SECONDS

    def has_missed_files(self, index: Index, clock: Clock) -> bool:
        """Whether this position is so old that an honest index may no longer list the next file.

        Measured with the phone's own clocks, which no signed file can set, or else with the times of the indexes.
        """
        passed = seconds_since(self.moment, clock)
        if passed is None:
            passed = index.generated_at - self.generated_at
        return passed >= LONGEST_ABSENCE_SECONDS


def read_position(store: NamedValues, kind: str) -> Position:
    """Return this phone's position in the files of a kind."""
    stored = store.get(kind)
    if stored is None:
        return Position(0, CHAIN_START, 0)
    return Position(**stored | {"chain": bytes.fromhex(stored["chain"])})


def store_position(store: NamedValues, kind: str, position: Position) -> None:
    """Store this phone's position."""
    fields = {name: getattr(position, name) for name in Position.__slots__}
    store.put(kind, fields | {"chain": position.chain.hex()})


def store_heads(store: NamedValues, index: Index) -> None:
    """Store the chain values of an index that was followed: one of them may become an epoch's ancestor."""
    name = f"{index.kind}_heads"
    stored: dict[str, str] = store.get(name, {})
    listed = {str(number): chain for number, chain in chain_heads(index).items()}
    if listed.items() <= stored.items():
        return
    newest = sorted({**stored, **listed}.items(), key=lambda item: int(item[0]))[-MOST_HEADS:]
    store.put(name, dict(newest))


def known_heads(store: NamedValues, kind: str) -> dict[int, str]:
    """Return the chain values (hex) that this phone has stored, by number."""
    stored: dict[str, str] = store.get(f"{kind}_heads", {})
    position = read_position(store, kind)
    return {
        0: CHAIN_START.hex(),
        position.number: position.chain.hex(),
        **{int(number): stored[number] for number in stored},
    }


class Epochs:
    """The recovery key that this phone has pinned, and the epoch it is in."""

    def __init__(self, store: NamedValues) -> None:
        self._store = store

    @property
    def number(self) -> int:
        """The epoch this phone is in; the first is 0."""
        return int(self._state()["number"])

    def branch_of(self, index: Index) -> tuple[int, int, str]:
        """Return first number, ancestor and head (hex) of an index's kind in this phone's epoch."""
        first, ancestor, head = self._state()["branches"][index.kind]
        return first, ancestor, head

    def is_of_current_epoch(self, kind: str, number: int) -> bool:
        """Whether the file of a kind and number was published in this phone's epoch, not before it."""
        branch = self._state()["branches"].get(kind)
        return branch is None or number >= branch[0]

    def enter_first(self, config: Config) -> None:
        """At first install: start in the epoch that the city is in."""
        self._store.put("epoch", {"number": len(config.epochs), "accepted_at": None, "branches": {}})

    def pin(self, config: Config, now: float, *, first: bool) -> None:
        """Store the recovery key of a config, unless the phone has one: it is never replaced.

        first: whether this is the first config that the phone ever accepted.
        """
        if config.recovery_key is not None and self._store.get("recovery") is None:
            self._store.put("recovery", {"key": config.recovery_key, "first": first, "at": now})

    def read_record(self, record: str, now: float) -> Epoch:
        """Read and verify the record of an epoch. Raises EpochRefused, UntrustedSignature, InvalidEpoch."""
        pinned = self._store.get("recovery")
        if pinned is None:
            raise EpochRefused("no_key: this phone does not have a recovery key")
        if not pinned["first"] and now - pinned["at"] < LEAST_SECONDS:
            raise EpochRefused("new_key: the recovery key was announced less than a week ago")
        return open_epoch(record, bytes.fromhex(pinned["key"]))

    def known_histories(self, config: Config, sha256: str) -> KnownHistories:
        """Return what this phone has seen of each history. config: the current one; sha256: of its payload, hex."""
        state = self._state()
        past = (*config.history, sha256)
        oldest = config.number - len(past) + 1
        seen = {CONFIG: config.number}
        known = {CONFIG: dict(enumerate(past, oldest))}
        for kind in (EXPORTS, VENUES):
            known[kind] = known_heads(self._store, kind)
            seen[kind] = max(known[kind])
        return KnownHistories(state["number"], state["accepted_at"], seen, known)

    def enter(self, epoch: Epoch, now: float) -> None:
        """Store that this phone has entered an epoch, and a notice for the owner. The caller has checked the epoch."""
        branches = {kind: [epoch.branch(kind).first, epoch.branch(kind).ancestor, epoch.branch(kind).head]
                    for kind in (EXPORTS, VENUES)}  # fmt: skip
        self._store.put("epoch", {"number": epoch.number, "accepted_at": now, "branches": branches})
        self._store.put("notice", NOTICE)

    def _state(self) -> dict[str, Any]:
        state: dict[str, Any] = self._store.get("epoch", {"number": 0, "accepted_at": None, "branches": {}})
        return state
