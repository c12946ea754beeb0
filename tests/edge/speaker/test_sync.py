# SPDX-License-Identifier: Apache-2.0
"""What a loudspeaker tells, against an office of this test's own that refuses as the real one does (test_taking.py)."""

import time

import pytest
from tests.builders.fakeoffice import FakeOffice, serve_fake_office

from bluezone.edge.speaker.book import SpeakerBook
from bluezone.edge.speaker.sync import SpeakerClock, SpeakerRefused, SpeakerSync

NOW = 1_600_000_000.0


class Office(FakeOffice):
    def do_POST(self):
        said = self.json_body()
        self.server.calls += 1
        if self.server.closed:
            self.answer(503, {"error": {"code": "busy", "message": ""}})
        elif any(row["heard"] < 0 for row in said["played"]):
            self.answer(422, {"error": {"code": "speaker_report_invalid", "message": ""}})
        elif any(row["began"] > NOW + 600 for row in said["played"]):
            self.answer(409, {"error": {"code": "speaker_clock_wrong", "message": ""}})
        else:
            self.server.taken += [row["airing"] for row in said["played"]]
            self.server.said.append(said.get("status"))
            self.answer(200, {"server_time": NOW, "accepted": len(said["played"]), "unknown": 0})


@pytest.fixture
def office():
    with serve_fake_office(Office, taken=[], said=[], calls=0, closed=False) as server:
        yield server


@pytest.fixture
def speaker(office, tmp_path):
    """A machine's book with a good report, a bad one and another good one, and its word with the office."""
    moment = [NOW]
    book = SpeakerBook(tmp_path, lambda: moment[0])
    for key, heard in (("first", 2.0), ("bad", -1189.0), ("last", 2.0)):
        moment[0] += 1
        book.report(key, {"airing": key, "outcome": "played", "began": NOW, "heard": heard})
    clock = SpeakerClock(book, lambda: NOW, time.monotonic)
    yield book, SpeakerSync(f"http://127.0.0.1:{office.server_port}", book, clock, time.monotonic, "null")
    book.close()


def test_a_bad_report_is_set_aside_and_holds_up_no_good_one(office, speaker, caplog):
    book, sync = speaker
    assert sync.tell() == 2

    assert office.taken == ["first", "last"]
    assert "bad set aside: speaker_report_invalid" in caplog.text
    # The machine's state is told all the same, and the bad report is neither sent again nor played again.
    assert [said for said in office.said if said] == [{"sink": "null", "clock_off": 0, "missing": 0, "problem": ""}]
    calls = office.calls
    assert (sync.tell(), office.calls) == (0, calls)
    assert book.is_done("bad")


def test_a_report_of_the_future_waits_and_holds_up_no_good_one(office, speaker):
    book, sync = speaker
    book.report("future", {"airing": "future", "outcome": "played", "began": NOW + 3600, "heard": 2.0})
    sync.tell()

    assert office.taken == ["first", "last"]
    assert [row["airing"] for row in book.unsent(10)] == ["future"]
    assert office.said[-1] is not None


def test_an_office_that_is_in_trouble_gets_everything_later(office, speaker):
    book, sync = speaker
    office.closed = True
    with pytest.raises(SpeakerRefused):
        sync.tell()

    assert office.calls == 1
    assert len(book.unsent(10)) == 3
