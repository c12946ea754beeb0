# SPDX-License-Identifier: Apache-2.0
"""Reciprocity frames in the encounter log: beside their sender, bounded, the nearest senders first."""

import json
import math
import struct
import zlib

import pytest
from tests.handset.encounters.test_log import DAY, STAMP

from bluezone.handset.clocks import stamp_to_json
from bluezone.handset.encounters.log import PAGE_RECIPROCITY, EncounterLog
from bluezone.handset.encounters.pages import Page, PageColumns
from bluezone.handset.store import Store
from bluezone.radio.interface import Burst, Sighting


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path / "phone")
    yield opened
    opened.close()


def sender(number):
    """Identifier of a neighbour; its first four bytes are its number."""
    return number.to_bytes(4, "big") + bytes(12)


def frame(number, turn=0):
    return b"\x03" + sender(number)[:4] + turn.to_bytes(18, "big")


def hear(log, burst, senders, frames, *, gap=30.0):
    """One burst: contact frames of senders (number, RSSI in dBm), then reciprocity frames."""
    boot = burst * gap
    log.burst_started(Burst(burst, boot, gap))
    for number, rssi_dbm in senders:
        log.add_sighting(Sighting(sender(number), b"meta", rssi_dbm, burst, boot), STAMP, DAY)
    for one in frames:
        log.add_reciprocity_frame(one)


def kept(log):
    """The frames kept, by sender and burst."""
    return {
        (int.from_bytes(heard.identifier[:4], "big"), burst.number): burst.reciprocity
        for _, page in log.pages()
        for heard in page.heard.values()
        for burst in heard.bursts
        if burst.reciprocity
    }


def test_a_frame_is_kept_once_beside_its_sender_in_the_burst_in_which_it_was_heard(store):
    log = EncounterLog(store)
    log.power_dbm = -25
    hear(log, 1, [(7, -60), (8, -60)], [frame(7, 1), frame(7, 1), frame(7, 2), frame(9, 1)])
    hear(log, 2, [(7, -60)], [frame(7, 3), frame(8, 1)])

    assert kept(log) == {
        (7, 1): [frame(7, 1)[5:], frame(7, 2)[5:]],
        (7, 2): [frame(7, 3)[5:]],
    }, "a frame of somebody who was not heard in the same burst names nobody"
    ((row, page),) = log.pages()
    assert page.power_dbm == -25
    assert Page.from_bytes(page.to_bytes()) == page
    assert log.columns() == [(row, PageColumns.from_bytes(page.to_bytes()))]


def test_other_power_begins_another_page(store):
    log = EncounterLog(store)
    log.power_dbm = -25
    hear(log, 1, [(7, -60)], [])
    log.power_dbm = -31
    hear(log, 2, [(7, -60)], [])

    assert [page.power_dbm for _, page in log.pages()] == [-25, -31]


def test_each_sender_keeps_one_before_any_keeps_two_and_the_nearest_come_first(store):
    log = EncounterLog(store)
    room = math.ceil(PAGE_RECIPROCITY * 30 / 600)
    senders = [(number, -40 - number // 5) for number in range(1, 3 * room // 4)]
    hear(log, 1, senders, [frame(number, turn) for number, _ in reversed(senders) for turn in range(3)])
    found = {number: len(frames) for (number, _), frames in kept(log).items()}

    assert sum(found.values()) == room
    assert set(found) == {number for number, _ in senders}
    twice = [number for number, count in found.items() if count == 2]
    assert max(found.values()) == 2
    assert max(twice) <= min(number for number, count in found.items() if count == 1) + 4


@pytest.mark.long
@pytest.mark.parametrize("gap", [4.0, 30.0, 60.0])
def test_a_page_of_ten_minutes_keeps_no_more_whatever_the_rhythm(store, gap):
    log = EncounterLog(store)
    senders = [(number, -60) for number in range(100)]
    for burst in range(1, int(600 / gap)):
        hear(
            log,
            burst,
            senders,
            [frame(number, burst * 9 + turn) for number, _ in senders for turn in range(4)],
            gap=gap,
        )
    total = sum(len(frames) for frames in kept(log).values())

    assert 0.9 * PAGE_RECIPROCITY * (600 - gap) / 600 <= total <= PAGE_RECIPROCITY + 600 / gap


def test_frames_are_no_longer_kept_once_the_log_is_large_and_sightings_are(store):
    log = EncounterLog(store, reciprocity_bytes=0)
    hear(log, 1, [(7, -60)], [frame(7, 1)])

    assert kept(log) == {}
    assert len(log.columns()) == 1


def test_frames_heard_before_a_flush_in_the_middle_of_a_burst_are_stored_with_it(store):
    log = EncounterLog(store)
    hear(log, 1, [(7, -60)], [frame(7, 1)])
    log.flush()
    log.add_reciprocity_frame(frame(7, 2))
    log.flush()

    assert kept(EncounterLog(store)) == {(7, 1): [frame(7, 1)[5:], frame(7, 2)[5:]]}


def test_a_page_of_before_there_were_such_frames_is_still_read():
    record = struct.pack(">16s4sH", sender(7), b"meta", 1) + struct.pack(">IdfB", 1, 30.0, 30.0, 1) + b"\xc4"
    head = json.dumps({"stamp": stamp_to_json(STAMP), "day": DAY}).encode()
    page = Page.from_bytes(struct.pack(">I", len(head)) + head + zlib.compress(record, 1))

    ((burst,),) = [heard.bursts for heard in page.heard.values()]
    assert (burst.rssi_dbm, burst.reciprocity, page.power_dbm) == ([-60], [], None)
