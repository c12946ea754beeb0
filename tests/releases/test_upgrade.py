# SPDX-License-Identifier: Apache-2.0
"""What the programs of 63c4e645 wrote is opened by those of today: nothing is lost, and what waited is sent.

The programs are real ones under faketime, at the moment of the archives.
"""

import base64
import json
import shutil
import sqlite3
import urllib.request
from collections import Counter
from contextlib import closing

import pytest
from tests.builders.androidphone import AndroidPhone, Keystore, wait_for
from tests.builders.gatephone import sums
from tests.builders.handset import PhoneClock, World
from tests.builders.releases import BEFORE, command, facts, moment, program, unpack, upgraded
from tests.server.upgrade.test_upgrade import missing, prepared, rows

from bluezone.handset import Handset
from bluezone.handset.android.cityfile import CityFile
from bluezone.handset.android.device import KeystoreSealing


def ask(store, sql, *values):
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=120)) as opened:
        return opened.execute(sql, values).fetchall()


def newest_listed(served):
    """The number of the newest file that phones are shown; a file is made before the index lists it."""
    with urllib.request.urlopen(f"{served.public}/v1/exports/index.json", timeout=120) as answer:
        return json.loads(base64.b64decode(json.loads(answer.read())["payload"]))["number"]


@pytest.fixture(scope="module")
def then():
    """Unix seconds."""
    return moment(BEFORE)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with upgraded(BEFORE, tmp_path_factory.mktemp("upgraded")) as running:
        yield running


@pytest.mark.long
def test_the_office_keeps_every_row_and_what_is_open_is_open(tmp_path):
    data = unpack(BEFORE, "office", tmp_path / "office") / "data"
    before = rows(data)
    done = prepared(data)

    assert done.returncode == 0, done.stderr
    after = rows(data)
    lost = {
        f"{store}.{table}": missing(held, after[store].get(table, []))
        for store, tables in before.items()
        for table, held in tables.items()
        # A mark of how far the public log has come goes on with the next config.
        if held and table != "log_mark"
    }
    assert not {name: gone for name, gone in lost.items() if gone}
    office = after["office"]
    states = Counter(one["state"] for one in office["directives_directive"])
    assert {"draft", "submitted", "approved", "issued", "revoked"} <= states.keys()
    assert len(office["directives_task"]) > 20
    assert {"received", "in_progress"} & {one["state"] for one in office["directives_dispatch"]}
    assert sum(one["count"] for one in office["gates_gatecounter"]) == 5
    assert len(office["canvass_household"]) >= 12
    assert office["canvass_visit"]


def test_a_code_that_was_issued_before_can_still_be_used(served, then):
    assert command(then, "codes", "status", "--data", served.data, facts(BEFORE)["open_code"]) == {"state": "open"}


def test_a_handset_is_warned_of_whom_it_heard_before_and_sends_the_report_that_waited(served, then, tmp_path):
    phones = unpack(BEFORE, "handset", tmp_path / "handset")
    options = ["--server", served.public, "--radio", "virtual:127.0.0.1:1"]
    waiting = command(then, "handset", "status", "--data", phones / "patient", *options)
    assert waiting["title"] == "you reported your own infection"
    patient = command(then, "handset", "report", "--data", phones / "patient", *options)
    assert patient["state"] == "sent"
    reported = command(then, "handset", "status", "--data", phones / "patient", *options)
    assert reported["title"] == "you reported your own infection"

    wait_for(lambda: newest_listed(served) > 1)
    near = command(then, "handset", "check", "--data", phones / "near", *options)
    assert near["level"] == "high"
    seen = command(then, "handset", "encounters", "--data", phones / "near", *options)
    assert sum(seen["days"].values()) == facts(BEFORE)["heard"]


def test_the_app_opens_its_folder_runs_and_is_warned_of_whom_it_heard_before(served, then, tmp_path):
    folder = unpack(BEFORE, "android", tmp_path / "android")
    phone = AndroidPhone(
        folder / "app", Keystore(folder / "keystore"), PhoneClock(World(then), then - 86_400, boot_name="boot-2"),
        CityFile(served.public, facts(BEFORE)["city_key"]),
    )  # fmt: skip
    tracing, _device, _setup = phone.process()
    tracing.start()
    wait_for(lambda: tracing.url)
    tracing.stop()
    wait_for(lambda: newest_listed(served) > 1)
    opened = Handset.open(
        phone.folder / "handset", served.public, phone.clock, radio_model="android:double",
        sealing=KeystoreSealing(phone.keystore),
    )  # fmt: skip
    try:
        opened.check()
        assert opened.risk.level() == "high"
        assert sum(opened.encounters.identifiers_per_day().values()) == facts(BEFORE)["heard"] + 1
    finally:
        opened.close()


def test_a_gate_program_sends_what_it_counted_without_a_network(served, then, tmp_path):
    folder = unpack(BEFORE, "gate", tmp_path / "gate")
    ((gate,),) = ask(served.data / "office.sqlite3", "SELECT id FROM gates_gate WHERE name = 'Cổng sau'")
    assert sums(served.data, gate) == {"told": 2, "no_smartphone": 1}
    counted = "SELECT sum(count) FROM gates_gatecounter WHERE gate_id = ?"
    with program(then, "gate", "run", "--data", folder, "--server", served.public, "--radio", "none"):
        wait_for(lambda: ask(served.data / "office.sqlite3", counted, gate) == [(6,)])
    assert sums(served.data, gate) == {"told": 3, "no_smartphone": 1, "helped": 1, "out": 1}


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_loudspeaker_has_its_sounds_and_says_what_it_played_without_a_network(served, then, tmp_path):
    folder, out = unpack(BEFORE, "speaker", tmp_path / "speaker"), tmp_path / "out"
    out.mkdir()
    ((airing,),) = ask(served.data / "office.sqlite3", "SELECT id FROM bulletins_airing WHERE key = ?",
                       facts(BEFORE)["airing"])  # fmt: skip
    played = "SELECT outcome FROM loudspeakers_playing WHERE airing_id = ?"
    assert ask(served.data / "office.sqlite3", played, airing) == []
    sounds = sorted(path.name for path in folder.rglob("*.mp3"))
    with program(then, "speaker", "run", "--data", folder, "--server", served.public, "--sink", f"file:{out}"):
        wait_for(lambda: ask(served.data / "office.sqlite3", played, airing) or None)
    assert ask(served.data / "office.sqlite3", played, airing) == [("played",)]
    assert sounds
    assert sorted(path.name for path in folder.rglob("*.mp3")) == sounds
