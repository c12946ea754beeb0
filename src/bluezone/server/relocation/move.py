# SPDX-License-Identifier: Apache-2.0
"""Move the stores of a city from SQLite to PostgreSQL or back: copied in pieces, compared row by row, then switched.

A note in the data folder records that a move has started, and later where the stores are (keyserver/moves.py). A table
in each new store records the progress. So the same command continues an interrupted move. Published files, keys and
configs are not moved.
"""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bluezone.keyserver.moves import Moved, note_move, read_move
from bluezone.keyserver.storage.opening import open_store
from bluezone.keyserver.storage.sqlite import store_file
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.refusal import Refused
from bluezone.server.relocation.tables import (
    PROGRESS,
    MoveStoreDiffers,
    PostgresqlTables,
    Row,
    SqliteTables,
    Table,
    Tables,
    shared_tables,
)

STORES = ("office", "codes", "keys")
SQLITE = "sqlite"
POSTGRESQL = "postgresql"
# Limits of one transaction, which also limit how many rows of each store are in memory.
_FIRST_ROWS = 50
_MOST_ROWS = 5000
_BYTES = 4 << 20
# No version of the program has these migrations. A store that was moved away gets one, so that no version starts on it.
_RETIRED_NUMBER = 2_000_000_000
_RETIRED_NAME = "stores_moved_to_sqlite"
# Current step, rows done, rows in total; each row counts once for copying and once for comparing.
Progress = Callable[[str, int, int], None]


class MoveTargetUsed(Refused):
    """The target already contains tables or files of these names; a move overwrites nothing."""

    code = "move_target_used"


class MoveElsewhere(Refused):
    """Another move of this data folder has started and is not finished."""

    code = "move_elsewhere"


class MoveNotEqual(Refused):
    """A table of the new store differs from the old one; the city keeps the old stores."""

    code = "move_not_equal"


class MoveStoresInUse(Refused):
    """Other programs are connected to the database with the stores to be moved."""

    code = "move_stores_in_use"


class MoveNothing(Refused):
    """There is nothing to move: the stores are at the target already, or there are none."""

    code = "move_nothing"


def postgresql_addresses() -> dict[str, str]:
    """The addresses of the stores that are on PostgreSQL according to the environment, by store."""
    common = os.environ.get("BLUEZONE_DATABASE_URL", "")
    urls = {name: os.environ.get(f"BLUEZONE_{name.upper()}_URL", "") or common for name in STORES}
    return {name: url for name, url in urls.items() if url}


class Move:
    """One move of a data folder.

    urls: the addresses on PostgreSQL, by store. to: SQLITE or POSTGRESQL. No `serve` may run on the folder.
    """

    def __init__(self, folder: Path, to: str, urls: Mapping[str, str], progress: Progress) -> None:
        self._folder = folder
        self._to = to
        self._urls = urls
        self._report = progress
        self._done = 0
        self._all = 0

    def run(self) -> dict[str, int]:
        """Move all stores, or continue an interrupted move; returns rows by table (`store.table`).

        Raises MoveTargetUsed, MoveElsewhere, MoveNotEqual, MoveStoresInUse, MoveNothing, MoveValueRefused,
        MoveStoreDiffers, StoreRefused. Until the last step the old stores are unchanged and remain valid.
        """
        import psycopg

        try:
            return self._run()
        except psycopg.Error as error:
            # The full text of the server's error may quote a row.
            reason = error.diag.message_primary or type(error).__name__
            raise StoreRefused(f"PostgreSQL: {reason}; the same command continues") from None
        except sqlite3.Error as error:
            raise StoreRefused(f"SQLite: {error}; the same command continues") from None

    def _run(self) -> dict[str, int]:
        note = self._begin()
        if note.state == "moving":
            self._make_stores(note)
        with ExitStack() as stack:
            pairs = {name: self._open_pair(name, stack) for name in STORES}
            tables = {name: shared_tables(*pair) for name, pair in pairs.items()}
            if note.state == "moving":
                _require_no_connections(source for source, _ in pairs.values())
                self._all = 0
                for name in STORES:
                    source, _ = pairs[name]
                    self._all += 2 * sum(source.count(table) for table in tables[name])
                for name in STORES:
                    self._copy(name, *pairs[name], tables[name], note)
                with _lock_files([source for source, _ in pairs.values()]):
                    for name in STORES:
                        for table in tables[name]:
                            self._compare(name, *pairs[name], table)
                    _require_no_connections(source for source, _ in pairs.values())
                    note = Moved("moved", self._to, note.move)
                    note_move(self._folder, note)
            self._report("retiring the old stores", self._all, self._all)
            for name, (source, _) in pairs.items():
                _retire(source, name)
            rows: dict[str, int] = {}
            for name in STORES:
                _, target = pairs[name]
                for table in tables[name]:
                    rows[f"{name}.{table.name}"] = target.count(table)
            # Done last: while this table exists, another call continues the move.
            for _, target in pairs.values():
                target.execute(f"DROP TABLE IF EXISTS {target.sql_name(PROGRESS)}")
        if self._to == POSTGRESQL:
            _rename_files(self._folder, note)
        return rows

    def _begin(self) -> Moved:
        """The note of this move: a new one, or that of the interrupted move."""
        note = read_move(self._folder)
        target = "" if self._to == SQLITE else _database_name(self._urls["keys"])
        if note and note.state == "moving":
            if (note.to, note.target) != (self._to, target):
                raise MoveElsewhere(
                    f"a move to {note.to} has started here and is not finished; continue it with the same --to,"
                    " or give it up with bluezone move --abandon"
                )
            return note
        files = [store_file(self._folder, name).exists() for name in STORES]
        if note and note.to == self._to:
            is_unfinished = any(files) if self._to == POSTGRESQL else self._has_progress()
            if is_unfinished:
                return note
        if self._to == POSTGRESQL and not all(files):
            raise MoveNothing(f"there are no SQLite stores in {self._folder}; nothing was moved")
        if self._to == SQLITE and any(files):
            raise MoveTargetUsed(f"there are SQLite stores in {self._folder} already; move them away first")
        note = Moved("moving", self._to, secrets.token_hex(4), target)
        if self._to == POSTGRESQL:
            for name in STORES:
                _claim(self._urls[name], name, None)
        note_move(self._folder, note)
        return note

    def _has_progress(self) -> bool:
        with ExitStack() as stack:
            return any(_progress(self._open_pair(name, stack)[1]) for name in STORES)

    def _make_stores(self, note: Moved) -> None:
        """Make the new stores, with the tables of this version. Safe to repeat."""
        url = {name: self._urls[name] if self._to == POSTGRESQL else None for name in STORES}
        if self._to == POSTGRESQL:
            for name in STORES:
                _claim(self._urls[name], name, note)
        for name in ("codes", "keys"):
            self._step(f"making {name}", 0)
            open_store(name, self._folder, url[name]).close()
        self._step("making office", 0)
        _make_office(self._folder, url["office"], self._urls["office"])

    def _open_pair(self, name: str, stack: ExitStack) -> tuple[Tables, Tables]:
        """The tables of a store in the old and in the new database. stack: closes them."""
        note = read_move(self._folder)
        path = store_file(self._folder, name)
        if note and not path.exists():
            path = path.with_name(f"{path.name}.moved-{note.move}")
        file = SqliteTables(path)
        schema = PostgresqlTables(self._urls[name], name)
        stack.callback(file.close)
        stack.callback(schema.close)
        return (file, schema) if self._to == POSTGRESQL else (schema, file)

    def _copy(self, name: str, source: Tables, target: Tables, tables: Sequence[Table], note: Moved) -> None:
        """Copy the missing rows, then restore the new store's constraints and sequences."""
        _empty_once(target, tables, note)
        if _noted(target, "state") == "filled":
            self._done += sum(source.count(table) for table in tables)
            return
        for table in tables:
            after = target.last_key(table)
            done = target.count(table)
            self._step(f"copying {name}.{table.name}", done)
            limit = _batch_size(())
            while rows := source.rows(table, after, limit):
                with target.transaction():
                    target.add(table, rows)
                after = table.key_of(rows[-1])
                limit = _batch_size(rows)
                self._step(f"copying {name}.{table.name}", len(rows))
        with target.transaction():
            target.continue_numbers(source.last_numbers())
            if isinstance(target, PostgresqlTables):
                target.execute(f"SET LOCAL search_path = {name}")
            for (statement,) in target.execute(
                f"SELECT said FROM {target.sql_name(PROGRESS)} WHERE what LIKE 'again %' ORDER BY what"  # noqa: S608
            ):
                target.execute(statement)
            target.check()
            target.execute(f"UPDATE {target.sql_name(PROGRESS)} SET said = 'filled' WHERE what = 'state'")  # noqa: S608

    def _compare(self, name: str, source: Tables, target: Tables, table: Table) -> int:
        """Compare a table row by row; returns how many rows it has. Raises MoveNotEqual."""
        self._step(f"comparing {name}.{table.name}", 0)
        digests = hashlib.sha256(), hashlib.sha256()
        count = 0
        after = None
        limit = _batch_size(())
        while True:
            old_rows = source.rows(table, after, limit)
            new_rows = target.rows(table, after, limit)
            for digest, rows in zip(digests, (old_rows, new_rows), strict=True):
                digest.update("\n".join(map(repr, rows)).encode())
            if old_rows != new_rows or digests[0].digest() != digests[1].digest():
                position = count + _first_difference(old_rows, new_rows) + 1
                raise MoveNotEqual(
                    f"{name}.{table.name} differs at row {position} in the order of its key; the old stores are"
                    " unchanged. Start again with bluezone move --abandon and an empty target"
                )
            if not old_rows:
                break
            count += len(old_rows)
            after = table.key_of(old_rows[-1])
            limit = _batch_size(old_rows)
            self._step(f"comparing {name}.{table.name}", len(old_rows))
        if not source.count(table) == target.count(table) == count:
            raise MoveNotEqual(
                f"{name}.{table.name} has {source.count(table)} rows in the old store, {target.count(table)} in the new"
            )
        return count

    def _step(self, what: str, rows: int) -> None:
        self._done += rows
        self._report(what, self._done, self._all)


def _first_difference(old_rows: Sequence[Row], new_rows: Sequence[Row]) -> int:
    """The index of the first row that differs, or that only the longer list has."""
    for index, (old_row, new_row) in enumerate(zip(old_rows, new_rows, strict=False)):
        if old_row != new_row:
            return index
    return min(len(old_rows), len(new_rows))


def abandon_move(folder: Path) -> Moved:
    """Give up an unfinished move: the city keeps the old stores. Raises MoveNothing."""
    note = read_move(folder)
    if note is None or note.state != "moving":
        raise MoveNothing(f"no move of {folder} is unfinished")
    if note.to == SQLITE:
        for name in STORES:
            for end in ("", "-wal", "-shm"):
                Path(f"{store_file(folder, name)}{end}").unlink(missing_ok=True)
    note_move(folder, None)
    return note


def _make_office(folder: Path, url: str | None, other: str | None) -> None:
    """Make the office's tables in the new store. Raises MoveStoreDiffers if the old store is of another version.

    url: address of the new store, None for SQLite. other: address on PostgreSQL, used for the old store if `url` is
    None.
    """
    for name in ("BLUEZONE_DATABASE_URL", "BLUEZONE_OFFICE_URL"):
        os.environ.pop(name, None)
    if url:
        os.environ["BLUEZONE_OFFICE_URL"] = url
    from bluezone.server.preparation import migrate_office

    migrate_office(folder)
    from django.db import connections
    from django.db.migrations.loader import MigrationLoader
    from django.db.utils import ConnectionHandler

    from bluezone.web.databases import office_database

    connections.close_all()
    source = ConnectionHandler({"default": office_database(folder, None if url else other)})["default"]
    try:
        loader = MigrationLoader(source)
        missing = sorted(loader.graph.nodes.keys() - loader.applied_migrations.keys())
        unknown = sorted(set(loader.applied_migrations) - set(loader.disk_migrations) - _replaced(loader))
    finally:
        source.close()
    if missing or unknown:
        raise MoveStoreDiffers(
            f"the office's old store is of another version ({'.'.join((missing or unknown)[0])}); abandon the move,"
            " start `bluezone serve` of this version on it once, stop it, and move then"
        )


def _replaced(loader: object) -> set[tuple[str, str]]:
    return {name for migration in loader.disk_migrations.values() for name in migration.replaces}  # type: ignore[attr-defined]


def _claim(url: str, schema: str, note: Moved | None) -> None:
    """Claim an empty schema for this move, unless it has claimed it before. Raises MoveTargetUsed.

    note: that of the move; None to check only whether the schema is empty.
    """
    tables = PostgresqlTables(url, schema)
    try:
        if note and _progress(tables) == note.move:
            return
        relations = "SELECT 1 FROM pg_class WHERE relnamespace = to_regnamespace(?) AND relkind IN ('r', 'p', 'v')"
        if tables.execute(relations, (schema,)):
            raise MoveTargetUsed(
                f"the database has a schema {schema} with tables in it already; move into an empty database"
            )
        if note:
            with tables.transaction():
                if not tables.execute("SELECT 1 FROM pg_namespace WHERE nspname = ?", (schema,)):
                    tables.execute(f"CREATE SCHEMA {schema}")
                _begin_progress(tables, note)
    finally:
        tables.close()


def _begin_progress(tables: Tables, note: Moved) -> None:
    tables.execute(f"CREATE TABLE {tables.sql_name(PROGRESS)} (what text PRIMARY KEY, said text NOT NULL)")
    _note(tables, "move", note.move)


def _progress(tables: Tables) -> str | None:
    """The id of the move that is filling a store, None if there is none."""
    if isinstance(tables, SqliteTables):
        exists = bool(tables.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (PROGRESS,)))
    else:
        exists = bool(tables.execute("SELECT 1 WHERE to_regclass(?) IS NOT NULL", (tables.sql_name(PROGRESS),)))
    return _noted(tables, "move") if exists else None


def _note(tables: Tables, what: str, value: str) -> None:
    tables.execute(f"INSERT INTO {tables.sql_name(PROGRESS)} VALUES (?, ?)", (what, value))  # noqa: S608


def _noted(tables: Tables, what: str) -> str | None:
    rows = tables.execute(f"SELECT said FROM {tables.sql_name(PROGRESS)} WHERE what = ?", (what,))  # noqa: S608
    return str(rows[0][0]) if rows else None


def _empty_once(target: Tables, tables: Sequence[Table], note: Moved) -> None:
    """Delete the rows that a new store starts with, such as the country's units, and drop its constraints.

    Does nothing if this was done before.
    """
    with target.transaction():
        if not _progress(target):
            _begin_progress(target, note)
        if _noted(target, "state"):
            return
        for number, statement in enumerate(target.drop_guards(tables)):
            _note(target, f"again {number:06}", statement)
        if isinstance(target, PostgresqlTables):
            target.execute(f"TRUNCATE {', '.join(target.sql_name(table.name) for table in tables)}")
        else:
            for table in tables:
                target.execute(f"DELETE FROM {target.sql_name(table.name)}")  # noqa: S608
        _note(target, "state", "empty")


@contextmanager
def _lock_files(sources: Sequence[Tables]) -> Iterator[None]:
    """Lock the files of the old stores against writes until the note says that they were moved."""
    with ExitStack() as transactions:
        for source in sources:
            if isinstance(source, SqliteTables):
                transactions.enter_context(source.transaction())
        yield


def _require_no_connections(sources: Iterable[Tables]) -> None:
    for source in sources:
        if isinstance(source, PostgresqlTables) and (count := source.other_connections()):
            raise MoveStoresInUse(
                f"{count} other connections are open to the database; stop `bluezone serve` on every machine"
            )


def _retire(source: Tables, name: str) -> None:
    """Mark an old store so that no `serve` on any machine starts on it."""
    if isinstance(source, SqliteTables):
        source.checkpoint()
        return
    if name == "office":
        source.execute(
            f"INSERT INTO {source.sql_name('django_migrations')} (app, name, applied)"  # noqa: S608
            " SELECT 'bluezone', ?, now() WHERE NOT EXISTS (SELECT 1 FROM"
            f" {source.sql_name('django_migrations')} WHERE name = ?)",
            (_RETIRED_NAME, _RETIRED_NAME),
        )
    else:
        sql_name = source.sql_name("migration")
        source.execute(f"INSERT INTO {sql_name} VALUES (?) ON CONFLICT DO NOTHING", (_RETIRED_NUMBER,))  # noqa: S608


def _rename_files(folder: Path, note: Moved) -> None:
    for name in STORES:
        for end in ("", "-wal", "-shm"):
            file = store_file(folder, name)
            path = file.with_name(f"{file.name}{end}")
            if path.exists():
                path.chmod(0o400)
                path.rename(file.with_name(f"{file.name}.moved-{note.move}{end}"))


def _batch_size(rows: Sequence[Row]) -> int:
    """How many rows to read next, judging by the size of the last rows."""
    if not rows:
        return _FIRST_ROWS
    total = 0
    for row in rows:
        total += sum(len(value) for value in row if isinstance(value, str | bytes))
    size = total / len(rows)
    return max(1, min(_MOST_ROWS, int(_BYTES / max(size, 1))))


def _database_name(url: str) -> str:
    """Host, port and database of an address, without user and password."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
