# SPDX-License-Identifier: Apache-2.0
"""Write the public log of one city: append leaves and sign checkpoints.

Most leaves are derived from published files and configs, so if a crash loses one, the next round appends it. A failure
of the log does not delay the files that phones wait for. Source: docs/protocol.md section 9; C2SP tlog-tiles.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bluezone.keyserver.configs.configfiles import ConfigFiles
from bluezone.keyserver.publication.log.journal import Journal
from bluezone.keyserver.publication.log.publiclog import PublicLog, read_node
from bluezone.keyserver.publication.series import ALL_SERIES
from bluezone.keyserver.storage.store import StoreRefused, Transaction
from bluezone.logs import event_fields
from bluezone.protocol.signed.config import Config, WeekKey
from bluezone.protocol.signed.envelope import extend_chain
from bluezone.refusal import Refused
from bluezone.transparency import leaves
from bluezone.transparency.merkle import completed_subtrees, leaf_hash, node_hash, range_hash
from bluezone.transparency.notes import Checkpoint, Note, Signature, open_checkpoint, read_note, sign_checkpoint
from bluezone.transparency.reading import LeavesMissing, fetch_tiles

logger = logging.getLogger(__name__)

# How many checkpoints are retained with their cosignatures; older ones prove nothing that the newest do not prove.
RETAINED_CHECKPOINTS = 500
_CONFIG_MARK = "config"
# Its number is how many different sets of keys of the city are in the log.
_CITY_KEYS_MARK = "city-keys"


class LogForked(StoreRefused):
    """The store's log differs from the signed one in the journal, as after a restore from a backup."""

    code = "log_forked"


@dataclass(frozen=True)
class LogWriter(PublicLog):
    """The log of one city, to be written.

    sign_text: returns the city's signature of the text of a checkpoint. Its second argument, given the size of the log
    signed last, returns the hashes that prove that this one continues it.
    """

    journal: Journal
    sign_text: Callable[[bytes, Callable[[int], Sequence[bytes]]], bytes]

    def sign_checkpoint(self, size: int) -> Note:
        """The signed checkpoint of the first `size` leaves. Raises LogForked, StoreRefused."""

        def sign(text: bytes) -> bytes:
            return self.sign_text(text, lambda signed_size: self._prove(signed_size, size))

        return sign_checkpoint(Checkpoint(self.key.name, size, self.root(size)), self.key, sign)

    def _prove(self, signed_size: int, size: int) -> list[bytes]:
        if signed_size > size:
            raise LogForked(f"the signer has signed a log of {signed_size} leaves, this store has {size}")
        return self.consistency(signed_size, size)

    def request_leaf(self, content: bytes) -> None:
        """Have the next `renew_log` append a leaf, unless the log has it already. Safe from any process."""
        if self.find_leaf(leaf_hash(content)) is None:
            self.store.write(
                lambda transaction: transaction.execute(
                    "INSERT INTO log_waiting VALUES (?) ON CONFLICT DO NOTHING", (content,)
                )
            )

    def request_city_keys(self, config: Config) -> tuple[bytes, ...]:
        """Have the next `renew_log` append the leaves of the keys of the city that a config names; returns them."""

        def put(transaction: Transaction) -> tuple[bytes, ...]:
            requested = _city_keys_leaves(transaction, config)
            for content in requested:
                if not _has_leaf(transaction, content):
                    transaction.execute("INSERT INTO log_waiting VALUES (?) ON CONFLICT DO NOTHING", (content,))
            return requested

        return self.store.write(put)

    def request_leaf_once(self, kind: str, number: int, content: bytes) -> None:
        """Like `request_leaf`, but does nothing if a leaf of this kind was requested with this number or a higher one.

        number: for example a day, for a leaf that is due once a day.
        """

        def put(transaction: Transaction) -> None:
            if not transaction.execute("SELECT 1 FROM log_mark WHERE kind = ? AND number >= ?", (kind, number)):
                _set_mark(transaction, kind, number)
                transaction.execute("INSERT INTO log_waiting VALUES (?) ON CONFLICT DO NOTHING", (content,))

        self.store.write(put)

    def try_to_renew_log(self) -> None:
        """Like `renew_log`, but only log a failure, so that it delays nothing that phones wait for."""
        try:
            self.renew_log()
        except Refused as refused:
            _log_refusal(refused)

    def try_to_adopt_leaves(self, fetch: Callable[[str], bytes | None]) -> None:
        """Like `adopt_leaves`, but only log a failure."""
        try:
            self.adopt_leaves(fetch)
        except Refused as refused:
            _log_refusal(refused)

    def renew_log(self) -> None:
        """Append what was published since the last call, and sign a checkpoint of it.

        Call it under the service's lock. Raises LogForked, StoreRefused.
        """
        first = self._recover()
        self.store.write(self._append_new)
        size = self.size()
        if size > first:
            # The journal must know everything that is signed, so it comes before the checkpoint.
            self.journal.note_leaves(first, self.leaves(first, size))
        if size and not self.store.read("SELECT 1 FROM log_checkpoint WHERE size = ?", (size,)):
            note = self.sign_checkpoint(size)
            self.store.write(lambda transaction: _store_checkpoint(transaction, size, note))

    def _recover(self) -> int:
        """Append leaves that the journal has and the store lacks, as after a restore.

        Returns how many of the first leaves need not be noted in the journal: those it has, or all if it is empty.
        """
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
        if self.leaves(first, first + len(contents)) != contents:
            raise LogForked(f"the leaves from {first} on differ from those that were signed")
        return min(end, self.size())

    def adopt_leaves(self, fetch: Callable[[str], bytes | None]) -> None:
        """Append the leaves that a copy of this log has and the store lacks.

        fetch: returns a file of the copy by its address below /v1/, None if there is none.
        Raises NoteInvalid, LogForked if the log of the store is not the beginning of the copy, StoreRefused.
        """
        signed = fetch("log/checkpoint")
        if signed is None:
            return
        note = read_note(signed)
        checkpoint = open_checkpoint(note, self.key)
        size = self.size()
        contents = _read_entries(fetch, size, checkpoint.size)

        def put(transaction: Transaction) -> None:
            _append(transaction, contents)
            root = range_hash((0, checkpoint.size), lambda level, at: read_node(transaction.execute, level, at))
            if root != checkpoint.root:
                raise LogForked("this store's log is not the beginning of the one that was published")
            _store_checkpoint(transaction, checkpoint.size, note)

        if contents:
            self.store.write(put)

    def _append_new(self, transaction: Transaction) -> None:
        marks: dict[str, int] = dict(transaction.execute("SELECT kind, number FROM log_mark"))
        new_leaves: list[bytes] = []
        for number in self.configs.numbers():
            if number > marks.get(_CONFIG_MARK, 0):
                # One config after the other: each looks which leaves the log has.
                _append(transaction, _config_leaves(transaction, self.configs, number))
                marks[_CONFIG_MARK] = number
        epoch = self.configs.epoch_number()
        for series in ALL_SERIES:
            rows = transaction.execute(
                f"SELECT number, sha256, chain_before FROM {series.table}"  # noqa: S608 - names of tables are our own constants
                " WHERE sha256 IS NOT NULL AND number > ? ORDER BY number",
                (marks.get(series.kind, 0),),
            )
            for number, sha256, before in rows:
                new_leaves.append(
                    leaves.head_leaf(series.kind, epoch, number, extend_chain(bytes(before), bytes(sha256)).hex())
                )
                marks[series.kind] = number
        for kind in (_CONFIG_MARK, *(series.kind for series in ALL_SERIES)):
            _set_mark(transaction, kind, marks.get(kind, 0))
        waiting = [bytes(row[0]) for row in transaction.execute("DELETE FROM log_waiting RETURNING content")]
        _append(transaction, [*new_leaves, *sorted(waiting)])

    def set_policy(self, policy: bytes, addresses: str) -> int:
        """Append a policy that names the witnesses; returns its number, from 0."""

        def put(transaction: Transaction) -> int:
            number = int(transaction.execute("SELECT COALESCE(MAX(number) + 1, 0) FROM log_policy")[0][0])
            transaction.execute("INSERT INTO log_policy VALUES (?, ?, ?)", (number, policy, addresses))
            return number

        return self.store.write(put)

    def store_cosignature(self, size: int, signature: Signature) -> None:
        """Store the signature of a witness, which the caller has verified."""
        row = (size, signature.name, signature.line)
        self.store.write(
            lambda transaction: transaction.execute(
                "INSERT INTO log_cosignature VALUES (?, ?, ?)"
                " ON CONFLICT (size, name) DO UPDATE SET line = excluded.line",
                row,
            )
        )


def _log_refusal(refused: Refused) -> None:
    details = event_fields("log_refused", code=refused.code)
    logger.error("public log: %s: %s", refused.code, refused.message, extra=details)


def _read_entries(fetch: Callable[[str], bytes | None], first: int, end: int) -> list[bytes]:
    """The leaves of a copy from number `first` to before `end`. Raises LogForked if some are missing."""
    try:
        return fetch_tiles(lambda path: fetch(f"log/{path}") or b"", first, end)
    except LeavesMissing as refused:
        raise LogForked(f"the copy of the public log lacks leaves: {refused.message}") from None


def _config_leaves(transaction: Transaction, configs: ConfigFiles, number: int) -> list[bytes]:
    config = configs.config(number)
    # The key of random packets certifies nothing.
    certifying = [key for key in config.week_keys if key.purpose != "chaff"]
    new_keys = [key for key in certifying if not _find_week_key(transaction, key, len(config.epochs))]
    return [
        leaves.config_leaf(number, configs.sha256_of(number)),
        *(leaves.epoch_leaf(record) for record in config.epochs),
        *(leaves.epoch_leaf(record, epoch) for epoch, record in enumerate(config.epochs, 1)),
        *(leaves.week_key_leaf(key, len(config.epochs)) for key in new_keys),
        *_city_keys_leaves(transaction, config),
    ]


def _find_week_key(transaction: Transaction, key: WeekKey, epoch: int) -> bool:
    """Whether the log has a week key since this or an earlier epoch."""
    return any(_has_leaf(transaction, leaves.week_key_leaf(key, since)) for since in range(epoch + 1))


def _city_keys_leaves(transaction: Transaction, config: Config) -> tuple[bytes, bytes]:
    """The leaves of the keys of the city that a config names; the next count is taken if this set is new."""
    rows = transaction.execute("SELECT number FROM log_mark WHERE kind = ?", (_CITY_KEYS_MARK,))
    count = int(rows[0][0]) if rows else 0
    plain = leaves.city_keys_leaf(config)
    for known in range(count):
        content = leaves.city_keys_leaf(config, known)
        if _has_leaf(transaction, content) or _waits(transaction, content):
            return plain, content
    _set_mark(transaction, _CITY_KEYS_MARK, count + 1)
    return plain, leaves.city_keys_leaf(config, count)


def _has_leaf(transaction: Transaction, content: bytes) -> bool:
    return bool(transaction.execute("SELECT 1 FROM log_leaf WHERE content = ?", (content,)))


def _waits(transaction: Transaction, content: bytes) -> bool:
    return bool(transaction.execute("SELECT 1 FROM log_waiting WHERE content = ?", (content,)))


def _set_mark(transaction: Transaction, kind: str, number: int) -> None:
    sql = "INSERT INTO log_mark VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET number = excluded.number"
    transaction.execute(sql, (kind, number))


def _append(transaction: Transaction, contents: Iterable[bytes]) -> None:
    """Append leaves that are not in the log yet, with the hashes above them."""
    number = int(transaction.execute("SELECT COALESCE(MAX(number) + 1, 0) FROM log_leaf")[0][0])
    for content in contents:
        if _has_leaf(transaction, content):
            continue
        transaction.execute("INSERT INTO log_leaf VALUES (?, ?)", (number, content))
        transaction.execute("INSERT INTO log_node VALUES (0, ?, ?)", (number, leaf_hash(content)))
        for level, position in completed_subtrees(number):
            left = read_node(transaction.execute, level - 1, 2 * position)
            right = read_node(transaction.execute, level - 1, 2 * position + 1)
            transaction.execute("INSERT INTO log_node VALUES (?, ?, ?)", (level, position, node_hash(left, right)))
        number += 1


def _store_checkpoint(transaction: Transaction, size: int, note: Note) -> None:
    transaction.execute("INSERT INTO log_checkpoint VALUES (?, ?) ON CONFLICT DO NOTHING", (size, note.data))
    old = transaction.execute(
        "SELECT size FROM log_checkpoint ORDER BY size DESC LIMIT 1 OFFSET ?", (RETAINED_CHECKPOINTS,)
    )
    for (least,) in old:
        for table in ("log_checkpoint", "log_cosignature"):
            transaction.execute(f"DELETE FROM {table} WHERE size <= ?", (least,))  # noqa: S608 - names of tables are our own constants
