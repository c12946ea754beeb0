# SPDX-License-Identifier: Apache-2.0
"""What a witness stores of the leaves that it reads: how far it has read, the first leaf of each name, and later ones.

Leaves count once they lead to the root of a checkpoint; until then they are forgotten if they do not.
"""

import sqlite3
from dataclasses import dataclass

from bluezone.transparency.leaves import name_of
from bluezone.transparency.merkle import HASH_BYTES
from bluezone.transparency.reading import Frontier

# How many second leaves of one log are retained.
MOST_SECONDS = 100

TABLES = """
CREATE TABLE IF NOT EXISTS reading (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, hashes BLOB NOT NULL,
    verified_size INTEGER NOT NULL, verified_hashes BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS first_leaf (
    origin TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (origin, name)
);
CREATE TABLE IF NOT EXISTS second_leaf (
    origin TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (origin, number)
);
"""


@dataclass(frozen=True, slots=True)
class SecondLeaf:
    """A leaf of a name that an earlier leaf has taken. origin: of the log. Numbers count from 0."""

    origin: str
    name: str
    first_number: int
    first: bytes
    number: int
    content: bytes


def frontiers(store: sqlite3.Connection, origin: str) -> tuple[Frontier, Frontier]:
    """How far a log was read, and how far its leaves are those of a signed checkpoint."""
    row = store.execute(
        "SELECT size, hashes, verified_size, verified_hashes FROM reading WHERE origin = ?", (origin,)
    ).fetchone()
    if row is None:
        return Frontier(), Frontier()
    size, hashes, verified_size, verified_hashes = row
    return Frontier(size, _split(hashes)), Frontier(verified_size, _split(verified_hashes))


def note_leaves(store: sqlite3.Connection, origin: str, known: Frontier, contents: list[bytes]) -> None:
    """Note the leaves that follow a frontier, unless another process has read on since."""
    read, verified = frontiers(store, origin)
    if read != known:
        return
    for number, content in enumerate(contents, known.size):
        name = name_of(content)
        if name is not None:
            _note_leaf(store, origin, name, number, content)
    _save(store, origin, known.append(contents), verified)


def _note_leaf(store: sqlite3.Connection, origin: str, name: str, number: int, content: bytes) -> None:
    row = (origin, name, number, content)
    if store.execute("INSERT INTO first_leaf VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row).rowcount:
        return
    (count,) = store.execute("SELECT COUNT(*) FROM second_leaf WHERE origin = ?", (origin,)).fetchone()
    if count < MOST_SECONDS:
        store.execute("INSERT INTO second_leaf VALUES (?, ?, ?, ?)", (origin, number, name, content))


def confirm_leaves(store: sqlite3.Connection, origin: str) -> None:
    """Note that the leaves read so far are those of a signed checkpoint."""
    read, _ = frontiers(store, origin)
    _save(store, origin, read, read)


def forget_leaves(store: sqlite3.Connection, origin: str) -> None:
    """Forget the leaves that were read since the last signed checkpoint: they are not those of the next."""
    _, verified = frontiers(store, origin)
    for table in ("first_leaf", "second_leaf"):
        store.execute(f"DELETE FROM {table} WHERE origin = ? AND number >= ?", (origin, verified.size))  # noqa: S608 - names of tables are our own constants
    _save(store, origin, verified, verified)


def second_leaves(store: sqlite3.Connection) -> list[SecondLeaf]:
    """The second leaves in signed checkpoints, by log and number."""
    rows = store.execute(
        "SELECT second_leaf.origin, second_leaf.name, first_leaf.number, first_leaf.content, second_leaf.number,"
        " second_leaf.content FROM second_leaf JOIN first_leaf USING (origin, name) JOIN reading USING (origin)"
        " WHERE second_leaf.number < reading.verified_size ORDER BY second_leaf.origin, second_leaf.number"
    )
    return [SecondLeaf(*row) for row in rows]


def _save(store: sqlite3.Connection, origin: str, read: Frontier, verified: Frontier) -> None:
    row = (origin, read.size, b"".join(read.hashes), verified.size, b"".join(verified.hashes))
    store.execute("REPLACE INTO reading VALUES (?, ?, ?, ?, ?)", row)


def _split(hashes: bytes) -> tuple[bytes, ...]:
    return tuple(hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES))
