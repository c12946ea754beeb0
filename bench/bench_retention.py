# SPDX-License-Identifier: Apache-2.0
"""Forget one expired day among ten million keys while another process goes on writing.

Baseline: one DELETE statement for the same day, on a copy of the same store. Where BLUEZONE_BENCH_POSTGRES_URL names a
PostgreSQL server, one statement does it there, in a database made for it and dropped afterwards.
"""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import numpy as np

from bluezone.keyserver.retention import purge_keys
from bluezone.keyserver.storage.opening import open_store
from bluezone.keyserver.storage.sqlite import SqliteStore
from bluezone.keyserver.storage.store import BUSY_SECONDS, Store
from bluezone.protocol.intervals import first_interval

KEYS = 10_000_000
DAYS = 15
OLDEST_DAY = 20_767
CHUNK = 500_000


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Fill a store with ten million keys of 15 days, copy it, and forget the oldest day in both."""
    with tempfile.TemporaryDirectory() as folder:
        _fill(Path(folder), progress)
        copy = Path(folder) / "copy"
        copy.mkdir()
        shutil.copy(Path(folder) / "keys.sqlite3", copy / "keys.sqlite3")
        before = first_interval(OLDEST_DAY + 1)
        ours = _timed(folder, lambda store: purge_keys(store, before))
        progress(f"in pieces: {ours['seconds']:.1f} s, longest write {ours['longest']:.3f} s")
        plain = _timed(
            str(copy),
            lambda store: store.write(
                lambda transaction: transaction.execute("DELETE FROM known_key WHERE start < ?", (before,))
            ),
        )
    url = os.environ.get("BLUEZONE_BENCH_POSTGRES_URL")
    return {
        **(_on_postgresql(url, progress) if url else {}),
        "name": "retention over 10 M keys, one day of 15 expired",
        "value": round(ours["seconds"], 2),
        "unit": "s",
        "baseline": round(plain["seconds"], 2),
        "ratio": round(plain["seconds"] / ours["seconds"], 2),
        "longest_write_milliseconds": round(ours["longest"] * 1000),
        "baseline_longest_write_milliseconds": round(plain["longest"] * 1000),
        "writes_meanwhile": ours["writes"],
        "forgotten": ours["forgotten"],
    }


def _fill(folder: Path, progress: Callable[[str], object]) -> None:
    store = open_store("keys", folder, None)
    # In the order of their bytes, which fills the table fastest; the order makes no difference afterwards.
    rng = np.random.default_rng(14)
    prefixes = np.sort(rng.integers(-(2**63), 2**63, KEYS, dtype=np.int64))
    days = rng.integers(OLDEST_DAY, OLDEST_DAY + DAYS, KEYS)
    for begin in range(0, KEYS, CHUNK):
        rows = list(
            zip(prefixes[begin : begin + CHUNK].tolist(), (days[begin : begin + CHUNK] * 144).tolist(), strict=True)
        )
        store.write(lambda t, rows=rows: t.execute_each("INSERT INTO known_key VALUES (?, ?)", rows))  # type: ignore[misc]
        if begin % (4 * CHUNK) == 0:
            progress(f"{begin + CHUNK:,} keys stored")
    store.erase_deleted_rows()
    store.close()


def _on_postgresql(url: str, progress: Callable[[str], object]) -> dict[str, Any]:
    """The same ten million keys on PostgreSQL."""
    import psycopg

    name = f"bluezone_bench_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            ours = _forgotten_there(urlunsplit(urlsplit(url)._replace(path=f"/{name}")), progress)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return {
        "postgresql_seconds": round(ours["seconds"], 3),
        "postgresql_longest_write_milliseconds": round(ours["longest"] * 1000),
        "postgresql_vacuum_seconds": round(ours["tidied"], 2),
        "postgresql_forgotten": ours["forgotten"],
    }


def _forgotten_there(url: str, progress: Callable[[str], object]) -> dict[str, float]:
    import psycopg

    open_store("keys", Path(), url).close()
    fill = (
        "INSERT INTO known_key SELECT hashtextextended(n::text, 14), (%s + n %% %s) * 144"
        " FROM generate_series(%s, %s) AS n ON CONFLICT DO NOTHING"
    )
    with psycopg.connect(url, autocommit=True, options="-c search_path=keys") as connection:
        for begin in range(0, KEYS, 4 * CHUNK):
            connection.execute(fill, (OLDEST_DAY, DAYS, begin + 1, begin + 4 * CHUNK))
            progress(f"PostgreSQL: {begin + 4 * CHUNK:,} keys stored")
        connection.execute("VACUUM ANALYZE known_key")
    ours = _timed(url, lambda store: purge_keys(store, first_interval(OLDEST_DAY + 1)))
    progress(f"PostgreSQL: {ours['seconds']:.2f} s, longest write {ours['longest']:.3f} s")
    store = _opened(url)
    begun = time.perf_counter()
    store.erase_deleted_rows()
    ours["tidied"] = time.perf_counter() - begun
    store.close()
    return ours


def _opened(where: str, busy_seconds: float = BUSY_SECONDS) -> Store:
    if where.startswith("postgresql:"):
        from bluezone.keyserver.storage.postgresql import PostgresqlStore

        return PostgresqlStore(where, "keys")
    return SqliteStore(Path(where) / "keys.sqlite3", busy_seconds)


def _timed(where: str, forget: Callable[[Store], object]) -> dict[str, float]:
    """Seconds that `forget` takes, and the longest of another process's writes meanwhile."""
    store = _opened(where)
    count = "SELECT COUNT(*) FROM known_key"
    before = store.read(count)[0][0]
    command = [sys.executable, __file__, where]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        begun = time.perf_counter()
        forget(store)
        seconds = time.perf_counter() - begun
        durations = json.loads(writer.communicate("stop\n")[0])
    forgotten = before - store.read(count)[0][0]
    store.close()
    return {"seconds": seconds, "longest": max(durations), "writes": len(durations), "forgotten": forgotten}


def _write_meanwhile(where: str) -> None:
    """An uploading process: small writes, up to 50 a second, until something comes in on stdin."""
    store = _opened(where, busy_seconds=120)
    durations: list[float] = []
    while not select.select([sys.stdin], [], [], 0.02)[0]:
        digest = os.urandom(32)
        begun = time.perf_counter()
        store.write(lambda transaction, d=digest: transaction.execute("INSERT INTO spent VALUES (?, 1)", (d,)))  # type: ignore[misc]
        durations.append(time.perf_counter() - begun)
        if len(durations) == 1:
            print("writing", flush=True)
    print(json.dumps(durations))
    store.close()


if __name__ == "__main__":
    _write_meanwhile(sys.argv[1])
