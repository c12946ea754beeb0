# SPDX-License-Identifier: Apache-2.0
"""The demo's two meetings, on virtual air and in simulated time."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bluezone.handset import Handset
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.beacon import Beacon
from bluezone.radio.interface import PROFILES
from bluezone.radio.simulatedtime import run_simulated

MEETING_SECONDS = 25 * 60
EARLIER_SECONDS_AGO = 10 * 86_400
EPISODE_SECONDS_AGO = 40 * 3_600
STARTED_SECONDS_AGO = 11 * 86_400

ONE_METRE = Pair(distance_m=1.0, carriage="hand-hand")
BEHIND_A_WALL = Pair(distance_m=10.0, walls=1, carriage="hand-hand")


@dataclass(frozen=True)
class Episode:
    """Who meets whom: one stretch of 25 minutes."""

    seconds_ago: int
    pairs: dict[tuple[str, str], Pair]

    @property
    def names(self) -> list[str]:
        """Everyone in the episode, each once, in a stable order."""
        return sorted({name for pair in self.pairs for name in pair})


EPISODES = (
    Episode(EARLIER_SECONDS_AGO, {("patient", "earlier"): ONE_METRE}),
    Episode(
        EPISODE_SECONDS_AGO,
        {("patient", "near"): ONE_METRE, ("patient", "far"): BEHIND_A_WALL, ("near", "far"): BEHIND_A_WALL},
    ),
)


class DemoClock:
    """A phone's two clocks: simulated while the episodes run, the machine's own afterwards.

    started_unix:  when the phone was switched on; the simulation begins there and ends at the present.
    """

    def __init__(self, started_unix: float) -> None:
        self.started_unix = started_unix
        self._seconds: Callable[[], float] = lambda: 0.0

    def follow(self, seconds: Callable[[], float]) -> None:
        """Take boot time from this source from now on; it must not be behind the one before."""
        self._seconds = seconds

    def boot_seconds(self) -> float:
        """Seconds since the phone was switched on."""
        return self._seconds()

    def wall_seconds(self) -> float:
        """Unix time as the phone shows it, correct all along."""
        return self.started_unix + self._seconds()


def live_through(handsets: dict[str, Handset], clock: DemoClock, seed: int, say: Callable[[str], None]) -> None:
    """Run both episodes from the day the phones were switched on to the present moment.

    Only the episodes are simulated; the days between are skipped by the clock.
    """
    run_simulated(_live(handsets, clock, seed, say))
    clock.follow(lambda: time.time() - clock.started_unix)


async def _live(handsets: dict[str, Handset], clock: DemoClock, seed: int, say: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    clock.follow(loop.time)
    present = clock.started_unix + STARTED_SECONDS_AGO
    for number, episode in enumerate(EPISODES):
        await _sleep_until(present - episode.seconds_ago - clock.started_unix)
        say(f"{episode.seconds_ago // 3600} hours ago: " + ", ".join(episode.names))
        await _meet(episode, handsets, clock, random.Random(f"{seed}/{number}"))
    await _sleep_until(time.time() - clock.started_unix)


async def _sleep_until(loop_seconds: float) -> None:
    await asyncio.sleep(max(0.0, loop_seconds - asyncio.get_running_loop().time()))


async def _meet(episode: Episode, handsets: dict[str, Handset], clock: DemoClock, rng: random.Random) -> None:
    air = VirtualAir(Scene(episode.pairs), rng, origin_seconds=asyncio.get_running_loop().time())
    tasks = [asyncio.create_task(_beacon(air, name, handsets[name], clock, rng)) for name in episode.names]
    await asyncio.sleep(MEETING_SECONDS)
    for task in tasks:
        task.cancel()
    await _ended(tasks)
    for name in episode.names:
        handsets[name].encounters.flush()


async def _beacon(air: VirtualAir, name: str, handset: Handset, clock: DemoClock, rng: random.Random) -> None:
    """One phone's Bluetooth: no two are switched on in the same instant."""
    chance = random.Random(rng.random())
    radio = air.radio(name)
    await asyncio.sleep(chance.uniform(0.0, 1.0))
    encounters = handset.encounters
    await Beacon(radio, encounters.payload, encounters, PROFILES["default"], clock.boot_seconds, chance).run()


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
