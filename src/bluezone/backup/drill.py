# SPDX-License-Identifier: Apache-2.0
"""A drill: restore the newest backup into a scratch folder, check it, let a phone follow it, and delete it.

The only file of the city that a drill writes is its result. The phone runs the phones' own program.
"""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bluezone.backup import postgresql
from bluezone.backup.creation import BACKUPS, LOCK_NAME, STAGING, SUFFIX, remove_unfinished
from bluezone.backup.drill_results import DRILL_FILE, Drill
from bluezone.backup.store_copies import STORES
from bluezone.canary.phone import CanaryPhone, MemoryValues
from bluezone.handset.client import MAX_SIGNED_BYTES, Client, ServerAnswerRefused
from bluezone.keyserver.configs.configfiles import ConfigFolder
from bluezone.keyserver.http import file_of
from bluezone.keyserver.keys.keyfolder import open_secrets, signing_folder
from bluezone.keyserver.locks import lock_file
from bluezone.keyserver.publication.bucket import open_named_place
from bluezone.keyserver.publication.downloads import Downloads
from bluezone.keyserver.publication.folder import LocalFiles
from bluezone.keyserver.publication.padding import Padding
from bluezone.keyserver.securefiles import write_atomically
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.signer.client import FOLDER_NAME, VARIABLE, remote_keys
from bluezone.keyserver.signer.client import SUFFIX as SOCKET_SUFFIX
from bluezone.keyserver.signer.daemon import Daemon, allowed_users
from bluezone.protocol.signed.index import EXPORTS
from bluezone.refusal import Refused

# Variables that would make the restored city use the live city's database, bucket or journal.
_CITY_VARIABLES = (
    "BLUEZONE_DATABASE_URL", "BLUEZONE_OFFICE_URL", "BLUEZONE_CODES_URL", "BLUEZONE_KEYS_URL", "BLUEZONE_EXPORTS_URL",
    "BLUEZONE_HEADS", "BLUEZONE_DATA", VARIABLE,
)  # fmt: skip
_LONGEST_SECONDS = 6 * 3600


class DrillBackupMissing(Refused):
    """There is no backup to try."""

    code = "drill_backup_missing"


class DrillDatabaseMissing(Refused):
    """The stores are on PostgreSQL, and no database was given into which they can be restored."""

    code = "drill_database_missing"


class DrillFailed(Refused):
    """The restored stores are damaged, or a phone does not follow them."""

    code = "drill_failed"


def run_drill(data_dir: Path, day_keys: Path, published: str, database: str | None, backup: Path | None) -> Drill:
    """Try the newest backup, and store the result in the data folder.

    day_keys:  folder with the key of the backup's day. published: where phones' files are now, a data folder, a bucket
               or an address. database: an empty PostgreSQL database, if the city has its stores on PostgreSQL.
    backup:    a file to try in place of the newest of the folder.
    """
    followed: dict[str, tuple[int, int]] = {}
    problem = ""
    message = ""
    try:
        backup = backup or _newest(data_dir)
        # The lock keeps backups from starting: one would mistake the scratch folder for that of a killed backup.
        with lock_file(data_dir / LOCK_NAME, wait=True), _scratch(data_dir) as scratch:
            _restore_and_follow(data_dir, scratch, backup, day_keys, published, database, followed)
    except Refused as refused:
        problem = refused.code
        message = refused.message
    drill = Drill(int(time.time()), not problem, backup.name if backup else "", followed, problem, message)
    write_atomically(data_dir / DRILL_FILE, json.dumps(asdict(drill)).encode(), 0o600)
    return drill


def _newest(data_dir: Path) -> Path:
    backups = sorted((data_dir / BACKUPS).glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    if not backups:
        raise DrillBackupMissing(f"there is no backup in {data_dir / BACKUPS}")
    return backups[-1]


@contextmanager
def _scratch(data_dir: Path) -> Iterator[Path]:
    """A folder that is removed in any case; after a killed drill, by the next drill or backup."""
    remove_unfinished(data_dir)
    folder = data_dir / f"{STAGING}drill-{os.getpid()}"
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _restore_and_follow(
    data_dir: Path, scratch: Path, backup: Path, day_keys: Path, published: str, database: str | None,
    followed: dict[str, tuple[int, int]],
) -> None:  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name not in _CITY_VARIABLES}
    if any(os.environ.get(name) for name in _CITY_VARIABLES[:4]):
        if database is None:
            raise DrillDatabaseMissing("name an empty database with --scratch-database; what is in it is dropped")
        environment["BLUEZONE_DATABASE_URL"] = database
    else:
        database = None
    restored = scratch / "data"
    trust = open_secrets(data_dir / "keys", remote_keys(data_dir)).city_key
    clock = _ManualClock(time.time())
    phone = CanaryPhone(MemoryValues(), trust, clock)
    claimed = False
    try:
        place = open_named_place(published)
        local = Path(published).resolve() if isinstance(place, LocalFiles) else None
        live = Downloads(place.get, ConfigFolder(data_dir / "configs"), local)
        before = phone.follow(_LocalClient(live))
        # What was there before belongs to someone else, and must not be dropped.
        if database:
            for name in STORES:
                postgresql.require_unused(database, name)
        claimed = True
        options = ("--data", restored, "--day-keys", day_keys, "--published", published)
        _run_command(environment, "restore", str(backup), *options)
        _require_undamaged(restored)
        _run_command(environment, "manage", "--data", restored, "verify_audit")
        for name in _CITY_VARIABLES:
            os.environ.pop(name, None)
        if database:
            os.environ["BLUEZONE_DATABASE_URL"] = database
        clock.now = time.time()
        with _running_signer(restored, clock), closing(KeyServer.open(restored)) as server:
            # Publish the next file, as phones will get it.
            clock.now = time.time() + max(server.city.publish_period_seconds, 3600) + 60
            _put_random_keys(server, clock.now)
            server.tick(clock.now)
            after = phone.follow(_LocalClient(server.downloads))
        followed.update({kind: (before[kind], after[kind]) for kind in before})
        if phone.started_over:
            raise DrillFailed("the phone did not follow: it had to start again")
        if after[EXPORTS] <= before[EXPORTS]:
            raise DrillFailed(f"the phone got no new file: it had file {before[EXPORTS]}, then {after[EXPORTS]}")
    finally:
        if claimed and database:
            for name in STORES:
                postgresql.drop_schema(database, name)


@contextmanager
def _running_signer(restored: Path, clock: "_ManualClock") -> Iterator[None]:
    """Run a signer for the restored folder and record, as `serve` would start one."""
    state = restored / FOLDER_NAME
    keys = signing_folder(restored / "keys")
    daemon = Daemon(keys, state, state / f"drill{SOCKET_SUFFIX}", restored, allowed_users(()), clock.wall_seconds)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        yield
    finally:
        daemon.stop()
        thread.join()


def _put_random_keys(server: KeyServer, now: float) -> None:
    """If the city publishes only when keys wait, add random keys, so that the next file appears."""
    if server.city.publish_period_seconds:
        return
    padding = Padding(max(server.city.padding_mean, 1), 0, os.urandom)
    server.keys_store.write(lambda transaction: padding.add_keys_before_file(transaction, now))


def _run_command(environment: Mapping[str, str], *arguments: Any) -> None:
    """Run one of our commands as an operator would. Raises DrillFailed."""
    program = [sys.executable, "-c", "from bluezone.cli.main import main; main()", *map(str, arguments), "--json"]
    if arguments[0] == "manage":
        program = [*program[:4], "--json", *program[4:-1]]
    done = subprocess.run(  # noqa: S603 - our own program
        program, env=dict(environment), capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
    )
    try:
        result = json.loads(done.stdout)
    except ValueError:
        result = {}
    error = result.get("error") or {"code": result.get("problem"), "message": result.get("message")}
    if done.returncode or error["code"]:
        what = error["message"] or result.get("output") or f"it ended with {done.returncode}"
        raise DrillFailed(f"bluezone {arguments[0]}: {error['code'] or 'failed'}: {what}")


def _require_undamaged(restored: Path) -> None:
    for name in STORES:
        path = restored / f"{name}.sqlite3"
        if not path.exists():
            continue
        with closing(sqlite3.connect(path)) as store:
            verdict = store.execute("PRAGMA integrity_check").fetchone()[0]
            broken = store.execute("PRAGMA foreign_key_check").fetchone()
        if verdict != "ok":
            raise DrillFailed(f"the store {name} is damaged: {verdict}")
        if broken:
            raise DrillFailed(f"the store {name} is damaged: rows of {broken[0]}")


class _LocalClient(Client):
    """A phone's client that reads files in this process instead of fetching them. downloads: what it reads."""

    def __init__(self, downloads: Downloads) -> None:
        super().__init__("http://localhost")
        self._downloads = downloads

    def get(self, path: str, most_bytes: int = MAX_SIGNED_BYTES) -> bytes:
        """The file that a server would answer with. Raises ServerAnswerRefused."""
        response = file_of(self._downloads, path)
        if response is None or response.status != 200:
            raise ServerAnswerRefused(f"GET {path} is not answered with a file")
        body = response.body if isinstance(response.body, bytes) else response.body.read_bytes()
        if len(body) > most_bytes:
            raise ServerAnswerRefused(f"GET {path} was answered with {len(body)} bytes")
        return body


@dataclass
class _ManualClock:
    """The clocks of the drill's phone, set by hand. now: Unix seconds."""

    now: float

    def boot_seconds(self) -> float:
        return self.now

    def wall_seconds(self) -> float:
        return self.now
