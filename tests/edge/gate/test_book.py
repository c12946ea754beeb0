# SPDX-License-Identifier: Apache-2.0
import subprocess
import sys
import textwrap
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.edge.gate.book import GateBook, NothingToUndo
from bluezone.edge.gate.passages import PROOF_OF, Counter, Passage, PassageInvalid, bucket_of

MORNING = 1_795_595_100.0  # 07:25 in Bắc Kạn
IN, OUT = Passage("in", "running"), Passage("out", "out")


class Clock:
    now = MORNING

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def book(tmp_path, clock):
    opened = GateBook(tmp_path / "gate.sqlite3", clock)
    yield opened
    opened.close()


def test_a_passage_is_a_count_in_its_five_minutes_once_it_cannot_be_undone(book, clock):
    for _ in range(3):
        book.enter(IN)
    assert book.unsent() == []
    assert book.totals(MORNING) == {IN: 3}
    clock.now += 10

    assert book.unsent() == [Counter(bucket_of(MORNING), IN, 3)]
    assert book.totals(MORNING) == {IN: 3}


def test_a_tap_can_be_taken_back_for_ten_seconds_and_not_after(book, clock):
    first, second = book.enter(IN), book.enter(OUT)
    clock.now += 9.9
    assert book.undo(first) == IN
    with pytest.raises(NothingToUndo):
        book.undo(first)
    clock.now += 0.1
    with pytest.raises(NothingToUndo):
        book.undo(second)

    assert book.totals(MORNING) == {OUT: 1}


def test_a_counter_that_grew_after_it_was_sent_is_sent_again_whole(book, clock):
    book.enter(IN)
    clock.now += 10
    sent = book.unsent()
    book.sent(sent)
    assert book.unsent() == []
    clock.now = MORNING + 20
    book.enter(IN)
    clock.now += 10

    assert [counter.count for counter in book.unsent()] == [2]


def test_people_inside_are_in_minus_out(book, clock):
    for passage in [IN] * 7 + [OUT] * 3 + [Passage("in", "no_smartphone")]:
        book.enter(passage)
    clock.now += 600
    book.enter(OUT)

    assert book.inside(MORNING) == 4


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([IN, OUT, Passage("in", "told")]), st.integers(0, 700)), max_size=60))
def test_nothing_is_lost_or_doubled_whatever_the_rhythm(tmp_path_factory, story):
    clock = Clock()
    book = GateBook(tmp_path_factory.mktemp("gate") / "gate.sqlite3", clock)
    for passage, pause in story:
        book.enter(passage)
        clock.now += pause
        book.sent(book.unsent()[:1])
    clock.now += 10
    totals = {}
    book.settle()
    for passage, _ in story:
        totals[passage] = totals.get(passage, 0) + 1

    assert book.totals(0) == totals
    book.close()


def test_what_was_tapped_before_a_kill_is_counted_after_the_next_start(tmp_path, clock):
    script = """
        import os, signal, sys
        from pathlib import Path
        from bluezone.edge.gate.book import GateBook
        from bluezone.edge.gate.passages import Passage
        book = GateBook(Path(sys.argv[1]), lambda: float(sys.argv[2]))
        for _ in range(5):
            book.enter(Passage("in", "running"))
        os.kill(os.getpid(), signal.SIGKILL)
    """
    path = tmp_path / "gate.sqlite3"
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), str(path), str(MORNING)], check=False)
    clock.now += 60
    book = GateBook(path, clock)

    assert book.unsent() == [Counter(bucket_of(MORNING), IN, 5)]
    book.close()


def test_a_clock_that_was_set_back_keeps_no_passage_waiting(book, clock):
    book.enter(IN)
    clock.now -= 86_400

    assert [counter.count for counter in book.unsent()] == [1]


def test_what_was_counted_before_the_time_was_known_moves_when_it_is_and_what_was_dated_stays(book, clock):
    book.begin_boot("one", keeps_time=True)
    book.date_boots(0)
    book.enter(IN)
    clock.now += 600
    book.settle()
    book.begin_boot("two", keeps_time=True)
    book.enter(IN)
    book.enter(OUT)
    clock.now += 10

    assert [counter.bucket for counter in book.unsent()] == [bucket_of(MORNING)]
    assert book.totals(0) == {IN: 2, OUT: 1}
    assert book.date_boots(2 * 86_400 + 17) == 2
    assert [counter.bucket for counter in book.unsent()] == [
        bucket_of(MORNING), *[bucket_of(MORNING + 600) + 2 * 86_400] * 2,
    ]  # fmt: skip
    assert book.totals(0) == {IN: 2, OUT: 1}


def test_counters_are_forgotten_after_30_days_and_leave_no_byte(book, clock, tmp_path):
    book.enter(Passage("in", "asked_before"))
    clock.now += 30 * 86_400 + 600

    book.settle()
    # Not before the office has them: what it does not know of is kept for as long as there is no network.
    assert book.purge() == 0
    book.sent(book.unsent())
    assert book.purge() == 1
    assert book.totals(0) == {}
    for path in tmp_path.iterdir():
        assert b"asked_before" not in path.read_bytes()


CLOSING = """
    import sys, threading
    from pathlib import Path
    from bluezone.edge.gate.book import GateBook
    def read(book, started):
        started.wait()
        try:
            while True:
                book.get("a")
        except Exception:
            pass
    for number in range(20):
        book, started = GateBook(Path(sys.argv[1]) / f"{number}.sqlite3", lambda: 0.0), threading.Barrier(4)
        readers = [threading.Thread(target=read, args=(book, started)) for _ in range(3)]
        for one in readers:
            one.start()
        started.wait()
        book.close()
        for one in readers:
            one.join()
"""


def test_a_book_that_is_closed_while_a_page_asks_crashes_nothing(tmp_path):
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(CLOSING), tmp_path], timeout=120)

    assert done.returncode == 0


def test_taps_do_not_meet_the_purge_or_the_sending_that_goes_on_beside_them(book):
    done, trouble = threading.Event(), []

    def errands():
        try:
            while not done.is_set():
                book.purge()
                book.sent(book.unsent())
        except Exception as error:
            trouble.append(error)

    beside = threading.Thread(target=errands)
    beside.start()
    for _ in range(500):
        book.enter(Passage("in", "running"))
    done.set()
    beside.join()

    assert trouble == []
    assert book.inside(0) == 500


@pytest.mark.parametrize(("direction", "verdict"), [("in", "out"), ("out", "running"), ("in", "green"), ("up", "out")])
def test_a_passage_that_cannot_be_is_refused(direction, verdict):
    with pytest.raises(PassageInvalid):
        Passage(direction, verdict)


def test_only_running_is_proven():
    assert [verdict for verdict, proof in PROOF_OF.items() if proof == "proven"] == ["running"]
