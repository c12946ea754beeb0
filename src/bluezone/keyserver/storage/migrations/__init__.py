# SPDX-License-Identifier: Apache-2.0
"""Bring a store's tables up to date: numbered SQL files in two dialects, each applied once and whole.

On PostgreSQL a lock is waited for a second at most, then StoreBusy is raised: nobody queues behind a migration for
long, and starting again goes on where it stopped.
"""

import functools
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Protocol

from bluezone.keyserver.storage.store import Store, StoreTooNew, Transaction

_FILE = re.compile(r"([0-9]{4})_[a-z0-9_]+\.sql")
Program = Callable[[Store], Callable[[Transaction], None]]
# How long a process waits for another that is migrating, or at its tick.
_TURN_SECONDS = 60.0
# A migration may wait a little for a lock: it runs once, and nobody is served by a version that has not had it.
_LOCK_MILLISECONDS = 1000


def _limit_locks(transaction: Transaction) -> None:
    """Let a migration give up rather than have everybody queue behind it, and take its time once it has its locks."""
    transaction.execute(f"SET LOCAL lock_timeout = {_LOCK_MILLISECONDS}")
    transaction.execute("SET LOCAL statement_timeout = 0")


def _join(store: Store) -> Callable[[Transaction], None]:
    """Migration 8 of keys: `known_key` and `spent`, which were cut by time, become one table each.

    Their rows are copied while others go on writing; what these write meanwhile a trigger copies. Returns what puts the
    copies in their places, which is a few changes of the catalogue.
    """
    cut = [name for name in ("known_key", "spent") if _children(store, name)]
    for name in cut:
        store.write(lambda transaction, n=name: _begin_copy(transaction, n))  # type: ignore[misc]
        for child in _children(store, name):
            store.write(lambda transaction, n=name, c=child: _copy(transaction, n, c))  # type: ignore[misc]

    def exchange(transaction: Transaction) -> None:
        _limit_locks(transaction)
        for name in cut:
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


def _copy(transaction: Transaction, name: str, child: str) -> None:
    _limit_locks(transaction)
    transaction.execute(f"INSERT INTO {name}_whole SELECT * FROM {child} ON CONFLICT DO NOTHING")  # noqa: S608


def _children(store: Store, name: str) -> list[str]:
    """The partitions of a table."""
    found = store.read("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(?)", (name,))
    return [child for (child,) in found]


# Migrations that need more than SQL: called with the store, each returns what its transaction does.
_BY_PROGRAM: dict[tuple[str, str], dict[int, Program]] = {("keys", "postgresql"): {8: _join}}


def migrate(store: Store, name: str) -> None:
    """Apply the migrations that the store `name` (codes or keys) has not had yet; safe to run from several processes.

    Raises StoreTooNew when the store has had one that this program does not know.
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
    """A store of which no more is asked than to be read."""

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
    found = ((_FILE.fullmatch(entry.name), entry) for entry in folder.iterdir())
    texts: dict[int, str | Program] = {
        int(match[1]): entry.read_text(encoding="utf-8") for match, entry in found if match
    }
    return texts | _BY_PROGRAM.get((name, dialect), {})


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
    """The statements of a script, which are split at every semicolon; so none may stand in a string or a comment.

    Lines that begin with `--` are left out. Raises ValueError for a string that a semicolon cuts in two.
    """
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("--")]
    statements = [statement for statement in "\n".join(lines).split(";") if statement.strip()]
    for statement in statements:
        if statement.count("'") % 2 or statement.count('"') % 2:
            raise ValueError(f"a string holds a semicolon, or a quote is missing: {statement.strip()!r}")
    return statements


def _apply(transaction: Transaction, number: int, action: Callable[[Transaction], None]) -> None:
    # The ledger's row comes first: a second process that waited for this transaction stops at it.
    if transaction.execute("INSERT INTO migration VALUES (?) ON CONFLICT DO NOTHING RETURNING number", (number,)):
        action(transaction)
