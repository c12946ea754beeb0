# SPDX-License-Identifier: Apache-2.0
"""The word with the office, against an office of this test's own that takes counters and serves a spoiled config."""

import contextlib
import threading

import pytest
from tests.builders.fakeoffice import FakeOffice, serve_fake_office

from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.city import Boot, GateCity, GateSync
from bluezone.edge.gate.passages import Passage, bucket_of
from bluezone.protocol.signed.envelope import InvalidSignedFile
from bluezone.rollout.gates.counters import MOST_AT_ONCE

NOW = 1_795_595_100.0
KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


class Office(FakeOffice):
    def do_POST(self):
        said = self.json_body()
        self.server.asked.set()
        assert self.server.may_answer.wait(120)
        self.server.taken += said["counters"]
        self.server.pieces.append(len(said["counters"]))
        self.answer(200, {"server_time": NOW + self.server.ahead, "roster": [], "gate": {}})

    def do_GET(self):
        self.answer(200, b"no config")


@pytest.fixture
def office():
    may_answer = threading.Event()
    may_answer.set()
    with serve_fake_office(
        Office, taken=[], pieces=[], ahead=0, asked=threading.Event(), may_answer=may_answer
    ) as server:
        yield server


def gate(office, tmp_path):
    """A gate with one passage that can no longer be undone, its clock standing still."""
    clocks = [lambda: NOW - 60]
    book = GateBook(tmp_path / "gate.sqlite3", lambda: clocks[0]())
    city = GateCity(book, lambda: NOW, Boot("one", lambda: 0.0, keeps_time=True))
    city.pin(KEY)
    book.enter(Passage("in", "told"))
    clocks[0] = city.now
    return book, city, GateSync(f"http://127.0.0.1:{office.server_port}", lambda: "token", book, city)


def test_a_config_that_is_refused_does_not_hold_up_what_was_counted(office, tmp_path):
    book, _, sync = gate(office, tmp_path)
    with pytest.raises(InvalidSignedFile):
        sync.run()

    assert [row[1:] for row in office.taken] == [["in", "told", 1]]
    assert book.unsent() == []
    book.close()


def test_counters_of_a_wrong_clock_are_moved_before_they_leave(office, tmp_path):
    office.ahead = 3 * 86_400
    book, city, sync = gate(office, tmp_path)
    with pytest.raises(InvalidSignedFile):
        sync.run()

    assert [row[0] for row in office.taken] == [int(NOW - 60) // 300 * 300 + 3 * 86_400]
    assert city.now() == NOW + 3 * 86_400
    book.close()


@pytest.mark.long
def test_seven_days_offline_leave_in_pieces_the_office_takes_while_the_gate_goes_on_counting(office, tmp_path):
    book, _, sync = gate(office, tmp_path)
    first = bucket_of(NOW - 7 * 86_400)
    with book._connection:
        book._connection.executemany(
            "INSERT INTO counter (bucket, direction, verdict, count) VALUES (?, 'in', ?, 3)",
            [
                (first + 300 * step, verdict)
                for step in range(2_016)
                for verdict in ("running", "told", "no_smartphone")
            ],
        )
    office.may_answer.clear()
    running = threading.Thread(target=lambda: _quietly(sync.run))
    running.start()
    assert office.asked.wait(120)
    # A tap that waited for the word with the office would never end: the office answers after it.
    book.enter(Passage("out", "out"))
    office.may_answer.set()
    while running.is_alive():
        book.enter(Passage("out", "out"))
        running.join(0.01)

    assert max(office.pieces) <= MOST_AT_ONCE
    assert len({tuple(row[:3]) for row in office.taken if row[1] == "in"}) == 3 * 2_016
    assert sum(row[3] for row in office.taken if row[1] == "in") == 3 * 3 * 2_016 + 1
    assert all(passage.direction == "out" for passage in (counter.passage for counter in book.unsent()))
    book.close()


def _quietly(act):
    with contextlib.suppress(InvalidSignedFile):
        act()
