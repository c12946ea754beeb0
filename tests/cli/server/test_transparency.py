# SPDX-License-Identifier: Apache-2.0
"""`bluezone witness` and `bluezone log`, as two operators type them, each on a machine of their own."""

import json

import pytest
from click.testing import CliRunner
from tests.builders.handset import World, serve_city
from tests.builders.stores import with_week_keys

from bluezone.cli.main import root
from bluezone.transparency.merkle import EMPTY_ROOT
from bluezone.transparency.notes import Checkpoint, sign_checkpoint
from bluezone.witness.watcher import Watcher

pytestmark = pytest.mark.long

NAME = "witness.truong-dh.example"


def typed(*arguments):
    done = CliRunner().invoke(root, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def city(tmp_path, world):
    (tmp_path / "city").mkdir()
    with_week_keys(tmp_path / "city", world.now)
    with serve_city(tmp_path / "city", world) as server:
        server.key_server.tick()
        yield server


def test_a_witness_is_made_watches_a_city_and_keeps_what_contradicts(tmp_path, city):
    folder = tmp_path / "witness"
    code, made = typed("witness", "new", "--folder", folder, "--name", NAME)
    assert (code, made["key"].split("+")[0]) == (0, NAME)
    assert typed("witness", "new", "--folder", folder, "--name", NAME)[1]["error"]["code"] == "witness_exists"
    log = city.key_server.public_log
    assert typed("witness", "watch", "--folder", folder, log.key, f"{city.url}/v1/log")[1] == {"log": log.key.name}
    assert typed("witness", "look", "--folder", folder) == (0, {"logs": {log.key.name: log.size()}})
    assert typed("witness", "evidence", "--folder", folder)[1] == {"evidence": [], "second_leaves": []}

    fork = sign_checkpoint(
        Checkpoint(log.key.name, log.size(), EMPTY_ROOT), log.key, city.key_server.secrets.signing_key.sign
    )
    city.tamper = lambda path, real: fork.data if path == "/v1/log/checkpoint" else real
    assert typed("witness", "look", "--folder", folder)[1]["error"]["code"] == "witness_log_inconsistent"
    ((one,),) = [typed("witness", "evidence", "--folder", folder)[1]["evidence"]]
    assert one["offered"] == fork.data.decode()


def test_the_city_says_who_watches_and_sees_who_has_signed(tmp_path, city):
    data = city.key_server.data_dir
    witness = Watcher.create(tmp_path / "witness", NAME)
    told = ("log", "witnesses", "--data", data, "--quorum", 1, "--witness", witness.key, "Đại học")
    assert typed(*told, "http://127.0.0.1:8470")[1]["error"]["code"] == "witness_not_apart"
    assert typed(*told, "https://203.0.113.9") == (0, {"number": 0})
    assert typed("log", "key", "--data", data)[1] == {"key": str(city.key_server.public_log.key)}
    code, status = typed("log", "status", "--data", data)

    assert code == 0
    assert (status["quorum"], status["waiting"]) == (1, [])
    expected = {"name": NAME, "operator": "Đại học", "address": "https://203.0.113.9", "at": None, "reads": True}
    assert status["witnesses"] == [expected]
    assert status["size"] > 0


def test_a_handset_says_who_watches(tmp_path, city):
    data, phone = city.key_server.data_dir, tmp_path / "phone"
    witness = Watcher.create(tmp_path / "witness", NAME)
    typed("log", "witnesses", "--data", data, "--quorum", 1, "--witness", witness.key, "Đại học", "https://203.0.113.9")
    city.key_server.tick()
    where = ("--data", phone, "--server", city.url, "--radio", "virtual:127.0.0.1:1")
    assert typed("handset", "check", *where, "--trust", city.trust())[0] == 0
    code, status = typed("handset", "status", *where)

    assert code == 0
    assert status["told"]["watched by"] == f"Đại học ({NAME}), never"
