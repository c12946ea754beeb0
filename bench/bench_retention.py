# SPDX-License-Identifier: Apache-2.0
"""Forget one expired day among ten million keys while another process goes on writing.

Baseline: one DELETE statement for the same day, on a copy of the same store.
"""

import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np

from bluezone.keyserver.retention import forget_keys
from bluezone.keyserver.sqlitestore import SqliteStore
from bluezone.keyserver.store import open_store
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
        ours = _timed(Path(folder), lambda store: forget_keys(store, before))
        progress(f"in pieces: {ours['seconds']:.1f} s, longest write {ours['longest']:.3f} s")
        plain = _timed(
            copy,
            lambda store: store.write(
                lambda transaction: transaction.execute("DELETE FROM known_key WHERE start < ?", (before,))
            ),
        )
    return {
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
    firsts = np.sort(rng.integers(0, 2**63, KEYS, dtype=np.uint64)).astype(">u8").tobytes()
    days = rng.integers(OLDEST_DAY, OLDEST_DAY + DAYS, KEYS)
    for begin in range(0, KEYS, CHUNK):
        rows = [
            (firsts[8 * n : 8 * n + 8] + firsts[8 * n : 8 * n + 8], int(days[n]) * 144)
            for n in range(begin, begin + CHUNK)
        ]
        store.write(lambda t, rows=rows: t.execute_each("INSERT INTO known_key VALUES (?, ?)", rows))  # type: ignore[misc]
        if begin % (4 * CHUNK) == 0:
            progress(f"{begin + CHUNK:,} keys stored")
    store.tidy()
    store.close()


def _timed(folder: Path, forget: Callable[[SqliteStore], object]) -> dict[str, float]:
    """Seconds that `forget` takes, and the longest of another process's writes meanwhile."""
    context = multiprocessing.get_context("spawn")
    started, stop = context.Event(), context.Event()
    results: Any = context.Queue()
    writer = context.Process(target=_write_meanwhile, args=(str(folder), started, stop, results))
    writer.start()
    started.wait()
    store = SqliteStore(folder / "keys.sqlite3")
    count = "SELECT COUNT(*) FROM known_key"
    before = store.read(count)[0][0]
    begun = time.perf_counter()
    forget(store)
    seconds = time.perf_counter() - begun
    stop.set()
    durations = results.get()
    writer.join()
    forgotten = before - store.read(count)[0][0]
    store.close()
    return {"seconds": seconds, "longest": max(durations), "writes": len(durations), "forgotten": forgotten}


def _write_meanwhile(folder: str, started: Event, stop: Event, results: Any) -> None:
    """An uploading process: about 50 small writes a second."""
    store = SqliteStore(Path(folder) / "keys.sqlite3", busy_seconds=120)
    durations = []
    number = 0
    while not stop.is_set():
        number += 1
        digest = os.urandom(32)
        begun = time.perf_counter()
        store.write(lambda transaction, d=digest: transaction.execute("INSERT INTO spent VALUES (?, 1)", (d,)))  # type: ignore[misc]
        durations.append(time.perf_counter() - begun)
        started.set()
        time.sleep(0.02)
    results.put(durations)
    store.close()
