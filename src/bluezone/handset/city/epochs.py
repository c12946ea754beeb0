# SPDX-License-Identifier: Apache-2.0
"""How far this phone has come in the city's numbered histories, and how it goes along with a new epoch of them.

Source: docs/protocol.md section 5, "Epochs"; docs/attacks.md rows 55 to 60.
"""

from dataclasses import dataclass
from typing import Any

from bluezone.handset.clocks import Clock, seconds_since
from bluezone.handset.store import Kept
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.signed.config import Config
from bluezone.protocol.signed.envelope import CHAIN_START
from bluezone.protocol.signed.epoch import CONFIG, LEAST_SECONDS, Epoch, EpochRefused, Held, open_epoch
from bluezone.protocol.signed.index import EXPORTS, STALE_SECONDS, VENUES, Index, heads

NOTICE = "epoch_began"
# Heads are known for this many files: 42 days of exports, 21 of hourly packages. No backup is older than 30 days.
HEADS_KEPT = 512
# An index lists 14 days; a day less, because a file is listed by the end of its period.
AWAY_SECONDS = 13 * SECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class Position:
    """How far this phone has come.

    number: of the newest file taken in, 0 before the first. chain: chain value after it, 32 bytes.
    generated_at: largest of an index that was followed, Unix seconds.
    epoch: of these numbers.
    rescan: whether the files from before the epoch are still to be looked through again.
    moment: when that index was followed, as handset.clocks.moment_of gave it; None in what older versions kept.
    """

    number: int
    chain: bytes
    generated_at: int
    epoch: int = 0
    rescan: bool = False
    moment: dict[str, Any] | None = None

    def is_stale(self, now: float) -> bool:
        """Whether the newest list is over 36 hours old, or there is none."""
        return now - self.generated_at > STALE_SECONDS

    def was_away(self, index: Index, clock: Clock) -> bool:
        """Whether so much time has passed that an honest index may no longer list what follows this position.

        The phone's own clocks tell, which no signed file moves; where they cannot, the index that asks does.
        """
        passed = seconds_since(self.moment, clock)
        return (index.generated_at - self.generated_at if passed is None else passed) >= AWAY_SECONDS


def read_position(store: Kept, kind: str) -> Position:
    """Where this phone stands in the files of a kind."""
    kept = store.get(kind)
    if kept is None:
        return Position(0, CHAIN_START, 0)
    return Position(**kept | {"chain": bytes.fromhex(kept["chain"])})


def keep_position(store: Kept, kind: str, held: Position) -> None:
    """Keep where this phone stands."""
    kept = {name: getattr(held, name) for name in Position.__slots__}
    store.put(kind, kept | {"chain": held.chain.hex()})


def remember_heads(store: Kept, index: Index) -> None:
    """Keep the chain values of an index that was followed: one of them may be the ancestor of an epoch."""
    name = f"{index.kind}_heads"
    known: dict[str, str] = store.get(name, {})
    told = {str(number): chain for number, chain in heads(index).items()}
    if told.items() <= known.items():
        return
    newest = sorted({**known, **told}.items(), key=lambda item: int(item[0]))[-HEADS_KEPT:]
    store.put(name, dict(newest))


def known_heads(store: Kept, kind: str) -> dict[int, str]:
    """The chain values (hex) that this phone knows by number; the highest number is the highest it has seen."""
    told: dict[str, str] = store.get(f"{kind}_heads", {})
    position = read_position(store, kind)
    return {
        0: CHAIN_START.hex(),
        position.number: position.chain.hex(),
        **{int(number): told[number] for number in told},
    }


class Epochs:
    """The recovery key that this phone has pinned, and the epoch it is in."""

    def __init__(self, store: Kept) -> None:
        self._store = store

    @property
    def number(self) -> int:
        """The epoch this phone is in, 0 in the beginning."""
        return int(self._kept()["number"])

    def branch_of(self, index: Index) -> tuple[int, int, str]:
        """First number, ancestor and head (hex) of an index's kind in the epoch this phone is in."""
        first, ancestor, head = self._kept()["branches"][index.kind]
        return first, ancestor, head

    def has_begun(self, kind: str, number: int) -> bool:
        """Whether a file of this number was published in the epoch this phone is in, rather than before it."""
        branch = self._kept()["branches"].get(kind)
        return branch is None or number >= branch[0]

    def begin(self, config: Config) -> None:
        """At first install: take the epoch that the city is in."""
        self._store.put("epoch", {"number": len(config.epochs), "accepted_at": None, "branches": {}})

    def pin(self, config: Config, now: float, *, first: bool) -> None:
        """Keep the recovery key of a config for good; the first that a phone sees stays, whatever comes later.

        first: whether the config is the first this phone ever took in.
        """
        if config.recovery_key is not None and self._store.get("recovery") is None:
            self._store.put("recovery", {"key": config.recovery_key, "first": first, "at": now})

    def open(self, record: str, now: float) -> Epoch:
        """Read the record of an epoch. Raises EpochRefused, UntrustedSignature, InvalidEpoch."""
        pinned = self._store.get("recovery")
        if pinned is None:
            raise EpochRefused("no_key: this phone was never told of a recovery key")
        if not pinned["first"] and now - pinned["at"] < LEAST_SECONDS:
            raise EpochRefused("new_key: the recovery key was announced less than a week ago")
        return open_epoch(record, bytes.fromhex(pinned["key"]))

    def held(self, config: Config, sha256: str) -> Held:
        """What this phone has seen. config, sha256: the one in force, and the SHA-256 (hex) of its payload."""
        kept, past = self._kept(), (*config.history, sha256)
        seen, known = (
            {CONFIG: config.number},
            {CONFIG: {config.number - len(past) + 1 + n: one for n, one in enumerate(past)}},
        )
        for kind in (EXPORTS, VENUES):
            known[kind] = known_heads(self._store, kind)
            seen[kind] = max(known[kind])
        return Held(kept["number"], kept["accepted_at"], seen, known)

    def enter(self, epoch: Epoch, now: float) -> None:
        """Note that this phone goes along with an epoch that was checked, and tell its owner."""
        branches = {kind: [epoch.branch(kind).first, epoch.branch(kind).ancestor, epoch.branch(kind).head]
                    for kind in (EXPORTS, VENUES)}  # fmt: skip
        self._store.put("epoch", {"number": epoch.number, "accepted_at": now, "branches": branches})
        self._store.put("notice", NOTICE)

    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = self._store.get("epoch", {"number": 0, "accepted_at": None, "branches": {}})
        return kept
