# SPDX-License-Identifier: Apache-2.0
"""Pull the plug: a loudspeaker whose program is killed and whose power is cut at random moments, in simulated time.

What the street heard is recorded beside it. After every cut its log agrees with the recording within a second, and at
the end the office's log and counters do. The book, the programme and the office's store are the real ones.
"""

import bisect
import contextlib
import datetime
import hashlib
import random
import shutil
from collections import Counter
from dataclasses import dataclass

import pytest
from tests.builders.bulletins import NOW, approved_bulletin, machine, schedule_bulletin, zone

from bluezone.edge.speaker.book import TONE_SECONDS, SpeakerBook
from bluezone.edge.speaker.plan import Item, Plan
from bluezone.edge.speaker.player import PlayerUnavailable
from bluezone.edge.speaker.programme import EMERGENCY_SECONDS, Programme
from bluezone.rollout.bulletins.models import Airing
from bluezone.rollout.loudspeakers.models import Playing
from bluezone.rollout.loudspeakers.playback import reports_by_airing, store_playings

pytestmark = pytest.mark.django_db
SECONDS = {"normal": 14.0, "emergency": 10.0, "phrases": 12.0}
# The longest that a disk takes until it has what was written to it.
DISK_SECONDS = 0.4
# Enough for every emergency that can be waiting.
LONG_SECONDS = 90.0


class Cut(BaseException):
    """The program is gone, in the middle of whatever it was doing."""


@dataclass
class Heard:
    """What came out of the loudspeaker from one start of its player. began, ended: Unix seconds."""

    name: str
    skip: float
    began: float
    ends: float
    life: int
    fails: bool
    channel: str

    @property
    def seconds(self):
        return max(0.0, self.ends - self.began)


class Street:
    """One loudspeaker and what is heard of it. Its player needs a moment to begin, and fails now and then."""

    sink = "aplay"

    def __init__(self, folder, seed, keys):
        self.random = random.Random(seed)
        self.folder, self.lives, self.keys = folder / "0", 0, keys
        self.time, self.cut_after = NOW.timestamp(), None
        self.items, self.names, self.notes = [], {"tone": "tone", "phrases": "phrases"}, []
        self.recording, self.failed = [], set()
        self.steps = (0.05, 0.05, 0.05, 0.2)
        self.tells_progress, self.long_checks, self.spoilt = False, 0, 0
        self.due = {"normal": self.time + 5, "emergency": self.time + 20}

    # What the program uses of the world. Each of these may be the last thing that it does.

    def now(self):
        self._perhaps_cut()
        return self.time

    def boot(self):
        self._perhaps_cut()
        return self.time - 1e9

    def say(self, _line):
        self._perhaps_cut()

    def start(self, path, skip_seconds, volume, channel="first"):
        name = self.names[path.stem]
        if path.stem in {item.sound for item in self.items}:
            assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem, "a spoilt sound was played"
        if self.random.random() < 0.02:
            self.failed.add(self.lives)
            raise PlayerUnavailable("busy")
        lasts = (TONE_SECONDS if name == "tone" else SECONDS[name.split("-")[0]]) - skip_seconds
        if fails := self.random.random() < 0.02:
            self.failed.add(self.lives)
        began = self.time + self.random.uniform(0, 0.3)
        lasts = self.random.uniform(0, lasts) if fails else lasts
        heard = Heard(name, skip_seconds, began, began + lasts, self.lives, fails, channel)
        self.recording.append(heard)
        self._perhaps_cut()
        return Sounding(self, heard)

    def _perhaps_cut(self):
        if self.cut_after is not None:
            self.cut_after -= 1
            if self.cut_after < 0:
                raise Cut

    # A life of the program, and what comes between two.

    def live(self, office, seconds):
        """Start the program, let it live so long, and cut it off at any of the steps that it then makes."""
        self.lives += 1
        self.cut_after = None
        self.tells_progress = self.random.random() < 0.5
        self.book = SpeakerBook(self.folder, lambda: self.time)
        self.agree()
        way, begun = self.random.choice(("kill", "power", "stop")), self.time
        with contextlib.suppress(Cut):
            second = self.random.choice((None, Second(self)))
            programme = Programme(self.book, self, self.now, self.boot, self.say, second)
            told = self.time
            while self.time < begun + seconds or way != "stop":
                if self.time >= begun + seconds and self.cut_after is None:
                    self.cut_after = self.random.randrange(60)
                self._plan()
                self._fetch()
                programme.follow(Plan("Tổ 5", 80, tuple(self.planned())))
                programme.step()
                self.notes = [*self.notes[-20:], (self.time, (self.folder / "heard").read_bytes())]
                if self.time - told >= 2:
                    told = self.time
                    self._tell(office)
                self.time += self.random.choice(self.steps)
            programme.stop()
        if self.time - begun >= LONG_SECONDS and self.lives not in self.failed:
            self._all_was_said(begun)
        for heard in self.recording:
            if heard.life == self.lives and heard.ends > self.time:
                heard.ends, heard.fails = max(heard.began, self.time), True
        self._leave_behind(power=way == "power")

    def planned(self):
        """What the office's plan has now, as far as anything of it can still be played or told."""
        return [one for one in self.items if one.due > self.time - 1200]

    def _all_was_said(self, begun):
        """After a long life in which no player failed: emergencies whose window was open all the while were heard."""
        for item in self.items:
            if item.importance == "emergency" and begun + LONG_SECONDS - EMERGENCY_SECONDS < item.due <= begun:
                pieces = [one for one in self.recording if one.name == self.names[item.sound] and not one.fails]
                assert any(one.seconds == pytest.approx(SECONDS["emergency"], abs=0.3) for one in pieces), item.key
                self.long_checks += 1

    def _tell(self, office):
        rows = self.book.unsent(200)
        if rows and self.random.random() < 0.8:
            office(rows, self.time)
            # The answer is lost now and then, and the same is told again.
            if self.random.random() < 0.7:
                self.book.sent(row["airing"] for row in rows)

    def _leave_behind(self, *, power):
        """What the next start finds. After a power cut: no note that was not on the disk, and half a transaction."""
        after = self.folder.with_name(str(self.lives))
        after.mkdir()
        for name in ("speaker.sqlite3", "speaker.sqlite3-wal", "heard", "tone.wav"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(self.folder / name, after / name)
        if power:
            on_disk = self.time - self.random.uniform(0, DISK_SECONDS)
            older = [note for at, note in self.notes if at <= on_disk]
            (after / "heard").write_bytes(older[-1] if older else b"")
            with (after / "speaker.sqlite3-wal").open("ab") as wal:
                wal.write(self.random.randbytes(self.random.randrange(9000)))
        self.book.close()
        (self.folder / "sounds").rename(after / "sounds")
        if power:
            self._spoil(after / "sounds")
        shutil.rmtree(self.folder)
        self.folder = after
        self.notes = [(self.time, (after / "heard").read_bytes())]
        self.time += self.random.choice((0.5, 3.0, 20.0)) * self.random.random()

    def _spoil(self, sounds):
        """Some files are as a disk leaves them that lost what it had promised: empty, or half."""
        for path in sorted(sounds.glob("*.mp3")):
            if self.random.random() < 0.3:
                path.write_bytes(path.read_bytes()[: self.random.choice((0, 5))])
                self.spoilt += 1

    def _fetch(self):
        """What the office sends again of that, now and then."""
        for item in self.planned():
            if self.book.sound(item.sound) is None and self.random.random() < 0.05:
                assert self.book.keep_sound(item.sound, item.key.encode())

    def _plan(self):
        """What falls due in the next minute."""
        for importance, every in (("normal", 25), ("emergency", 90)):
            while self.due[importance] < self.time + 60:
                due = self.due[importance]
                key = f"{self.keys[importance]}-{due:.0f}"
                content = key.encode()
                sound = hashlib.sha256(content).hexdigest()
                self.names[sound] = f"{importance}-{due:.0f}"
                assert self.book.keep_sound(sound, content)
                self.items.append(Item(key, float(round(due)), SECONDS[importance], importance, sound, key))
                self.due[importance] += every + self.random.uniform(0, every)

    # What was heard against what is written.

    def agree(self):
        """The book, as the program finds it, against the recording."""
        begun, reported = self.book.begun(), {row["airing"]: row for row in self.book.unsent(10_000)}
        for item in self.planned():
            if item.key in reported:
                row = reported[item.key]
                last = [] if row.get("began") is None else [(row["began"], row["heard"])]
                self.agrees(item, [*row.get("earlier", ()), *last])
            elif not self.book.is_done(item.key):
                self.agrees(item, begun.get(item.key, []))

    def agrees(self, item, logged):
        """Attempts at one bulletin, each with its beginning and the seconds heard, against the recording."""
        assert self.recorded(item, [began for began, _heard in logged]) == pytest.approx(
            [0.0, *(heard for _began, heard in logged)], abs=1.0
        ), (item.key, logged)

    def recorded(self, item, begun, channel="first"):
        """Seconds heard of a bulletin before the first attempt that is logged, and from each of them on."""
        sums = [0.0] * (len(begun) + 1)
        for one in self.recording:
            if (one.name, one.channel) == (self.names[item.sound], channel):
                sums[bisect.bisect(begun, one.began + 0.001)] += one.seconds
        return sums


class Second:
    """The second channel of a loudspeaker, recorded beside the first."""

    sink = "rtp"

    def __init__(self, street):
        self.street = street

    def start(self, path, skip_seconds, volume):
        return self.street.start(path, skip_seconds, volume, "second")


class Sounding:
    def __init__(self, street, heard):
        self.street, self.of = street, heard

    def is_running(self):
        self.street._perhaps_cut()
        return self.street.time < self.of.ends

    def ended_well(self):
        return not self.of.fails

    def heard(self):
        if not self.street.tells_progress:
            return None
        return int(10 * max(0.0, min(self.street.time, self.of.ends) - self.of.began)) / 10

    def stop(self):
        self.of.ends, self.of.fails = max(self.of.began, min(self.of.ends, self.street.time)), True
        self.street._perhaps_cut()


@pytest.mark.parametrize(
    ("cuts", "seed"),
    [
        pytest.param(30, 1, marks=pytest.mark.long),
        pytest.param(1000, 2, marks=[pytest.mark.slow, pytest.mark.field]),
    ],
)
def test_after_every_kill_and_power_cut_log_and_recording_agree_and_so_do_the_offices_counters(tmp_path, cuts, seed):
    place = zone()
    device, _token = machine(place)
    keys = {}
    for importance in ("normal", "emergency"):
        bulletin = approved_bulletin(importance, importance, seconds=SECONDS[importance])
        keys[importance] = f"{schedule_bulletin(bulletin, place.outlet, times=('17:30',)).pk}-{place.pk}-vi"
    Airing.objects.all().delete()
    street = Street(tmp_path, seed, keys)
    (tmp_path / "0").mkdir()

    def office(rows, at):
        stored = store_playings(device, rows, datetime.datetime.fromtimestamp(at, datetime.UTC))
        assert (stored.accepted, stored.unknown) == (len(rows), 0)

    for _ in range(cuts):
        street.live(office, street.random.choice((1.0, 10.0, 20.0, 20.0, 40.0, 160.0)) * street.random.random())
    # On for so long that every window ends, with an office that is reached.
    until, street.steps = street.time, (0.2,)
    street.live(office, EMERGENCY_SECONDS + 60)
    book = SpeakerBook(street.folder, lambda: street.time)
    if rows := book.unsent(10_000):
        office(rows, street.time)
    book.close()

    assert street.spoilt > 10

    rows = {row.airing.key: row for row in Playing.objects.select_related("airing")}
    due = [item for item in street.items if item.due <= until]
    whole = 0
    for item in due:
        row = rows[item.key]
        last = [] if row.began_at is None else [(row.began_at.timestamp(), row.heard_seconds)]
        logged = [*row.earlier, *last]
        street.agrees(item, logged)
        if row.second_sink:
            assert street.recorded(item, [began for began, _heard in logged], "second")[-1] == pytest.approx(
                row.second_seconds, abs=1.0
            )
        longest = max(street.recorded(item, [began for began, _heard in logged]))
        whole += row.outcome == "played"
        if row.outcome == "played" and row.reason != "second_only":
            assert longest == pytest.approx(SECONDS[item.importance], abs=1.0)
    said = reports_by_airing([rows[item.key].airing_id for item in due]).values()
    counts = sum((Counter({name: n for name, n in vars(one).items() if isinstance(n, int)}) for one in said), Counter())
    assert counts["machines"] == len(due)
    assert counts["played"] + counts["late"] == whole
    assert counts["played"] + counts["late"] + counts["preempted"] + counts["missed"] + counts["broken_off"] == len(due)
    assert min(counts["again"], counts["broken_off"], counts["on_second"], counts["with_tone"]) > 0
    assert street.long_checks > 0
