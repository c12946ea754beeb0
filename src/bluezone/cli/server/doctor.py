# SPDX-License-Identifier: Apache-2.0
"""`bluezone doctor`: check what works on this machine, and say how to repair what does not."""

import asyncio
import importlib.metadata
import os
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import click

from bluezone.cli.folder import data_option
from bluezone.cli.output import Failed, prints_result
from bluezone.refusal import Refused

SIGNS = {"ok": "✓", "warn": "!", "fail": "✗"}
# 2026-11-24, when this was written: a clock with an earlier day is wrong.
EARLIEST_UNIX_SECONDS = 1_795_478_400
LEAST_FREE_BYTES = 200_000_000
COMFORTABLE_FREE_BYTES = 2_000_000_000
ADAPTER_SECONDS = 10

_REMEDIES = {
    "store_too_new": "install the newer version that made it",
    "store_damaged": "stop serve, change nothing, copy the folder away, restore the last backup next to it"
    " (docs/playbooks/store-down.md)",
}

_PAGES = (
    "SELECT COALESCE(checksum_failures, 0), current_setting('data_checksums')"
    " FROM pg_stat_database WHERE datname = current_database()"
)


@dataclass(frozen=True)
class Check:
    """One line of the result. next: what to do, "" for nothing."""

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    next: str = ""

    def as_json(self) -> dict[str, str]:
        """The check as a member of the command's result."""
        return {"name": self.name, "state": self.state, "found": self.detail, "next": self.next}


def _lines(result: dict[str, Any]) -> Iterable[str]:
    for check in result["checks"]:
        yield f"{SIGNS[check['state']]} {check['name']}: {check['found']}"
        if check["next"]:
            yield f"    {check['next']}"


@click.command()
@data_option
@prints_result(_lines)
def doctor(data: str | None) -> dict[str, Any]:
    """Check Python, Bluetooth, packages, databases, the data folder, the clock and the disk.

    Each line is ok, warn or fail, with what to do next; the exit code is 1 only if something failed.

    Stores are only read, as a whole, so that damage is found; nothing is made or migrated. A large store takes some
    minutes.
    """
    from bluezone.city_settings import data_folder

    folder = data_folder(data).resolve()
    checks = [_python(), _bluetooth_sockets(), *_adapters(), _bluetoothd(), _kernel(), _planner(), _gmpy2()]
    checks += [_chromium(), _clock(), _disk(folder), *_data_folder(folder), *_stores(folder)]
    result = {"checks": [check.as_json() for check in checks]}
    if any(check.state == "fail" for check in checks):
        raise Failed(result)
    return result


def _python() -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("python", "ok", version)


def _bluetooth_sockets() -> Check:
    if hasattr(socket, "AF_BLUETOOTH"):
        return Check("bluetooth sockets", "ok", "this Python can open Bluetooth sockets")
    return Check(
        "bluetooth sockets",
        "warn",
        "this Python was built without AF_BLUETOOTH",
        "for this machine's adapter use the system's Python (rm -r .venv; make setup); usb: and serial: work as is",
    )


def _adapters() -> Iterator[Check]:
    """Open each adapter that the kernel lists once."""
    names = sorted(path.name for path in Path("/sys/class/bluetooth").glob("hci[0-9]*") if ":" not in path.name)
    if not names:
        yield Check(
            "bluetooth adapter",
            "warn",
            "the kernel lists none",
            "a server needs none; a handset does: plug one in, or use --radio usb:0, serial: or virtual:",
        )
    from bluezone.radio.adapters import diagnose

    for name in names:
        spec = f"hci-socket:{name.removeprefix('hci')}"
        try:
            trouble = asyncio.run(asyncio.wait_for(diagnose(spec), ADAPTER_SECONDS))
        except (Refused, OSError, TimeoutError) as error:
            yield Check(f"bluetooth adapter {name}", "warn", f"no answer: {error}", "unplug it and plug it in again")
            continue
        if trouble is None:
            yield Check(f"bluetooth adapter {name}", "ok", f"can be opened as --radio {spec}")
        else:
            yield Check(f"bluetooth adapter {name}", "warn", trouble.cause, trouble.remedy)


def _bluetoothd() -> Check:
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            running = path.read_text().strip() == "bluetoothd"
        except OSError:  # the process has ended in the meantime
            continue
        if running:
            return Check(
                "bluetoothd",
                "warn",
                "the system's Bluetooth service is running and uses the adapter",
                "before `bluezone handset run`: sudo systemctl stop bluetooth (headphones stop working meanwhile)",
            )
    return Check("bluetoothd", "ok", "not running: nothing else uses the adapter")


def _kernel() -> Check:
    """Check which matcher is used, and whether a faster one could be."""
    from bluezone.protocol.kernel import (
        CHOICE_VARIABLE,
        PROCESSORS,
        PYTHON,
        WHY_NOT,
        ProcessorMissing,
        choose_processor,
        fastest_processor,
    )

    best = fastest_processor()
    try:
        name = choose_processor()
    except ProcessorMissing as refused:
        return Check("matcher", "fail", f"{refused.code}: {refused.message}", f"unset {CHOICE_VARIABLE}")
    detail = PYTHON if name == PYTHON else f"native, {name}"
    if name != best:
        detail += f", because {CHOICE_VARIABLE} says so; {best} is quicker"
        remedy = f"unset {CHOICE_VARIABLE}, unless it is for measuring or finding faults"
        return Check("matcher", "warn", detail, remedy)
    if not PROCESSORS:
        detail += f", slower; the native one is {WHY_NOT}"
        return Check("matcher", "warn", detail, "sudo apt-get install gcc libc6-dev, then make setup")
    return Check("matcher", "ok", detail)


def _planner() -> Check:
    """Check whether plans for a city and rehearsals can be computed here."""
    from bluezone.planning.kernel import PlannerMissing, require

    try:
        require()
    except PlannerMissing as refused:
        how = "sudo apt-get install gcc libc6-dev, then make setup"
        return Check("planner", "warn", f"{refused.code}: {refused.message}", how)
    return Check("planner", "ok", "native")


def _gmpy2() -> Check:
    try:
        return Check("gmpy2", "ok", importlib.metadata.version("gmpy2"))
    except importlib.metadata.PackageNotFoundError:
        return Check("gmpy2", "warn", "not installed: blind signatures are slower", "install the extra `fast`")


def _chromium() -> Check:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        return Check("chromium", "warn", "not found; only the browser tests need it", "sudo apt-get install chromium")
    return Check("chromium", "ok", path)


def _clock() -> Check:
    now = time.time()
    detail = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    if now < EARLIEST_UNIX_SECONDS:
        return Check("clock", "fail", f"{detail} is in the past", "set the time: sudo timedatectl set-ntp true")
    if shutil.which("timedatectl") is None:
        return Check("clock", "ok", detail)
    answer = subprocess.run(
        ["timedatectl", "show", "--property=NTPSynchronized", "--value"],  # noqa: S607 - whichever the system has
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.stdout.strip() == "no":
        return Check("clock", "warn", f"{detail}, not synchronised", "sudo timedatectl set-ntp true")
    return Check("clock", "ok", detail)


def _disk(folder: Path) -> Check:
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free / 1e9:.1f} GB free at {place}"
    if free < LEAST_FREE_BYTES:
        return Check("disk", "fail", detail, "free some space: below 0.2 GB nothing more can be stored safely")
    if free < COMFORTABLE_FREE_BYTES:
        return Check("disk", "warn", detail, "two weeks of export files and logs may need 2 GB")
    return Check("disk", "ok", detail)


def _data_folder(folder: Path) -> Iterator[Check]:
    """Check whether the folder and its secrets are private, and whether the city's settings are valid."""
    from bluezone.city_settings import load_city, unused_settings

    if not folder.exists():
        yield Check("data folder", "warn", f"{folder} does not exist yet", "the first `bluezone serve` makes it")
        return
    exposed = [path for path in (folder / "keys", *(folder / "keys").glob("*")) if _is_readable_by_others(path)]
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Check("data folder", "fail", f"{folder} cannot be written", f"sudo chown -R $USER {folder}")
    elif exposed:
        yield Check("data folder", "fail", f"others can read {exposed[0]}", f"chmod -R go= {folder / 'keys'}")
    elif _is_readable_by_others(folder):
        yield Check("data folder", "warn", f"others can look into {folder}", f"chmod go= {folder}")
    else:
        yield Check("data folder", "ok", str(folder))
    try:
        city = load_city(folder)
    except Refused as refused:
        state: Literal["warn", "fail"] = "warn" if refused.code == "city_missing" else "fail"
        yield Check("city.toml", state, refused.message, "docs/reference/settings.md explains each setting")
        return
    weak = "; ".join([*city.warnings(), *unused_settings(folder).values()])
    yield Check("city.toml", "warn" if weak else "ok", weak or city.name_en, "change it in city.toml" if weak else "")


def _is_readable_by_others(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _stores(folder: Path) -> Iterator[Check]:
    """Check that the three stores are undamaged and of this version, without changing them."""
    if not (folder / "city.toml").exists():
        yield Check("stores", "warn", "none yet", "the first `bluezone serve` makes them")
        return
    from bluezone.keyserver.storage.sqlite import store_file

    yield from _history(folder)
    yield _recovery_key(folder)
    for name in ("codes", "keys", "office"):
        url = os.environ.get(f"BLUEZONE_{name.upper()}_URL") or os.environ.get("BLUEZONE_DATABASE_URL")
        path = store_file(folder, name)
        if url is None and not path.exists():
            yield Check(f"store {name}", "warn", "none yet", "the next start of `bluezone serve` makes it")
            continue
        try:
            with _read_postgresql(url, name) if url else _read_sqlite(path) as store:
                yield _store_check(name, store)
        except Refused as refused:
            remedy = _REMEDIES.get(refused.code, "see docs/reference/problems.md under this code")
            yield Check(f"store {name}", "fail", f"{refused.code}: {refused.message}", remedy)


def _history(folder: Path) -> Iterator[Check]:
    """A warning if the folder was restored and has not been compared with what was published since."""
    from bluezone.keyserver.publication.history import UNCHECKED_FILE

    if (folder / UNCHECKED_FILE).exists():
        detail = "this folder was restored and not compared yet with what was published; nothing is signed until then"
        remedy = "the next start of `bluezone serve` compares it, or docs/playbooks/history-forked.md"
        yield Check("published history", "warn", detail, remedy)


def _recovery_key(folder: Path) -> Check:
    """Check whether the city could open a new epoch after a loss of data."""
    from bluezone.keyserver.configs.recoverykey import read_recovery_key
    from bluezone.keyserver.publication.log.journal import journal_folder

    public = read_recovery_key(folder)
    if public is None:
        detail = "none: after a loss phones that are up to date would get no warning for up to 14 days"
        return Check("recovery key", "warn", detail, "bluezone recovery-key new, before the first phones come")
    place = journal_folder(folder)
    if not os.access(next(path for path in (place, *place.parents) if path.exists()), os.W_OK):
        remedy = "set BLUEZONE_HEADS to a folder that can be written, best on another disk"
        return Check("recovery key", "warn", f"{public[:16]}…, but the journal in {place} cannot be written", remedy)
    return Check("recovery key", "ok", f"{public[:16]}…; the journal of heads is in {place}")


@dataclass(frozen=True)
class _Reading:
    """A store opened for reading. dialect: as in Store; doubt: what cannot be checked in it, and the remedy."""

    dialect: str
    read: Callable[[str], list[Any]]
    doubt: tuple[str, str] | None = None


def _store_check(name: str, store: _Reading) -> Check:
    """The check of a readable store. Raises StoreTooNew, StoreTooOld."""
    where = "SQLite, whole" if store.dialect == "sqlite" else "PostgreSQL"
    waiting = _office_waiting(store) if name == "office" else _keyserver_waiting(name, store)
    if waiting:
        detail = f"{where}, of an earlier version: {waiting} migrations wait"
        return Check(f"store {name}", "warn", detail, "make a backup; the next start of `bluezone serve` does the rest")
    if store.doubt:
        doubt, remedy = store.doubt
        return Check(f"store {name}", "warn", f"{where}, up to date, {doubt}", remedy)
    return Check(f"store {name}", "ok", f"{where}, up to date")


def _keyserver_waiting(name: str, store: _Reading) -> int:
    from bluezone.keyserver.storage.migrations import waiting_for

    return waiting_for(store, name)


def _office_waiting(store: _Reading) -> int:
    from bluezone.server.preparation import count_missing_migrations, open_office

    # Only the list of migrations is needed. The folder does not exist, because opening the office on a real one would
    # make missing secrets there.
    open_office(Path(os.devnull).with_name("no-folder"))
    return count_missing_migrations(
        {(str(app), str(name)) for app, name in store.read("SELECT app, name FROM django_migrations")}
    )


@contextmanager
def _read_sqlite(path: Path) -> Iterator[_Reading]:
    """A store of the folder, opened read-only, after its integrity was checked. Raises StoreRefused."""
    from bluezone.keyserver.storage.store import StoreDamaged, StoreUnreachable

    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=ADAPTER_SECONDS)) as store:
            # Checks every page, every row against its indexes, and every foreign key.
            problems = [row[0] for row in store.execute("PRAGMA integrity_check(1)")]
            if problems != ["ok"]:
                raise StoreDamaged(f"{path.name}: {' '.join(problems[0].split())}")
            orphan = store.execute("PRAGMA foreign_key_check").fetchone()
            if orphan:
                raise StoreDamaged(f"{path.name}: a row of {orphan[0]} refers to a missing row of {orphan[2]}")
            yield _Reading("sqlite", lambda statement: store.execute(statement).fetchall())
    except sqlite3.DatabaseError as error:
        damaged = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
        raise (StoreDamaged if damaged else StoreUnreachable)(f"{path.name}: {error}") from None


@contextmanager
def _read_postgresql(url: str, schema: str) -> Iterator[_Reading]:
    """A store in a database, opened read-only. Raises StoreRefused; its message contains no address."""
    from bluezone.keyserver.storage.store import StoreDamaged, StoreUnreachable

    try:
        import psycopg
    except ModuleNotFoundError:
        raise StoreUnreachable(f"{schema}: psycopg is not installed; install the extra `postgres`") from None
    try:
        # One transaction, for which a pooler uses one connection.
        with psycopg.connect(url, connect_timeout=ADAPTER_SECONDS, prepare_threshold=None) as store:
            store.execute("SET TRANSACTION READ ONLY")
            store.execute("SELECT set_config('search_path', %s, true)", [schema])
            failures, summed = store.execute(_PAGES).fetchone() or (0, "off")
            if failures:
                raise StoreDamaged(f"{schema}: PostgreSQL counted {failures} pages with a wrong checksum")
            doubt = None
            if summed != "on":
                doubt = "without checksums of its pages", "pg_checksums --enable, and pg_amcheck"
            yield _Reading("postgresql", lambda statement: store.execute(statement.encode()).fetchall(), doubt)
    except psycopg.errors.DataCorrupted:
        raise StoreDamaged(f"{schema}: PostgreSQL says that its data are damaged") from None
    except psycopg.errors.UndefinedTable:
        raise StoreUnreachable(f"{schema}: its tables are missing; `bluezone serve` makes them") from None
    except psycopg.Error as error:
        raise StoreUnreachable(f"{schema}: the database cannot be read ({type(error).__name__})") from None
