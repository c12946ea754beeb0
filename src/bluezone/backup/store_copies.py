# SPDX-License-Identifier: Apache-2.0
"""Copies of the stores for a backup, consistent while the servers write."""

import datetime
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bluezone.backup import postgresql
from bluezone.keyserver.storage.sqlite import store_file

STORES = ("office", "codes", "keys")
# Counters of gates are copied for the day of the backup and this many days before it.
COUNTER_DAYS = 1


def copy_stores(data_dir: Path, staging: Path, today: datetime.date, urls: Mapping[str, str]) -> None:
    first = today - datetime.timedelta(days=COUNTER_DAYS)
    for name in STORES:
        if name in urls:
            postgresql.dump_schema(urls[name], name, staging / f"{name}.pgdump")
            if name == "office":
                postgresql.copy_counters(urls[name], name, first.isoformat(), staging / f"{name}.counters")
        elif store_file(data_dir, name).exists():
            _copy_sqlite(store_file(data_dir, name), staging / f"{name}.sqlite3", first)


def _copy_sqlite(source: Path, target: Path, first: datetime.date) -> None:
    target.touch(mode=0o600)
    with closing(sqlite3.connect(source, timeout=60)) as live, closing(sqlite3.connect(target)) as copy:
        # In one step: between two, each write by a server would begin the copy again. WAL lets servers write meanwhile.
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        copy.execute("PRAGMA secure_delete=ON")
        if copy.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (postgresql.COUNTERS,)).fetchone():
            copy.execute(f"DELETE FROM {postgresql.COUNTERS} WHERE day < ?", (first.isoformat(),))  # noqa: S608 - ours
            copy.commit()
        # Rows that were deleted earlier without being overwritten are not copied.
        copy.execute("VACUUM")


def newest_file_numbers(data_dir: Path, staging: Path, urls: Mapping[str, str]) -> dict[str, int]:
    """Number of the newest published file by kind that the copy of the store knows, and of the newest config."""
    configs = (int(path.stem) for path in (data_dir / "configs").glob("[0-9]*.json"))
    heights = {"config": max(configs, default=0)}
    copy = staging / "keys.sqlite3"
    for kind, table in (("exports", "export_file"), ("venues", "venue_package")):
        schema = "keys." if "keys" in urls else ""
        sql = f"SELECT COALESCE(MAX(number), 0) FROM {schema}{table} WHERE sha256 IS NOT NULL"  # noqa: S608 - ours
        if "keys" in urls:
            heights[kind] = postgresql.query_number(urls["keys"], sql)
        elif copy.exists():
            with closing(sqlite3.connect(copy)) as store:
                heights[kind] = store.execute(sql).fetchone()[0]
    return heights
