# SPDX-License-Identifier: Apache-2.0
"""The encounter log: sealed, bounded, purged, and whole after a kill."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.handset.clocks import Stamp
from bluezone.handset.encounters.log import IDENTIFIERS_PER_MINUTE, EncounterLog, identifiers_per_day
from bluezone.handset.encounters.pages import HeardIdentifier, Page
from bluezone.handset.store import STORE_FILE, Store
from bluezone.handset.vault import HandsetStoreDamaged
from bluezone.radio.interface import Burst, Sighting

STAMP = Stamp("b", 1, 1_795_608_000.0, False, True, 0, 0)
DAY = 20782


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path / "phone")
    yield opened
    opened.close()


def hear(log: EncounterLog, frame: bytes, boot: float, *, burst: int | None = None, rssi_dbm: int = -70) -> None:
    number = int(boot // 30) if burst is None else burst
    log.burst_started(Burst(number, boot, 30.0))
    log.add_sighting(Sighting(frame[:16], frame[16:], rssi_dbm, number, boot), STAMP, DAY)


def frames(log: EncounterLog) -> set[bytes]:
    return {frame for _, page in log.pages() for frame in page.heard}


def test_what_was_heard_is_found_again_with_every_frame_of_a_burst(store):
    log, frame = EncounterLog(store), os.urandom(20)
    for rssi_dbm in (-60, -62, -61):
        hear(log, frame, 100.0, rssi_dbm=rssi_dbm)
    ((_, page),) = log.pages()
    (heard,) = page.heard.values()
    assert (heard.identifier, heard.metadata) == (frame[:16], frame[16:])
    assert [burst.rssi_dbm for burst in heard.bursts] == [[-60, -62, -61]]
    assert page.stamp == STAMP


def test_nothing_that_was_heard_stands_in_the_file_in_clear(store):
    log, frame = EncounterLog(store), os.urandom(20)
    hear(log, frame, 100.0)
    log.flush()
    contents = b"".join(path.read_bytes() for path in store.folder.iterdir())
    assert frame[:16] not in contents
    assert frame[16:] + frame[:4] not in contents


def test_a_page_moved_to_another_row_does_not_open(store):
    log = EncounterLog(store)
    hear(log, os.urandom(20), 100.0)
    log.flush()
    with store.transaction() as connection:
        connection.execute("UPDATE pages SET id = id + 1")
    with pytest.raises(HandsetStoreDamaged):
        list(EncounterLog(store).pages())


def test_a_page_with_one_bit_flipped_does_not_open(store):
    log = EncounterLog(store)
    hear(log, os.urandom(20), 100.0)
    log.flush()
    with store.transaction() as connection:
        sealed = bytearray(connection.execute("SELECT sealed FROM pages").fetchone()[0])
        sealed[20] ^= 1
        connection.execute("UPDATE pages SET sealed = ?", (bytes(sealed),))
    with pytest.raises(HandsetStoreDamaged):
        list(EncounterLog(store).pages())


def test_a_page_covers_at_most_ten_minutes_and_one_stamp(store):
    log, frame = EncounterLog(store), os.urandom(20)
    for minute in range(30):
        hear(log, frame, minute * 60.0)
    assert [len(page.heard[frame].bursts) for _, page in log.pages()] == [10, 10, 10]


def test_an_identifier_copied_with_other_metadata_does_not_spoil_the_genuine_one(store):
    log, identifier = EncounterLog(store), os.urandom(16)
    hear(log, identifier + b"fake", 10.0)
    hear(log, identifier + b"true", 11.0)
    assert frames(log) == {identifier + b"fake", identifier + b"true"}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3000), st.integers(1, 4))
def test_never_more_than_500_new_identifiers_are_stored_in_a_minute(tmp_path_factory, seed, count, minutes):
    rng = random.Random(seed)
    store = Store.open(tmp_path_factory.mktemp("flood"))
    log = EncounterLog(store)
    for minute in range(minutes):
        for _ in range(count):
            hear(log, rng.randbytes(20), minute * 60.0 + rng.random() * 59)
    assert len(frames(log)) <= IDENTIFIERS_PER_MINUTE * minutes
    store.close()


def test_one_that_stays_is_stored_with_its_earlier_sightings_although_the_minute_was_full(store):
    log, person = EncounterLog(store), os.urandom(20)
    for burst in range(4):
        for _ in range(1000):
            hear(log, os.urandom(20), burst * 30.0, burst=burst)
        hear(log, person, burst * 30.0 + 1, burst=burst)
    heard = next(page.heard[person] for _, page in log.pages() if person in page.heard)
    assert [burst.number for burst in heard.bursts] == [0, 1, 2, 3]
    assert log.pop_refused_count() > 1000


def test_at_the_cap_of_the_table_nothing_more_is_stored(store):
    log = EncounterLog(store, singles_bytes=10_000, log_bytes=20_000)
    for minute in range(120):
        for _ in range(60):
            hear(log, os.urandom(20), minute * 60.0)
    log.flush()
    assert store.page_bytes() < 20_000 + 40_000
    before = len(frames(log))
    hear(log, os.urandom(20), 9_000.0)
    assert len(frames(log)) == before


def test_sightings_from_before_the_first_signed_file_are_stamped_from_the_boot_clock(store):
    log, frame = EncounterLog(store), os.urandom(20)
    unknown = Stamp("b", 1, None, False, True, 0, 0)
    log.burst_started(Burst(1, 60.0, 30.0))
    log.add_sighting(Sighting(frame[:16], frame[16:], -70, 1, 60.0), unknown, 0)
    log.stamp_earlier(STAMP)
    ((_, page),) = log.pages()
    assert page.stamp.unix_seconds(60.0) == 1_795_608_060.0
    assert page.day == DAY
    assert page.stamp.newest_export == 0


def test_sightings_of_an_earlier_start_of_the_machine_get_no_time_from_this_one(store):
    log, frame = EncounterLog(store), os.urandom(20)
    unknown = Stamp("earlier", 1, None, False, True, 0, 0)
    log.burst_started(Burst(1, 60.0, 30.0))
    log.add_sighting(Sighting(frame[:16], frame[16:], -70, 1, 60.0), unknown, 0)
    log.stamp_earlier(STAMP)
    ((_, page),) = log.pages()
    assert page.stamp.unix_seconds(60.0) is None


def test_a_purge_leaves_no_trace_of_the_old_days_in_the_file(store):
    log, old, new = EncounterLog(store), os.urandom(20), os.urandom(20)
    hear(log, old, 10.0)
    log.flush()
    sealed = sqlite3.connect(store.folder / STORE_FILE).execute("SELECT sealed FROM pages").fetchone()[0]
    log.add_sighting(Sighting(new[:16], new[16:], -70, 3, 20.0), STAMP, DAY + 1)
    log.flush()
    assert store.purge(DAY + 1) == 1
    assert frames(EncounterLog(store)) == {new}
    assert sealed[12:60] not in b"".join(path.read_bytes() for path in store.folder.iterdir())


@given(
    st.dictionaries(
        st.binary(min_size=20, max_size=20),
        st.lists(st.tuples(st.floats(0, 1e9), st.lists(st.integers(-110, -20), min_size=1, max_size=20)), min_size=1),
        max_size=20,
    )
)
def test_a_page_reads_back_what_was_written(contents):
    page = Page(STAMP, DAY)
    for frame, bursts in contents.items():
        heard = page.heard[frame] = HeardIdentifier(frame[:16], frame[16:])
        for number, (boot, strengths) in enumerate(bursts):
            for rssi_dbm in strengths:
                heard.add(number, boot, 30.0, rssi_dbm)
    assert Page.from_bytes(page.to_bytes()) == page


@given(st.binary(max_size=200))
def test_a_damaged_page_is_refused_and_nothing_else(data):
    with pytest.raises(HandsetStoreDamaged):
        Page.from_bytes(data)


def test_identifiers_are_counted_once_per_local_day(store):
    log, frame = EncounterLog(store), os.urandom(20)
    for boot in (0.0, 30.0, 700.0):
        hear(log, frame, boot)
    hear(log, os.urandom(20), 6 * 3600.0)
    told = identifiers_per_day(log, ZoneInfo("Asia/Ho_Chi_Minh"))
    assert {str(day): count for day, count in told.items()} == {"2026-11-25": 1, "2026-11-26": 1}


LISTEN = """
import asyncio, sys, time
from pathlib import Path
from bluezone.handset import Handset
from bluezone.handset.agent import Agent
from bluezone.radio.interface import Burst, PROFILES, RadioFailed, Sighting

class Silent:
    model, lost = "virtual", False
    async def open(self): raise RadioFailed("no adapter here; sightings come from the test")
    async def close(self): pass

async def main():
    phone = Handset.open(sys.argv[1], "http://127.0.0.1:9")
    agent = Agent(phone, Silent(), PROFILES["default"], __import__("random").Random(1), 0x4E56)
    running = asyncio.create_task(agent.run())
    number = 0
    while True:
        number += 1
        boot = phone.clock.boot_seconds()
        phone.encounters.burst_started(Burst(number, boot, 1.0))
        frame = number.to_bytes(20, "big")
        phone.encounters.heard(Sighting(frame[:16], frame[16:], -60, number, boot))
        print(number, time.time(), flush=True)
        await asyncio.sleep(0.05)

asyncio.run(main())
"""


def test_a_phone_killed_at_any_instant_loses_at_most_the_last_five_seconds(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", LISTEN, str(tmp_path / "phone")], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    heard: dict[int, float] = {}
    for line in process.stdout:
        number, at = line.split()
        heard[int(number)] = float(at)
        if float(at) - heard[1] > 8.3:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed = max(heard.values())

    store = Store.open(tmp_path / "phone")
    kept = {int.from_bytes(frame, "big") for frame in frames(EncounterLog(store))}
    store.close()
    assert {number for number, at in heard.items() if at < killed - 5} <= kept
    assert max(kept) > 60


def test_an_identifier_has_255_frames_a_burst_and_65535_bursts_a_page_at_most():
    heard = HeardIdentifier(bytes(16), bytes(4))
    for _ in range(256):
        heard.add(1, 0.0, 30.0, -70)
    assert [len(burst.rssi_dbm) for burst in heard.bursts] == [255]
    for number in range(2, 65_540):
        heard.add(number, 30.0 * number, 30.0, -70)

    assert (len(heard.bursts), heard.bursts[-1].number) == (65_535, 65_535)
    heard.add(65_535, 0.0, 30.0, -71)
    assert heard.bursts[-1].rssi_dbm == [-70, -71], "a burst that is there already goes on"


@pytest.mark.parametrize(("apart", "repeated"), [(59.9, False), (60.0, True)])
def test_an_identifier_is_repeated_from_a_minute_on(apart, repeated):
    heard = HeardIdentifier(bytes(16), bytes(4))
    heard.add(1, 100.0, 30.0, -70)
    heard.add(2, 100.0 + apart, 30.0, -70)

    assert heard.is_repeated is repeated


def test_a_page_is_turned_after_ten_minutes_on_another_day_stamp_or_power(store):
    log = EncounterLog(store)

    def pages(boot, stamp=STAMP, day=DAY):
        frame = os.urandom(20)
        log.burst_started(Burst(int(boot), boot, 30.0))
        log.add_sighting(Sighting(frame[:16], frame[16:], -70, int(boot), boot), stamp, day)
        return sum(1 for _ in log.pages())

    assert [pages(100.0), pages(699.0), pages(700.0), pages(701.0)] == [1, 1, 2, 2]
    assert pages(702.0, day=DAY + 1) == 3
    assert pages(703.0, stamp=Stamp("b", 2, STAMP.offset_seconds, False, True, 0, 0), day=DAY + 1) == 4
    log.power_dbm = -20
    assert pages(704.0, stamp=Stamp("b", 2, STAMP.offset_seconds, False, True, 0, 0), day=DAY + 1) == 5
