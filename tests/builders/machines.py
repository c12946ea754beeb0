# SPDX-License-Identifier: Apache-2.0
"""A city on several machines that can fail: servers in separate hosts, and a primary database with a lagging standby,
both behind pgbouncer.
"""

import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.builders.hosts import Host
from tests.builders.keyserver import Phone, keys_for
from tests.builders.serving import BLUEZONE, free_port
from tests.builders.stores import HOTLINE

from bluezone.keyserver.publication.series import EXPORT_FILES
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential

PORTS = {"public": 8000, "office": 8001, "operator": 8002}
STORES = ("office", "codes", "keys")
_ASK = """
import json, sys, time, urllib.error, urllib.request
begun = time.monotonic()
try:
    asked = urllib.request.Request(sys.argv[1], headers={"Cookie": f"bluezone-session={'a' * 32}"})
    with urllib.request.urlopen(asked, timeout=300) as answer:
        status, text = answer.status, answer.read().decode()
except urllib.error.HTTPError as answer:
    status, text = answer.code, answer.read().decode()
print(json.dumps([status, text, time.monotonic() - begun]))
"""


class Machine:
    """A `serve` in a separate host. Phones reach `public`; its other ports are reachable only within the host."""

    def __init__(self, host: Host, folder: Path, environment: dict[str, str]) -> None:
        self.host = host
        self.folder = folder
        self.public = f"http://{host.address}:{PORTS['public']}"
        options = [f"--{name}-port={port}" for name, port in PORTS.items()]
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                host.command(BLUEZONE, "serve", "--data", folder, "--hotline", HOTLINE, "--host", "0.0.0.0", *options),
                stderr=log,
                env={**os.environ, "BLUEZONE_ALLOWED_HOSTS": host.address, **environment},
            )

    def ready(self) -> bool:
        """Whether it has printed "ready"."""
        return "\nready" in self.log.read_text()

    def ask(self, part: str, path: str) -> Any:
        """Status, text and seconds of a page, requested within the host."""
        url = f"http://localhost:{PORTS[part]}{path}"
        done = subprocess.run(
            self.host.command(sys.executable, "-c", _ASK, url), capture_output=True, text=True, timeout=600, check=True
        )
        return json.loads(done.stdout)

    def leads(self) -> bool:
        """Whether its worker is the leader, by its metrics."""
        return "\nbluezone_worker_leading 1.0\n" in self.ask("operator", "/metrics")[1]

    def signal_all(self, number: int) -> None:
        """Send a signal to each of its processes."""
        for pid in process_tree(self.process.pid):
            os.kill(pid, number)

    def end(self) -> None:
        """Stop it in any state."""
        self.signal_all(signal.SIGCONT)
        self.process.terminate()
        self.process.wait(120)


def process_tree(pid: int) -> list[int]:
    """A process and all processes below it."""
    pids = [pid]
    for member in pids:
        children = Path(f"/proc/{member}/task/{member}/children")
        if children.exists():
            pids += map(int, children.read_text().split())
    return pids


def wait_until(what: Callable[[], object], seconds: float = 300.0) -> float:
    """Wait until `what` returns true; returns the seconds that it took."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < seconds
        time.sleep(0.5)
    return time.monotonic() - begun


def master_key(path: Path) -> None:
    """Write the key that seals a city's secrets in its database."""
    path.write_text("ab" * 32)
    path.chmod(0o600)


def share(source: Path, target: Path, names: tuple[str, ...]) -> None:
    """Replace these folders in the data folder `target` by links to the same folders in `source`."""
    for name in names:
        (source / name).mkdir(parents=True, exist_ok=True)
        if (target / name).is_dir() and not (target / name).is_symlink():
            shutil.rmtree(target / name)
        (target / name).symlink_to(source / name)


class City:
    """A city on several machines. `machines` and `server`, a key server on one of their folders, are set by subclasses.

    acknowledged: keys of every report that was accepted.
    """

    machines: list[Machine]
    server: KeyServer

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acknowledged: list[bytes] = []

    @property
    def leader(self) -> Machine:
        """The one machine that leads."""
        wait_until(lambda: sum(machine.leads() for machine in self.machines) == 1)
        return next(machine for machine in self.machines if machine.leads())

    def others(self, leader: Machine) -> list[Machine]:
        """All but this one."""
        return [machine for machine in self.machines if machine is not leader]

    def report(self, count: int, among: list[Machine]) -> None:
        """`count` people report, each at the first of these machines that answers, and again until it is taken."""
        for _ in range(count):
            wait_until(lambda: self._reported(among))

    def _reported(self, among: list[Machine]) -> bool:
        onset = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)

        def post(path, body):
            for machine in among:
                request = urllib.request.Request(machine.public + path, body)
                try:
                    return urllib.request.urlopen(request, timeout=20).read()
                except urllib.error.HTTPError as refused:
                    if refused.code != 503:
                        raise
                except OSError:
                    continue
            raise TimeoutError("no machine answers")

        try:
            code = self.server.codes.issue_code("confirmed", onset).code
            phone = Phone(post, self.server, Credential.from_text(code), keys=keys_for(time.time(), 3, 1))
            if [phone.check_code().status, phone.redeem_code().status, phone.upload().status] != [Status.OK] * 3:
                return False
        except Exception as error:
            # The phone has no acknowledgement.
            sys.stderr.write(f"not taken: {error!r}\n")
            return False
        self.acknowledged += [key.key for key in phone.keys]
        return True

    def published(self) -> Counter:
        """How often each key is in the files of the published history."""
        index = self.server.indexes.open_index(
            EXPORT_FILES, self.server.publication.published.get(EXPORT_FILES.index_name)
        )
        counts: Counter = Counter()
        for entry in index.entries:
            content = self.server.publication.published.get(f"{EXPORT_FILES.folder}/{entry.name}")
            counts.update(key.key for key in read_export(content).keys)
        return counts

    def is_published(self) -> bool:
        """Whether every acknowledged key is; none ever twice."""
        counts = self.published()
        assert max(counts.values(), default=0) <= 1, "published twice"
        return all(counts[key] == 1 for key in self.acknowledged)

    def phone_follows(self, machine: Machine) -> int:
        """A phone that is always the same looks for new files; the number of the newest it holds."""
        trust = self.server.secrets.signing_key.public_key().public_bytes_raw().hex()
        options = ["--data", self.folder / "phone", "--json"]
        checked = subprocess.run(
            [BLUEZONE, "handset", "check", *options, "--server", machine.public, "--trust", trust,
             "--radio", "virtual:127.0.0.1:1"], capture_output=True, text=True,
        )  # fmt: skip
        assert checked.returncode == 0, checked.stdout + checked.stderr
        status = subprocess.run([BLUEZONE, "handset", "status", *options], capture_output=True, text=True)
        return int(json.loads(status.stdout)["lists"]["exports"])


class Databases:
    """A primary, an asynchronous standby, and pgbouncer in transaction mode in front of the leader.

    folder: readable for every user. address: of this machine, on which the pooler listens.
    """

    def __init__(self, folder: Path, address: str) -> None:
        self._folder = folder
        self._address = address
        installations = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
        if not installations or not program:
            pytest.skip("needs postgresql and pgbouncer")
        self._bin = installations[-1]
        self._port = {"primary": free_port(), "standby": free_port()}
        shutil.chown(folder, "postgres")
        self._as_owner("initdb", "-D", folder / "primary", "-U", "bluezone", "--auth=trust", "--encoding=UTF8")
        self._start("primary", "-c", "max_connections=200", "-c", "max_wal_senders=4")
        self._leader = "primary"
        with psycopg.connect(self.direct("postgres"), autocommit=True) as admin:
            admin.execute("CREATE DATABASE city")
        with psycopg.connect(self.direct(), autocommit=True) as admin:
            for store in STORES:
                admin.execute(f"CREATE ROLE {store} LOGIN")
                admin.execute(f"GRANT CREATE ON DATABASE city TO {store}")
                admin.execute(f"ALTER ROLE {store} SET search_path = {store}")
        copy = ["-D", folder / "standby", "-R", "-h", "127.0.0.1", "-p", self._port["primary"], "-U", "bluezone"]
        self._as_owner("pg_basebackup", *copy)
        self._start("standby", "-c", "max_connections=200")
        self.port = free_port()
        self._point()
        self._pooler = subprocess.Popen(
            [program, "-q", "-u", "nobody", str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL
        )

    def environment(self) -> dict[str, str]:
        """The environment variables of a server that uses them."""
        addresses = {
            f"BLUEZONE_{store.upper()}_URL": f"postgresql://{store}@{self._address}:{self.port}/city"
            for store in STORES
        }
        return {"BLUEZONE_DATABASE_URL": "", "BLUEZONE_POOLER": "transaction", **addresses}

    def direct(self, database: str = "city") -> str:
        """The address of the leader, without the pooler."""
        return f"postgresql://bluezone@127.0.0.1:{self._port[self._leader]}/{database}"

    def leave_standby_behind(self) -> None:
        """Stop replication. A configured delay is not enough: on promotion the standby applies everything it has."""
        self._leader = "standby"
        with psycopg.connect(self.direct(), autocommit=True) as standby:
            standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
            standby.execute("SELECT pg_reload_conf()")
            while standby.execute("SELECT count(*) FROM pg_stat_wal_receiver").fetchone() != (0,):
                time.sleep(0.1)
        self._leader = "primary"

    def lose_primary(self) -> None:
        """Stop the primary at once, as when its machine fails."""
        self._as_owner("pg_ctl", "-D", self._folder / "primary", "-s", "-m", "immediate", "stop")

    def promote(self) -> None:
        """Promote the standby to leader, and point the pooler to it."""
        self._as_owner("pg_ctl", "-D", self._folder / "standby", "-s", "-w", "promote")
        self._leader = "standby"
        self._point()
        self._pooler.send_signal(signal.SIGHUP)

    def end(self) -> None:
        """Stop all of them."""
        self._pooler.terminate()
        self._pooler.wait(60)
        for name in ("primary", "standby"):
            subprocess.run(
                ["runuser", "-u", "postgres", "--", self._bin / "pg_ctl", "-D", self._folder / name, "-s", "-m",
                 "immediate", "stop"], check=False, capture_output=True,
            )  # fmt: skip

    def _start(self, name: str, *options: object) -> None:
        settings = ["-h", "127.0.0.1", "-p", self._port[name], "-k", self._folder, "-c", "fsync=off", *options]
        self._as_owner(
            "pg_ctl", "-D", self._folder / name, "-w", "-s", "-l", self._folder / f"{name}.log",
            "-o", " ".join(map(str, settings)), "start",
        )  # fmt: skip

    def _as_owner(self, program: str, *arguments: object) -> None:
        command = ["runuser", "-u", "postgres", "--", self._bin / program, *arguments]
        subprocess.run([str(each) for each in command], check=True, stdout=subprocess.DEVNULL)

    def _point(self) -> None:
        (self._folder / "pgbouncer.ini").write_text(
            f"[databases]\ncity = host=127.0.0.1 port={self._port[self._leader]}\n[pgbouncer]\n"
            f"listen_addr = {self._address}\nlisten_port = {self.port}\nunix_socket_dir =\nauth_type = trust\n"
            f"auth_file = {self._folder / 'users.txt'}\npool_mode = transaction\ndefault_pool_size = 20\n"
            "ignore_startup_parameters = options,extra_float_digits\n"
            # Report a lost database at once, not after two minutes in the queue.
            "query_wait_timeout = 5\nserver_connect_timeout = 3\nserver_login_retry = 1\n"
        )
        (self._folder / "users.txt").write_text("".join(f'"{user}" ""\n' for user in STORES))
        for path in (self._folder, self._folder / "pgbouncer.ini", self._folder / "users.txt"):
            path.chmod(0o755 if path.is_dir() else 0o644)
