# SPDX-License-Identifier: Apache-2.0
"""Stores and keys that tests copy instead of making: made once for a state of the sources, in pytest's cache.

Making the office's tables takes seconds and has one test (tests/server/test_firstmigration.py); RSA keys of five weeks
take half a second, and tests/protocol/test_blindrsa.py tests how they are made.
"""

import dataclasses
import fcntl
import hashlib
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path

import django

from bluezone.city_settings import write_default
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.protocol.blindrsa import PrivateKey, generate
from bluezone.protocol.intervals import week_name

REPOSITORY = Path(__file__).parents[2]
SOURCES = REPOSITORY / "src" / "bluezone"
KEPT = REPOSITORY / ".pytest_cache" / "d" / "bluezone"
HOTLINE = "0209 3870 000"
PLANTS = "records/seed.py"
# More than any test uses of one city, so that no test gets a key twice.
RSA_KEYS = 64
# Several states of the sources, so that switching branches back and forth makes nothing again.
MOST_KEPT = 4

# Makes a store without a seed, as Django's tests expect it, and one as `serve` has it at its second start.
_MAKE = """
import pathlib, sqlite3, sys
from contextlib import closing
from bluezone.server.preparation import open_office, prepare_office
folder = pathlib.Path(sys.argv[1])
open_office(folder)
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
connection.close()
with closing(sqlite3.connect(folder / "office.sqlite3")) as store, closing(sqlite3.connect(sys.argv[2])) as migrated:
    store.backup(migrated)
prepare_office(folder)
connection.close()
"""


@cache
def source_state() -> str:
    """A name for the state of all sources on which the office's tables and seed depend."""
    state = hashlib.sha256(f"{django.__version__} {sys.version}".encode())
    for path in sorted(SOURCES.rglob("*")):
        if path.suffix in {".py", ".toml", ".json", ".txt"} and _makes_stores(path):
            state.update(str(path.relative_to(SOURCES)).encode() + path.read_bytes())
    state.update(_MAKE.encode())
    return state.hexdigest()[:16]


def _makes_stores(path: Path) -> bool:
    """Whether a file is a migration, lists the installed apps, or belongs to the app that plants the seed."""
    named = "settings" in path.stem or "duties" in path.parts
    return "migrations" in path.parts or named or any((up / PLANTS).exists() for up in path.parents)


def migrated_store() -> Path:
    """The office's SQLite store with all tables, empty."""
    return _stores() / "migrated.sqlite3"


def prepared_store(data: Path) -> None:
    """Prepare the folder of a `serve` as for a second start: with the office's store, its seed, and week keys.

    The demo and tests/web/test_postgresql.py do not use it.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(_stores() / "prepared.sqlite3", data / "office.sqlite3")
    (data / "office.sqlite3").chmod(0o600)
    with_week_keys(data, time.time())


def with_week_keys(data: Path, now: float) -> None:
    """Copy the RSA keys of the week of `now` and the next three into a data folder that has none."""
    if not (data / "keys").exists():
        folder = cached(f"keys-{week_name(now)}", lambda folder: WeekKeyRing(folder).rotate_week_keys(now))
        shutil.copytree(folder, data / "keys")
        (data / "keys").chmod(0o700)


def rsa_keys() -> Iterator[PrivateKey]:
    """Keys as blindrsa.generate() makes them, one after another, without end; after the last comes the first."""
    file = cached("rsa-keys", _make_rsa_keys) / "keys.json"
    yield from itertools.cycle(PrivateKey(**numbers) for numbers in json.loads(file.read_text()))


def _make_rsa_keys(folder: Path) -> None:
    (folder / "keys.json").write_text(json.dumps([dataclasses.asdict(generate()) for _ in range(RSA_KEYS)]))


@cache
def _stores() -> Path:
    def make(folder: Path) -> None:
        office = folder / "office"
        office.mkdir()
        write_default(office, name_vi="Bắc Kạn", name_en="Bắc Kạn", hotline=HOTLINE)
        # Without the variables of the tests, which may name another database: these stores are files.
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("BLUEZONE_", "DJANGO_"))}
        subprocess.run([sys.executable, "-c", _MAKE, office, folder / "migrated.sqlite3"], check=True, env=plain)
        with closing(sqlite3.connect(office / "office.sqlite3")) as store:
            store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (office / "office.sqlite3").rename(folder / "prepared.sqlite3")
        shutil.rmtree(office)

    return cached(f"stores-{source_state()}", make)


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of this name (KIND-STATE) in the cache, made by the first process that needs it.

    The cache has at most MOST_KEPT folders of a kind.
    """
    folder = KEPT / name
    if not folder.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        kind = name.partition("-")[0]
        with (KEPT / f"lock-{kind}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                making = KEPT / f"making-{kind}"
                shutil.rmtree(making, ignore_errors=True)
                making.mkdir()
                make(making)
                _remove_old(kind)
                making.rename(folder)
    return folder


def _remove_old(kind: str) -> None:
    newest_first = sorted(KEPT.glob(f"{kind}-*"), key=lambda folder: -folder.stat().st_mtime)
    for folder in newest_first[MOST_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)
