# SPDX-License-Identifier: Apache-2.0
"""Django for a data folder, outside a web server: settings, migrations, and what a command needs of the office."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bluezone.city import DATA_VARIABLE
from bluezone.keyserver.datafolder import only_one, require_settled
from bluezone.keyserver.storage.store import StoreBusy, StoreTooNew, behind_pooler, require_schema
from bluezone.refusal import Refused
from bluezone.server import garbage
from bluezone.web.databases import OFFICE_SCHEMA

# As in the other two stores (keyserver/migrations): longer, and every page queues behind the migration that waits.
LOCK_MILLISECONDS = 1000
LOCK_NAME = "prepare.lock"
LEASE_NAME = "prepare"
# A country's office takes minutes to change a table.
WAIT_SECONDS = 1800.0


class OfficeUnavailable(Refused):
    """The office store cannot be opened: the server is not there, the disk is full, or another process holds it."""

    code = "office_unavailable"


class StoreTooOld(Refused):
    """The office store was made before the migrations of the first months were joined, and not brought to their end."""

    code = "store_too_old"


def open_office(data_dir: Path) -> None:
    """Load Django's settings for `data_dir`. Once per process: a second data folder needs a second process."""
    import django

    os.environ[DATA_VARIABLE] = str(data_dir)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluezone.web.settings")
    with garbage.none_expected():
        django.setup()


def prepare_office(data_dir: Path) -> None:
    """Open the office and bring its store up to this version. Safe to repeat.

    Raises StoreTooNew when a later version has migrated it, OfficeUnavailable when it cannot be reached, StoreBusy when
    somebody holds a table that a migration changes; that migration has changed nothing then. Raises MoveUnfinished and
    StoresMoved where the store is another's after `bluezone move`.
    """
    require_settled(data_dir)
    bring_up_to_date(data_dir)


def bring_up_to_date(data_dir: Path) -> None:
    """Do the same for a store that is being filled by a move."""
    open_office(data_dir)
    from django.core.management import call_command
    from django.db import DatabaseError, connection
    from django.db.migrations.loader import MigrationLoader

    from bluezone.server.firstmigration import migrate_empty

    _keep_private(connection.settings_dict)
    try:
        with prepared_alone(data_dir):
            loader = MigrationLoader(connection)
            _check_history(loader, set(loader.applied_migrations))
            # Most starts find nothing to do, and `migrate` takes a sixth of a start to find it.
            if loader.graph.nodes.keys() - loader.applied_migrations.keys():
                with _locks_limited(connection):
                    if not migrate_empty(connection):
                        call_command("migrate", verbosity=0, interactive=False)
            _plant_directory()
    except DatabaseError as error:
        if _lock_missed(error):
            raise StoreBusy("office: somebody holds a table that a migration changes; try again later") from None
        # The first line names the trouble; later ones may repeat the address.
        raise OfficeUnavailable(f"the office store cannot be opened: {str(error).splitlines()[0]}") from None


@contextmanager
def prepared_alone(data_dir: Path) -> Iterator[None]:
    """Wait until nobody else prepares this office, and keep others waiting: Django's migrations know no other.

    A lock file of the folder, and on PostgreSQL a lease of the database as well, because folders may differ.
    Raises StoreBusy, SchemaDiffers.
    """
    from django.db import connection

    with only_one(data_dir / LOCK_NAME, wait=True):
        if connection.vendor != "postgresql":
            yield
            return
        import psycopg

        from bluezone.keyserver.storage.leases import Lease, renewed
        from bluezone.web.apps import make_office_schema

        make_office_schema(connection.alias)
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_schema()")
            require_schema(OFFICE_SCHEMA, cursor.fetchone()[0])
        parameters = connection.get_connection_params()
        lease = Lease(lambda: psycopg.connect(**{**parameters, "autocommit": True}), LEASE_NAME)
        try:
            if not lease.take_within(WAIT_SECONDS):
                raise StoreBusy("office: another process has been preparing it for too long; try again later")
        except psycopg.Error as error:
            raise OfficeUnavailable(f"the office store cannot be opened: {type(error).__name__}") from None
        with renewed(lease):
            yield


@contextmanager
def _locks_limited(connection: Any) -> Iterator[None]:
    """Let no statement of this connection wait for a lock for long; on SQLite the wait is limited anyway."""
    if connection.vendor != "postgresql" or behind_pooler():
        yield
        return
    from django.db import DatabaseError

    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = {LOCK_MILLISECONDS}")
        # A table of a large city is not rewritten in the time of a page.
        cursor.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        # A connection that was lost has nothing to put back, and what lost it is what is said.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
            cursor.execute("RESET statement_timeout")


def _lock_missed(error: Exception) -> bool:
    return getattr(error.__cause__, "sqlstate", None) == "55P03"


def waiting_for(applied: set[tuple[str, str]]) -> int:
    """How many migrations an office store has not had that has had these; call it after `open_office`.

    Raises StoreTooNew, StoreTooOld.
    """
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(None)
    _check_history(loader, applied)
    known = loader.disk_migrations
    # A store that was made step by step has had what those steps were joined to.
    had = applied | {key for key, each in known.items() if each.replaces and applied >= set(each.replaces)}
    return len(loader.graph.nodes.keys() - had)


def _check_history(loader: Any, applied: set[tuple[str, str]]) -> None:
    """Raises StoreTooNew when a later version has migrated the store, StoreTooOld when a version before 0.1 left it."""
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
    """The units and agencies that ship with the program, at the first start."""
    from bluezone.directory.records.store import plant_first_seed

    plant_first_seed()


def _keep_private(database: Mapping[str, Any]) -> None:
    """A SQLite store is made readable by its owner alone; SQLite gives its side files the same mode."""
    if database["ENGINE"].endswith("sqlite3"):
        os.close(os.open(database["NAME"], os.O_RDWR | os.O_CREAT, 0o600))


def main() -> None:
    """`python -m bluezone.server.preparation DIR`: the stores of both halves, brought up to date."""
    from bluezone import logs
    from bluezone.keyserver.service import KeyServer

    logs.begin()
    folder = Path(sys.argv[1]).resolve()
    try:
        KeyServer.open(folder).close()
        prepare_office(folder)
    except Refused as refused:
        logs.say("preparing_refused", f"preparing: {refused.code}: {refused.message}", 40, code=refused.code)
        sys.exit(1)


if __name__ == "__main__":
    main()
