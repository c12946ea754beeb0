# SPDX-License-Identifier: Apache-2.0
import datetime
import sqlite3
import threading
from contextlib import closing

import pytest

from bluezone.backup.creation import create_backup
from bluezone.backup.store_copies import copy_stores
from bluezone.keyserver.moves import MOVE_NAME, Moved, MoveUnfinished, StoresMoved, note_move

MOST_WRITES = 20_000


@pytest.mark.long
def test_a_store_that_is_written_to_without_a_pause_is_copied(tmp_path):
    staging = tmp_path / "staging"
    staging.mkdir()
    path = tmp_path / "keys.sqlite3"
    writes = 0
    is_copied = threading.Event()

    def write():
        nonlocal writes
        with closing(sqlite3.connect(path, isolation_level=None, timeout=60)) as store:
            store.execute("PRAGMA synchronous=OFF")
            while writes < MOST_WRITES and not is_copied.wait(0.001):
                store.execute("INSERT INTO row VALUES (randomblob(100))")
                writes += 1

    with closing(sqlite3.connect(path)) as store, store:
        store.execute("PRAGMA journal_mode=WAL")
        store.execute("CREATE TABLE row (content BLOB)")
        # Several times what was copied in one step.
        store.executemany("INSERT INTO row VALUES (randomblob(1000))", [()] * 40_000)
    writer = threading.Thread(target=write)
    writer.start()
    copy_stores(tmp_path, staging, datetime.date(2026, 11, 25), {})
    is_copied.set()
    writer.join()

    assert writes < MOST_WRITES, "the copy waited for the writer to pause"
    with closing(sqlite3.connect(staging / "keys.sqlite3")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert 40_000 <= copy.execute("SELECT COUNT(*) FROM row").fetchone()[0] <= 40_000 + writes


@pytest.mark.parametrize("state", ["moving", "moved"])
def test_a_move_that_begins_during_a_backup_leaves_no_backup_without_stores(state, tmp_path):
    now = datetime.datetime(2026, 11, 25, tzinfo=datetime.UTC)
    note_move(tmp_path, Moved(state, "postgresql", "1"))
    with pytest.raises((MoveUnfinished, StoresMoved)):
        create_backup(tmp_path, tmp_path / "backup", now, now.date(), {})
    assert {path.name for path in tmp_path.iterdir()} == {"backup.lock", MOVE_NAME}
