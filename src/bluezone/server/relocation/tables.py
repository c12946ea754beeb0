# SPDX-License-Identifier: Apache-2.0
"""Read and write the tables of one store in either database, as the same Python values in the same order.

The kind of a column is derived from PostgreSQL's types, because SQLite has only five. The order of rows is that of
SQLite's primary keys.
"""

import datetime
import json
import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluezone.refusal import Refused

Row = tuple[Any, ...]

# Tables that are not moved: each database has its own, and they contain nothing about the city.
NOT_MOVED = {"migration", "django_migrations", "lease", "data_folder", "sealed_file", "sqlite_sequence"}
# The table in the new store with the progress of a move.
PROGRESS = "move_progress"
_LOCK_WAIT_SECONDS = 20
_KINDS = {
    "smallint": "number",
    "integer": "number",
    "bigint": "number",
    "double precision": "float",
    "real": "float",
    "boolean": "truth",
    "text": "text",
    "character varying": "text",
    "character": "text",
    "inet": "text",
    "bytea": "bytes",
    "uuid": "uuid",
    "date": "date",
    "time without time zone": "time",
    "timestamp with time zone": "moment",
    "jsonb": "json",
}


class MoveValueRefused(Refused):
    """The other database cannot store a value of a table."""

    code = "move_value_refused"


class MoveStoreDiffers(Refused):
    """The two stores do not have the same tables and columns: the old store is of another version."""

    code = "move_store_differs"


@dataclass(frozen=True)
class Table:
    """A table that both stores have. kinds: a value of `_KINDS` for each column; key: columns of the primary key."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    key: tuple[str, ...]

    def key_of(self, row: Row) -> Row:
        """The primary key of a row."""
        return tuple(row[self.columns.index(column)] for column in self.key)

    def kind(self, column: str) -> str:
        """The kind of a column."""
        return self.kinds[self.columns.index(column)]


def quoted(name: str) -> str:
    """A name of a table or column, quoted for both databases."""
    return '"' + name.replace('"', '""') + '"'


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(quoted(column) for column in columns)


class SqliteTables:
    """A store in a file."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = sqlite3.connect(path, timeout=_LOCK_WAIT_SECONDS, isolation_level=None)
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute("PRAGMA secure_delete=ON")

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement with `?` as placeholders."""
        return self._connection.execute(statement, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: all of it is stored or none."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def sql_name(self, name: str) -> str:
        """A table's name in a statement."""
        return quoted(name)

    def names(self) -> set[str]:
        """Its tables."""
        rows = self.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return {name for (name,) in rows} - NOT_MOVED - {PROGRESS}

    def columns(self, name: str) -> dict[str, str]:
        """Column -> declared type."""
        return {row[1]: row[2] for row in self.execute(f"PRAGMA table_info({quoted(name)})")}

    def key(self, name: str) -> tuple[str, ...]:
        """The columns of the primary key in their order."""
        key_columns = [(row[5], row[1]) for row in self.execute(f"PRAGMA table_info({quoted(name)})") if row[5]]
        return tuple(column for _, column in sorted(key_columns))

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return int(self.execute(f"SELECT COUNT(*) FROM {self.sql_name(table.name)}")[0][0])  # noqa: S608

    def rows(self, table: Table, after: Row | None, most: int) -> list[Row]:
        """The next rows in the order of the key. after: key of the row before, None for the first ones."""
        behind = ""
        values: list[Any] = []
        if after is not None:
            behind = f"WHERE ({_listed(table.key)}) > ({', '.join('?' * len(after))})"
            values = [_to_sqlite(value) for value in after]
        rows = self.execute(
            f"SELECT {_listed(table.columns)} FROM {self.sql_name(table.name)} {behind}"  # noqa: S608
            f" ORDER BY {_listed(table.key)} LIMIT {most}",
            values,
        )
        readers = [_FROM_SQLITE[kind] for kind in table.kinds]
        try:
            return [tuple(None if v is None else read(v) for read, v in zip(readers, row, strict=True)) for row in rows]
        except (ValueError, TypeError):
            raise MoveValueRefused(f"{self.path.name}: a value in {table.name} is not of its column's type") from None

    def last_key(self, table: Table) -> Row | None:
        """The key of the last row, None for a table without rows."""
        order = ", ".join(f"{quoted(column)} DESC" for column in table.key)
        rows = self.execute(f"SELECT {_listed(table.key)} FROM {self.sql_name(table.name)} ORDER BY {order} LIMIT 1")  # noqa: S608
        if not rows:
            return None
        return tuple(_FROM_SQLITE[table.kind(column)](value) for column, value in zip(table.key, rows[0], strict=True))

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Write rows; within a transaction."""
        values = ", ".join("?" * len(table.columns))
        into = f"INSERT INTO {self.sql_name(table.name)} ({_listed(table.columns)}) VALUES ({values})"  # noqa: S608
        try:
            self._connection.executemany(into, ([_to_sqlite(value) for value in row] for row in rows))
        except (sqlite3.IntegrityError, OverflowError) as error:
            raise MoveValueRefused(f"{self.path.name} refuses a row of {table.name}: {error}") from None

    def last_numbers(self) -> dict[tuple[str, str], int]:
        """(table, column) -> the last number that the database assigned automatically."""
        if not self.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"):
            return {}
        return {(name, self.key(name)[0]): int(last) for name, last in self.execute("SELECT * FROM sqlite_sequence")}

    def continue_numbers(self, last: dict[tuple[str, str], int]) -> None:
        """Let the database continue after the numbers that the old one assigned."""
        for (name, _), number in last.items():
            update = "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ? RETURNING 1"
            if not self.execute(update, (number, name)):
                self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, number))

    def drop_guards(self, _tables: Sequence[Table]) -> list[str]:
        """Drop what prevents rows from being written in any order; returns the statements that restore it."""
        triggers = self.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
        for name, _ in triggers:
            self.execute(f"DROP TRIGGER {quoted(name)}")
        return [statement for _, statement in triggers]

    def check(self) -> None:
        """Raise MoveValueRefused if a row refers to a missing row."""
        broken = self.execute("PRAGMA foreign_key_check")
        if broken:
            raise MoveValueRefused(
                f"{self.path.name}: a row of {broken[0][0]} refers to a missing row of {broken[0][2]}"
            )

    def checkpoint(self) -> None:
        """Write the whole write-ahead log into the database file."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.execute("PRAGMA journal_mode=DELETE")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class PostgresqlTables:
    """A store in a schema."""

    dialect = "postgresql"

    def __init__(self, url: str, schema: str) -> None:
        import psycopg

        from bluezone.keyserver.storage.store import LIBPQ_OPTIONS, StoreUnreachable

        self._schema = schema
        self._errors = (psycopg.DataError, psycopg.IntegrityError)
        try:
            self._connection = psycopg.connect(
                url, autocommit=True, prepare_threshold=None, application_name="bluezone move", **LIBPQ_OPTIONS
            )
        except psycopg.Error as error:
            # psycopg's text may repeat the address.
            raise StoreUnreachable(f"{schema}: the database accepts no connection ({type(error).__name__})") from None
        self._connection.execute("SET TIME ZONE 'UTC'")

    def execute(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement with `?` as placeholders."""
        text = statement.replace("%", "%%").replace("?", "%s") if values else statement
        cursor = self._connection.execute(text.encode(), list(values) or None)
        return cursor.fetchall() if cursor.description else []

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction: all of it is stored or none."""
        with self._connection.transaction():
            yield

    def sql_name(self, name: str) -> str:
        """A table's name in a statement."""
        return f"{quoted(self._schema)}.{quoted(name)}"

    def other_connections(self) -> int:
        """How many connections other programs have to the database."""
        query = (
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend' AND application_name <> 'bluezone move'"
        )
        return int(self.execute(query)[0][0])

    def names(self) -> set[str]:
        """Its tables."""
        rows = self.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(?) AND relkind = 'r'", (self._schema,)
        )
        return {name for (name,) in rows} - NOT_MOVED - {PROGRESS}

    def columns(self, name: str) -> dict[str, str]:
        """Column -> type."""
        rows = self.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = ? AND table_name = ?"
            " ORDER BY ordinal_position",
            (self._schema, name),
        )
        return {str(column): str(kind) for column, kind in rows}

    def count(self, table: Table) -> int:
        """How many rows a table has."""
        return int(self.execute(f"SELECT COUNT(*) FROM {self.sql_name(table.name)}")[0][0])  # noqa: S608

    def rows(self, table: Table, after: Row | None, most: int) -> list[Row]:
        """The next rows in the order of the key. after: key of the row before, None for the first ones."""
        behind = ""
        if after is not None:
            behind = f"WHERE ({self._order(table)}) > ({', '.join('?' * len(after))})"
        rows = self.execute(
            f"SELECT {', '.join(_selected(table, column) for column in table.columns)} FROM {self.sql_name(table.name)}"  # noqa: S608
            f" {behind} ORDER BY {self._order(table)} LIMIT {most}",
            after or (),
        )
        readers = [_FROM_POSTGRESQL.get(kind) for kind in table.kinds]
        return [
            tuple(v if read is None or v is None else read(v) for read, v in zip(readers, row, strict=True))
            for row in rows
        ]

    def last_key(self, table: Table) -> Row | None:
        """The key of the last row, None for a table without rows."""
        order = ", ".join(f"{part} DESC" for part in self._order(table).split(", "))
        rows = self.execute(f"SELECT {_listed(table.key)} FROM {self.sql_name(table.name)} ORDER BY {order} LIMIT 1")  # noqa: S608
        return rows[0] if rows else None

    def _order(self, table: Table) -> str:
        # Texts are ordered by their bytes, as in SQLite.
        return ", ".join(
            quoted(column) + (' COLLATE "C"' if table.kind(column) == "text" else "") for column in table.key
        )

    def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Write rows; within a transaction."""
        into = f"COPY {self.sql_name(table.name)} ({_listed(table.columns)}) FROM STDIN"
        try:
            with closing(self._connection.cursor()) as cursor, cursor.copy(into.encode()) as copy:
                for row in rows:
                    copy.write_row(row)
        except self._errors as error:
            reason = error.diag.message_primary or type(error).__name__
            raise MoveValueRefused(f"PostgreSQL refuses a row of {table.name}: {reason}") from None

    def last_numbers(self) -> dict[tuple[str, str], int]:
        """(table, column) -> the last number that the database assigned automatically."""
        sequences = self.execute(
            "SELECT t.relname, a.attname, s.relname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid"
            " AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass"
            " JOIN pg_class t ON t.oid = d.refobjid"
            " JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid"
            " WHERE s.relkind = 'S' AND t.relnamespace = to_regnamespace(?)",
            (self._schema,),
        )
        numbers = {}
        for table, column, sequence in sequences:
            ((last, called),) = self.execute(f"SELECT last_value, is_called FROM {self.sql_name(sequence)}")  # noqa: S608
            numbers[str(table), str(column)] = int(last) if called else 0
        return numbers

    def continue_numbers(self, last: dict[tuple[str, str], int]) -> None:
        """Let the database continue after the numbers that the old one assigned."""
        for name, column in self.last_numbers():
            query = f"SELECT COALESCE(MAX({quoted(column)}), 0) FROM {self.sql_name(name)}"  # noqa: S608
            number = max(last.get((name, column), 0), int(self.execute(query)[0][0]))
            self.execute(
                "SELECT setval(pg_get_serial_sequence(?, ?), ?, ?)",
                (self.sql_name(name), column, max(number, 1), number > 0),
            )

    def drop_guards(self, tables: Sequence[Table]) -> list[str]:
        """Drop what prevents rows from being written in any order; returns the statements that restore it."""
        constraints = self.execute(
            "SELECT c.relname, f.conname, pg_get_constraintdef(f.oid) FROM pg_constraint f"
            " JOIN pg_class c ON c.oid = f.conrelid WHERE f.contype = 'f' AND f.connamespace = to_regnamespace(?)"
            " ORDER BY c.relname, f.conname",
            (self._schema,),
        )
        statements = []
        self.execute(f"SET LOCAL search_path = {quoted(self._schema)}")
        for name, constraint, definition in constraints:
            self.execute(f"ALTER TABLE {self.sql_name(name)} DROP CONSTRAINT {quoted(constraint)}")
            statements.append(f"ALTER TABLE {self.sql_name(name)} ADD CONSTRAINT {quoted(constraint)} {definition}")
        for table in tables:
            self.execute(f"ALTER TABLE {self.sql_name(table.name)} DISABLE TRIGGER USER")
            statements.append(f"ALTER TABLE {self.sql_name(table.name)} ENABLE TRIGGER USER")
        return statements

    def check(self) -> None:
        """Do nothing: adding the constraints again has checked them."""

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


Tables = SqliteTables | PostgresqlTables


def shared_tables(source: Tables, target: Tables) -> list[Table]:
    """The tables to move, in the order of their names. Raises MoveStoreDiffers."""
    sqlite, postgresql = (source, target) if isinstance(source, SqliteTables) else (target, source)
    assert isinstance(sqlite, SqliteTables)
    assert isinstance(postgresql, PostgresqlTables)
    if source.names() != target.names():
        other = sorted(source.names() ^ target.names())[0]
        raise MoveStoreDiffers(
            f"only one of the two stores has the table {other}; start this version on the old store once"
        )
    tables = []
    for name in sorted(source.names()):
        types = postgresql.columns(name)
        if types.keys() != sqlite.columns(name).keys():
            other = sorted(types.keys() ^ sqlite.columns(name).keys())[0]
            raise MoveStoreDiffers(
                f"only one of the two stores has {name}.{other}; start this version on the old store once"
            )
        unknown = sorted(set(types.values()) - _KINDS.keys())
        key = sqlite.key(name)
        if unknown or not key:
            problem = f"a column of the unknown type {unknown[0]}" if unknown else "no primary key"
            raise MoveStoreDiffers(f"the table {name} cannot be moved: it has {problem}")
        tables.append(Table(name, tuple(types), tuple(_KINDS[kind] for kind in types.values()), key))
    return tables


def _selected(table: Table, column: str) -> str:
    as_text = table.kind(column) == "json"
    return quoted(column) + ("::text" if as_text else "")


def _moment(value: Any) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(value)
    return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)


def _number(value: Any) -> int:
    if isinstance(value, int):
        return value
    raise TypeError


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def _json(value: str) -> str:
    """JSON as a text that is the same for both databases: members sorted, and whole numbers without a point."""
    return json.dumps(_plain(json.loads(value)), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


_FROM_SQLITE: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "float": float,
    "truth": lambda value: bool(_number(value)),
    "text": _text,
    "bytes": bytes,
    "uuid": uuid.UUID,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "moment": _moment,
    "json": _json,
}
_FROM_POSTGRESQL: dict[str, Callable[[Any], Any]] = {
    "json": _json,
    "moment": lambda value: value.astimezone(datetime.UTC),
}


def _to_sqlite(value: Any) -> Any:
    """A value as Django writes it to SQLite."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, uuid.UUID):
        return value.hex
    if isinstance(value, datetime.datetime):
        return str(value.replace(tzinfo=None))
    if isinstance(value, datetime.date | datetime.time):
        return str(value)
    return value
