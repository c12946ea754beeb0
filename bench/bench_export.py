# SPDX-License-Identifier: Apache-2.0
"""Publish 1.4 million keys in 144 files: mark, read, pad, sort, encode, sign, write and seal each, from SQLite.

Baseline: the same work key by key in Python, from a table with a flag, timed on 12 files and scaled to 144.
"""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

from bluezone.city_settings import write_default
from bluezone.keyserver.publication.embargo import newest_published_day
from bluezone.keyserver.securefiles import write_atomically
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import key_prefix
from bluezone.protocol.exports.wire import delimited_field, number_field
from bluezone.protocol.intervals import first_interval

FILES = 144
KEYS = 1_400_000
PERIOD_SECONDS = 600
BASELINE_FILES = 12
NOW = 1_795_608_000


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Time all files one after the other in one process; storing the keys beforehand is not part of it."""
    now = float(NOW)
    seconds = cpu = 0.0
    with tempfile.TemporaryDirectory() as folder:
        write_default(
            folder, name_vi="Thử", name_en="Test", hotline="115", publish_period_seconds=PERIOD_SECONDS, padding_mean=50
        )
        server = KeyServer.open(folder, lambda: now)
        publication = server.publication
        assert publication is not None
        publication.export_files.publish_due_file(now)
        for number in range(FILES):
            fill_waiting(server, now, KEYS // FILES + (number < KEYS % FILES))
            now += PERIOD_SECONDS
            begun, used = time.perf_counter(), time.process_time()
            publication.export_files.publish_due_file(now)
            publication.index_writer.renew_index(now)
            seconds += time.perf_counter() - begun
            cpu += time.process_time() - used
            if number % 24 == 23:
                progress(f"{number + 1} of {FILES} files, {seconds:.1f} s")
        files = list((Path(folder) / "exports").glob("*.zip"))
        size = sum(path.stat().st_size for path in files)
        left = server.keys_store.read("SELECT COUNT(*) FROM waiting_key")[0][0]
        baseline = _one_by_one(server, Path(folder)) * FILES / BASELINE_FILES
        server.close()
    assert left == 0
    assert len(files) == FILES + 1
    return {
        "name": "export, pad and sign 1.4 M keys in 144 files",
        "value": round(seconds, 2),
        "unit": "s",
        "baseline": round(baseline, 2),
        "ratio": round(baseline / seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "keys_per_second": round(KEYS / seconds),
        "megabytes": round(size / 1e6, 1),
    }


def fill_waiting(server: KeyServer, now: float, count: int) -> None:
    """Store random keys of the last 13 days that wait for the next file. now: Unix seconds."""
    newest = newest_published_day(now, server.city.embargo_seconds)
    rows = [
        (first_interval(newest - n % 13), os.urandom(16), 1 + n % 2, 1 + n // 2 % 2, int(now) // 3600)
        for n in range(count)
    ]
    sql = "INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)"
    known = [(key_prefix(row[1]), row[0]) for row in rows]
    server.keys_store.write(lambda transaction: transaction.execute_each(sql, rows))
    server.keys_store.write(lambda transaction: transaction.execute_each("INSERT INTO known_key VALUES (?, ?)", known))


def _one_by_one(server: KeyServer, folder: Path) -> float:
    """Seconds for BASELINE_FILES files the plain way: pad, encode, sign, write and mark, one key after the other."""
    database = sqlite3.connect(folder / "plain.sqlite3", isolation_level=None)
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE key (key BLOB UNIQUE, start INT, class INT, onset INT, published INT DEFAULT 0)"
    )
    seconds = 0.0
    for number in range(BASELINE_FILES):
        rows = [(os.urandom(16), first_interval(20_000 + n % 14), 1 + n % 2, n % 2 * 7) for n in range(KEYS // FILES)]
        database.execute("BEGIN")
        database.executemany("INSERT INTO key (key, start, class, onset) VALUES (?, ?, ?, ?)", rows)
        database.execute("COMMIT")
        begun = time.perf_counter()
        found = database.execute("SELECT key, start, class, onset FROM key WHERE published = 0").fetchall()
        padding = [(os.urandom(16), *row[1:]) for row in found[: 56 * server.city.padding_mean]]
        message = b"".join(
            delimited_field(
                7,
                delimited_field(1, key)
                + number_field(3, start)
                + number_field(4, 144)
                + number_field(5, kind)
                + number_field(6, onset * 2),
            )
            for key, start, kind, onset in sorted(found + padding)
        )
        signature = server.secrets.export_key.sign(message, ECDSA(hashes.SHA256()))
        write_atomically(folder / f"plain-{number}.zip", message + signature)
        database.execute("BEGIN")
        for row in found:
            database.execute("UPDATE key SET published = ? WHERE key = ?", (number + 1, row[0]))
        database.execute("COMMIT")
        seconds += time.perf_counter() - begun
    database.close()
    return seconds
