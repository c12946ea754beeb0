# SPDX-License-Identifier: Apache-2.0
"""Publish 1.4 million keys in 144 files: mark, read, pad, sort, encode, sign, write and seal each, from SQLite.

Baseline: the same encoding key by key in Python, timed on a part and scaled; it neither pads nor stores.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

from bluezone.city import write_default
from bluezone.keyserver.exportindex import renew_index
from bluezone.keyserver.publication import newest_published_day, publish
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.exportwire import delimited, number_field
from bluezone.protocol.intervals import first_interval

FILES = 144
KEYS = 1_400_000
PERIOD_SECONDS = 600
BASELINE_KEYS = 50_000
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
        publish(server, now)
        for number in range(FILES):
            _store(server, now, KEYS // FILES + (number < KEYS % FILES))
            now += PERIOD_SECONDS
            begun, used = time.perf_counter(), time.process_time()
            publish(server, now)
            renew_index(server, now)
            seconds += time.perf_counter() - begun
            cpu += time.process_time() - used
            if number % 24 == 23:
                progress(f"{number + 1} of {FILES} files, {seconds:.1f} s")
        files = list((Path(folder) / "exports").glob("*.zip"))
        size = sum(path.stat().st_size for path in files)
        left = server.keys_store.read("SELECT COUNT(*) FROM waiting_key")[0][0]
        baseline = _key_by_key(server) * KEYS / BASELINE_KEYS
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


def _store(server: KeyServer, now: float, count: int) -> None:
    newest = newest_published_day(now, server.city.embargo_seconds)
    rows = [
        (first_interval(newest - n % 14), os.urandom(16), 1 + n % 2, 1 + n // 2 % 2, int(now) // 3600)
        for n in range(count)
    ]
    sql = "INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)"
    known = [(row[1], row[0]) for row in rows]
    server.keys_store.write(lambda transaction: transaction.execute_each(sql, rows))
    server.keys_store.write(lambda transaction: transaction.execute_each("INSERT INTO known_key VALUES (?, ?)", known))


def _key_by_key(server: KeyServer) -> float:
    """Seconds to encode and sign keys the plain way: one message after the other."""
    rows = [(os.urandom(16), first_interval(20_000 + n % 14), 1 + n % 2, n % 2 * 7) for n in range(BASELINE_KEYS)]
    begun = time.perf_counter()
    message = b"".join(
        delimited(
            7,
            delimited(1, key)
            + number_field(3, start)
            + number_field(4, 144)
            + number_field(5, kind)
            + number_field(6, onset * 2),
        )
        for key, start, kind, onset in sorted(rows)
    )
    for _ in range(FILES * BASELINE_KEYS // KEYS):
        server.secrets.export_key.sign(message, ECDSA(hashes.SHA256(), deterministic_signing=True))
    return time.perf_counter() - begun
