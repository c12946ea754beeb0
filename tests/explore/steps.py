# SPDX-License-Identifier: Apache-2.0
"""What can happen to a city: steps of people, of time, and of faults, drawn by a seed.

No step is made for a known failure: each is an act or a fault that an operator may meet, and the search combines them.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.builders.keyserver import DAY, HOUR
from tests.explore.city import ALL_PHONES, PHONES, City
from tests.explore.machine import Disk
from tests.explore.service import SERVER, SIGNER

from bluezone.city_settings import _RANGES

MINUTE = 60
CUT_BITS = 10
DAYS_OFFLINE = (1, 1, 1, 2, 2, 3, 6, 15)
CLOCK_ERRORS = (5, 90, 1800, 2 * HOUR, 9 * HOUR, DAY, 45 * DAY, 800 * DAY)
# A run may begin with it: how far the clock is off at the very first start of the city.
FIRST_CLOCK = "first start with the clock off by"
# What phones of earlier releases do is added to a run, so that the other steps of a seed are the same without them.
EARLIER_PHONES = "phones of earlier releases"
EARLIER_SHARE = 1 / 20
EARLIER_MEETINGS = 8
EARLIER_REPORTS = 3
# A monitor is added in the same way.
MONITOR = "a monitor reads the metrics"
MONITOR_SHARE = 1 / 50
# Steps that harm nothing: after these alone no alert fires.
QUIET = frozenset({"wait", "wait long", "meet", "report", "report from the crowd", EARLIER_PHONES, MONITOR})


@dataclass(frozen=True)
class Step:
    """One step: the name of what happens, and its values."""

    name: str
    values: tuple[int | str, ...] = ()

    def __str__(self) -> str:
        return " ".join([self.name, *map(str, self.values)])


Act = Callable[..., None]
Draw = Callable[[random.Random], tuple[int | str, ...]]


def _wait(city: City, minutes: int) -> None:
    city.wait(minutes * MINUTE)


def _meet(city: City, listener: int, other: int) -> None:
    city.let_meet(listener, other)


def _report(city: City, number: int) -> None:
    city.report_by(number)


def _crowd(city: City, days: int) -> None:
    city.report_from_crowd(days)


def _power_cut(city: City, victim: int, changes: int, torn: int) -> None:
    """The process dies before one of its next writes, or in the middle of it."""
    city.machine.control.victim = victim
    city.machine.control.torn = torn
    city.machine.control.kill_after = changes


def _cut(rng: random.Random) -> tuple[int, int, int]:
    # Within a few writes, or anywhere in the next hours.
    return rng.choice([SERVER, SERVER, SIGNER]), int(2 ** rng.uniform(0, CUT_BITS)) - 1, rng.randrange(2)


def _kill(city: City, victim: int) -> None:
    if victim == SERVER:
        city.stop_server()
    else:
        city.stop_signer()


def _disk(city: City, fault: int, space: int = 0) -> None:
    """Something is wrong with the disk. space: how many bytes a full one still takes."""
    city.machine.control.space = space
    city.machine.control.fault = fault


def _broken_disk(rng: random.Random) -> tuple[int, int]:
    return rng.choice([Disk.NO_SPACE, Disk.NO_INODES, Disk.READ_ONLY]), rng.choice([0, 0, 100, 3000, 40_000])


def _signer_stops(city: City) -> None:
    city.signer_wanted = False
    city.stop_signer()


def _signer_starts(city: City) -> None:
    city.signer_wanted = True


def _clock_error(rng: random.Random) -> tuple[int]:
    return (rng.choice([-1, 1]) * rng.choice(CLOCK_ERRORS),)


def _clock(city: City, seconds: int) -> None:
    # No time service is at work, or it would set the clock right.
    city.machine.control.synchronised = 0
    city.machine.control.wall += seconds


def _clock_right(city: City) -> None:
    city.machine.control.wall = city.world.now


def _reboot(city: City, synchronised: int) -> None:
    city.stop_server()
    city.stop_signer()
    control = city.machine.control
    control.uptime = 30.0
    control.boot = f"boot-{len(city.refused)}-{city.world.now:.0f}".encode()[:39]
    control.synchronised = synchronised
    if synchronised:
        control.wall = city.world.now


def _damage(path: Path, how: int) -> None:
    if how == 0:
        path.unlink()
    elif how == 1:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)


def _damage_file(city: City, folder: str, which: int, how: int) -> None:
    """Damage a numbered file of a folder, counted from the newest."""
    files = [path for path in (city.data / folder).glob("[0-9]*.*") if path.suffix != ".tmp"]
    if files:
        files.sort(key=lambda path: int(path.stem.split("-")[0]))
        _damage(files[-1 - which % len(files)], how)


def _damage_index(city: City, how: int) -> None:
    path = city.data / "exports" / "index.json"
    if not path.exists():
        return
    _damage(path, how)


def _copy_record(city: City) -> None:
    if city.record_file().exists():
        city.records.append(city.record_file().read_bytes())


def _old_record(city: City, which: int) -> None:
    """The signer starts from an old copy of its record, as after its disk was restored."""
    if city.records:
        city.stop_signer()
        city.record_file().write_bytes(city.records[which % len(city.records)])


def _back_up(city: City) -> None:
    city.keep_running()
    if city.server:
        city.back_up()


def _works(city: City) -> bool:
    """Whether the machine works, so that an operator can change something on it."""
    return city.machine.control.fault == Disk.SOUND and city.machine.control.wall == city.world.now


def _restore(city: City, which: int, place: int) -> None:
    if city.backups and _works(city):
        city.restore(which % len(city.backups), place)


def _set(city: City, name: str, value: int) -> None:
    if _works(city):
        city.change_setting(name, value)


def _set_back(city: City) -> None:
    if _works(city):
        city.restore_settings()


def _extreme(rng: random.Random) -> tuple[str, int]:
    name = rng.choice(sorted(_RANGES))
    return name, rng.choice(_RANGES[name])


def _earlier_phones(city: City) -> None:
    city.phone(PHONES)


def _offline(city: City, number: int, days: int) -> None:
    city.take_offline(number, days)


# By name: what happens, how its values are drawn, and how often it comes.
STEPS: dict[str, tuple[Act, Draw, int]] = {
    "wait": (_wait, lambda rng: (rng.choice([20, 60, 120, 150, 360]),), 20),
    "wait long": (_wait, lambda rng: (rng.choice([12, 24, 48]) * 60,), 3),
    "meet": (_meet, lambda rng: tuple(rng.sample(range(PHONES), 2)), 5),
    "report": (_report, lambda rng: (rng.randrange(PHONES),), 2),
    "report from the crowd": (_crowd, lambda rng: (rng.randint(1, 3),), 10),
    "power cut at write": (_power_cut, _cut, 16),
    "kill": (_kill, lambda rng: (rng.choice([SERVER, SIGNER]),), 3),
    "disk": (_disk, _broken_disk, 4),
    "disk sound": (_disk, lambda _rng: (Disk.SOUND,), 6),
    "signer stops": (_signer_stops, lambda _rng: (), 2),
    "signer starts": (_signer_starts, lambda _rng: (), 4),
    "clock off by": (_clock, _clock_error, 2),
    "clock right": (_clock_right, lambda _rng: (), 4),
    "reboot": (_reboot, lambda rng: (rng.randrange(2),), 2),
    "damage a file": (_damage_file, lambda rng: ("exports", rng.randrange(4), rng.randrange(3)), 2),
    "damage a package": (_damage_file, lambda rng: ("venues", rng.randrange(4), rng.randrange(3)), 1),
    "damage a config": (_damage_file, lambda rng: ("configs", rng.randrange(2), rng.randrange(3)), 1),
    "copy the signer's record": (_copy_record, lambda _rng: (), 1),
    "the signer's record is an old copy": (_old_record, lambda rng: (rng.randrange(3),), 1),
    "back up": (_back_up, lambda _rng: (), 2),
    "restore": (_restore, lambda rng: (rng.randrange(3), rng.randrange(3)), 1),
    "damage the index": (_damage_index, lambda rng: (rng.randrange(3),), 2),
    "set": (_set, _extreme, 2),
    "settings back": (_set_back, lambda _rng: (), 1),
    "offline for days": (_offline, lambda rng: (rng.randrange(PHONES), rng.choice(DAYS_OFFLINE)), 1),
    EARLIER_PHONES: (_earlier_phones, lambda _rng: (), 0),
    MONITOR: (City.start_monitor, lambda _rng: (), 0),
}


def draw(
    seed: int,
    count: int,
    without: frozenset[str] = frozenset(),
    earlier_share: float = EARLIER_SHARE,
    monitor_share: float = MONITOR_SHARE,
) -> list[Step]:
    """The steps of a run. without: names that are left out.

    earlier_share, monitor_share: of runs with phones of earlier releases, and with a monitor.
    """
    rng = random.Random(seed)
    names = [name for name in STEPS if name not in without]
    weights = [STEPS[name][2] for name in names]
    steps = [Step(name, STEPS[name][1](rng)) for name in rng.choices(names, weights, k=count)]
    if FIRST_CLOCK not in without and rng.random() < 1 / 5:
        steps.insert(0, Step(FIRST_CLOCK, _clock_error(rng)))
    if EARLIER_PHONES not in without and rng.random() < earlier_share:
        _add_earlier_phones(steps, rng, without)
    if MONITOR not in without and rng.random() < monitor_share:
        steps.insert(int(first_clock_error(steps) != 0), Step(MONITOR))
    return steps


def _add_earlier_phones(steps: list[Step], rng: random.Random, without: frozenset[str]) -> None:
    """Add what phones of earlier releases do: they are switched on, meet any phones, report, and lose their network."""
    start = int(first_clock_error(steps) != 0)
    steps.insert(start, Step(EARLIER_PHONES))
    drawn = []
    for _ in range(EARLIER_MEETINGS):
        earlier = rng.randrange(PHONES, ALL_PHONES)
        pair = [earlier, rng.choice([number for number in range(ALL_PHONES) if number != earlier])]
        rng.shuffle(pair)
        drawn.append(Step("meet", tuple(pair)))
    drawn += [Step("report", (rng.randrange(ALL_PHONES),)) for _ in range(EARLIER_REPORTS)]
    drawn.append(Step("offline for days", (rng.randrange(PHONES, ALL_PHONES), rng.choice(DAYS_OFFLINE))))
    for step in drawn:
        place = rng.randint(start + 1, len(steps))
        if step.name not in without:
            steps.insert(place, step)


def first_clock_error(steps: Sequence[Step]) -> float:
    """How far the clock is off at the first start, in seconds."""
    return float(steps[0].values[0]) if steps and steps[0].name == FIRST_CLOCK else 0.0


def take(city: City, step: Step) -> None:
    """Let it happen. Raises Violation."""
    if step.name == FIRST_CLOCK:
        # It has happened: the city was made with this clock.
        city.is_quiet = False
        return
    city.is_quiet = city.is_quiet and step.name in QUIET
    STEPS[step.name][0](city, *step.values)
