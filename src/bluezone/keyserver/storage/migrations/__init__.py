# SPDX-License-Identifier: Apache-2.0
"""Bring a store's tables up to date: numbered SQL files in two dialects, each applied once, in one transaction.

On PostgreSQL a migration waits at most a second for a lock and then raises StoreBusy, so that requests do not queue
behind it for long. The next start continues with the migration that failed.
"""

import functools
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Protocol

from bluezone.keyserver.storage.store import Store, StoreTooNew, Transaction

_FILE = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")
Program = Callable[[Store], Callable[[Transaction], None]]
# How long a process waits for another process that is migrating or ticking.
_TURN_SECONDS = 60.0
# How long a migration waits for a lock: briefly, because requests queue behind it meanwhile.
_LOCK_MILLISECONDS = 1000


def _limit_locks(transaction: Transaction) -> None:
    """Let a migration give up soon if it has to wait for a lock, but run as long as it needs once it has its locks."""
    transaction.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
    transaction.execute("SET LOCAL statement_timeout = 0")


def _join(store: Store) -> Callable[[Transaction], None]:
    """Migration 8 of keys: `known_key` and `spent`, which were partitioned by time, become one table each.

    Their rows are copied while other processes continue to write; a trigger copies the rows that these add meanwhile.
    Returns the action that replaces the partitioned tables by the copies, quickly.
    """
    partitioned = [name for name in ("known_key", "spent") if _partitions(store, name)]
    for name in partitioned:
        store.write(lambda transaction, n=name: _begin_copy(transaction, n))  # type: ignore[misc]
        for partition in _partitions(store, name):
            store.write(lambda transaction, n=name, p=partition: _copy(transaction, n, p))  # type: ignore[misc]

    def exchange(transaction: Transaction) -> None:
        _limit_locks(transaction)
        for name in partitioned:
            transaction.execute(f"DROP TABLE {name}")
            transaction.execute(f"DROP FUNCTION {name}_copy()")
            transaction.execute(f"ALTER TABLE {name}_whole RENAME TO {name}")
            transaction.execute(f"ALTER INDEX {name}_whole_pkey RENAME TO {name}_pkey")

    return exchange


def _begin_copy(transaction: Transaction, name: str) -> None:
    _limit_locks(transaction)
    transaction.execute(f"CREATE TABLE IF NOT EXISTS {name}_whole (LIKE {name}_rest INCLUDING ALL)")
    transaction.execute(
        f"CREATE OR REPLACE FUNCTION {name}_copy() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$BEGIN INSERT INTO {name}_whole SELECT (NEW).* ON CONFLICT DO NOTHING; RETURN NULL; END$$"
    )
    transaction.execute(f"DROP TRIGGER IF EXISTS copied ON {name}")
    transaction.execute(f"CREATE TRIGGER copied AFTER INSERT ON {name} FOR EACH ROW EXECUTE FUNCTION {name}_copy()")


def _copy(transaction: Transaction, name: str, partition: str) -> None:
    _limit_locks(transaction)
    transaction.execute(f"INSERT INTO {name}_whole SELECT * FROM {partition} ON CONFLICT DO NOTHING")  # noqa: S608


def _partitions(store: Store, name: str) -> list[str]:
    """The names of a table's partitions."""
    rows = store.read("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(?)", (name,))
    return [partition for (partition,) in rows]


# Migrations that need more than SQL: each takes the store and returns the action of its transaction.
_BY_PROGRAM: dict[tuple[str, str], dict[int, Program]] = {("keys", "postgresql"): {8: _join}}


def migrate(store: Store, name: str) -> None:
    """Apply the migrations that the store `name` (codes or keys) has not had yet; safe to run from several processes.

    Raises StoreTooNew if the store has had one that this program does not know.
    """
    scripts = _scripts(name, store.dialect)
    known = max(scripts)
    if _newest(store) == known:
        return
    with store.exclusive(_TURN_SECONDS):
        store.write(_make_ledger)
        newest = _newest(store)
        if newest > known:
            raise _too_new(name, newest, known)
        for number in range(newest + 1, known + 1):
            script = scripts[number]
            action = _by_script(script) if isinstance(script, str) else script(store)
            store.write(lambda transaction, n=number, a=action: _apply(transaction, n, a))  # type: ignore[misc]


class Readable(Protocol):
    """The part of a store that reading its migrations needs."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    @property
    def read(self) -> Callable[[str], list[Any]]:
        """Return the rows of one SELECT."""
        ...


def waiting_for(store: Readable, name: str) -> int:
    """How many migrations the store `name` has not had yet; nothing is changed. Raises StoreTooNew."""
    newest, known = _newest(store), _newest_known(name, store.dialect)
    if newest > known:
        raise _too_new(name, newest, known)
    return known - newest


def _too_new(name: str, newest: int, known: int) -> StoreTooNew:
    return StoreTooNew(f"the store {name} has migration {newest}, this program knows them up to {known}")


def unknown_to_us(store: Store, name: str) -> bool:
    """Whether a newer program has changed the store's tables since this one opened it. Raises StoreRefused."""
    return _newest(store) > _newest_known(name, store.dialect)


@functools.cache
def _newest_known(name: str, dialect: str) -> int:
    return max(_scripts(name, dialect))


def _scripts(name: str, dialect: str) -> dict[int, str | Program]:
    folder = files("bluezone.keyserver.storage.migrations") / name / dialect
    scripts: dict[int, str | Program] = {}
    for entry in folder.iterdir():
        if match := _FILE.fullmatch(entry.name):
            scripts[int(match[1])] = entry.read_text(encoding="utf-8")
    return scripts | _BY_PROGRAM.get((name, dialect), {})


def _make_ledger(transaction: Transaction) -> None:
    transaction.execute("CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY)")


def _newest(store: Readable) -> int:
    ledger = {
        "sqlite": "SELECT 1 FROM sqlite_master WHERE name = 'migration'",
        "postgresql": "SELECT 1 WHERE to_regclass('migration') IS NOT NULL",
    }
    if not store.read(ledger[store.dialect]):
        return 0
    return int(store.read("SELECT COALESCE(MAX(number), 0) FROM migration")[0][0])


def _by_script(script: str) -> Callable[[Transaction], None]:
    def action(transaction: Transaction) -> None:
        if transaction.dialect == "postgresql":
            _limit_locks(transaction)
        for statement in statements_of(script):
            transaction.execute(statement)

    return action


def statements_of(script: str) -> list[str]:
    """The statements of a script, split at every semicolon: strings must not contain one.

    Lines that begin with `--` are left out. Raises ValueError for a string that a semicolon cuts in two.
    """
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    statements = [statement for statement in "\n".join(lines).split(";") if statement.strip()]
    for statement in statements:
        if statement.count("'") % 2 or statement.count('"') % 2:
            raise ValueError(f"a string contains a semicolon, or a quote is missing: {statement.strip()!r}")
    return statements


def _apply(transaction: Transaction, number: int, action: Callable[[Transaction], None]) -> None:
    # The number is inserted first: a second process waits here for the first, and then finds the migration applied.
    if transaction.execute("INSERT INTO migration VALUES (?) ON CONFLICT DO NOTHING RETURNING number", (number,)):
        action(transaction)
