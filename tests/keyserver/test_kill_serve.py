# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of any one process of a real `serve` while phones report, and a database that is restarted under it.

Of what the whole system promises: no acknowledged upload is lost, no key published twice or before its embargo, every
file signed and in its place of the chain; without its database a server says 503 and when to ask again.
"""

import datetime
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from tests.builders.keyserver import Phone, keys_for, open_server
from tests.builders.load import KeptUp, Load, nothing_lost

from bluezone.keyserver.service import KeyServer
from bluezone.protocol.upload.codes import Credential

POSTGRES = Path(__file__).parents[2] / "tools" / "postgres.sh"
PHONES = 240
SETTINGS = {"publish_period_seconds": 0, "padding_mean": 5, "verify_to_upload_seconds": 0}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def patients(server, serving, count):
    """Phones with a code each; the newest of their keys is today's, which must wait."""
    onset = datetime.datetime.fromtimestamp(time.time(), datetime.UTC).date() - datetime.timedelta(days=1)

    def patient():
        issued = server.codes.issue_code("confirmed", onset)
        keys = keys_for(time.time(), days=3, newest_age=0)
        return Phone(lambda path, body: serving.post(path, body), server, Credential.from_text(issued.code), keys=keys)

    return [patient() for _ in range(count)]


def processes(root):
    """Name -> process id of a `serve` and all below it; the name says what it is and whose child."""
    parents, called = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            name = (path / "comm").read_text().strip()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(path.name)], called[int(path.name)] = int(fields[1]), name
    found, names = [root], {root: "serve"}
    for pid in found:
        for child in (child for child, parent in parents.items() if parent == pid):
            names[child] = f"{called[child]} of {names[pid]}"
            found.append(child)
    return {name: pid for pid, name in names.items()}


def test_the_processes_of_a_serve_are_known_by_name(tmp_path):
    serving = KeptUp(tmp_path)
    names = set(processes(serving.served.process.pid))
    serving.stop()

    assert {
        "serve",
        "bluezone-worker of serve",
        "bluezone-public of serve",
        "bluezone-office of serve",
    } <= names


def test_sigkill_of_every_process_in_turn_loses_and_doubles_nothing(city_folder, database):
    rng = random.Random(458)
    server = open_server(city_folder, time.time, **SETTINGS)
    serving = KeptUp(city_folder)
    phones = patients(server, serving, PHONES)
    victims = sorted(processes(serving.served.process.pid))
    rng.shuffle(victims)
    killed = []
    load = Load(phones)
    try:
        for number, victim in enumerate(victims, start=1):
            at = PHONES * number // (len(victims) + 2) - rng.randrange(5)
            load.wait_for(lambda at=at: len(load.acknowledged) >= at)
            pid = processes(serving.served.process.pid).get(victim)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                killed.append(victim)
        load.finish()
    finally:
        serving.stop()

    assert len(killed) >= len(victims) - 1, (killed, victims)
    assert load.refused["no answer"] > 0
    if database == "sqlite":
        assert server.keys_store.read("PRAGMA integrity_check") == [("ok",)]
    nothing_lost(server, phones)
    assert {server.codes.status(phone.credential.value.decode().rstrip("\0")) for phone in phones} == {"used"}
    server.close()


@pytest.fixture
def postgresql(monkeypatch):
    """A PostgreSQL of this test alone; yields a function that halts it at once and one that starts it again."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("needs postgresql: sudo apt-get install postgresql")
    with tempfile.TemporaryDirectory() as folder:
        # PostgreSQL runs as a user of its own, who must get at it.
        Path(folder).chmod(0o755)

        def tool(action, check=True):
            # Into files: a server that was started keeps what it was given as output.
            with tempfile.TemporaryFile("w+") as out:
                subprocess.run([POSTGRES, action, f"{folder}/pg"], stdout=out, check=check, timeout=120)
                out.seek(0)
                return out.read().strip()

        url = tool("start")
        for variable in ("BLUEZONE_CODES_URL", "BLUEZONE_KEYS_URL", "BLUEZONE_OFFICE_URL"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("BLUEZONE_DATABASE_URL", url)
        try:
            yield lambda: tool("stop"), lambda: tool("resume")
        finally:
            tool("stop", check=False)


def test_a_database_restarted_under_load_costs_503s_and_nothing_else(city_folder, postgresql):
    halt, resume = postgresql
    server = open_server(city_folder, time.time, **SETTINGS)
    serving = KeptUp(city_folder)
    phones = patients(server, serving, PHONES)
    load = Load(phones)
    try:
        for part in (1, 2):
            load.wait_for(lambda part=part: len(load.acknowledged) >= PHONES * part // 3)
            said = sum(load.refused.values())
            halt()
            load.wait_for(lambda said=said: sum(load.refused.values()) >= said + 40)
            assert serving.ask("GET", "/v1/config")[0] == 200, "files need no database"
            assert serving.ask("GET", "/v1/health")[0] == 503
            resume()
        load.finish()
    finally:
        serving.stop()

    assert serving.starts == 1, serving.output
    assert load.refused["store_unreachable"] >= 40
    assert set(load.refused) <= {"store_unreachable", "store_busy", "store_refused"}, load.refused
    # The test's own connections died with the database.
    server.close()
    server = KeyServer.open(city_folder)
    nothing_lost(server, phones)
    server.close()
