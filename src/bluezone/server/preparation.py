# SPDX-License-Identifier: Apache-2.0
"""Django for a data folder, outside a web server: settings, migrations, and the office store for commands."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bluezone.city_settings import DATA_VARIABLE
from bluezone.keyserver.datafolder import write_city_key
from bluezone.keyserver.locks import lock_file
from bluezone.keyserver.moves import require_settled
from bluezone.keyserver.storage.store import StoreBusy, StoreFull, StoreTooNew, behind_pooler, require_schema
from bluezone.refusal import Refused
from bluezone.server import garbage
from bluezone.server.opening import open_stores
from bluezone.web.databases import OFFICE_SCHEMA

# How long a migration waits for a lock, as in keyserver/storage/migrations: pages queue behind it meanwhile.
LOCK_MILLISECONDS = 1000
LOCK_NAME = "prepare.lock"
LEASE_NAME = "prepare"
# In the office store of a whole country a table change takes minutes.
WAIT_SECONDS = 1800.0


class OfficeUnavailable(Refused):
    """The office store cannot be opened: the server is down, the disk is full, or another process has locked it."""

    code = "office_unavailable"


class StoreTooOld(Refused):
    """The office store has only some of the migrations that were squashed after the first months."""

    code = "store_too_old"


def open_office(data_dir: Path) -> None:
    """Load Django's settings for `data_dir`. Once per process: a second data folder needs a second process."""
    import django

    os.environ[DATA_VARIABLE] = str(data_dir)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluezone.web.settings")
    with garbage.collection_paused():
        django.setup()


def prepare_office(data_dir: Path) -> None:
    """Open the office and bring its store up to this version. Safe to repeat.

    Raises StoreTooNew if a later version has migrated it; OfficeUnavailable if it cannot be reached; StoreBusy if a
    table that a migration changes is locked, which undoes this migration; MoveUnfinished if a `bluezone move` is not
    finished; StoresMoved if the stores were moved elsewhere.
    """
    require_settled(data_dir)
    migrate_office(data_dir)


def migrate_office(data_dir: Path) -> None:
    """Like `prepare_office`, also for a store that a move is filling."""
    open_office(data_dir)
    from django.core.management import call_command
    from django.db import DatabaseError, connection
    from django.db.migrations.loader import MigrationLoader

    from bluezone.server.firstmigration import migrate_empty

    _make_private(connection.settings_dict)
    try:
        with preparation_lock(data_dir):
            loader = MigrationLoader(connection)
            _check_history(loader, set(loader.applied_migrations))
            # `migrate` would take a sixth of a start to find that there is nothing to do, as at most starts.
            if loader.graph.nodes.keys() - loader.applied_migrations.keys():
                with _limit_lock_waits(connection):
                    if not migrate_empty(connection):
                        call_command("migrate", verbosity=0, interactive=False)
            _plant_directory()
    except DatabaseError as error:
        if _is_lock_timeout(error):
            raise StoreBusy("office: another process locks a table that a migration changes; try again later") from None
        # The first line names the problem; later ones may contain the address.
        raise OfficeUnavailable(f"the office store cannot be opened: {str(error).splitlines()[0]}") from None


@contextmanager
def preparation_lock(data_dir: Path) -> Iterator[None]:
    """Let one process at a time prepare this office: Django's migrations do not lock out other processes.

    Uses a lock file of the folder, and on PostgreSQL also a lease in the database, because folders may differ.
    Raises StoreBusy, SchemaDiffers.
    """
    from django.db import connection

    with lock_file(data_dir / LOCK_NAME, wait=True):
        if connection.vendor != "postgresql":
            yield
            return
        import psycopg

        from bluezone.keyserver.storage.leases import Lease, keep_renewed
        from bluezone.web.apps import make_office_schema

        make_office_schema(connection.alias)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            require_schema(OFFICE_SCHEMA, cursor.fetchone()[0])
        parameters = connection.get_connection_params()
        lease = Lease(lambda: psycopg.connect(**{**parameters, "autocommit": True}), LEASE_NAME)
        try:
            if not lease.acquire_within(WAIT_SECONDS):
                raise StoreBusy("office: another process has been preparing it for too long; try again later")
        except psycopg.Error as error:
            raise OfficeUnavailable(f"the office store cannot be opened: {type(error).__name__}") from None
        with keep_renewed(lease):
            yield


@contextmanager
def _limit_lock_waits(connection: Any) -> Iterator[None]:
    """Limit how long statements of this connection wait for a lock; on SQLite the wait is limited anyway."""
    if connection.vendor != "postgresql" or behind_pooler():
        yield
        return
    from django.db import DatabaseError

    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {LOCK_MILLISECONDS}")
        # Rewriting a table of a large city takes longer than a page may.
        cursor.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        # A lost connection has nothing to reset, and the error that lost it is the one to report.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
            cursor.execute("RESET statement_timeout")


def _is_lock_timeout(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == "55P03"


def count_missing_migrations(applied: set[tuple[str, str]]) -> int:
    """How many migrations an office store lacks. applied: those it has had. Call it after `open_office`.

    Raises StoreTooNew, StoreTooOld.
    """
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None)
    _check_history(loader, applied)
    migrations = loader.disk_migrations
    # If all migrations that a squashed one replaces were applied, the squashed one counts as applied.
    squashed = {
        key for key, migration in migrations.items() if migration.replaces and applied >= set(migration.replaces)
    }
    return len(loader.graph.nodes.keys() - applied - squashed)


def _check_history(loader: Any, applied: set[tuple[str, str]]) -> None:
    """Raise StoreTooNew if a later version has migrated the store, StoreTooOld if a version before 0.1 did last."""
    replaced = {name for migration in loader.disk_migrations.values() for name in migration.replaces}
    unknown = sorted(applied - set(loader.disk_migrations) - replaced)
    if unknown:
        app, name = unknown[0]
        raise StoreTooNew(
            f"the office store has {app}.{name}, which this version does not know; install the newer version"
        )
    for migration in loader.disk_migrations.values():
        if 0 < len(applied & set(migration.replaces)) < len(migration.replaces):
            raise StoreTooOld(
                f"the office store was left half-way to {migration} by a development version of before 2026-11-25;"
                " open it once with the last version of that day, then with this one"
            )


def _plant_directory() -> None:
    """Store the units and agencies that ship with the program, at the first start."""
    from bluezone.directory.records.seed import seed_empty_directory

    seed_empty_directory()


def _make_private(database: Mapping[str, Any]) -> None:
    """Make a SQLite store readable by its owner alone; SQLite gives its side files the same mode."""
    if database["ENGINE"].endswith("sqlite3"):
        os.close(os.open(database["NAME"], os.O_RDWR | os.O_CREAT, 0o600))


def main() -> None:
    """`python -m bluezone.server.preparation DIR`: bring the stores of key server and office up to date."""
    from bluezone import logs
    from bluezone.keyserver.service import KeyServer

    logs.configure_logging()
    folder = Path(sys.argv[1]).resolve()

    def prepare() -> None:
        server = KeyServer.open(folder)
        server.close()
        # The canary reports a key that a full disk does not take.
        with suppress(StoreFull):
            write_city_key(folder, server.secrets.city_key)
        prepare_office(folder)

    try:
        open_stores(prepare)
    except Refused as refused:
        logs.log_event("preparing_refused", f"preparing: {refused.code}: {refused.message}", 40, code=refused.code)
        sys.exit(1)


if __name__ == "__main__":
    main()
