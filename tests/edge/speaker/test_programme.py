# SPDX-License-Identifier: Apache-2.0
"""A loudspeaker's programme with time that the test moves: what begins when, what gives way, what is told of it."""

import hashlib
import json
import os
import sqlite3

import pytest

from bluezone.edge.speaker.book import PHRASES, TONE_SECONDS, SpeakerBook, SpeakerBookUnusable
from bluezone.edge.speaker.plan import EMPTY, Item, Plan, SpeakerPlanInvalid, read_plan
from bluezone.edge.speaker.player import PlayerUnavailable
from bluezone.edge.speaker.programme import Programme
from bluezone.edge.speaker.sync import SpeakerClock

START = 1_600_000_000.0


class Machine:
    """A loudspeaker whose player takes exactly as long as the sound and whose time the test moves."""

    sink = "ffplay"

    def __init__(self, folder, second=None):
        self.now, self.boot = START, 50.0
        self.folder, self.second = folder, second and second(self)
        self.started, self.lasts = [], {"tone": TONE_SECONDS, "phrases": 12.0}
        self.fails, self.is_gone = False, False
        self.said = []
        self.open()

    def open(self):
        self.book = SpeakerBook(self.folder, lambda: self.now)
        self.programme = Programme(self.book, self, lambda: self.now, lambda: self.boot, self.said.append, self.second)

    def start(self, path, skip_seconds, volume):
        if self.is_gone:
            raise PlayerUnavailable("unplugged")
        self.started.append((path.stem[:4], round(skip_seconds, 1), volume, self.now - START))
        return _Sounding(self, 0.1 if self.fails else self.lasts[path.stem] - skip_seconds, fails=self.fails)

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
        self.open()

    def lose_power(self, seconds):
        """Off for so long, and on again."""
        self.now += seconds
        self.boot += seconds
        self.again()


class _Sounding:
    def __init__(self, machine, lasts, *, fails=False):
        self.machine, self.ends, self.fails, self.stopped = machine, machine.boot + lasts, fails, False

    def is_running(self):
        return not self.stopped and self.machine.boot < self.ends

    def ended_well(self):
        return not self.stopped and not self.fails

    def heard(self):
        return None

    def stop(self):
        self.stopped = True


class Second:
    """The second channel of a machine; hangs: what it plays comes to no end; breaks: it fails after so many seconds."""

    sink, hangs, breaks = "rtp", False, None

    def __init__(self, machine):
        self.machine, self.started = machine, []

    def start(self, path, skip_seconds, volume):
        self.started.append((path.stem[:4], self.machine.now - START))
        lasts = 10_000.0 if self.hangs else self.machine.lasts[path.stem]
        return _Sounding(self.machine, self.breaks or lasts, fails=self.breaks is not None)


class Hanging(Second):
    hangs = True


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def plan(*items, volume=80, live=None):
    return Plan("Tổ 5", volume, tuple(items), live=live)


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

    assert [start[1] for start in machine.started] == [0.0, 0.0, 0.0, 10.0]
    assert machine.started[1][3] <= 11.0
    told = machine.told()
    assert told["emergency"]["outcome"] == "played"
    assert told["normal"]["outcome"] == "played"
    assert (told["normal"]["interrupted"], told["normal"]["heard"]) == (20.0 + TONE_SECONDS, 30.0)


def test_what_would_have_to_wait_more_than_a_quarter_of_an_hour_is_called_cut_short(machine):
    normal = machine.item("normal", 0.0, 30.0)
    machine.programme.follow(plan(normal))
    machine.live(10)
    machine.programme.follow(plan(normal, machine.item("emergency", 10.0, 1000.0, "emergency")))
    machine.live(2, step=0.5)
    machine.live(1100, step=5)

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
    assert told["normal"]["outcome"] == "played"
    assert (told["normal"]["heard"], told["normal"]["interrupted"]) == (30.0, 20.0 + TONE_SECONDS)


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


def test_an_emergency_that_was_cut_off_is_said_again_until_it_was_heard_whole_and_the_log_says_so(machine):
    normal, emergency = machine.item("normal", 0.0, 60.0), machine.item("emergency", 10.0, 20.0, "emergency")
    machine.programme.follow(plan(normal, emergency))
    machine.live(18)
    for off, on in ((5, 6), (5, 35)):
        machine.lose_power(off)
        machine.programme.follow(plan(normal, emergency))
        machine.live(on)

    told = machine.told()
    assert [start[1] for start in machine.started if start[0] == emergency.sound[:4]] == [0.0, 0.0, 0.0]
    again = told["emergency"]
    assert (again["outcome"], again["reason"], again["heard"]) == ("played", "said_again", 20.0)
    assert [began - START for began, _heard in again["earlier"]] == [10.0, 23.5]
    assert [heard for _began, heard in again["earlier"]] == pytest.approx([5.0, 2.5], abs=0.5)
    assert again["began"] - START == 34.5
    assert (told["normal"]["outcome"], told["normal"]["reason"], told["normal"]["heard"]) == ("missed", "cut_off", 9.5)
    machine.live(60)
    assert machine.told() == told


def test_an_emergency_is_not_said_again_when_its_window_is_over_or_it_left_the_plan(machine):
    late, gone = machine.item("late", 0.0, 100.0, "emergency"), machine.item("gone", 0.0, 20.0, "emergency")
    machine.programme.follow(plan(gone))
    machine.live(10)
    machine.lose_power(5)
    machine.programme.follow(plan(late))
    machine.live(10)
    machine.lose_power(600)
    machine.programme.follow(plan(late))
    machine.live(10)

    told = machine.told()
    assert {key: (one["outcome"], one["reason"]) for key, one in told.items()} == {
        "gone": ("missed", "cut_off"),
        "late": ("missed", "cut_off"),
    }
    assert told["gone"]["heard"] == pytest.approx(10 - TONE_SECONDS, abs=1)
    assert told["late"]["heard"] == pytest.approx(10 - TONE_SECONDS, abs=1)
    assert len(machine.started) == 4


def test_an_emergency_that_a_restart_of_the_program_stops_is_said_again(machine):
    emergency = machine.item("emergency", 0.0, 20.0, "emergency")
    machine.programme.follow(plan(emergency))
    machine.live(8)
    machine.programme.stop()
    assert machine.told() == {}
    machine.again()
    machine.programme.follow(plan(emergency))
    machine.live(30)
    told = machine.told()["emergency"]
    assert (told["outcome"], told["reason"], len(told["earlier"])) == ("played", "said_again", 1)


def test_a_tone_comes_before_an_emergency_and_before_nothing_else(machine):
    normal, emergency = machine.item("normal", 0.0, 10.0), machine.item("emergency", 20.0, 10.0, "emergency")
    machine.programme.follow(plan(normal, emergency))
    machine.live(60)

    assert [start[0] for start in machine.started] == [normal.sound[:4], "tone", emergency.sound[:4]]
    assert [start[3] for start in machine.started] == [0.5, 20.0, 23.0]
    told = machine.told()
    assert (told["emergency"]["tone"], told["emergency"]["heard"]) == (TONE_SECONDS, 10.0)
    assert "tone" not in told["normal"]


def test_a_kill_in_the_tone_leaves_nothing_heard_and_the_emergency_is_said_again(machine):
    emergency = machine.item("emergency", 0.0, 10.0, "emergency")
    machine.programme.follow(plan(emergency))
    machine.live(2)
    machine.lose_power(5)
    machine.programme.follow(plan(emergency))
    machine.live(30)

    told = machine.told()["emergency"]
    assert (told["outcome"], told["reason"], [heard for _began, heard in told["earlier"]]) == (
        "played",
        "said_again",
        [0.0],
    )


def test_an_emergency_is_played_on_the_second_channel_too_and_the_log_says_so(tmp_path):
    machine = Machine(tmp_path, Second)
    normal, emergency = machine.item("normal", 0.0, 10.0), machine.item("emergency", 20.0, 10.0, "emergency")
    machine.programme.follow(plan(normal, emergency))
    machine.live(60)

    assert machine.second.started == [("tone", 20.0), (emergency.sound[:4], 23.0)]
    told = machine.told()
    assert told["emergency"]["second"] == {"sink": "rtp", "heard": 10.0}
    assert "second" not in told["normal"]


def test_an_emergency_that_only_the_second_channel_played_is_not_repeated_and_the_log_says_so(tmp_path):
    machine = Machine(tmp_path, Second)
    machine.fails = True
    machine.programme.follow(plan(machine.item("emergency", 0.0, 10.0, "emergency")))
    machine.live(60)

    told = machine.told()["emergency"]
    assert (told["outcome"], told["reason"], told["second"]["heard"]) == ("played", "second_only", 10.0)
    # What the first channel did not play is not counted while the second plays.
    assert told["heard"] <= 1.0
    assert len(machine.second.started) == 2


def test_what_came_out_of_a_second_channel_until_it_broke_is_in_the_log_and_makes_no_airing_whole(tmp_path):
    machine = Machine(tmp_path, Second)
    machine.second.breaks = 9.0
    machine.programme.follow(plan(machine.item("emergency", 0.0, 10.0, "emergency")))
    machine.live(60)
    told = machine.told()["emergency"]
    assert (told["outcome"], told["reason"]) == ("played", "")
    assert told["second"]["heard"] == pytest.approx(9.0, abs=0.5)

    machine = Machine(tmp_path / "both", Second)
    machine.fails, machine.second.breaks = True, 9.0
    machine.programme.follow(plan(machine.item("emergency", 0.0, 10.0, "emergency")))
    machine.live(60)
    assert "emergency" not in machine.told()


def test_a_second_channel_that_hangs_is_given_up_and_silences_nothing(tmp_path):
    machine = Machine(tmp_path, Hanging)
    machine.programme.follow(
        plan(machine.item("emergency", 0.0, 10.0, "emergency"), machine.item("normal", 60.0, 10.0))
    )
    machine.live(120)

    told = machine.told()
    assert (told["emergency"]["outcome"], told["emergency"]["second"]["heard"]) == ("played", 0.0)
    assert told["normal"]["outcome"] == "played"


def test_an_emergency_whose_player_fails_is_tried_again_until_it_was_heard_whole(machine):
    emergency = machine.item("emergency", 0.0, 10.0, "emergency")
    machine.programme.follow(plan(emergency))
    machine.fails = True
    machine.live(12)
    assert machine.told() == {}
    machine.fails, machine.is_gone = False, True
    machine.live(20)
    assert machine.told() == {}
    machine.is_gone = False
    machine.live(30)

    told = machine.told()["emergency"]
    assert (told["outcome"], told["reason"], told["heard"]) == ("played", "said_again", 10.0)
    assert len(told["earlier"]) == 2


@pytest.mark.parametrize("is_gone", [False, True])
def test_an_emergency_that_no_player_can_play_is_told_once_when_its_window_is_over(machine, is_gone):
    machine.programme.follow(plan(machine.item("emergency", 0.0, 10.0, "emergency")))
    machine.fails, machine.is_gone = True, is_gone
    machine.live(590)
    assert machine.told() == {}
    machine.live(20)

    told = machine.told()["emergency"]
    assert (told["outcome"], told["reason"]) == ("missed", "player_unavailable" if is_gone else "player_failed")
    assert len(told.get("earlier", ())) <= 100


def test_of_more_attempts_than_the_office_takes_those_are_told_in_which_most_was_heard(machine):
    emergency = machine.item("emergency", 0.0, 100.0, "emergency")
    for number in range(130):
        machine.book.begin("emergency", START + number)
        machine.book.keep_heard("emergency", START + number, 60.0 if number == 7 else 1.0)
    machine.again()
    machine.programme.follow(plan(emergency))
    machine.live(120)

    earlier = machine.told()["emergency"]["earlier"]
    assert (len(earlier), max(heard for _began, heard in earlier)) == (100, 60.0)
    assert earlier == sorted(earlier)


def test_what_is_spoken_live_interrupts_a_bulletin_which_goes_on_after_it(machine):
    normal, machine.lasts["live"] = machine.item("normal", 0.0, 30.0), 20.0
    machine.programme.follow(plan(normal))
    machine.live(10)
    machine.programme.follow(plan(normal, live=(7, START + 190)))
    machine.live(5)
    assert machine.programme.live == 7
    machine.live(60)

    told = machine.told()
    assert (told["live-7"]["outcome"], told["live-7"]["heard"]) == ("played", 20.0)
    assert (told["normal"]["outcome"], told["normal"]["interrupted"], told["normal"]["heard"]) == ("played", 20.0, 30.0)
    assert [start[0] for start in machine.started] == [normal.sound[:4], "live", normal.sound[:4]]
    assert machine.programme.live is None


def test_an_emergency_interrupts_what_is_spoken_live_for_good(machine):
    emergency, machine.lasts["live"] = machine.item("emergency", 10.0, 20.0, "emergency"), 100.0
    machine.programme.follow(plan(emergency, live=(7, START + 180)))
    machine.live(120)

    told = machine.told()
    assert (told["live-7"]["outcome"], told["live-7"]["heard"]) == ("preempted", 9.5)
    assert told["emergency"]["outcome"] == "played"
    assert [start[0] for start in machine.started].count("live") == 1


def test_what_is_spoken_live_waits_for_an_emergency_and_is_not_begun_after_its_time(machine):
    emergency, machine.lasts["live"] = machine.item("emergency", 0.0, 20.0, "emergency"), 10.0
    machine.programme.follow(plan(emergency, live=(7, START + 15)))
    machine.live(60)
    assert set(machine.told()) == {"emergency"}
    machine.programme.follow(plan(live=(8, START + 180)))
    machine.live(60)
    assert machine.told()["live-8"]["outcome"] == "played"


def test_what_was_spoken_live_when_the_power_went_is_told_and_not_begun_again(machine):
    machine.lasts["live"] = 100.0
    machine.programme.follow(plan(live=(7, START + 180)))
    machine.live(10)
    machine.lose_power(5)
    machine.programme.follow(plan(live=(7, START + 180)))
    machine.live(60)

    told = machine.told()["live-7"]
    assert (told["outcome"], told["reason"]) == ("missed", "cut_off")
    assert told["heard"] == pytest.approx(9.5, abs=0.5)
    assert len(machine.started) == 1


def test_what_is_spoken_live_ends_even_if_its_player_does_not(machine):
    machine.lasts["live"] = 10_000.0
    machine.programme.follow(plan(live=(7, START + 30)))
    machine.live(60)
    assert machine.told()["live-7"]["heard"] == pytest.approx(45.0, abs=1.0)


def test_a_disk_that_is_full_does_not_silence_what_plays(machine):
    machine.programme.follow(plan(machine.item("one", 0.0)))
    machine.live(5)
    machine.book.close()
    with pytest.raises(SpeakerBookUnusable):
        machine.live(60)
    assert machine.boot >= 50.0 + 30.0


def test_what_was_begun_before_an_upgrade_is_told_after_it(tmp_path):
    (tmp_path / "sounds").mkdir()
    with sqlite3.connect(tmp_path / "speaker.sqlite3") as old:
        old.execute("CREATE TABLE begun (airing TEXT PRIMARY KEY, at REAL NOT NULL)")
        old.execute("INSERT INTO begun VALUES ('one', ?)", (START,))
    machine = Machine(tmp_path)
    machine.programme.step()
    assert (machine.told()["one"]["reason"], machine.told()["one"]["began"]) == ("cut_off", START)
    machine.again()
    assert len(machine.told()) == 1


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


def spoil(machine, item, content=b""):
    """What a power cut soon after a rename leaves of a file that was not on the disk."""
    (machine.folder / "sounds" / f"{item.sound}.mp3").write_bytes(content)


@pytest.mark.parametrize("content", [b"", b"half of"])
def test_a_sound_that_a_power_cut_spoilt_is_no_sound_and_is_fetched_again(machine, content):
    item = machine.item("bulletin", 10.0)
    spoil(machine, item, content)
    machine.again()

    assert machine.book.sound(item.sound) is None
    assert machine.book.keep_sound(item.sound, b"bulletin")
    machine.programme.follow(plan(item))
    machine.live(60)
    assert machine.told()["bulletin"]["outcome"] == "played"


def test_a_sound_is_on_the_disk_before_it_has_its_name(machine, monkeypatch):
    synced, sync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(os.readlink(f"/proc/self/fd/{file}")), sync(file)))
    item = machine.item("bulletin", 10.0)

    sounds = str(machine.folder / "sounds")
    assert synced == [f"{sounds}/{item.sound}.part", sounds]


def test_a_sound_that_its_player_could_not_play_is_looked_at_again(machine):
    item = machine.item("emergency", 0.0, 20.0, "emergency")
    machine.programme.follow(plan(item))
    path = machine.folder / "sounds" / f"{item.sound}.mp3"
    before = path.stat()
    assert machine.book.sound(item.sound) is not None
    # Spoilt on the disk without a trace in the folder.
    path.write_bytes(b"x" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    machine.fails = True
    machine.live(12)

    assert machine.book.sound(item.sound) is None
    assert not path.exists()


def test_an_emergency_without_its_sound_speaks_the_fixed_phrases_until_it_is_fetched(machine):
    item = machine.item("emergency", 0.0, 20.0, "emergency", fetched=False)
    machine.programme.follow(plan(item))
    machine.live(90)
    spoken = [start for start in machine.started if start[0] == "phra"]
    assert spoken[0][3] < 15
    assert len(spoken) == 2
    assert not machine.told()

    machine.book.keep_sound(item.sound, b"emergency")
    machine.live(60)
    told = machine.told()["emergency"]
    assert (told["outcome"], told["heard"], told["reason"]) == ("played", 20.0, "")
    assert "earlier" not in told
    assert len([start for start in machine.started if start[0] == "phra"]) == 2


def test_an_emergency_whose_sound_never_came_was_not_aired_though_the_phrases_were_spoken(machine):
    machine.programme.follow(plan(machine.item("emergency", 0.0, 20.0, "emergency", fetched=False)))
    machine.live(700)
    told = machine.told()["emergency"]

    assert (told["outcome"], told["reason"], told.get("heard", 0)) == ("missed", "phrases_only", 0)


def test_the_fixed_phrases_are_a_sound_that_every_machine_has(machine):
    assert PHRASES.is_file()
    assert 5_000 < PHRASES.stat().st_size < 100_000


@pytest.mark.parametrize("importance", ["emergency", "normal"])
def test_what_sounds_is_silent_at_once_when_it_is_stopped(machine, importance):
    item, next_one = machine.item("mistake", 0.0, 60.0, importance), machine.item("next", 120.0)
    machine.programme.follow(plan(item, next_one))
    machine.live(20)
    machine.programme.follow(plan(next_one))
    machine.live(0.5)

    assert not machine.programme.is_playing
    told = machine.told()["mistake"]
    assert (told["outcome"], told["reason"]) == ("missed", "stopped")
    assert 15 < told["heard"] < 21
    machine.live(200)
    assert machine.told()["next"]["outcome"] == "played"


def test_what_waits_behind_an_emergency_does_not_go_on_when_it_is_stopped(machine):
    normal = machine.item("normal", 0.0, 60.0)
    machine.programme.follow(plan(normal))
    machine.live(10)
    emergency = machine.item("emergency", 10.0, 20.0, "emergency")
    machine.programme.follow(plan(normal, emergency))
    machine.live(10)
    machine.programme.follow(plan(emergency))
    machine.live(60)

    told = machine.told()
    assert (told["normal"]["outcome"], told["normal"]["reason"]) == ("missed", "stopped")
    assert told["emergency"]["outcome"] == "played"


def test_a_machine_that_is_cut_off_falls_silent(machine):
    machine.programme.follow(plan(machine.item("bulletin", 0.0, 60.0)))
    machine.live(10)
    machine.programme.follow(EMPTY)
    machine.live(0.5)

    assert not machine.programme.is_playing


@pytest.mark.parametrize("content", [b"", b"RIFF"])
def test_a_tone_that_a_power_cut_spoilt_is_made_again(machine, content):
    tone = machine.book.tone()
    whole = tone.read_bytes()
    tone.write_bytes(content)
    machine.again()

    assert machine.book.tone().read_bytes() == whole
