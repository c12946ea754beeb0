# SPDX-License-Identifier: Apache-2.0
"""Two machines on one database, of which the leading one is cut off or frozen without a word."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.builders.hosts import hosts_apart
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.relay import Relay
from tests.builders.serving import BLUEZONE, HOTLINE
from tests.builders.stores import prepared_store

from bluezone.keyserver.sealing import FILE_VARIABLE

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(1800)]

PORTS = {"public": 8000, "office": 8001, "operator": 8002}
ASK = """
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
    """A whole `serve` in a host of its own."""

    def __init__(self, host, folder, address):
        self.host = host
        options = [f"--{name}-port={port}" for name, port in PORTS.items()]
        self.process = subprocess.Popen(
            host.command(BLUEZONE, "serve", "--data", folder, "--hotline", HOTLINE, *options),
            stderr=(folder / "said").open("w"),
            env={**os.environ, "BLUEZONE_DATABASE_URL": address, FILE_VARIABLE: str(folder.parent / "master.key")},
        )
        self.said = folder / "said"

    def ready(self):
        return "\nready" in self.said.read_text()

    def ask(self, part, path):
        url = f"http://localhost:{PORTS[part]}{path}"
        done = subprocess.run(
            self.host.command(sys.executable, "-c", ASK, url), capture_output=True, text=True, timeout=600, check=True
        )
        return json.loads(done.stdout)

    def leads(self):
        return "\nbluezone_worker_leading 1.0\n" in self.ask("operator", "/metrics")[1]

    def signal_all(self, number):
        for pid in _family(self.process.pid):
            os.kill(pid, number)


def _family(pid):
    found = [pid]
    for one in found:
        children = Path(f"/proc/{one}/task/{one}/children")
        found += map(int, children.read_text().split()) if children.exists() else []
    return found


def until(what, seconds=300.0):
    """Wait for a condition; how many seconds it took."""
    begun = time.monotonic()
    while not what():
        assert time.monotonic() - begun < seconds
        time.sleep(0.5)
    return time.monotonic() - begun


def test_a_leader_that_is_cut_off_or_frozen_is_followed_and_stands_by_when_it_is_back(tmp_path, capsys):
    server = postgresql_server()
    with hosts_apart(2) as (gateway, hosts), postgresql_database(server) as url:
        parts = urlsplit(url)
        relay = Relay("127.0.0.1", parts.port, gateway)
        address = parts._replace(netloc=f"{parts.username}@{gateway}:{relay.port}").geturl()
        machines = []
        (tmp_path / "master.key").write_text("ab" * 32)
        (tmp_path / "master.key").chmod(0o600)
        prepared_store(tmp_path / "0")
        try:
            for number, host in enumerate(hosts):
                folder = tmp_path / str(number)
                folder.mkdir(exist_ok=True)
                # The second begins with nothing; published files lie where both see them.
                for name in ("exports", "venues"):
                    _share(tmp_path / "published" / name, folder / name)
                machines.append(Machine(host, folder, address))
                until(machines[-1].ready)
            until(lambda: any(machine.leads() for machine in machines))
            leader, other = machines if machines[0].leads() else machines[::-1]

            leader.host.cut()
            followed = until(other.leads)
            status, _, waited = leader.ask("office", "/codes/")
            until(lambda: not leader.leads())
            leader.host.mend()
            until(lambda: leader.ask("office", "/codes/")[0] == 200)
            assert [leader.leads(), other.leads()] == [False, True]
            assert leader.ask("public", "/v1/config")[1] == other.ask("public", "/v1/config")[1]
            assert status == 503

            leader, other = other, leader
            leader.signal_all(signal.SIGSTOP)
            frozen = until(other.leads)
            leader.signal_all(signal.SIGCONT)
            until(lambda: not leader.leads())
            assert other.leads()
        finally:
            for machine in machines:
                machine.signal_all(signal.SIGCONT)
                machine.process.terminate()
                machine.process.wait(120)
            relay.close()
    with capsys.disabled():
        sys.stderr.write(
            f"\ncut off: followed after {followed:.0f} s, its office answered {status} in {waited:.1f} s;"
            f" frozen: followed after {frozen:.0f} s (load {os.getloadavg()[0]:.1f})\n"
        )


def _share(shared, here):
    shared.mkdir(parents=True, exist_ok=True)
    if here.is_dir() and not here.is_symlink():
        shutil.rmtree(here)
    here.symlink_to(shared)
