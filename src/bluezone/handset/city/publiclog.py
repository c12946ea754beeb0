# SPDX-License-Identifier: Apache-2.0
"""Checks of the city's public log: whether a quorum of witnesses signed a change, and whether the log is consistent.

Problems of the log delay only changes that need a quorum; for all others, the phone shows a notice and continues. If
the city's config names no witnesses, the phone does not fetch the log. Source: docs/protocol.md section 9;
docs/attacks.md rows 17 and 37.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bluezone.handset.client import Client, ServerAnswerRefused, ServerUnreachable
from bluezone.handset.store import NamedValues
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.signed.config import Config
from bluezone.refusal import Refused
from bluezone.transparency.leaves import adds_city_key, city_keys_leaf, config_leaf, head_leaf
from bluezone.transparency.merkle import ProofInvalid, leaf_hash, verify_consistency
from bluezone.transparency.notes import (
    MOST_BYTES,
    Checkpoint,
    Note,
    NoteInvalid,
    log_key,
    open_checkpoint,
    read_hashes,
    read_note,
    read_proof,
    verify_proof,
)
from bluezone.transparency.watch import QuorumMissing, current_policy, follow_witnesses

SPLIT_VIEW = "split_view"
MISSING = "log_missing"
UNWATCHED = "log_unwatched"
# How long a publication may be missing in the log without a notice: a server logs it at its next tick.
PATIENCE_SECONDS = 24 * 3600
# Witnesses may be offline for a weekend before the owner gets a notice.
UNWATCHED_SECONDS = 3 * SECONDS_PER_DAY

_LOG_STATE = "log"


class _SplitView(Exception):
    """The city has signed two checkpoints that contradict each other."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """A witness of the city. at: its last signature that this phone has seen, Unix seconds, None for never."""

    name: str
    operator: str
    at: int | None


class PublicLog:
    """The log as this phone has seen it. city_key: returns the pinned key of the city, 32 bytes."""

    def __init__(self, store: NamedValues, client: Client, city_key: Callable[[], bytes]) -> None:
        self._store = store
        self._client = client
        self._city_key = city_key

    # Changes that need a quorum

    def require_agreed(self, config: Config, current: Config, now: float) -> None:
        """Check that a quorum of the current witnesses has signed new witnesses and new city keys in a config.

        now: trusted Unix seconds. Raises WitnessesRefused, QuorumMissing, and as Client.
        """
        follow_witnesses(config, current, self._city_key(), now)
        if adds_city_key(config, current):
            self.require_quorum(city_keys_leaf(config), current, now)

    def require_quorum(self, content: bytes, current: Config, now: float) -> None:
        """Check that a quorum of the current config's witnesses, if any, has signed a leaf. Raises QuorumMissing."""
        policy = current_policy(current.witnesses)
        if policy is None:
            return
        try:
            data = self._client.get(f"/v1/log/proof/{leaf_hash(content).hex()}", MOST_BYTES)
            policy.require_quorum(read_proof(data), content, current, self._city_key(), now)
        except (ServerAnswerRefused, NoteInvalid) as refused:
            raise QuorumMissing(f"the log does not show what witnesses should have signed: {refused.message}") from None

    # Checks that lead only to a notice

    def check(self, config: Config, sha256: str, heads: dict[str, tuple[int, int, str]], now: float) -> None:
        """Check that the log only grew, contains this phone's config and files, and has witnesses.

        sha256: of the current config's payload, hex.
        heads:  by kind, (epoch, number, chain in hex) of the newest matched file.
        A problem leads to a notice. Never raises Refused.
        """
        if not config.witnesses:
            return
        try:
            self._check_entries(config, sha256, heads, now)
        except _SplitView:
            self._store.put("log_notice", SPLIT_VIEW)
        except ServerUnreachable:
            return
        except Refused as refused:
            state = self._load()
            since = state.get("missing_since") or now
            self._save(state | {"missing_since": since, "problem": refused.code})
            if now - since >= PATIENCE_SECONDS:
                self._set_notice(MISSING)

    def _check_entries(self, config: Config, sha256: str, heads: dict[str, tuple[int, int, str]], now: float) -> None:
        key = log_key(self._city_key())
        newest = read_note(self._client.get("/v1/log/checkpoint", MOST_BYTES))
        self._accept(newest, open_checkpoint(newest, key))
        seen = [newest]
        contents = [config_leaf(config.number, sha256), *(head_leaf(kind, *head) for kind, head in heads.items())]
        for content in contents:
            proof = read_proof(self._client.get(f"/v1/log/proof/{leaf_hash(content).hex()}", MOST_BYTES))
            checkpoint = verify_proof(proof, content, key)
            if proof.note.text not in [note.text for note in seen]:
                self._accept(proof.note, checkpoint)
            seen.append(proof.note)
        self._note_watchers(config, seen, now)

    def _accept(self, note: Note, checkpoint: Checkpoint) -> None:
        """Compare a checkpoint with the stored one, and store the larger. Raises _SplitView, ServerAnswerRefused."""
        state = self._load()
        if not state.get("note"):
            self._save(state | {"note": note.data.decode()})
            return
        stored_note = read_note(state["note"].encode())
        stored = open_checkpoint(stored_note, log_key(self._city_key()))
        smaller, larger = sorted((stored, checkpoint), key=lambda tree: tree.size)
        try:
            hashes: tuple[bytes, ...] = ()
            if 0 < smaller.size < larger.size:
                lines = self._client.get(f"/v1/log/consistency/{smaller.size}/{larger.size}", MOST_BYTES)
                hashes = read_hashes(lines.decode("ascii", "replace").splitlines())
            verify_consistency(smaller.size, smaller.root, larger.size, larger.root, hashes)
        except (ProofInvalid, NoteInvalid):
            evidence = state.get("evidence") or [stored_note.data.decode(), note.data.decode()]
            self._save(state | {"evidence": evidence})
            raise _SplitView from None
        if checkpoint.size > stored.size:
            self._save(state | {"note": note.data.decode()})

    def _note_watchers(self, config: Config, notes: list[Note], now: float) -> None:
        policy = current_policy(config.witnesses)
        assert policy is not None
        state = self._load()
        moments: dict[str, int] = dict(state.get("moments") or {})
        for note in notes:
            for witness, moment in policy.cosignatures(note, config, self._city_key(), now).items():
                moments[witness.key] = max(moment, moments.get(witness.key, 0))
        fresh = sorted((moments.get(witness.key, 0) for witness in policy.witnesses), reverse=True)
        since = state.get("watched_since") or now
        unwatched = max(float(fresh[policy.quorum - 1]), since) < now - UNWATCHED_SECONDS
        self._save(state | {"moments": moments, "watched_since": since, "missing_since": None, "problem": None})
        self._set_notice(UNWATCHED if unwatched else None)

    # For the page

    @property
    def evidence(self) -> tuple[str, str] | None:
        """Two signed checkpoints that contradict each other, if this phone ever received such."""
        evidence = self._load().get("evidence")
        return (evidence[0], evidence[1]) if evidence else None

    def watchers(self, config: Config) -> list[Watcher]:
        """Return the city's witnesses that count towards the quorum."""
        policy = current_policy(config.witnesses)
        moments = self._load().get("moments") or {}
        counted = policy.counted_witnesses(config, self._city_key()) if policy else ()
        return [Watcher(witness.name, witness.operator, moments.get(witness.key)) for witness in counted]

    def _set_notice(self, code: str | None) -> None:
        # A contradiction stays on record, even if later answers are consistent.
        if self._store.get("log_notice") != SPLIT_VIEW:
            self._store.put("log_notice", code)

    def _load(self) -> dict[str, Any]:
        state: dict[str, Any] = self._store.get(_LOG_STATE, {})
        return state

    def _save(self, state: dict[str, Any]) -> None:
        self._store.put(_LOG_STATE, state)
