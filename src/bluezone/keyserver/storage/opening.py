# SPDX-License-Identifier: Apache-2.0
"""Open a store in the place that the operator has chosen: a file of the data folder, or PostgreSQL."""

import os
from pathlib import Path

from bluezone.keyserver.storage.migrations import migrate
from bluezone.keyserver.storage.sqlite import SqliteStore, store_file
from bluezone.keyserver.storage.store import Store


def database_url(store: str) -> str | None:
    """The address of a store's database; None if the store is a file of the data folder."""
    return os.environ.get(f"BLUEZONE_{store.upper()}_URL") or os.environ.get("BLUEZONE_DATABASE_URL") or None


def open_store(name: str, data_dir: Path, url: str | None) -> Store:
    """Open the store `name` (codes or keys), bring its tables up to date and return it.

    url: `postgresql://…`, or None for its file in the data folder.
    Raises StoreTooNew, StoreRefused.
    """
    store: Store
    if url is None:
        store = SqliteStore(store_file(data_dir, name))
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
