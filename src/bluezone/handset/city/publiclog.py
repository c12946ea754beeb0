# SPDX-License-Identifier: Apache-2.0
"""Read the city's public log on a phone, and refuse what it does not show as the first of its name.

The phone reads every leaf, so nothing can be signed for this phone alone without a trace in the log that all others
read. A key for certificates counts only if the log has it; new keys of the city and epochs also need a quorum of
witnesses, where there are witnesses. Every other problem of the log leads to a notice, and the phone continues.
Source: docs/protocol.md section 9; docs/attacks.md rows 17 and 37.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bluezone.handset.city.logleaves import ReadLeaves
from bluezone.handset.client import Client, ServerAnswerRefused, ServerUnreachable
from bluezone.handset.store import NamedValues
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR
from bluezone.protocol.signed.config import Config, WeekKey
from bluezone.refusal import Refused
from bluezone.transparency.leaves import (
    adds_city_key,
    city_keys_leaf,
    config_leaf,
    epoch_leaf,
    head_leaf,
    week_key_leaf,
)
from bluezone.transparency.merkle import ProofInvalid, leaf_hash, verify_consistency
from bluezone.transparency.notes import (
    MOST_BYTES,
    Checkpoint,
    Note,
    NoteInvalid,
    Proof,
    log_key,
    open_checkpoint,
    read_hashes,
    read_note,
    read_proof,
    verify_proof,
)
from bluezone.transparency.reading import MOST_LEAVES, Frontier, LeavesMissing, fetch_leaves, provable_size
from bluezone.transparency.watch import Policy, QuorumMissing, current_policy, follow_witnesses

SPLIT_VIEW = "split_view"
# The log has two leaves of one name, and this phone was shown what only the second one names.
SECOND_LEAF = "log_second_leaf"
MISSING = "log_missing"
UNWATCHED = "log_unwatched"
# These stay, even if later answers are as they should be.
_LASTING = (SPLIT_VIEW, SECOND_LEAF)
# How long a publication may be missing in the log without a notice: a server logs it at its next tick.
PATIENCE_SECONDS = SECONDS_PER_DAY
# Witnesses may be offline for a weekend before the owner gets a notice.
UNWATCHED_SECONDS = 3 * SECONDS_PER_DAY
# How long the phone does without reading, unless it needs a leaf or shows a notice.
READING_PAUSE_SECONDS = 8 * SECONDS_PER_HOUR

# How many leaves a phone reads that is new, or was away for longer: those of some seven weeks. Week keys are in the log
# three weeks before their week, so another key with the same name is among them.
READ_BACK = 4 * MOST_LEAVES

_LOG_STATE = "log"


class WeekKeyUntrusted(Refused):
    """The phone must not use this week key: unknown, known for less than a week, not current, or not in the log."""

    code = "week_key_untrusted"


class _SplitView(Exception):
    """The city has signed two checkpoints that contradict each other."""


class _SecondLeaf(Exception):
    """What this phone was shown is not the first of its name in the log."""


class _LeafMissing(Refused):
    """The log does not have what it should have by now."""

    code = "log_leaf_missing"


@dataclass(frozen=True, slots=True)
class Watcher:
    """A witness of the city. at: its last signature that this phone has seen, Unix seconds, None for never."""

    name: str
    operator: str
    at: int | None


class PublicLog:
    """The log as this phone has read it. city_key: returns the pinned key of the city, 32 bytes."""

    def __init__(self, store: NamedValues, client: Client, city_key: Callable[[], bytes]) -> None:
        self._store = store
        self._client = client
        self._city_key = city_key

    # What is refused without the log

    def require_agreed(self, config: Config, current: Config, now: float) -> None:
        """Check that a quorum of the current witnesses has signed new witnesses and new city keys in a config.

        now: trusted Unix seconds. Raises WitnessesRefused, QuorumMissing, and as Client.
        """
        follow_witnesses(config, current, self._city_key(), now)
        policy = current_policy(current.witnesses)
        if policy is None or not adds_city_key(config, current):
            return
        if current.log is None:
            self._require_quorum(city_keys_leaf(config), policy, current, now)
            return
        leaves = self._read_for_quorum(current)
        counts = sorted(int(name.split()[1]) for name in leaves.first if name.startswith("city-keys "))
        for count in counts:
            if leaves.position(city_keys_leaf(config, count)) is not None:
                self._require_quorum(city_keys_leaf(config, count), policy, current, now)
                return
        raise QuorumMissing("the log does not have these keys of the city as the first of their name")

    def require_epoch(self, record: str, number: int, current: Config, now: float) -> None:
        """Check that a quorum of the current config's witnesses, if any, has signed an epoch.

        record: base64, as in the config. Raises QuorumMissing, and as Client.
        """
        policy = current_policy(current.witnesses)
        if policy is None:
            return
        leaf = epoch_leaf(record, number if current.log else None)
        if current.log and self._read_for_quorum(current).position(leaf) is None:
            raise QuorumMissing("the log does not have this epoch as the first of its name")
        self._require_quorum(leaf, policy, current, now)

    def require_key(self, key: WeekKey, config: Config, now: float) -> None:
        """Check that a week key of the current config is the first of its name in the log. Raises WeekKeyUntrusted.

        The log is only read if it was not read since this key came. Raises ServerUnreachable, too.
        """
        if config.log is None:
            return
        contents = [week_key_leaf(key, epoch) for epoch in range(len(config.epochs) + 1)]
        try:
            number = self._position_of_any(contents, config, now)
            policy = current_policy(config.witnesses)
            if policy and number is not None and number >= self._load().get("watched", 0):
                self._fetch_watched(contents, policy, config, now)
        except _SplitView:
            self._set_notice(SPLIT_VIEW)
            raise WeekKeyUntrusted("the city has signed two logs; nothing was sent") from None
        except (ServerAnswerRefused, NoteInvalid, ProofInvalid, QuorumMissing, LeavesMissing) as refused:
            raise WeekKeyUntrusted(f"key {key.kid} cannot be found in the log: {refused.message}") from None
        if number is None:
            if any(self._leaves().has_other(content) for content in contents):
                self._set_notice(SECOND_LEAF)
            raise WeekKeyUntrusted(f"key {key.kid} is not the first of its name in the log; nothing was sent")

    def _position_of_any(self, contents: list[bytes], config: Config, now: float) -> int | None:
        stored = self._load_leaves()
        number = stored.position_of_any(contents) if stored else None
        return self.read(config, now).position_of_any(contents) if number is None else number

    def _read_for_quorum(self, current: Config) -> ReadLeaves:
        try:
            return self.read(current, None)
        except _SplitView:
            self._set_notice(SPLIT_VIEW)
            raise QuorumMissing("the city has signed two logs") from None
        except (ServerAnswerRefused, NoteInvalid, ProofInvalid, LeavesMissing) as refused:
            raise QuorumMissing(f"the log cannot be read: {refused.message}") from None

    def _require_quorum(self, content: bytes, policy: Policy, current: Config, now: float) -> None:
        try:
            proof = self._proof(content)
            policy.require_quorum(proof, content, current, self._city_key(), now)
        except (ServerAnswerRefused, NoteInvalid) as refused:
            raise QuorumMissing(f"the log does not show what witnesses should have signed: {refused.message}") from None

    def _fetch_watched(self, contents: Iterable[bytes], policy: Policy, config: Config, now: float) -> None:
        """Fetch a checkpoint that a quorum has signed and that has one of these leaves. Raises QuorumMissing."""
        leaves = self._leaves()
        content = next(content for content in contents if leaves.position(content) is not None)
        proof = self._proof(content)
        checkpoint = verify_proof(proof, content, log_key(self._city_key()))
        self._accept(proof.note, checkpoint)
        if proof.number != leaves.position(content) or not self._has_quorum(policy, proof.note, config, now):
            raise QuorumMissing("no quorum of witnesses has signed for it yet")
        self._save(self._load() | {"watched": checkpoint.size})

    # Reading

    def check(self, config: Config, sha256: str, heads: dict[str, tuple[int, int, str]], now: float) -> None:
        """Read the log, check that it has this phone's config and files, and that witnesses signed it.

        sha256: of the current config's payload, hex.
        heads:  by kind, (epoch, number, chain in hex) of the newest matched file.
        A problem leads to a notice. Never raises Refused.
        """
        if config.log is None:
            return
        contents = [config_leaf(config.number, sha256), *(head_leaf(kind, *head) for kind, head in heads.items())]
        try:
            self._check_contents(contents, config, now)
            self._set_notice(UNWATCHED if self._is_unwatched(config, now) else None)
        except _SplitView:
            self._set_notice(SPLIT_VIEW)
        except _SecondLeaf:
            self._set_notice(SECOND_LEAF)
        except ServerUnreachable:
            return
        except Refused as refused:
            state = self._load()
            since = state.get("missing_since") or now
            self._save(state | {"missing_since": since, "problem": refused.code})
            if now - since >= PATIENCE_SECONDS:
                self._set_notice(MISSING)

    def _check_contents(self, contents: list[bytes], config: Config, now: float) -> None:
        """Raises _SecondLeaf, _SplitView, _LeafMissing, ServerUnreachable, and other refusals of the log."""
        is_due = self._is_reading_due(now)
        leaves = self.read(config, now, contents) if is_due else self._leaves()
        if any(leaves.has_other(content) for content in contents):
            raise _SecondLeaf
        missing = [content for content in contents if leaves.position(content) is None]
        if is_due and missing:
            raise _LeafMissing(f"the log lacks {len(missing)} of what this phone has")
        if is_due:
            self._save(self._load() | {"missing_since": None, "problem": None})

    def _is_reading_due(self, now: float) -> bool:
        state = self._load()
        has_problem = state.get("missing_since") or self._store.get("log_notice")
        return bool(has_problem) or not 0 <= now - state.get("read_at", 0) < READING_PAUSE_SECONDS

    def read(self, config: Config, now: float | None, needed: Iterable[bytes] = ()) -> ReadLeaves:
        """Read the log up to its newest checkpoint. now: trusted Unix seconds, None to note no time.

        A phone that has read nothing yet, or not for long, reads the last READ_BACK leaves, or more, if the oldest week
        key of `config` or one of the `needed` leaves is older. Raises _SplitView, LeavesMissing, ProofInvalid, and as
        Client and `open_checkpoint`.
        """
        note = read_note(self._client.get("/v1/log/checkpoint", MOST_BYTES))
        checkpoint = open_checkpoint(note, log_key(self._city_key()))
        leaves = self._load_leaves()
        if leaves is None or checkpoint.size - leaves.frontier.size > READ_BACK:
            self._accept(note, checkpoint)
            begin = self._begin(checkpoint, config, needed)
            if leaves is None or begin.size > leaves.frontier.size:
                leaves = ReadLeaves(begin, leaves.first if leaves else {}, leaves.seconds if leaves else [])
        elif checkpoint.size < leaves.frontier.size or self._load().get("read_note") != self._load().get("note"):
            self._accept(note, checkpoint)
        while leaves.frontier.size < checkpoint.size:
            leaves.add(self._fetch_leaves(leaves.frontier.size, checkpoint.size))
        if leaves.frontier.size == checkpoint.size and leaves.frontier.root != checkpoint.root:
            self._accept(note, checkpoint)
            raise ProofInvalid("the leaves are not those of the signed log")
        leaves.forget_old_names()
        state = self._load() | {"leaves": leaves.members()}
        if leaves.frontier.size == checkpoint.size:
            state |= {"note": note.data.decode(), "read_note": note.data.decode()}
        if now is not None:
            state["read_at"] = now
        self._save(state)
        if now is not None:
            self._note_witnesses(config, note, checkpoint, now)
        return leaves

    def _begin(self, checkpoint: Checkpoint, config: Config, needed: Iterable[bytes]) -> Frontier:
        """Where reading begins: before the oldest of the leaves that this phone needs, and READ_BACK before the end."""
        contents = [*needed]
        # A config may name no key but that of random packets.
        if keys := [key for key in config.week_keys if key.purpose != "chaff"]:
            oldest_key = min(keys, key=lambda key: (key.use_from, key.kid))
            contents += [week_key_leaf(oldest_key, epoch) for epoch in range(len(config.epochs) + 1)]
        numbers = [number for content in contents if (number := self._number_of(content)) is not None]
        first = provable_size(min([*numbers, checkpoint.size - READ_BACK]))
        return Frontier.of_consistency(first, checkpoint.size, self._consistency(first, checkpoint.size))

    def _number_of(self, content: bytes) -> int | None:
        """Where the log says that a leaf is; it is believed once it was read."""
        try:
            return self._proof(content).number
        except ServerAnswerRefused:
            return None

    def _consistency(self, old_size: int, size: int) -> tuple[bytes, ...]:
        if not 0 < old_size < size:
            return ()
        lines = self._client.get(f"/v1/log/consistency/{old_size}/{size}", MOST_BYTES)
        return read_hashes(lines.decode("ascii", "replace").splitlines())

    def _fetch_leaves(self, first: int, end: int) -> list[bytes]:
        def fetch(path: str) -> bytes:
            return self._client.get(f"/v1/log/{path}", MOST_BYTES)

        return fetch_leaves(fetch, first, min(end, first + MOST_LEAVES), ServerAnswerRefused)

    def _proof(self, content: bytes) -> Proof:
        return read_proof(self._client.get(f"/v1/log/proof/{leaf_hash(content).hex()}", MOST_BYTES))

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
            hashes = self._consistency(smaller.size, larger.size)
            verify_consistency(smaller.size, smaller.root, larger.size, larger.root, hashes)
        except (ProofInvalid, NoteInvalid):
            evidence = state.get("evidence") or [stored_note.data.decode(), note.data.decode()]
            self._save(state | {"evidence": evidence})
            raise _SplitView from None
        if checkpoint.size > stored.size:
            self._save(state | {"note": note.data.decode()})

    # Witnesses

    def _note_witnesses(self, config: Config, note: Note, checkpoint: Checkpoint, now: float) -> None:
        """Note when witnesses signed, and how far the log has a quorum."""
        policy = current_policy(config.witnesses)
        if policy is None:
            return
        state = self._load()
        moments: dict[str, int] = dict(state.get("moments") or {})
        for witness, moment in policy.cosignatures(note, config, self._city_key(), now).items():
            moments[witness.key] = max(moment, moments.get(witness.key, 0))
        watched = state.get("watched", 0)
        if self._has_quorum(policy, note, config, now):
            watched = max(watched, checkpoint.size)
        since = state.get("watched_since") or now
        self._save(state | {"moments": moments, "watched_since": since, "watched": watched})

    def _has_quorum(self, policy: Policy, note: Note, config: Config, now: float) -> bool:
        return policy.has_quorum(note, config, self._city_key(), now)

    def _is_unwatched(self, config: Config, now: float) -> bool:
        policy = current_policy(config.witnesses)
        if policy is None:
            return False
        state = self._load()
        moments = state.get("moments") or {}
        newest_first = sorted((moments.get(witness.key, 0) for witness in policy.witnesses), reverse=True)
        since = state.get("watched_since") or now
        return bool(max(float(newest_first[policy.quorum - 1]), since) < now - UNWATCHED_SECONDS)

    # For the page

    @property
    def evidence(self) -> tuple[str, str] | None:
        """Two signed checkpoints that contradict each other, if this phone ever received such."""
        evidence = self._load().get("evidence")
        return (evidence[0], evidence[1]) if evidence else None

    @property
    def second_leaves(self) -> list[str]:
        """Leaves of a name that another leaf had taken before, at most RETAINED_SECONDS."""
        leaves = self._load_leaves()
        return leaves.seconds if leaves else []

    def watchers(self, config: Config) -> list[Watcher]:
        """Return the city's witnesses that count towards the quorum."""
        policy = current_policy(config.witnesses)
        moments = self._load().get("moments") or {}
        counted = policy.counted_witnesses(config, self._city_key()) if policy else ()
        return [Watcher(witness.name, witness.operator, moments.get(witness.key)) for witness in counted]

    def _set_notice(self, code: str | None) -> None:
        if self._store.get("log_notice") not in _LASTING:
            self._store.put("log_notice", code)

    def _leaves(self) -> ReadLeaves:
        return self._load_leaves() or ReadLeaves(Frontier())

    def _load_leaves(self) -> ReadLeaves | None:
        members = self._load().get("leaves")
        return ReadLeaves.load(members) if members else None

    def _load(self) -> dict[str, Any]:
        state: dict[str, Any] = self._store.get(_LOG_STATE, {})
        return state

    def _save(self, state: dict[str, Any]) -> None:
        self._store.put(_LOG_STATE, state)
