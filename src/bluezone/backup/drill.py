# SPDX-License-Identifier: Apache-2.0
"""A drill: the newest backup is restored beside the city, looked at, and followed by a phone; then it is thrown away.

Nothing of the city is written but the note of how it went. What the phone does is the phones' own program.
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
from types import SimpleNamespace
from typing import Any

from bluezone.backup import postgresql
from bluezone.backup.copies import BACKUPS, DRILL_NAME, LOCK_NAME, STAGING, STORES, SUFFIX, Drill, clear_left_over
from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.histories import Downloads as FollowedExports
from bluezone.handset.city.histories import IndexFollower
from bluezone.handset.client import MAX_EXPORT_BYTES, MAX_SIGNED_BYTES, Client, ServerAnswerRefused
from bluezone.handset.store import Store
from bluezone.keyserver.configuration import ConfigFiles
from bluezone.keyserver.datafolder import only_one
from bluezone.keyserver.http import file_of
from bluezone.keyserver.keyfolder import open_secrets, signing_folder, write_whole
from bluezone.keyserver.publication.bucket import place_of
from bluezone.keyserver.publication.downloads import Downloads
from bluezone.keyserver.publication.folder import LocalFiles
from bluezone.keyserver.publication.padding import Padding
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.signer.client import FOLDER_NAME, VARIABLE, remote_keys
from bluezone.keyserver.signer.client import SUFFIX as SOCKET_SUFFIX
from bluezone.keyserver.signer.daemon import Daemon, allowed_users
from bluezone.protocol.signed.index import EXPORTS, VENUES
from bluezone.refusal import Refused

# What would lead a restored city to the living one's database, bucket or journal.
_OF_THE_CITY = (
    "BLUEZONE_DATABASE_URL", "BLUEZONE_OFFICE_URL", "BLUEZONE_CODES_URL", "BLUEZONE_KEYS_URL", "BLUEZONE_EXPORTS_URL",
    "BLUEZONE_HEADS", "BLUEZONE_DATA", VARIABLE,
)  # fmt: skip
_LONGEST_SECONDS = 6 * 3600


class DrillBackupMissing(Refused):
    """There is no backup to try."""

    code = "drill_backup_missing"


class DrillDatabaseMissing(Refused):
    """The stores are on PostgreSQL, and no database was named in which they may be restored."""

    code = "drill_database_missing"


class DrillFailed(Refused):
    """What was restored is not whole, or a phone does not follow it."""

    code = "drill_failed"


def hold_drill(data_dir: Path, day_keys: Path, published: str, database: str | None, backup: Path | None) -> Drill:
    """Try the newest backup, and note how it went.

    day_keys:  folder with the key of the backup's day. published: where phones' files lie now, a data folder, a bucket
               or an address. database: an empty PostgreSQL database for a city that has its stores on one.
    backup:    a file in place of the newest of the folder.
    """
    followed: dict[str, tuple[int, int]] = {}
    problem, message = "", ""
    try:
        backup = backup or _newest(data_dir)
        # No backup begins meanwhile: it would take the scratch folder for what a killed one left.
        with only_one(data_dir / LOCK_NAME, wait=True), _scratch(data_dir) as scratch:
            _try(data_dir, scratch, backup, day_keys, published, database, followed)
    except Refused as refused:
        problem, message = refused.code, refused.message
    drill = Drill(int(time.time()), not problem, backup.name if backup else "", followed, problem, message)
    write_whole(data_dir / DRILL_NAME, json.dumps(asdict(drill)).encode(), 0o600)
    return drill


def _newest(data_dir: Path) -> Path:
    found = sorted((data_dir / BACKUPS).glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise DrillBackupMissing(f"there is no backup in {data_dir / BACKUPS}")
    return found[-1]


@contextmanager
def _scratch(data_dir: Path) -> Iterator[Path]:
    """A folder that goes whatever happens; what a drill that was killed left goes with the next one, or a backup."""
    clear_left_over(data_dir)
    folder = data_dir / f"{STAGING}drill-{os.getpid()}"
    try:
        folder.mkdir(mode=0o700)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _try(
    data_dir: Path, scratch: Path, backup: Path, day_keys: Path, published: str, database: str | None,
    followed: dict[str, tuple[int, int]],
) -> None:  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name not in _OF_THE_CITY}
    if any(os.environ.get(name) for name in _OF_THE_CITY[:4]):
        if database is None:
            raise DrillDatabaseMissing("name an empty database with --scratch-database; what is in it is dropped")
        environment["BLUEZONE_DATABASE_URL"] = database
    else:
        database = None
    restored = scratch / "data"
    trust = open_secrets(data_dir / "keys", remote_keys(data_dir)).signing_key.public_key().public_bytes_raw()
    clock = _SetClock(time.time())
    phone = _Phone(scratch / "phone", trust, clock)
    claimed = False
    try:
        place = place_of(published)
        here = isinstance(place, LocalFiles)
        live = Downloads(place.get, _configs(data_dir), Path(published).resolve() if here else None)
        before = phone.follow(live)
        # Whatever was there before is somebody's, and is not ours to drop.
        for name in STORES if database else ():
            postgresql.require_unused(str(database), name)
        claimed = True
        _run(environment, "restore", str(backup), "--data", restored, "--day-keys", day_keys, "--published", published)
        _require_whole(restored)
        _run(environment, "manage", "--data", restored, "verify_audit")
        for name in _OF_THE_CITY:
            os.environ.pop(name, None)
        if database:
            os.environ["BLUEZONE_DATABASE_URL"] = database
        clock.now = time.time()
        with _signing(restored, clock), closing(KeyServer.open(restored)) as server:
            # The next file, as phones will find it.
            clock.now = time.time() + max(server.city.publish_period_seconds, 3600) + 60
            _put_random_keys(server, clock.now)
            server.tick(clock.now)
            after = phone.follow(server.downloads)
        followed.update({kind: (before[kind], after[kind]) for kind in before})
        if phone.began_anew:
            raise DrillFailed("the phone did not follow: it had to begin anew")
        if after[EXPORTS] <= before[EXPORTS]:
            raise DrillFailed(f"the phone got no new file: it had file {before[EXPORTS]}, then {after[EXPORTS]}")
    finally:
        phone.close()
        if claimed and database:
            for name in STORES:
                postgresql.drop(database, name)


@contextmanager
def _signing(restored: Path, clock: "_SetClock") -> Iterator[None]:
    """A signer for what was restored, with the record that was restored, as `serve` would start one."""
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
    """Where a file appears when something waits for it: random keys in a city that publishes as soon as it can."""
    if server.city.publish_period_seconds:
        return
    padding = Padding(max(server.city.padding_mean, 1), 0, os.urandom)
    server.keys_store.write(lambda transaction: padding.put_before(transaction, now))


def _configs(data_dir: Path) -> ConfigFiles:
    return ConfigFiles(data_dir / "configs", open_secrets(data_dir / "keys", remote_keys(data_dir)))


def _run(environment: Mapping[str, str], *arguments: Any) -> None:
    """A command of ours, as an operator would give it. Raises DrillFailed."""
    program = [sys.executable, "-c", "from bluezone.cli.main import main; main()", *map(str, arguments), "--json"]
    if arguments[0] == "manage":
        program = [*program[:4], "--json", *program[4:-1]]
    done = subprocess.run(  # noqa: S603 - our own program
        program, env=dict(environment), capture_output=True, text=True, timeout=_LONGEST_SECONDS, check=False
    )
    try:
        said = json.loads(done.stdout)
    except ValueError:
        said = {}
    error = said.get("error") or {"code": said.get("problem"), "message": said.get("message")}
    if done.returncode or error["code"]:
        what = error["message"] or said.get("output") or f"it ended with {done.returncode}"
        raise DrillFailed(f"bluezone {arguments[0]}: {error['code'] or 'failed'}: {what}")


def _require_whole(restored: Path) -> None:
    for name in STORES:
        path = restored / f"{name}.sqlite3"
        if not path.exists():
            continue
        with closing(sqlite3.connect(path)) as store:
            said = store.execute("PRAGMA integrity_check").fetchone()[0]
            broken = store.execute("PRAGMA foreign_key_check").fetchone()
        if said != "ok" or broken:
            raise DrillFailed(f"the store {name} is damaged: {said if said != 'ok' else f'rows of {broken[0]}'}")


class _Here(Client):
    """The server of a phone in this process: what it would fetch is read where it lies."""

    def __init__(self) -> None:
        super().__init__("http://localhost")
        self.downloads: Downloads | None = None

    def get(self, path: str, most_bytes: int = MAX_SIGNED_BYTES) -> bytes:
        """As a server would answer."""
        server: Any = SimpleNamespace(downloads=self.downloads)
        found = file_of(server, path)
        if found is None or found.status != 200:
            raise ServerAnswerRefused(f"GET {path} is not answered with a file")
        body = found.body if isinstance(found.body, bytes) else found.body.read_bytes()
        if len(body) > most_bytes:
            raise ServerAnswerRefused(f"GET {path} was answered with {len(body)} bytes")
        return body


@dataclass
class _SetClock:
    """The clocks of a phone that lives as fast as the drill does. now: Unix seconds."""

    now: float

    def boot_seconds(self) -> float:
        return self.now

    def wall_seconds(self) -> float:
        return self.now


class _Phone:
    """A phone that follows the lists of a city and hears nobody. trust: the city's key; clock: its own."""

    def __init__(self, folder: Path, trust: bytes, clock: _SetClock) -> None:
        self._store = Store.open(folder)
        self._client = _Here()
        self._city = CityConfig(self._store, self._client, clock.wall_seconds, clock)
        self._city.pin(trust)

    def follow(self, downloads: Downloads) -> dict[str, int]:
        """Take in what is new; returns the number of the newest file by kind. Raises Refused as a phone does."""
        self._client.downloads = downloads
        exports = FollowedExports(self._store, self._client, self._city)
        index, config, entries = exports.follow()
        for entry in entries:
            exports.fetch(entry, config)
            exports.note_taken_in(entry)
        exports.note_complete(index)
        venues = IndexFollower(self._store, self._client, self._city, VENUES)
        index, entries = venues.follow_index()
        for entry in entries:
            venues.fetch_bytes(entry, MAX_EXPORT_BYTES)
            venues.note_taken_in(entry)
        venues.note_complete(index)
        return {EXPORTS: exports.position.number, VENUES: venues.position.number}

    @property
    def began_anew(self) -> bool:
        """Whether it could not go on from where it was."""
        return str(self._store.get("notice") or "").endswith("_missed")

    def close(self) -> None:
        """Close its store."""
        self._store.close()
