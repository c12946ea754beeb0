# SPDX-License-Identifier: Apache-2.0
"""A loudspeaker's programme with time that the test moves: what begins when, what gives way, what is told of it."""

import hashlib
import json

import pytest

from bluezone.edge.speaker.book import SpeakerBook
from bluezone.edge.speaker.programme import Item, Plan, Programme, SpeakerPlanInvalid, read_plan
from bluezone.edge.speaker.sync import SpeakerClock

START = 1_600_000_000.0


class Machine:
    """A loudspeaker whose player takes exactly as long as the sound and whose time the test moves."""

    sink = "ffplay"

    def __init__(self, folder):
        self.now, self.boot = START, 50.0
        self.folder = folder
        self.started, self.lasts, self.fails = [], {}, False
        self.book = SpeakerBook(folder, lambda: self.now)
        self.said = []
        self.programme = Programme(self.book, self, lambda: self.now, lambda: self.boot, self.said.append)

    def start(self, path, skip_seconds, volume):
        self.started.append((path.stem[:4], round(skip_seconds, 1), volume, self.now - START))
        return _Sounding(self, 0.1 if self.fails else self.lasts[path.stem] - skip_seconds)

    def item(self, key, due, seconds=30.0, importance="normal", fetched=True):
        content = key.encode()
        sound = hashlib.sha256(content).hexdigest()
        self.lasts[sound] = seconds
        if fetched:
            assert self.book.keep_sound(sound, content)
        return Item(key, START + due, seconds, importance, sound, key)

    def live(self, seconds, step=0.5):
        end = self.boot + seconds
        while self.boot < end:
            self.now += step
            self.boot += step
            self.programme.step()

    def told(self):
        return {one["airing"]: one for one in self.book.unsent(100)}

    def again(self):
        """The program starts anew in the same folder, as after a kill."""
        self.book.close()
        self.book = SpeakerBook(self.folder, lambda: self.now)
        self.programme = Programme(self.book, self, lambda: self.now, lambda: self.boot, self.said.append)


class _Sounding:
    def __init__(self, machine, lasts):
        self.machine, self.ends, self.stopped = machine, machine.boot + lasts, False

    def is_running(self):
        return not self.stopped and self.machine.boot < self.ends

    def ended_well(self):
        return not self.stopped

    def stop(self):
        self.stopped = True


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def plan(*items, volume=80):
    return Plan("Tổ 5", volume, tuple(items))


def test_an_airing_begins_at_its_second_and_is_told_once(machine):
    machine.programme.follow(plan(machine.item("one", 10.0)))
    machine.live(60)

    assert [start[1:] for start in machine.started] == [(0.0, 80, 10.0)]
    told = machine.told()["one"]
    assert (told["outcome"], told["began"] - START, told["heard"], told["interrupted"]) == ("played", 10.0, 30.0, 0.0)
    machine.live(60)
    assert len(machine.started) == 1


def test_an_emergency_interrupts_and_the_rest_follows_from_where_it_was(machine):
    normal = machine.item("normal", 0.0, 30.0)
    machine.programme.follow(plan(normal))
    machine.live(10)
    emergency = machine.item("emergency", 10.0, 20.0, "emergency")
    machine.programme.follow(plan(normal, emergency))
    machine.live(80)

    assert [start[1] for start in machine.started] == [0.0, 0.0, 10.0]
    assert machine.started[1][3] <= 11.0
    told = machine.told()
    assert told["emergency"]["outcome"] == "played"
    assert (told["normal"]["outcome"], told["normal"]["interrupted"], told["normal"]["heard"]) == ("played", 20.0, 30.0)


def test_what_would_have_to_wait_more_than_a_quarter_of_an_hour_is_called_cut_short(machine):
    normal = machine.item("normal", 0.0, 30.0)
    machine.programme.follow(plan(normal))
    machine.live(10)
    machine.programme.follow(plan(normal, machine.item("emergency", 10.0, 1000.0, "emergency")))
    machine.live(1100)

    told = machine.told()["normal"]
    assert (told["outcome"], told["reason"]) == ("preempted", "emergency")
    assert 9 <= told["heard"] <= 11


def test_what_is_due_during_an_emergency_begins_after_it_and_a_second_emergency_waits(machine):
    one, two = machine.item("one", 0.0, 20.0, "emergency"), machine.item("two", 5.0, 20.0, "emergency")
    machine.programme.follow(plan(one, two, machine.item("normal", 10.0)))
    machine.live(120)

    told = machine.told()
    assert [told[key]["outcome"] for key in ("one", "two", "normal")] == ["played"] * 3
    assert told["one"]["ended"] <= told["two"]["began"] <= told["two"]["ended"] <= told["normal"]["began"]


def test_of_two_that_are_due_together_the_priority_bulletin_is_first(machine):
    machine.programme.follow(plan(machine.item("a", 5.0), machine.item("b", 5.0, 30.0, "priority")))
    machine.live(120)
    told = machine.told()
    assert told["b"]["began"] < told["a"]["began"]


def test_a_machine_that_was_off_plays_nothing_late_and_says_so(machine):
    machine.now = START + 300
    machine.again()
    machine.programme.follow(plan(machine.item("missed", 0.0), machine.item("next", 310.0)))
    machine.live(60)

    told = machine.told()
    assert (told["missed"]["outcome"], told["missed"]["reason"]) == ("missed", "was_off")
    assert told["next"]["outcome"] == "played"


def test_a_sound_that_never_came_is_a_missed_airing_with_its_reason(machine):
    machine.programme.follow(plan(machine.item("absent", 5.0, fetched=False)))
    machine.live(1000, step=5)
    assert machine.told()["absent"]["reason"] == "sound_missing"


def test_a_player_that_fails_is_told_and_not_called_played(machine):
    machine.fails = True
    machine.programme.follow(plan(machine.item("one", 5.0)))
    machine.live(20)
    assert (machine.told()["one"]["outcome"], machine.told()["one"]["reason"]) == ("missed", "player_failed")


def test_a_clock_that_is_put_back_while_something_plays_takes_nothing_from_what_was_heard(machine):
    normal = machine.item("normal", 0.0, 30.0)
    machine.programme.follow(plan(normal))
    machine.live(10)
    machine.now -= 1200
    machine.programme.clock_was_set()
    machine.live(5)
    emergency = machine.item("emergency", -1190.0, 20.0, "emergency")
    machine.programme.follow(plan(normal, emergency))
    machine.live(10)
    machine.now -= 1200
    machine.live(60)

    told = machine.told()
    assert (told["emergency"]["outcome"], told["emergency"]["heard"]) == ("played", 20.0)
    assert (told["normal"]["outcome"], told["normal"]["heard"], told["normal"]["interrupted"]) == ("played", 30.0, 20.0)


def test_a_kill_in_the_middle_is_told_after_the_restart_and_reports_outlive_it(machine):
    machine.programme.follow(plan(machine.item("first", 0.0, 5.0), machine.item("cut", 10.0)))
    machine.live(20)
    machine.again()
    machine.programme.follow(plan(machine.item("first", 0.0, 5.0), machine.item("cut", 10.0)))
    machine.live(60)

    told = machine.told()
    assert (told["first"]["outcome"], told["cut"]["outcome"], told["cut"]["reason"]) == ("played", "missed", "cut_off")
    machine.book.sent(["first", "cut"])
    assert machine.told() == {}


def test_half_a_sound_or_another_one_is_never_played(machine):
    sound = hashlib.sha256(b"whole").hexdigest()
    assert not machine.book.keep_sound(sound, b"who")
    assert machine.book.sound(sound) is None


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"zone": null}', '{"zone": "x", "volume": 300, "items": []}',
     '{"zone": "x", "volume": 1, "items": [{"key": "a", "due": 1, "seconds": 1, "importance": "normal", '
     '"sound": "../../etc/passwd", "title": ""}]}'],
)  # fmt: skip
def test_a_plan_that_cannot_be_read_is_refused(text):
    with pytest.raises(SpeakerPlanInvalid):
        read_plan(text)


def test_a_clock_twenty_minutes_off_is_put_right_said_and_kept(tmp_path):
    wall, boot = [START + 1200.0], [50.0]
    book = SpeakerBook(tmp_path, lambda: START)
    clock = SpeakerClock(book, lambda: wall[0], lambda: boot[0])
    assert not clock.is_sure
    clock.take_server_time(START, 49.9, 50.1)

    assert abs(clock.now() - (START + 0.1)) < 0.2
    assert clock.is_wrong
    assert clock.is_sure
    # The wall clock is set meanwhile: the time that is played by does not move.
    before = clock.now()
    wall[0] += 3600
    assert clock.now() == before
    boot[0] += 10
    assert clock.now() == before + 10
    # After a restart without a network the measured difference still holds.
    wall[0] -= 3600 - 10
    again = SpeakerClock(book, lambda: wall[0], lambda: boot[0])
    assert abs(again.now() - clock.now()) < 1
    assert again.is_sure


def test_a_machine_that_lost_its_time_plays_nothing_until_it_is_told(tmp_path):
    wall, boot = [START], [50.0]
    book = SpeakerBook(tmp_path, lambda: START)
    SpeakerClock(book, lambda: wall[0], lambda: boot[0]).take_server_time(START, 50.0, 50.0)
    wall[0], boot[0] = 0.0, 0.0

    clock = SpeakerClock(book, lambda: wall[0], lambda: boot[0])
    assert not clock.is_sure
    clock.take_server_time(START + 500, 1.0, 1.0)
    assert clock.is_sure
    assert json.loads(book.get("clock_offset")) == pytest.approx(START + 500, abs=2)


def test_a_slow_answer_does_not_set_the_clock(tmp_path):
    clock = SpeakerClock(SpeakerBook(tmp_path, lambda: START), lambda: START, lambda: 0.0)
    clock.take_server_time(START, 0.0, 0.0)
    clock.take_server_time(START + 60, 0.0, 4.0)
    assert not clock.is_wrong
