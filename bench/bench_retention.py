# SPDX-License-Identifier: Apache-2.0
"""Forget one expired day among ten million keys while another process goes on writing.

Baseline: one DELETE statement for the same day, on a copy of the same store.
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
    prefixes = np.sort(rng.integers(-(2**63), 2**63, KEYS, dtype=np.int64))
    days = rng.integers(OLDEST_DAY, OLDEST_DAY + DAYS, KEYS)
    for begin in range(0, KEYS, CHUNK):
        rows = list(
            zip(prefixes[begin : begin + CHUNK].tolist(), (days[begin : begin + CHUNK] * 144).tolist(), strict=True)
        )
        store.write(lambda t, rows=rows: t.execute_each("INSERT INTO known_key VALUES (?, ?)", rows))  # type: ignore[misc]
        if begin % (4 * CHUNK) == 0:
            progress(f"{begin + CHUNK:,} keys stored")
    store.tidy()
    store.close()


def _timed(folder: Path, forget: Callable[[SqliteStore], object]) -> dict[str, float]:
    """Seconds that `forget` takes, and the longest of another process's writes meanwhile."""
    store = SqliteStore(folder / "keys.sqlite3")
    count = "SELECT COUNT(*) FROM known_key"
    before = store.read(count)[0][0]
    command = [sys.executable, __file__, str(folder)]
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


def _write_meanwhile(folder: Path) -> None:
    """An uploading process: small writes, up to 50 a second, until something comes in on stdin."""
    store = SqliteStore(folder / "keys.sqlite3", busy_seconds=120)
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
    _write_meanwhile(Path(sys.argv[1]))
