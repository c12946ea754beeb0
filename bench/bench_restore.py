# SPDX-License-Identifier: Apache-2.0
"""Restore a city with 1.4 million published keys: 168 export files and 336 venue packages of two weeks.

Each backup is restored as an operator does it, by our own commands: the restore itself, then what was published since
is taken over from the old folder or from a mirror over HTTP. After that a signer and a server publish the next file.
The budget is 300 seconds on two cores.
"""

import contextlib
import datetime
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.bench_export import fill_waiting
from tests.builders.keyserver import serve_application

from bluezone.backup.creation import create_backup
from bluezone.backup.daykeys import FOLDER as DAY_KEYS
from bluezone.city_settings import write_default
from bluezone.keyserver.http import Application
from bluezone.keyserver.service import KeyServer

KEYS = 1_400_000
FILES = 168
PERIOD_SECONDS = 7200
# How many files the backups lack: all, those of a day, the last one.
MISSING = (FILES, 12, 1)
BUDGET_SECONDS = 300


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Restore each backup from the old folder, and the oldest over HTTP as well."""
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        folder = top / "city" / "data"
        backups = _publish(folder, progress)
        cases = [(missing, "folder") for missing in MISSING] + [(FILES, "http")]
        phases: dict[str, dict[str, tuple[float, float]]] = {}
        for number, (missing, kind) in enumerate(cases):
            with _place(folder, kind) as place:
                case = f"{missing} files missing, from {kind}"
                phases[case] = _restore(top / f"restored-{number}" / "data", backups[missing], folder, place)
            progress(f"{case}: {phases[case]}")
    longest = max(sum(wall for wall, _ in case.values()) for case in phases.values())
    return {
        "name": "restore a city with 1.4 M published keys",
        "value": round(longest, 1),
        "unit": "s",
        "baseline": BUDGET_SECONDS,
        "ratio": round(BUDGET_SECONDS / longest, 1),
        "wall_and_cpu_seconds": phases,
    }


def _publish(folder: Path, progress: Callable[[str], object]) -> dict[int, Path]:
    """A city of two weeks up to now, and its backups by how many files they lack."""
    folder.mkdir(parents=True, mode=0o700)
    write_default(
        folder, name_vi="Thử", name_en="Test", hotline="115", publish_period_seconds=PERIOD_SECONDS, padding_mean=50
    )
    _run(folder, "-m", "bluezone.server.preparation", folder)
    now = time.time() // PERIOD_SECONDS * PERIOD_SECONDS + 60 - FILES * PERIOD_SECONDS
    server = KeyServer.open(folder, lambda: now)
    server.tick(now)
    backups = {}
    for number in range(FILES):
        if FILES - number in MISSING:
            moment = datetime.datetime.now(datetime.UTC)
            target = folder.parent / f"backup-{FILES - number}"
            backups[FILES - number] = create_backup(folder, target, moment, moment.date(), {})
        fill_waiting(server, now, KEYS // FILES)
        now += PERIOD_SECONDS
        server.tick(now - PERIOD_SECONDS / 2)
        server.tick(now)
        if number % 24 == 23:
            progress(f"{number + 1} of {FILES} files published")
    server.close()
    return backups


@contextlib.contextmanager
def _place(folder: Path, kind: str) -> Iterator[str]:
    if kind == "folder":
        yield str(folder)
        return
    server = KeyServer.open(folder)
    with serve_application(Application(server.parts)) as (host, port):
        yield f"http://{host}:{port}"
    server.close()


def _restore(folder: Path, backup: Path, lost: Path, place: str) -> dict[str, tuple[float, float]]:
    """Seconds by the wall and of a processor, by phase."""
    command = ("-c", "from bluezone.cli.main import main; main()")
    phases = {
        "restore": _run(folder, *command, "restore", backup, "--data", folder, "--day-keys", lost / DAY_KEYS),
        "take over": _run(folder, *command, "history", "adopt", "--data", folder, "--from", place),
    }
    wall, cpu = time.perf_counter(), time.process_time()
    now = time.time() + PERIOD_SECONDS
    server = KeyServer.open(folder, lambda: now)
    before = server.indexes.read_index()
    fill_waiting(server, now - PERIOD_SECONDS, KEYS // FILES)
    server.tick(now)
    after = server.indexes.read_index()
    server.close()
    assert before is not None
    assert after is not None
    assert (before.number, after.number) == (FILES + 1, FILES + 2)
    phases["next file"] = round(time.perf_counter() - wall, 1), round(time.process_time() - cpu, 1)
    return phases


def _run(folder: Path, *arguments: object) -> tuple[float, float]:
    """Run a program to its end; returns its seconds by the wall and of a processor."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started_at = time.perf_counter()
    environment = {**os.environ, "BLUEZONE_HEADS": str(folder.parent / "heads")}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False
    )
    # A restore without any place ends with 1: it may not sign before it was compared.
    assert done.returncode == 0 or "history_unknown" in done.stdout, done.stdout + done.stderr
    wall = time.perf_counter() - started_at
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(wall, 1), round(cpu, 1)
