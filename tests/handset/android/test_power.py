# SPDX-License-Identifier: Apache-2.0
"""How long a day keeps the phone's processor awake: a whole agent on a processor that sleeps whenever it may."""

import asyncio
import random

import pytest
from tests.builders.androidphone import Awake
from tests.builders.handset import PhoneClock, World, city_with_phones

from bluezone.handset.agent import Agent
from bluezone.handset.android.power import WakeTime
from bluezone.handset.retries import DEFAULT_POLL_SECONDS
from bluezone.radio.android.advertisement import LONGEST_ADVERTISING_SECONDS
from bluezone.radio.frames import contact_advertisement
from bluezone.radio.interface import PROFILES
from bluezone.radio.simulatedtime import SimulatedTimeLoop

DAY_SECONDS = 86_400.0
# What Play calls too much.
LONGEST_AWAKE_SECONDS = 7_200.0
# Android takes a while to begin a scan and to answer for a set.
COMMAND_SECONDS = 0.2
# An alarm counts whole milliseconds, and is never early.
CLOCK_SECONDS = 0.001


class SleepingLoop(SimulatedTimeLoop):
    """A loop on a phone's processor, which sleeps whenever no lock holds it: its timers stand still until an alarm.

    boot: seconds since the start, sleep included. overdue: how often a lock had to end by its own time limit.
    on_sleep: called whenever it falls asleep. on_alarm: called when it was woken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.awake = LoopAwake(self)
        self.slept = 0.0
        self.sleeps = self.overdue = 0
        self.on_sleep = self.on_alarm = lambda: None

    @property
    def boot(self) -> float:
        return self.time() + self.slept

    def _jump(self, seconds: float) -> bool:
        if self._in_executor:
            return False
        if self.awake.until > self.boot + CLOCK_SECONDS:
            if seconds <= self.awake.until - self.boot:
                return super()._jump(seconds)
            self.overdue += 1
            return super()._jump(self.awake.until - self.boot)
        self.sleeps += 1
        self.on_sleep()
        assert self.awake.alarm is not None, "it sleeps, and nothing wakes it"
        self.slept += max(0.0, self.awake.alarm - self.boot) + CLOCK_SECONDS
        self.awake.alarm = None
        self.awake.hold(5.0)  # as Java does until Python has looked
        self.call_soon(self.on_alarm)
        return True


class LoopAwake(Awake):
    """The lock and the alarm of such a processor."""

    def __init__(self, loop: SleepingLoop) -> None:
        super().__init__()
        self._loop, self.until = loop, 60.0  # as Java holds it while Python comes up

    def hold(self, seconds: float) -> None:
        self.until = self._loop.boot + seconds

    def release(self) -> None:
        self.until = 0.0


class WatchedRadio:
    """A phone's Bluetooth, with one neighbour in sight: what it was told, by the boot clock."""

    model, lost, longest_advertising_seconds = "android:double", False, LONGEST_ADVERTISING_SECONDS

    def __init__(self, loop: SleepingLoop) -> None:
        self._loop = loop
        self.scans: list[float] = []
        self.sets: list[float] = []
        self.scanning = False

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def set_address(self, address: bytes) -> None: ...

    async def start_advertising(self, data: bytes, interval_ms: int) -> None:
        await asyncio.sleep(COMMAND_SECONDS)
        self.sets.append(self._loop.boot)

    async def stop_advertising(self) -> None:
        await asyncio.sleep(COMMAND_SECONDS)

    async def start_second_set(self, address: bytes, data: bytes, interval_ms: int) -> None:
        await asyncio.sleep(COMMAND_SECONDS)

    async def change_second_set(self, data: bytes) -> None:
        await asyncio.sleep(COMMAND_SECONDS)

    async def stop_second_set(self) -> None:
        await asyncio.sleep(COMMAND_SECONDS)

    async def start_scanning(self, interval_ms: int, window_ms: int, on_report) -> None:
        self.scanning = True
        await asyncio.sleep(COMMAND_SECONDS)
        self.scans.append(self._loop.boot)
        minute = int(self._loop.boot // 600).to_bytes(
            2, "big"
        )  # the neighbour has another identifier every ten minutes
        self._loop.call_later(1.0, on_report, b"\x01" * 6, contact_advertisement(minute + bytes(18)), -60)

    async def stop_scanning(self) -> None:
        await asyncio.sleep(COMMAND_SECONDS)
        self.scanning = False


class Asleep(World):
    """True time, which is the phone's boot clock."""

    def __init__(self, loop: SleepingLoop) -> None:
        self._loop, self._noon = loop, World().now

    @property
    def now(self) -> float:
        return self._noon + self._loop.boot


class Day:
    """A simulated day of one phone."""

    def __init__(self, tmp_path) -> None:
        with asyncio.Runner(loop_factory=SleepingLoop) as runner:
            self.loop: SleepingLoop = runner.get_loop()
            world = Asleep(self.loop)
            with city_with_phones(tmp_path, world) as (self.server, phones, _):
                self.phone = phones.new("one", PhoneClock(world, world.now))
                self.power = WakeTime(self.loop.awake, self.phone.clock.boot_seconds)
                self.radio = WatchedRadio(self.loop)
                self.unstored = self.scanned_asleep = 0
                self.checks: list[float] = []
                runner.run(self._lived())

    async def _lived(self) -> None:
        checking = self.phone.check

        def check() -> None:
            self.checks.append(self.loop.boot)
            checking()

        self.phone.check = check
        self.agent = Agent(self.phone, self.radio, PROFILES["pocket"], random.Random(1), 0x4E56, self.power)
        self.loop.on_alarm, self.loop.on_sleep = self._wake, self._look
        running = asyncio.create_task(self.agent.run())
        while self.loop.boot < DAY_SECONDS and not running.done():
            await self.agent.sleep(60.0)
        assert not running.done(), running.exception()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        self.heard = sum(self.phone.encounters.identifiers_per_day().values())
        self.power.release_all()

    def _wake(self) -> None:
        self.power.note_alarm()
        self.agent.resume()

    def _look(self) -> None:
        self.scanned_asleep += self.radio.scanning
        self.unstored += self.phone.encounters.log._changed


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> Day:
    """One day, lived once for all tests that look at it."""
    return Day(tmp_path_factory.mktemp("day"))


@pytest.mark.long
def test_a_day_keeps_the_processor_awake_for_less_than_play_calls_too_much(day):
    assert day.loop.boot >= DAY_SECONDS
    assert day.power.awake_seconds < 0.8 * LONGEST_AWAKE_SECONDS
    assert day.agent.beacon.listened_seconds < 5_100
    # What the code counts is what the processor did, but for the moments in which it is woken.
    assert day.loop.time() == pytest.approx(day.power.awake_seconds, rel=0.05)


@pytest.mark.long
def test_the_lock_is_given_back_after_each_piece_of_work_and_never_ends_by_its_limit_alone(day):
    assert day.loop.overdue == 0
    assert day.loop.sleeps > 1_150
    assert day.power.awake_seconds < 1.3 * day.agent.beacon.listened_seconds


def test_even_a_radio_that_hangs_in_every_burst_keeps_it_awake_for_less_than_that():
    from bluezone.radio.beacon import AWAKE_SECONDS, LONGEST_ROTATION_SECONDS

    bursts = DAY_SECONDS / PROFILES["pocket"].period_seconds
    rotations = DAY_SECONDS / min(LONGEST_ROTATION_SECONDS, LONGEST_ADVERTISING_SECONDS - 55)

    assert (bursts + rotations) * AWAKE_SECONDS < LONGEST_AWAKE_SECONDS


@pytest.mark.long
def test_a_burst_comes_as_often_as_the_profile_says_however_deep_the_sleep(day):
    gaps = [later - earlier for earlier, later in zip(day.radio.scans, day.radio.scans[1:], strict=False)]

    assert max(gaps) < PROFILES["pocket"].period_seconds + 5
    assert len(gaps) >= DAY_SECONDS / PROFILES["pocket"].period_seconds - 10


@pytest.mark.long
def test_the_phone_is_never_silent_and_never_listens_in_its_sleep(day):
    lives = [later - earlier for earlier, later in zip(day.radio.sets, day.radio.sets[1:], strict=False)]

    assert max(lives) < LONGEST_ADVERTISING_SECONDS
    assert day.scanned_asleep == 0


def test_what_was_heard_is_on_disk_before_the_processor_sleeps(day):
    assert day.unstored == 0
    assert day.heard > 140


def test_the_citys_list_is_asked_for_by_true_time_and_not_by_the_time_awake(day):
    assert len(day.checks) >= DAY_SECONDS // (1.25 * DEFAULT_POLL_SECONDS)
    assert max(b - a for a, b in zip(day.checks, day.checks[1:], strict=False)) < 1.25 * DEFAULT_POLL_SECONDS + 130


class Moments:
    """A boot clock that is set by hand, and the wake time of a phone with it."""

    def __init__(self) -> None:
        self.now, self.awake = 100.0, Awake()
        self.power = WakeTime(self.awake, lambda: self.now)


def test_work_keeps_it_awake_until_the_last_is_done_and_only_that_time_is_counted():
    phone = Moments()
    phone.power.hold("burst", 10)
    assert phone.awake.seconds == 10
    phone.now += 2
    phone.power.hold("upload", 3)
    assert (phone.awake.seconds, phone.power.awake_seconds) == (8, 2)
    phone.now += 1
    phone.power.release("burst")
    assert phone.awake.seconds == 2
    phone.now += 1
    phone.power.release("upload")
    assert (phone.awake.seconds, phone.power.awake_seconds) == (0, 4)
    phone.now += 50
    phone.power.release("upload")
    assert phone.power.awake_seconds == 4, "asleep meanwhile"


def test_work_that_is_never_released_ends_with_its_time():
    phone = Moments()
    phone.power.hold("burst", 10)
    phone.now += 10
    assert phone.power.awake_seconds == 10
    phone.now += 60
    assert phone.power.awake_seconds == 10
    phone.power.hold("upload", 5)
    phone.now += 1
    assert (phone.awake.seconds, phone.power.awake_seconds) == (5, 11)


def test_at_its_end_it_counts_what_was_and_wakes_for_nothing_more():
    phone = Moments()
    phone.power.hold("burst", 10)
    phone.power.wake_at(500.0)
    phone.now += 4
    phone.power.release_all()
    phone.now += 4

    assert (phone.power.awake_seconds, phone.awake.seconds, phone.awake.alarm) == (4, 0, None)
    phone.power.wake_at(500.0)
    assert phone.awake.alarm == 500.0


def test_an_alarm_is_set_once_for_a_moment_and_anew_after_it_has_come():
    phone, asked = Moments(), []
    phone.awake.wake_at = asked.append
    for moment in (500.0, 500.0, 600.0):
        phone.power.wake_at(moment)
    phone.power.note_alarm()
    phone.power.wake_at(600.0)

    assert asked == [500.0, 600.0, 600.0]
