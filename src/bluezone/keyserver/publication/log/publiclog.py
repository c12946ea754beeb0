# SPDX-License-Identifier: Apache-2.0
"""Read the public log of one city: leaves, checkpoints, proofs and tiles.

Source: docs/protocol.md section 9; C2SP tlog-tiles.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.storage.store import Store
from bluezone.protocol.signed.config import Config, WeekKey
from bluezone.refusal import Refused
from bluezone.transparency.leaves import HEAD, week_key_leaf, week_key_name
from bluezone.transparency.merkle import (
    EMPTY_ROOT,
    Range,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    range_hash,
)
from bluezone.transparency.notes import (
    Note,
    Proof,
    VerifierKey,
    cosignature_time,
    hash_lines,
    log_key,
    merge_signatures,
    read_note,
    read_signature,
)
from bluezone.transparency.reading import MOST_LEAVES, TILE_WIDTH, pack_leaves
from bluezone.transparency.watch import Policy, current_policy

TILE_HEIGHT = 8
# How many checkpoints with enough cosignatures are verified at most. The first suffices unless a witness has changed
# its key.
_VERIFIED_AT_MOST = 3
# Addresses below /v1/log/, as in tlog-tiles: three digits of a number in each part, `x` before all but the last.
_TILE = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")
_PROOF = re.compile(r"proof/([0-9a-f]{64})")
_LEAVES = re.compile(r"leaves/(0|[1-9][0-9]{0,15})/([1-9][0-9]{0,15})")
_CONSISTENCY = re.compile(r"consistency/(0|[1-9][0-9]{0,15})/([1-9][0-9]{0,15})")


class LogPathMissing(Refused):
    """The log has no such tile, leaf or proof."""

    code = "log_path_missing"


@dataclass(frozen=True)
class PublicLog:
    """The log of one city. store: of keys. city_key: the public key that signs checkpoints, 32 bytes."""

    store: Store
    configs: ConfigFiles
    city_key: bytes

    @property
    def key(self) -> VerifierKey:
        """Verifies the city's signatures on checkpoints."""
        return log_key(self.city_key)

    def size(self) -> int:
        """How many leaves there are."""
        return int(self.store.read("SELECT COALESCE(MAX(number) + 1, 0) FROM log_leaf")[0][0])

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves."""
        return self._range((0, size)) if size else EMPTY_ROOT

    def find_leaf(self, hash_of_leaf: bytes) -> int | None:
        """The number of a leaf by its hash, None if there is none."""
        rows = self.store.read("SELECT position FROM log_node WHERE level = 0 AND hash = ?", (hash_of_leaf,))
        return int(rows[0][0]) if rows else None

    def leaves(self, first: int, end: int) -> list[bytes]:
        """Leaves from number `first` to before `end`."""
        rows = self.store.read(
            "SELECT content FROM log_leaf WHERE number >= ? AND number < ? ORDER BY number", (first, end)
        )
        return [bytes(row[0]) for row in rows]

    def has_other_key(self, key: WeekKey, epoch: int) -> bool:
        """Whether another key was the first of this week key's name. epoch: the current one."""
        if any(self.find_leaf(leaf_hash(week_key_leaf(key, since))) is not None for since in range(epoch + 1)):
            return False
        return bool(self.leaves_of_name(week_key_name(key, epoch)))

    def leaves_of_name(self, name: str) -> list[bytes]:
        """The leaves that take a name, first to last."""
        prefix = f"{HEAD} {name} ".encode()
        rows = self.store.read(
            "SELECT content FROM log_leaf WHERE content >= ? AND content < ? ORDER BY number",
            (prefix, prefix[:-1] + b"!"),
        )
        return [bytes(row[0]) for row in rows]

    def newest_checkpoint(self) -> tuple[int, Note] | None:
        """Size and note of the newest checkpoint, with its cosignatures so far; None before the first checkpoint."""
        rows = self.store.read("SELECT size, note FROM log_checkpoint ORDER BY size DESC LIMIT 1")
        return self._with_cosignatures(*rows[0]) if rows else None

    def newest_watched(self, policy: Policy, config: Config, least_size: int = 0) -> tuple[int, Note] | None:
        """Size and note of the newest checkpoint that a quorum has signed.

        None if there is none yet with at least `least_size` leaves.
        """
        names = [witness.name for witness in policy.counted_witnesses(config, self.key.public)]
        # Each cosignature was verified before it was stored, so counting finds the candidates.
        rows = self.store.read(
            "SELECT log_checkpoint.size, note FROM log_checkpoint JOIN log_cosignature"  # noqa: S608 - names of tables are our own constants
            " ON log_cosignature.size = log_checkpoint.size WHERE log_checkpoint.size >= ?"
            f" AND name IN ({', '.join('?' * len(names)) or 'NULL'}) GROUP BY log_checkpoint.size, note"
            " HAVING COUNT(*) >= ? ORDER BY log_checkpoint.size DESC LIMIT ?",
            (least_size, *names, policy.quorum, _VERIFIED_AT_MOST),
        )
        for size, note in rows:
            size, signed = self._with_cosignatures(size, note)
            if len(policy.cosignatures(signed, config, self.key.public, float("inf"))) >= policy.quorum:
                return size, signed
        return None

    def proof(self, hash_of_leaf: bytes) -> Proof:
        """The proof that a leaf is in the newest checkpoint that a quorum has signed, else in the newest checkpoint.

        Raises LogPathMissing.
        """
        number = self.find_leaf(hash_of_leaf)
        config = self.configs.newest_config()
        policy = current_policy(config.witnesses) if config else None
        chosen = None
        if number is not None and policy and config:
            chosen = self.newest_watched(policy, config, number + 1)
        chosen = chosen or self.newest_checkpoint()
        if number is None or chosen is None or chosen[0] <= number:
            raise LogPathMissing("the log has no such leaf")
        size, note = chosen
        return Proof(number, tuple(map(self._range, inclusion_ranges(number, size))), note)

    def quorum_proof(self, content: bytes, policy: Policy, config: Config) -> Proof | None:
        """The proof that a leaf is in a checkpoint that a quorum has signed; None if there is none yet."""
        number = self.find_leaf(leaf_hash(content))
        chosen = None if number is None else self.newest_watched(policy, config, number + 1)
        if number is None or chosen is None:
            return None
        return Proof(number, tuple(map(self._range, inclusion_ranges(number, chosen[0]))), chosen[1])

    def consistency(self, old_size: int, size: int) -> list[bytes]:
        """The hashes that prove that the log of `size` continues that of `old_size`. Raises LogPathMissing."""
        if not old_size <= size <= self.size():
            raise LogPathMissing(f"the log has no proof from {old_size} to {size}")
        return [self._range(leaves) for leaves in consistency_ranges(old_size, size)]

    def tile(self, level: int, position: int, width: int) -> bytes:
        """The hashes of a tile, one after the other. width: 1..256. Raises LogPathMissing."""
        first = position * TILE_WIDTH
        rows = self.store.read(
            "SELECT hash FROM log_node WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
            (level * TILE_HEIGHT, first, first + width),
        )
        if len(rows) != width:
            raise LogPathMissing("the log has no such tile")
        return b"".join(bytes(row[0]) for row in rows)

    def entries(self, position: int, width: int) -> bytes:
        """The leaves of a tile, each after its length in two bytes. Raises LogPathMissing."""
        first = position * TILE_WIDTH
        contents = self.leaves(first, first + width)
        if len(contents) != width:
            raise LogPathMissing("the log has no such tile")
        return pack_leaves(contents)

    def packed_leaves(self, first: int, end: int) -> bytes:
        """The leaves from number `first` to before `end`, at most MOST_LEAVES. Raises LogPathMissing."""
        contents = self.leaves(first, end) if first < end <= first + MOST_LEAVES else []
        if not contents or len(contents) != end - first:
            raise LogPathMissing("the log has no such leaves")
        return pack_leaves(contents)

    def _range(self, span: Range) -> bytes:
        return range_hash(span, lambda level, position: read_node(self.store.read, level, position))

    def _with_cosignatures(self, size: int, note: bytes) -> tuple[int, Note]:
        rows = self.store.read("SELECT name, line FROM log_cosignature WHERE size = ? ORDER BY name", (size,))
        return int(size), merge_signatures(
            read_note(bytes(note)), {name: read_signature(bytes(line)[:-1]) for name, line in rows}
        )

    def policy(self, number: int) -> bytes | None:
        """The encoded policy of a number; None if it was never set."""
        rows = self.store.read("SELECT policy FROM log_policy WHERE number = ?", (number,))
        return bytes(rows[0][0]) if rows else None

    def addresses(self) -> list[str]:
        """The addresses of witnesses: JSON for each policy that was set, oldest first."""
        return [str(row[0]) for row in self.store.read("SELECT addresses FROM log_policy ORDER BY number")]

    def cosigned_size(self, name: str) -> int:
        """The largest log that a witness has cosigned, 0 before the first."""
        rows = self.store.read("SELECT COALESCE(MAX(size), 0) FROM log_cosignature WHERE name = ?", (name,))
        return int(rows[0][0])

    def last_cosigned(self, name: str) -> int:
        """When a witness last cosigned, Unix seconds by its own clock; 0 before the first time."""
        rows = self.store.read("SELECT line FROM log_cosignature WHERE name = ? ORDER BY size DESC LIMIT 1", (name,))
        return cosignature_time(read_signature(bytes(rows[0][0])[:-1])) if rows else 0


def read_node(read: Callable[..., list[tuple[bytes, ...]]], level: int, position: int) -> bytes:
    """The hash of a node of the tree. Raises LogPathMissing."""
    rows = read("SELECT hash FROM log_node WHERE level = ? AND position = ?", (level, position))
    if not rows:
        raise LogPathMissing(f"the log has no hash {position} at level {level}")
    return bytes(rows[0][0])


def answer_of_log(log: PublicLog, path: str) -> tuple[bytes, bool]:
    """The answer to a path below /v1/log/: its bytes, and whether they never change. Raises LogPathMissing.

    path: `checkpoint`, `tile/LEVEL/NUMBER`, `tile/entries/NUMBER`, `leaves/FIRST/END`, `proof/HASH OF LEAF`,
    `consistency/OLD/SIZE`.
    """
    if path == "checkpoint" and (newest := log.newest_checkpoint()):
        return newest[1].data, False
    if match := _PROOF.fullmatch(path):
        return log.proof(bytes.fromhex(match[1])).data, False
    if match := _LEAVES.fullmatch(path):
        return log.packed_leaves(int(match[1]), int(match[2])), True
    if match := _CONSISTENCY.fullmatch(path):
        return hash_lines(log.consistency(int(match[1]), int(match[2]))), True
    if match := _TILE.fullmatch(path):
        position = int(match[2].replace("x", "").replace("/", ""))
        width = int(match[3] or TILE_WIDTH)
        if 1 <= width <= TILE_WIDTH:
            if match[1] == "entries":
                return log.entries(position, width), True
            return log.tile(int(match[1]), position, width), True
    raise LogPathMissing("nothing of the log is served at this address")
