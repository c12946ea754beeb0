# SPDX-License-Identifier: Apache-2.0
"""The public log of one city in its store: append leaves, sign checkpoints, prove, and serve tiles.

Leaves are derived from what was published, so the next round appends a leaf that was lost in a crash. No refusal of
the log delays a file that phones wait for. Source: docs/protocol.md section 9; C2SP tlog-tiles.
"""

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.publication.journal import Journal
from bluezone.keyserver.publication.series import ALL_SERIES
from bluezone.keyserver.storage.store import Store, StoreRefused, Transaction
from bluezone.logs import event
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.config import Config
from bluezone.protocol.signed.envelope import extend_chain
from bluezone.refusal import Refused
from bluezone.transparency import leaves
from bluezone.transparency.merkle import (
    EMPTY_ROOT,
    Range,
    completed,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    range_hash,
)
from bluezone.transparency.notes import (
    Checkpoint,
    Note,
    Proof,
    Signature,
    VerifierKey,
    cosignature_time,
    hash_lines,
    log_key,
    merged,
    read_note,
    read_signature,
    sign_checkpoint,
)
from bluezone.transparency.watch import Policy, policy_of

logger = logging.getLogger(__name__)

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
# Checkpoints that are retained with their cosignatures; older ones prove nothing that the newest do not.
RETAINED_CHECKPOINTS = 500
# Checkpoints with enough cosignatures that are verified: more than one only after a witness has changed its key.
_VERIFIED_AT_MOST = 3
_CONFIG_MARK = "config"


class LogForked(StoreRefused):
    """The store's log differs from the one that was signed before: it was restored without its journal."""

    code = "log_forked"


class LogPathMissing(Refused):
    """The log has no such tile, leaf or proof."""

    code = "log_path_missing"


@dataclass(frozen=True)
class PublicLog:
    """The log of one city. signing_key: of the city, for checkpoints."""

    store: Store
    configs: ConfigFiles
    journal: Journal
    signing_key: Ed25519Signer

    @property
    def key(self) -> VerifierKey:
        """Verifies the city's signatures on checkpoints."""
        return log_key(self.signing_key.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        """The city's signature over the text of a checkpoint; the log uses the city's key for nothing else."""
        return self.signing_key.sign(text)

    # Writing

    def ask(self, content: bytes) -> None:
        """Have a leaf appended at the next `renew` unless it is in the log already. Safe from any process."""
        if self.find(leaf_hash(content)) is None:
            self.store.write(
                lambda transaction: transaction.execute(
                    "INSERT INTO log_waiting VALUES (?) ON CONFLICT DO NOTHING", (content,)
                )
            )

    def ask_once(self, kind: str, number: int, content: bytes) -> None:
        """Like `ask`, but only once for a kind and number, such as a day, whatever the leaf. Safe from any process."""

        def put(transaction: Transaction) -> None:
            if not transaction.execute("SELECT 1 FROM log_mark WHERE kind = ? AND number >= ?", (kind, number)):
                _set_mark(transaction, kind, number)
                transaction.execute("INSERT INTO log_waiting VALUES (?) ON CONFLICT DO NOTHING", (content,))

        self.store.write(put)

    def keep_up(self) -> None:
        """Like `renew`, but only log a failure, so that it delays nothing that phones wait for."""
        try:
            self.renew()
        except Refused as refused:
            details = event("log_refused", code=refused.code)
            logger.error("public log: %s: %s", refused.code, refused.message, extra=details)

    def renew(self) -> None:
        """Append what was published since the last call, and sign a checkpoint of it.

        Call it under the service's lock. Raises LogForked, StoreRefused.
        """
        first = self._recover()
        self.store.write(self._append_new)
        size = self.size()
        if size > first:
            # Before anyone can fetch it: the journal must know all that was signed.
            self.journal.note_leaves(first, self.contents(first, size))
        if size and not self.store.read("SELECT 1 FROM log_checkpoint WHERE size = ?", (size,)):
            note = sign_checkpoint(Checkpoint(self.key.name, size, self.root(size)), self.key, self.sign)
            self.store.write(lambda transaction: _store_checkpoint(transaction, size, note))

    def _recover(self) -> int:
        """Append leaves that the journal knows and a restored store lacks; returns how many the journal knows."""
        batches = self.journal.leaves()
        size = self.size()
        if not batches:
            return size
        end = max(first + len(contents) for first, contents in batches)
        if end > size:
            journalled: dict[int, bytes] = {}
            for first, contents in batches:
                journalled.update(enumerate(contents, first))
            missing = [journalled[number] for number in range(size, end) if number in journalled]
            self.store.write(lambda transaction: _append(transaction, missing))
        first, contents = batches[-1]
        if self.contents(first, first + len(contents)) != contents:
            raise LogForked(f"leaves from {first} on were signed, and are others here")
        return min(end, self.size())

    def _append_new(self, transaction: Transaction) -> None:
        waiting = [bytes(row[0]) for row in transaction.execute("DELETE FROM log_waiting RETURNING content")]
        marks: dict[str, int] = dict(transaction.execute("SELECT kind, number FROM log_mark"))
        fresh: list[bytes] = []
        for number in self.configs.numbers():
            if number > marks.get(_CONFIG_MARK, 0):
                fresh += _config_leaves(self.configs, number)
                marks[_CONFIG_MARK] = number
        epoch = self.configs.epoch_number()
        for series in ALL_SERIES:
            rows = transaction.execute(
                f"SELECT number, sha256, chain_before FROM {series.table}"  # noqa: S608 - names of tables are our own constants
                " WHERE sha256 IS NOT NULL AND number > ? ORDER BY number",
                (marks.get(series.kind, 0),),
            )
            for number, sha256, before in rows:
                fresh.append(
                    leaves.head_leaf(series.kind, epoch, number, extend_chain(bytes(before), bytes(sha256)).hex())
                )
                marks[series.kind] = number
        for kind in (_CONFIG_MARK, *(series.kind for series in ALL_SERIES)):
            _set_mark(transaction, kind, marks.get(kind, 0))
        _append(transaction, [*fresh, *sorted(waiting)])

    # Reading

    def size(self) -> int:
        """How many leaves there are."""
        return int(self.store.read("SELECT COALESCE(MAX(number) + 1, 0) FROM log_leaf")[0][0])

    def root(self, size: int) -> bytes:
        """The root of the first `size` leaves."""
        return self._range((0, size)) if size else EMPTY_ROOT

    def find(self, hash_of_leaf: bytes) -> int | None:
        """The number of a leaf by its hash, None if there is none."""
        rows = self.store.read("SELECT position FROM log_node WHERE level = 0 AND hash = ?", (hash_of_leaf,))
        return int(rows[0][0]) if rows else None

    def contents(self, first: int, end: int) -> list[bytes]:
        """Leaves from number `first` to before `end`."""
        rows = self.store.read(
            "SELECT content FROM log_leaf WHERE number >= ? AND number < ? ORDER BY number", (first, end)
        )
        return [bytes(row[0]) for row in rows]

    def newest(self) -> tuple[int, Note] | None:
        """Size and note of the newest checkpoint, with the cosignatures it has; None before the first."""
        rows = self.store.read("SELECT size, note FROM log_checkpoint ORDER BY size DESC LIMIT 1")
        return self._with_cosignatures(*rows[0]) if rows else None

    def watched(self, policy: Policy, config: Config, least_size: int = 0) -> tuple[int, Note] | None:
        """The newest checkpoint of at least a size that a quorum has signed; None if there is none yet."""
        names = [witness.name for witness in policy.counted(config, self.key.public)]
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
            if len(policy.signed(signed, config, self.key.public, float("inf"))) >= policy.quorum:
                return size, signed
        return None

    def proof(self, hash_of_leaf: bytes) -> Proof:
        """The proof that a leaf is in the newest checkpoint that a quorum signed, or else in the newest of all.

        Raises LogPathMissing.
        """
        number = self.find(hash_of_leaf)
        config = self.configs.newest()
        policy = policy_of(config.witnesses) if config else None
        chosen = None
        if number is not None and policy and config:
            chosen = self.watched(policy, config, number + 1)
        chosen = chosen or self.newest()
        if number is None or chosen is None or chosen[0] <= number:
            raise LogPathMissing("the log has no such leaf")
        size, note = chosen
        return Proof(number, tuple(map(self._range, inclusion_ranges(number, size))), note)

    def quorum_proof(self, content: bytes, policy: Policy, config: Config) -> Proof | None:
        """The proof of a leaf in a checkpoint that a quorum has signed; None as long as there is none."""
        number = self.find(leaf_hash(content))
        chosen = None if number is None else self.watched(policy, config, number + 1)
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
        contents = self.contents(first, first + width)
        if len(contents) != width:
            raise LogPathMissing("the log has no such tile")
        return b"".join(len(content).to_bytes(2, "big") + content for content in contents)

    def _range(self, span: Range) -> bytes:
        return range_hash(span, lambda level, position: _node(self.store.read, level, position))

    def _with_cosignatures(self, size: int, note: bytes) -> tuple[int, Note]:
        rows = self.store.read("SELECT name, line FROM log_cosignature WHERE size = ? ORDER BY name", (size,))
        return int(size), merged(
            read_note(bytes(note)), {name: read_signature(bytes(line)[:-1]) for name, line in rows}
        )

    # Who watches

    def set_policy(self, policy: bytes, addresses: str) -> int:
        """Append a policy of who shall watch; returns its number, from 0."""

        def put(transaction: Transaction) -> int:
            number = int(transaction.execute("SELECT COALESCE(MAX(number) + 1, 0) FROM log_policy")[0][0])
            transaction.execute("INSERT INTO log_policy VALUES (?, ?, ?)", (number, policy, addresses))
            return number

        return self.store.write(put)

    def policy(self, number: int) -> bytes | None:
        """The encoded policy of a number; None if it was never set."""
        rows = self.store.read("SELECT policy FROM log_policy WHERE number = ?", (number,))
        return bytes(rows[0][0]) if rows else None

    def addresses(self) -> list[str]:
        """The addresses of witnesses: JSON for each policy that was set, oldest first."""
        return [str(row[0]) for row in self.store.read("SELECT addresses FROM log_policy ORDER BY number")]

    def keep_cosignature(self, size: int, signature: Signature) -> None:
        """Store the signature of a witness, which the caller has verified."""
        row = (size, signature.name, signature.line)
        self.store.write(
            lambda transaction: transaction.execute(
                "INSERT INTO log_cosignature VALUES (?, ?, ?)"
                " ON CONFLICT (size, name) DO UPDATE SET line = excluded.line",
                row,
            )
        )

    def cosigned_size(self, name: str) -> int:
        """The largest log that a witness has cosigned, 0 before the first."""
        rows = self.store.read("SELECT COALESCE(MAX(size), 0) FROM log_cosignature WHERE name = ?", (name,))
        return int(rows[0][0])

    def last_cosigned(self, name: str) -> int:
        """When a witness last cosigned, Unix seconds by its own clock; 0 before the first time."""
        rows = self.store.read("SELECT line FROM log_cosignature WHERE name = ? ORDER BY size DESC LIMIT 1", (name,))
        return cosignature_time(read_signature(bytes(rows[0][0])[:-1])) if rows else 0


def _config_leaves(configs: ConfigFiles, number: int) -> list[bytes]:
    config = configs.config(number)
    return [
        leaves.config_leaf(number, configs.sha256_of(number)),
        *(leaves.epoch_leaf(record) for record in config.epochs),
        *(leaves.week_key_leaf(key) for key in config.week_keys),
        leaves.city_keys_leaf(config),
    ]


def _set_mark(transaction: Transaction, kind: str, number: int) -> None:
    sql = "INSERT INTO log_mark VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET number = excluded.number"
    transaction.execute(sql, (kind, number))


def _append(transaction: Transaction, contents: Iterable[bytes]) -> None:
    """Append leaves that are not in the log yet, with the hashes above them."""
    number = int(transaction.execute("SELECT COALESCE(MAX(number) + 1, 0) FROM log_leaf")[0][0])
    for content in contents:
        if transaction.execute("SELECT 1 FROM log_leaf WHERE content = ?", (content,)):
            continue
        transaction.execute("INSERT INTO log_leaf VALUES (?, ?)", (number, content))
        transaction.execute("INSERT INTO log_node VALUES (0, ?, ?)", (number, leaf_hash(content)))
        for level, position in completed(number):
            left = _node(transaction.execute, level - 1, 2 * position)
            right = _node(transaction.execute, level - 1, 2 * position + 1)
            transaction.execute("INSERT INTO log_node VALUES (?, ?, ?)", (level, position, node_hash(left, right)))
        number += 1


def _node(read: Callable[..., list[tuple[bytes, ...]]], level: int, position: int) -> bytes:
    rows = read("SELECT hash FROM log_node WHERE level = ? AND position = ?", (level, position))
    if not rows:
        raise LogPathMissing(f"the log has no hash {position} at level {level}")
    return bytes(rows[0][0])


def _store_checkpoint(transaction: Transaction, size: int, note: Note) -> None:
    transaction.execute("INSERT INTO log_checkpoint VALUES (?, ?) ON CONFLICT DO NOTHING", (size, note.data))
    old = transaction.execute(
        "SELECT size FROM log_checkpoint ORDER BY size DESC LIMIT 1 OFFSET ?", (RETAINED_CHECKPOINTS,)
    )
    for (least,) in old:
        for table in ("log_checkpoint", "log_cosignature"):
            transaction.execute(f"DELETE FROM {table} WHERE size <= ?", (least,))  # noqa: S608 - names of tables are our own constants


# Addresses below /v1/log/, as in tlog-tiles: three digits of a number in each part, `x` before all but the last.
_TILE = re.compile(r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([0-9]{1,3}))?")
_PROOF = re.compile(r"proof/([0-9a-f]{64})")
_CONSISTENCY = re.compile(r"consistency/(0|[1-9][0-9]{0,15})/([1-9][0-9]{0,15})")


def answer_of_log(log: PublicLog, path: str) -> tuple[bytes, bool]:
    """The answer to a path below /v1/log/: its bytes, and whether they never change. Raises LogPathMissing.

    path: `checkpoint`, `tile/LEVEL/NUMBER`, `tile/entries/NUMBER`, `proof/HASH OF LEAF`, `consistency/OLD/SIZE`.
    """
    if path == "checkpoint" and (newest := log.newest()):
        return newest[1].data, False
    if match := _PROOF.fullmatch(path):
        return log.proof(bytes.fromhex(match[1])).data, False
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
