# SPDX-License-Identifier: Apache-2.0
"""Move the stores of a city from SQLite to PostgreSQL or back: copied in pieces, compared row by row, then switched.

A note in the data folder says that a move has begun, and afterwards where the stores are (keyserver/datafolder.py);
a table in each store that is filled says how far it is. Both outlive the process, so that whoever starts the same
command again goes on. The published files, the keys and the configs stay where they are.
"""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bluezone.keyserver.datafolder import Moved, moved, note_move
from bluezone.keyserver.sealing import open_store
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
SQLITE, POSTGRESQL = "sqlite", "postgresql"
# What one transaction writes, and what is held in memory of either side.
_FIRST_ROWS, _MOST_ROWS = 50, 5000
_BYTES = 4 << 20
# A migration that no version has: whoever finds it in a store that was left refuses to start on it.
_LEFT_NUMBER, _LEFT_NAME = 2_000_000_000, "stores_moved_to_sqlite"


class MoveTargetUsed(Refused):
    """Where the stores shall go there is something already; a move overwrites nothing."""

    code = "move_target_used"


class MoveElsewhere(Refused):
    """Another move has begun on this data folder and is not finished."""

    code = "move_elsewhere"


class MoveNotEqual(Refused):
    """A table of the new store is not what the old one has; the old stores stay the city's."""

    code = "move_not_equal"


class MoveStoresInUse(Refused):
    """Other programs are connected to the database whose stores shall be moved."""

    code = "move_stores_in_use"


class MoveNothing(Refused):
    """There is nothing to move: the stores are where they shall go, or there are none."""

    code = "move_nothing"


# What is done now, rows that are done, rows in all; copying and comparing each count once.
Progress = Callable[[str, int, int], None]


def addresses() -> dict[str, str]:
    """Store -> address, for the stores that the environment puts on PostgreSQL."""
    common = os.environ.get("BLUEZONE_DATABASE_URL", "")
    found = {name: os.environ.get(f"BLUEZONE_{name.upper()}_URL", "") or common for name in STORES}
    return {name: url for name, url in found.items() if url}


class Move:
    """One move of a data folder.

    urls: every store -> address of the PostgreSQL side. to: SQLITE or POSTGRESQL. Nobody may serve the folder then.
    """

    def __init__(self, folder: Path, to: str, urls: Mapping[str, str], progress: Progress) -> None:
        self._folder, self._to, self._urls, self._say = folder, to, urls, progress
        self._done = self._all = 0

    def run(self) -> dict[str, int]:
        """Move all stores, or go on where another process was ended; returns rows by table (`store.table`).

        Raises MoveTargetUsed, MoveElsewhere, MoveNotEqual, MoveStoresInUse, MoveNothing, MoveValueRefused,
        MoveStoreDiffers, StoreRefused. Until the last step the old stores are unchanged and the city's own.
        """
        import psycopg

        try:
            return self._run()
        except psycopg.Error as error:
            # What the server says in full may quote a row.
            said = error.diag.message_primary or type(error).__name__
            raise StoreRefused(f"PostgreSQL: {said}; the same command goes on") from None
        except sqlite3.Error as error:
            raise StoreRefused(f"SQLite: {error}; the same command goes on") from None

    def _run(self) -> dict[str, int]:
        note = self._begin()
        if note.state == "moving":
            self._make(note)
        with ExitStack() as opened:
            pairs = {name: self._opened(name, opened) for name in STORES}
            tables = {name: shared_tables(*pair) for name, pair in pairs.items()}
            if note.state == "moving":
                _require_alone(source for source, _ in pairs.values())
                self._all = 2 * sum(pairs[name][0].count(table) for name in STORES for table in tables[name])
                for name in STORES:
                    self._copy(name, *pairs[name], tables[name], note)
                with _unwritten([source for source, _ in pairs.values()]):
                    for name in STORES:
                        for table in tables[name]:
                            self._compare(name, *pairs[name], table)
                    _require_alone(source for source, _ in pairs.values())
                    note = Moved("moved", self._to, note.move)
                    note_move(self._folder, note)
            self._say("putting the old stores away", self._all, self._all)
            for name, (source, _) in pairs.items():
                _leave(source, name)
            rows = {f"{name}.{table.name}": pairs[name][1].count(table) for name in STORES for table in tables[name]}
            # Last: while it is there, another call goes on.
            for _, target in pairs.values():
                target.execute(f"DROP TABLE IF EXISTS {target.place(PROGRESS)}")
        if self._to == POSTGRESQL:
            _put_away(self._folder, note)
        return rows

    def _begin(self) -> Moved:
        """The note of this move: a new one, or that of the process that was ended."""
        note = moved(self._folder)
        target = "" if self._to == SQLITE else _place(self._urls["keys"])
        if note and note.state == "moving":
            if (note.to, note.target) != (self._to, target):
                raise MoveElsewhere(
                    f"a move to {note.to} has begun here and is not finished; go on with the same --to,"
                    " or give it up with bluezone move --abandon"
                )
            return note
        files = [store_file(self._folder, name).exists() for name in STORES]
        if note and note.to == self._to and (any(files) if self._to == POSTGRESQL else self._has_progress()):
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
        with ExitStack() as opened:
            return any(_progress(self._opened(name, opened)[1]) for name in STORES)

    def _make(self, note: Moved) -> None:
        """The stores that are filled, with the tables of this version. Safe to repeat."""
        url = {name: self._urls[name] if self._to == POSTGRESQL else None for name in STORES}
        if self._to == POSTGRESQL:
            for name in STORES:
                _claim(self._urls[name], name, note)
        for name in ("codes", "keys"):
            self._step(f"making {name}", 0)
            open_store(name, self._folder, url[name]).close()
        self._step("making office", 0)
        _make_office(self._folder, url["office"], self._urls["office"])

    def _opened(self, name: str, opened: ExitStack) -> tuple[Tables, Tables]:
        note, path = moved(self._folder), store_file(self._folder, name)
        if note and not path.exists():
            path = path.with_name(f"{path.name}.moved-{note.move}")
        file, schema = SqliteTables(path), PostgresqlTables(self._urls[name], name)
        opened.callback(file.close)
        opened.callback(schema.close)
        return (file, schema) if self._to == POSTGRESQL else (schema, file)

    def _copy(self, name: str, source: Tables, target: Tables, tables: Sequence[Table], note: Moved) -> None:
        """Copy what is not there yet, then have the new store guard and count again."""
        _empty_once(target, tables, note)
        if _said(target, "state") == "filled":
            self._done += sum(source.count(table) for table in tables)
            return
        for table in tables:
            after = target.last_key(table)
            done = target.count(table)
            self._step(f"copying {name}.{table.name}", done)
            most = _most(())
            while rows := source.rows(table, after, most):
                with target.transaction():
                    target.add(table, rows)
                after, most = table.key_of(rows[-1]), _most(rows)
                self._step(f"copying {name}.{table.name}", len(rows))
        with target.transaction():
            target.number_on(source.numbered())
            if isinstance(target, PostgresqlTables):
                target.execute(f"SET LOCAL search_path = {name}")
            for (statement,) in target.execute(
                f"SELECT said FROM {target.place(PROGRESS)} WHERE what LIKE 'again %' ORDER BY what"  # noqa: S608
            ):
                target.execute(statement)
            target.check()
            target.execute(f"UPDATE {target.place(PROGRESS)} SET said = 'filled' WHERE what = 'state'")  # noqa: S608

    def _compare(self, name: str, source: Tables, target: Tables, table: Table) -> int:
        """Compare a table row by row; returns how many rows it has. Raises MoveNotEqual."""
        self._step(f"comparing {name}.{table.name}", 0)
        digests = hashlib.sha256(), hashlib.sha256()
        count, after, most = 0, None, _most(())
        while True:
            here, there = source.rows(table, after, most), target.rows(table, after, most)
            for digest, rows in zip(digests, (here, there), strict=True):
                digest.update("\n".join(map(repr, rows)).encode())
            if here != there or digests[0].digest() != digests[1].digest():
                differs = next((i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), None)
                at = count + (min(len(here), len(there)) if differs is None else differs) + 1
                raise MoveNotEqual(
                    f"{name}.{table.name} differs at row {at} of its order; the old stores are as they were."
                    " Start again with bluezone move --abandon and an empty target"
                )
            if not here:
                break
            count, after, most = count + len(here), table.key_of(here[-1]), _most(here)
            self._step(f"comparing {name}.{table.name}", len(here))
        if not source.count(table) == target.count(table) == count:
            raise MoveNotEqual(
                f"{name}.{table.name} has {source.count(table)} rows and {target.count(table)} in the new store"
            )
        return count

    def _step(self, what: str, rows: int) -> None:
        self._done += rows
        self._say(what, self._done, self._all)


def abandon(folder: Path) -> Moved:
    """Give up a move that is not finished: the old stores are the city's as before. Raises MoveNothing."""
    note = moved(folder)
    if note is None or note.state != "moving":
        raise MoveNothing(f"no move of {folder} is unfinished")
    if note.to == SQLITE:
        for name in STORES:
            for end in ("", "-wal", "-shm"):
                Path(f"{store_file(folder, name)}{end}").unlink(missing_ok=True)
    note_move(folder, None)
    return note


def _make_office(folder: Path, url: str | None, other: str | None) -> None:
    """The office's tables in the new store; Raises MoveStoreDiffers where the old one is not of this version."""
    for name in ("BLUEZONE_DATABASE_URL", "BLUEZONE_OFFICE_URL"):
        os.environ.pop(name, None)
    if url:
        os.environ["BLUEZONE_OFFICE_URL"] = url
    from bluezone.server.preparation import bring_up_to_date

    bring_up_to_date(folder)
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
    """Make an empty schema this move's own, or find that it is. note: None to look only. Raises MoveTargetUsed."""
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
    tables.execute(f"CREATE TABLE {tables.place(PROGRESS)} (what text PRIMARY KEY, said text NOT NULL)")
    _say(tables, "move", note.move)


def _progress(tables: Tables) -> str | None:
    """The move that fills a store; None where none does."""
    if isinstance(tables, SqliteTables):
        there = bool(tables.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (PROGRESS,)))
    else:
        there = bool(tables.execute("SELECT 1 WHERE to_regclass(?) IS NOT NULL", (tables.place(PROGRESS),)))
    return _said(tables, "move") if there else None


def _say(tables: Tables, what: str, said: str) -> None:
    tables.execute(f"INSERT INTO {tables.place(PROGRESS)} VALUES (?, ?)", (what, said))  # noqa: S608


def _said(tables: Tables, what: str) -> str | None:
    found = tables.execute(f"SELECT said FROM {tables.place(PROGRESS)} WHERE what = ?", (what,))  # noqa: S608
    return str(found[0][0]) if found else None


def _empty_once(target: Tables, tables: Sequence[Table], note: Moved) -> None:
    """Take out what a new store has of itself, such as the units of the country, and what guards the rows' order."""
    with target.transaction():
        if not _progress(target):
            _begin_progress(target, note)
        if _said(target, "state"):
            return
        for number, statement in enumerate(target.unguard(tables)):
            _say(target, f"again {number:06}", statement)
        if isinstance(target, PostgresqlTables):
            target.execute(f"TRUNCATE {', '.join(target.place(table.name) for table in tables)}")
        else:
            for table in tables:
                target.execute(f"DELETE FROM {target.place(table.name)}")  # noqa: S608
        _say(target, "state", "empty")


@contextmanager
def _unwritten(sources: Sequence[Tables]) -> Iterator[None]:
    """Nobody writes the files of the old stores until it is said that they are the old ones."""
    with ExitStack() as held:
        for source in sources:
            if isinstance(source, SqliteTables):
                held.enter_context(source.transaction())
        yield


def _require_alone(sources: Iterable[Tables]) -> None:
    for source in sources:
        if isinstance(source, PostgresqlTables) and (others := source.others()):
            raise MoveStoresInUse(
                f"{others} other connections are open to the database; stop `bluezone serve` on every machine"
            )


def _leave(source: Tables, name: str) -> None:
    """Make an old store one that no `serve`, on whatever machine, starts on."""
    if isinstance(source, SqliteTables):
        source.settle()
        return
    if name == "office":
        source.execute(
            f"INSERT INTO {source.place('django_migrations')} (app, name, applied)"  # noqa: S608
            " SELECT 'bluezone', ?, now() WHERE NOT EXISTS (SELECT 1 FROM"
            f" {source.place('django_migrations')} WHERE name = ?)",
            (_LEFT_NAME, _LEFT_NAME),
        )
    else:
        place = source.place("migration")
        source.execute(f"INSERT INTO {place} VALUES (?) ON CONFLICT DO NOTHING", (_LEFT_NUMBER,))  # noqa: S608


def _put_away(folder: Path, note: Moved) -> None:
    for name in STORES:
        for end in ("", "-wal", "-shm"):
            file = store_file(folder, name)
            path = file.with_name(f"{file.name}{end}")
            if path.exists():
                path.chmod(0o400)
                path.rename(file.with_name(f"{file.name}.moved-{note.move}{end}"))


def _most(rows: Sequence[Row]) -> int:
    """How many rows to read next, by how large the last ones were."""
    if not rows:
        return _FIRST_ROWS
    size = sum(len(value) for row in rows for value in row if isinstance(value, str | bytes)) / len(rows)
    return max(1, min(_MOST_ROWS, int(_BYTES / max(size, 1))))


def _place(url: str) -> str:
    """Which database an address means, without its password."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}"
