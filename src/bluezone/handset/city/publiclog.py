# SPDX-License-Identifier: Apache-2.0
"""The city's public log as this phone sees it: what needs a quorum of witnesses, who watches, and what does not fit.

What needs no quorum is never held up by the log: the phone tells its owner, and goes on. A city that nobody watches is
asked for nothing. Source: docs/protocol.md section 9; docs/attacks.md rows 17 and 37.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bluezone.handset.client import Client, ServerAnswerRefused, ServerUnreachable
from bluezone.handset.store import Kept
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.signed.config import Config
from bluezone.refusal import Refused
from bluezone.transparency.leaves import brings_city_key, city_keys_leaf, config_leaf, head_leaf
from bluezone.transparency.merkle import ProofInvalid, check_consistency, leaf_hash
from bluezone.transparency.notes import (
    MOST_BYTES,
    Checkpoint,
    Note,
    NoteInvalid,
    check_proof,
    log_key,
    open_checkpoint,
    read_hashes,
    read_note,
    read_proof,
)
from bluezone.transparency.watch import QuorumMissing, follow_witnesses, policy_of

SPLIT_VIEW = "split_view"
MISSING = "log_missing"
UNWATCHED = "log_unwatched"
# A server that was restarted in the middle of a publication logs it at its next tick; a cache lags by a minute.
PATIENCE_SECONDS = 24 * 3600
# Witnesses may be away for a weekend before the owner is told.
UNWATCHED_SECONDS = 3 * SECONDS_PER_DAY

_KEPT = "log"


class _SplitView(Exception):
    """Two checkpoints, both signed by the city, that do not continue each other."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """One who watches the city. at: when it last cosigned what this phone has seen, Unix seconds, None for never."""

    name: str
    operator: str
    at: int | None


class PublicLog:
    """What this phone knows of the log. city_key: of the city, 32 bytes, pinned."""

    def __init__(self, store: Kept, client: Client, city_key: Callable[[], bytes]) -> None:
        self._store = store
        self._client = client
        self._city_key = city_key

    # What needs a quorum

    def require_agreed(self, config: Config, held: Config, now: float) -> None:
        """Check that a config brings no other witnesses and no key of the city without the quorum of those in force.

        now: trusted Unix seconds. Raises WitnessesRefused, QuorumMissing, and as Client.
        """
        follow_witnesses(config, held, self._city_key(), now)
        if brings_city_key(config, held):
            self.require_quorum(city_keys_leaf(config), held, now)

    def require_quorum(self, content: bytes, held: Config, now: float) -> None:
        """Check that the quorum of the config held has signed for a leaf, where there is one. Raises QuorumMissing."""
        policy = policy_of(held.witnesses)
        if policy is None:
            return
        try:
            data = self._client.get(f"/v1/log/proof/{leaf_hash(content).hex()}", MOST_BYTES)
            policy.require(read_proof(data), content, held, self._city_key(), now)
        except (ServerAnswerRefused, NoteInvalid) as refused:
            raise QuorumMissing(f"the log does not show what witnesses should have signed: {refused.message}") from None

    # What is looked at, and only told

    def look(self, config: Config, sha256: str, heads: dict[str, tuple[int, int, str]], now: float) -> None:
        """Look whether the log only grew, holds what this phone has, and is watched. Tells by a notice, never raises.

        sha256: hex, of the config held. heads: by kind, epoch, number and chain (hex) of the newest files taken in.
        """
        if not config.witnesses:
            return
        try:
            self._look(config, sha256, heads, now)
        except _SplitView:
            self._store.put("log_notice", SPLIT_VIEW)
        except ServerUnreachable:
            return
        except Refused as refused:
            kept = self._kept()
            since = kept.get("missing_since") or now
            self._keep(kept | {"missing_since": since, "problem": refused.code})
            if now - since >= PATIENCE_SECONDS:
                self._tell(MISSING)

    def _look(self, config: Config, sha256: str, heads: dict[str, tuple[int, int, str]], now: float) -> None:
        key = log_key(self._city_key())
        newest = read_note(self._client.get("/v1/log/checkpoint", MOST_BYTES))
        self._take(newest, open_checkpoint(newest, key))
        seen = [newest]
        wanted = [config_leaf(config.number, sha256), *(head_leaf(kind, *head) for kind, head in heads.items())]
        for content in wanted:
            proof = read_proof(self._client.get(f"/v1/log/proof/{leaf_hash(content).hex()}", MOST_BYTES))
            checkpoint = check_proof(proof, content, key)
            if proof.note.text not in [note.text for note in seen]:
                self._take(proof.note, checkpoint)
            seen.append(proof.note)
        self._note_watchers(config, seen, now)

    def _take(self, note: Note, checkpoint: Checkpoint) -> None:
        """Check a checkpoint against the one held, and hold the larger. Raises _SplitView, ServerAnswerRefused."""
        kept = self._kept()
        if not kept.get("note"):
            self._keep(kept | {"note": note.data.decode()})
            return
        held_note = read_note(kept["note"].encode())
        held = open_checkpoint(held_note, log_key(self._city_key()))
        one, other = sorted((held, checkpoint), key=lambda seen: seen.size)
        try:
            hashes: tuple[bytes, ...] = ()
            if 0 < one.size < other.size:
                lines = self._client.get(f"/v1/log/consistency/{one.size}/{other.size}", MOST_BYTES)
                hashes = read_hashes(lines.decode("ascii", "replace").splitlines())
            check_consistency(one.size, one.root, other.size, other.root, hashes)
        except (ProofInvalid, NoteInvalid):
            evidence = kept.get("evidence") or [held_note.data.decode(), note.data.decode()]
            self._keep(kept | {"evidence": evidence})
            raise _SplitView from None
        if checkpoint.size > held.size:
            self._keep(kept | {"note": note.data.decode()})

    def _note_watchers(self, config: Config, notes: list[Note], now: float) -> None:
        policy = policy_of(config.witnesses)
        assert policy is not None
        kept = self._kept()
        moments: dict[str, int] = dict(kept.get("moments") or {})
        for note in notes:
            for witness, moment in policy.signed(note, config, self._city_key(), now).items():
                moments[witness.key] = max(moment, moments.get(witness.key, 0))
        fresh = sorted((moments.get(one.key, 0) for one in policy.witnesses), reverse=True)
        since = kept.get("watched_since") or now
        unwatched = max(float(fresh[policy.quorum - 1]), since) < now - UNWATCHED_SECONDS
        self._keep(kept | {"moments": moments, "watched_since": since, "missing_since": None, "problem": None})
        self._tell(UNWATCHED if unwatched else None)

    # What is shown

    @property
    def evidence(self) -> tuple[str, str] | None:
        """Two signed checkpoints that contradict each other, if this phone was ever shown any."""
        kept = self._kept().get("evidence")
        return (kept[0], kept[1]) if kept else None

    def watchers(self, config: Config) -> list[Watcher]:
        """Who watches the city, of those that count."""
        policy, moments = policy_of(config.witnesses), self._kept().get("moments") or {}
        counted = policy.counted(config, self._city_key()) if policy else ()
        return [Watcher(one.name, one.operator, moments.get(one.key)) for one in counted]

    def _tell(self, code: str | None) -> None:
        # Contradiction is not taken back by a later answer that fits.
        if self._store.get("log_notice") != SPLIT_VIEW:
            self._store.put("log_notice", code)

    def _kept(self) -> dict[str, Any]:
        kept: dict[str, Any] = self._store.get(_KEPT, {})
        return kept

    def _keep(self, kept: dict[str, Any]) -> None:
        self._store.put(_KEPT, kept)
