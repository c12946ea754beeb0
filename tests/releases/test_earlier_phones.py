# SPDX-License-Identifier: Apache-2.0
"""Phones of earlier versions with today's server: they follow it, report, and are warned of a true encounter."""

import datetime
import json
import re
import sqlite3
import subprocess
import time
from contextlib import closing

import pytest
from tests.builders.releases import BEFORE, FIRST, EarlierPhone, unpack
from tests.builders.serving import BLUEZONE, serving
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.city_settings import write_default

# Keys of a day are published after its end.
MET_SECONDS_AGO = 26 * 3600
# Half an hour that lies in the past: what the phone sends in each ten minutes, and what it hears meanwhile.
HALF_AN_HOUR = """
import json, sys
from pathlib import Path
from bluezone.handset import Handset
from bluezone.radio.interface import Burst, Sighting

folder, server, trust, begins, heard = sys.argv[1:]

class Clock:
    moved = float(begins) - time.time()
    boot_seconds = lambda self: time.clock_gettime(time.CLOCK_BOOTTIME) + self.moved
    wall_seconds = lambda self: time.time() + self.moved
    boot_id = lambda self: Path("/proc/sys/kernel/random/boot_id").read_text().strip()

clock = Clock()
phone = Handset.open(f"{folder}/handset", server, clock, trust=trust)
log = phone if hasattr(phone, "burst_started") else phone.encounters
sent, number = [], 0
for payload in json.loads(heard):
    sent.append(log.payload().hex())
    for _ in range(20):
        number += 1
        if payload:
            raw, burst = bytes.fromhex(payload), Burst(number, clock.boot_seconds(), 30.0)
            log.burst_started(burst)
            log.heard(Sighting(raw[:16], raw[16:], -60, number, burst.boot_seconds))
        clock.moved += 30
log.flush()
phone.close()
print(json.dumps(sent))
"""
ALONE = [None, None, None]
# Three hours ago, for an hour.
STAY = """
import sys
from bluezone.handset import Handset

folder, server, trust, link = sys.argv[1:]
phone = Handset.open(f"{folder}/handset", server, trust=trust)
first = hasattr(phone, "check_in")
visits, venue = (phone._visits, phone._checked(link)) if first else (phone.visits, phone.visits._venue(link))
visits.begin(venue, (phone if first else phone.time).now() - 3 * 3600, remember=True)
phone.close()
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    data = tmp_path_factory.mktemp("served") / "data"
    prepared_store(data)
    write_default(
        data, name_vi="Bình An", name_en="Binh An", hotline=HOTLINE, verify_to_upload_seconds=0,
        publish_period_seconds=0, padding_mean=1,
    )  # fmt: skip
    with serving(data) as running:
        yield running


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    return {version: unpack(version, "source", folder / version) for version in (FIRST, BEFORE)}


def phone_of(version, sources, served, folder):
    trust = re.search(r"city key\D*([0-9a-f]{64})", served.output, re.IGNORECASE)[1]
    return EarlierPhone(sources[version], folder, served.public, trust)


def lived(phone, begins, heard):
    """Let half an hour pass for a phone; what it sent meanwhile."""
    told = phone.run(HALF_AN_HOUR, str(phone.folder), phone.server, phone.trust, str(begins), json.dumps(heard))
    return json.loads(told.splitlines()[-1])


def operator(served, *arguments):
    """What a command of the server's operator says."""
    command = [BLUEZONE, *arguments, "--data", served.data, "--json"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def stored(served, table):
    with closing(sqlite3.connect(f"file:{served.data / 'keys.sqlite3'}?mode=ro", uri=True, timeout=120)) as store:
        return store.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def checked_until_warned(phone):
    """Check again until a file has come that warns; each check must succeed."""
    deadline = time.monotonic() + 120
    while True:
        code, told = phone.ask("check")
        assert code == 0, told
        if told["level"] != "none":
            return told
        assert time.monotonic() < deadline, told
        time.sleep(1)


@pytest.mark.parametrize("version", [FIRST, BEFORE])
def test_a_phone_of_an_earlier_version_reports_to_this_server_and_another_is_warned(version, served, sources, tmp_path):
    met = time.time() - MET_SECONDS_AGO
    patient, near, far = (
        phone_of(version, sources, served, tmp_path / name) for name in ("patient", "near", "far")
    )  # fmt: skip
    sent = lived(patient, met, ALONE)
    lived(near, met, sent)
    lived(far, met, ["ab" * 20] * 3)
    for phone in (patient, near, far):
        code, told = phone.ask("check")
        assert (code, told.get("level")) == (0, "none"), told

    day = datetime.datetime.fromtimestamp(met, datetime.UTC).date()
    poster = operator(
        served, "venues", "code", "--registration", version, "--name", "Chợ Bắc Kạn",
        "--from", str(day - datetime.timedelta(days=1)),
    )  # fmt: skip
    # As at a city's own name; nothing is fetched from it.
    link = poster["link"].replace("http://", "https://")
    patient.run(STAY, str(patient.folder), patient.server, patient.trust, link)
    before = {table: stored(served, table) for table in ("waiting_item", "venue_package")}
    issued = operator(served, "codes", "issue", "--class", "confirmed", "--onset", str(day))
    code, told = patient.ask("report", "--code", issued["code"], "--visits", "--yes")
    assert (code, told.get("state")) == (0, "sent"), told
    assert str(day) in told["days"]
    # The full hour may come in between, when what waits goes into a package.
    assert any(stored(served, table) > count for table, count in before.items())

    warned = checked_until_warned(near)
    local = datetime.datetime.fromtimestamp(met, datetime.timezone(datetime.timedelta(hours=7))).date()
    assert [one["level"] for one in warned["days"] if one["day"] in (str(day), str(local))] == ["high"]
    assert warned["texts"]
    assert far.ask("check")[1]["level"] == "none"
