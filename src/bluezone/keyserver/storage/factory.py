# SPDX-License-Identifier: Apache-2.0
"""Open a store in the database that the operator chose, with its tables up to date."""

from pathlib import Path

from bluezone.keyserver.storage.migrations import migrate
from bluezone.keyserver.storage.sqlite import SqliteStore
from bluezone.keyserver.storage.store import Store


def open_store(name: str, data_dir: Path, url: str | None) -> Store:
    """Open the store `name` (codes or keys), bring its tables up to date and return it.

    url: `postgresql://…`, or None for the file `<name>.sqlite3` in the data folder.
    Raises StoreTooNew, StoreRefused.
    """
    store: Store
    if url is None:
        store = SqliteStore(data_dir / f"{name}.sqlite3")
    else:
        # psycopg comes with the extra `postgres`; a city on SQLite does not have it.
        from bluezone.keyserver.storage.postgresql import PostgresqlStore

        store = PostgresqlStore(url, schema=name)
    try:
        migrate(store, name)
    except BaseException:
        store.close()
        raise
    return store
