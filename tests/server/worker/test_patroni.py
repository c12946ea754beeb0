# SPDX-License-Identifier: Apache-2.0
"""A city on three PostgreSQL nodes that Patroni and etcd look after: the primary is killed under reports."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from tests.builders.keyserver import Phone, keys_for
from tests.builders.machines import City, process_tree, wait_until
from tests.builders.serving import free_port, serving
from tests.builders.stores import with_week_keys

from bluezone.city_settings import write_default
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(1800)]
HOTLINE = "0209 3870 000"
REPORTERS = 3
# Reports before and after the loss.
BEFORE = 20
# What a loss may take at most, and a phone tries for longer.
PATIENCE_SECONDS = 120.0
# Patroni's shortest, so that a leader is missed after 20 seconds.
CLUSTER = {
    "ttl": 20,
    "loop_wait": 5,
    "retry_timeout": 5,
    "synchronous_mode": True,
    "postgresql": {"use_pg_rewind": True, "parameters": {"fsync": "off", "max_connections": 150}},
}
TRUST = ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"]


class Node:
    """A PostgreSQL with its Patroni, on ports of its own."""

    def __init__(self, name: str, folder: Path, etcd: int, programs: Path) -> None:
        self.name = name
        self.port, self._api = free_port(), free_port()
        self._data = folder / name
        self._config = folder / f"{name}.yml"
        self._log = folder / f"{name}.log"
        account = {"username": "bluezone", "password": "unused"}
        self._config.write_text(yaml.safe_dump({
            "scope": "city",
            "name": name,
            "restapi": {"listen": f"127.0.0.1:{self._api}", "connect_address": f"127.0.0.1:{self._api}"},
            "etcd3": {"host": f"127.0.0.1:{etcd}"},
            "bootstrap": {"dcs": CLUSTER, "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}]},
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self._data),
                "bin_dir": str(programs),
                "pg_hba": TRUST,
                "authentication": {"superuser": account, "replication": account, "rewind": account},
                "parameters": {"unix_socket_directories": str(folder)},
            },
        }))  # fmt: skip
        self.start()

    def start(self) -> None:
        """Start Patroni, which starts PostgreSQL."""
        with self._log.open("a") as log:
            self._patroni = as_owner(["patroni", self._config], log)

    def role(self) -> str:
        """What Patroni says of it: master, sync_standby, replica or nothing."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._api}/patroni", timeout=10) as answer:
                status = json.load(answer)
        except OSError:
            return ""
        if status["state"] != "running":
            return ""
        return "sync_standby" if status.get("sync_standby") else str(status["role"])

    def kill(self) -> None:
        """End Patroni and PostgreSQL at once, as when their machine is lost."""
        postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
        for pid in [*process_tree(self._patroni.pid), *process_tree(postmaster)]:
            os.kill(pid, signal.SIGKILL)
        self._patroni.wait(120)

    def end(self) -> None:
        """Stop both."""
        self._patroni.terminate()
        self._patroni.wait(120)


def as_owner(command: list[object], log: object) -> "subprocess.Popen[bytes]":
    """Start a program as a user that PostgreSQL accepts."""
    owner = "postgres" if os.geteuid() == 0 else None
    return subprocess.Popen(
        [str(word) for word in command], user=owner, group=owner, extra_groups=[] if owner else None,
        stdout=log, stderr=log, env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
    )  # fmt: skip


class Cluster:
    """Three nodes and their etcd, of which one is the primary and one its synchronous standby."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        for name in ("patroni", "etcd"):
            if not shutil.which(name):
                pytest.skip(f"needs {name}")
        if not programs:
            pytest.skip("needs postgresql")
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        client, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        etcd = as_owner(
            ["etcd", "--name=etcd", f"--data-dir={folder / 'etcd'}", f"--listen-client-urls={client}",
             f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}",
             f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=etcd={peer}"], subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(etcd.wait, 120)
        stack.callback(etcd.terminate)
        self.nodes = []
        for number in range(3):
            node = Node(f"node{number}", folder, int(client.rpartition(":")[2]), programs[-1])
            stack.callback(node.end)
            self.nodes.append(node)
        wait_until(self.is_whole)
        with psycopg.connect(f"{self._address([self.primary])}/postgres", autocommit=True) as admin:
            admin.execute("CREATE DATABASE city")
        self.address = f"{self._address(self.nodes)}/city?target_session_attrs=read-write"

    @staticmethod
    def _address(nodes: list[Node]) -> str:
        return "postgresql://bluezone@" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)

    @property
    def primary(self) -> Node:
        """The node that takes writes."""
        return next(node for node in self.nodes if node.role() == "master")

    def is_whole(self) -> bool:
        """Whether there are a primary, a synchronous standby and one more."""
        return sorted(node.role() for node in self.nodes) == ["master", "replica", "sync_standby"]


class Reporters:
    """People who report one after another, whose phones repeat each call until it is answered."""

    def __init__(self, server: KeyServer, public: str) -> None:
        self._server, self._public = server, public
        self._stop = threading.Event()
        self.moments: list[float] = []
        self.keys: list[bytes] = []
        self.repeated = 0
        self._threads = [threading.Thread(target=self._report_on_and_on, daemon=True) for _ in range(REPORTERS)]

    def __enter__(self) -> "Reporters":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(300)

    def _report_on_and_on(self) -> None:
        onset = datetime.now(UTC).date() - timedelta(days=1)
        while not self._stop.is_set():
            code = self._until_done(lambda: self._server.codes.issue_code("confirmed", onset).code)
            phone = Phone(self._post, self._server, Credential.from_text(code), keys=keys_for(time.time(), 3, 1))
            for step in (phone.check_code, phone.redeem_code, phone.upload):
                assert self._until_done(step).status is Status.OK
            self.keys += [key.key for key in phone.keys]
            self.moments.append(time.monotonic())

    def _post(self, path: str, body: bytes) -> bytes:
        with urllib.request.urlopen(self._public + path, body, timeout=20) as answer:
            return answer.read()

    def _until_done(self, act: Callable[[], Any]) -> Any:
        """What `act` returns, called again while the service or its database refuses for now."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return act()
            except (OSError, StoreRefused):
                if time.monotonic() > deadline:
                    raise
                self.repeated += 1
                time.sleep(0.2)


class OneMachine(City):
    """A key server on this machine, and the database of its city in a cluster."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        super().__init__(folder)
        open_to_all = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.cluster = Cluster(open_to_all, stack)
        os.environ["BLUEZONE_DATABASE_URL"] = self.cluster.address
        data = folder / "machine"
        write_default(data, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=0,
                      padding_mean=5, verify_to_upload_seconds=0)  # fmt: skip
        with_week_keys(data, time.time())
        self.public = stack.enter_context(serving(data)).public
        self.server = KeyServer.open(data)
        stack.callback(self.server.close)


def test_the_primary_is_killed_and_reports_go_on_with_the_node_that_patroni_promotes(tmp_path, capsys):
    with ExitStack() as stack:
        stack.callback(lambda before=dict(os.environ): (os.environ.clear(), os.environ.update(before)))
        city = OneMachine(tmp_path, stack)
        lost = city.cluster.primary
        reporters = stack.enter_context(Reporters(city.server, city.public))
        wait_until(lambda: len(reporters.moments) >= BEFORE)
        lost.kill()
        killed_at = time.monotonic()
        before = len(reporters.moments)
        promoted = wait_until(lambda: any(node.role() == "master" for node in city.cluster.nodes), PATIENCE_SECONDS)
        wait_until(lambda: reporters.moments[-1] > killed_at + promoted, PATIENCE_SECONDS)
        wait_until(lambda: len(reporters.moments) >= before + BEFORE)
        lost.start()
        whole = wait_until(city.cluster.is_whole)
        assert city.cluster.primary is not lost
        reporters.__exit__()
        city.acknowledged = reporters.keys
        # Raises when a key is published twice.
        wait_until(city.is_published)
        accepted = min(moment for moment in reporters.moments if moment > killed_at + promoted) - killed_at
    with capsys.disabled():
        sys.stderr.write(
            f"\n{len(reporters.moments)} reports acknowledged, {before} before the kill; none lost, none twice;"
            f" {reporters.repeated} calls repeated; promoted after {promoted:.0f} s, accepted after {accepted:.0f} s,"
            f" the lost node a standby {whole:.0f} s after its start (load {os.getloadavg()[0]:.1f})\n"
        )
