# SPDX-License-Identifier: Apache-2.0
"""The virtual air: how surely handsets in a room hear each other, how many packets a core carries, and how that grows
with handsets in a room and with places."""

import asyncio
import contextlib
import math
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluezone.handset import Handset
from bluezone.handset.exposure.exposures import EncounterIndex, build_file_windows
from bluezone.protocol.exports.columns import KeyColumns
from bluezone.protocol.intervals import day_at
from bluezone.protocol.keys import DiagnosisKey, TemporaryExposureKey
from bluezone.protocol.risk.profilefiles import load_profile
from bluezone.protocol.risk.windows import ExposureWindow, ScanInstance
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.figures import rssi_curve
from bluezone.radio.beacon import Beacon
from bluezone.radio.frames import WEAKEST_RSSI_DBM
from bluezone.radio.interface import PROFILES, Burst, Sighting
from bluezone.radio.simulatedtime import run_simulated

HANDSETS = 50
ROOM_M = 5.0
MINUTES = 20
WINDOW_SECONDS = 30.0
MARGIN_DB = 10
WARM_UP_SECONDS = 60.0
NOON = 1_796_731_200  # 2026-12-08 12:00 UTC
IN_A_ROOM = (50, 100, 200)
IN_A_PLACE, PLACES = 10, (20, 200)
GROWTH_SECONDS = 60.0


class Ear:
    """Notes in which 30-second windows after warming up each neighbour was heard, a bit each."""

    def __init__(self) -> None:
        self.windows: dict[int, int] = defaultdict(int)
        self.heard_count = 0

    def burst_started(self, burst: Burst) -> None:
        pass

    def heard(self, sighting: Sighting) -> None:
        self.heard_count += 1
        if sighting.boot_seconds >= WARM_UP_SECONDS:
            window = int((sighting.boot_seconds - WARM_UP_SECONDS) // WINDOW_SECONDS)
            self.windows[int.from_bytes(sighting.identifier16[:2], "big")] |= 1 << window


def room(count: int, loss: float, rng: random.Random) -> tuple[Scene, dict[tuple[int, int], float]]:
    """A scene of `count` handsets at random places of a room, phones in hand; and their distances."""
    places = [(rng.uniform(0, ROOM_M), rng.uniform(0, ROOM_M)) for _ in range(count)]
    distances = {
        (one, other): max(math.dist(places[one], places[other]), 0.2)
        for one in range(count)
        for other in range(one + 1, count)
    }
    pairs = {(str(one), str(other)): Pair(metres) for (one, other), metres in distances.items()}
    return Scene(pairs=pairs, loss=loss), distances


async def live(scene: Scene, numbers: Iterable[int], seconds: float, duty: str, *, over_hci: bool) -> dict[int, Ear]:
    """Run handsets of these numbers on the scene, each started at its own moment; returns what they heard."""
    rng = random.Random(50)
    air = VirtualAir(scene, rng)
    clock = asyncio.get_running_loop().time
    ears = {number: Ear() for number in numbers}

    async def start(number: int) -> None:
        await asyncio.sleep(rng.uniform(0, WINDOW_SECONDS))
        radio = (air.radio if over_hci else air.light_radio)(str(number))
        payload = number.to_bytes(2, "big") + bytes(18)
        await Beacon(radio, lambda: payload, ears[number], PROFILES[duty], clock, random.Random(number)).run()

    tasks = [asyncio.create_task(start(number)) for number in ears]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return ears


def continuity(loss: float, duty: str) -> tuple[float, float, int]:
    """Share of (listener, neighbour, 30-second window) with a sighting, the worst pair's share, and pairs counted.

    Counted are the pairs whose median packet arrives at least 10 dB above what a handset keeps.
    """
    scene, distances = room(HANDSETS, loss, random.Random(5))
    ears = run_simulated(live(scene, range(HANDSETS), WARM_UP_SECONDS + MINUTES * 60, duty, over_hci=False))
    windows = int(MINUTES * 60 // WINDOW_SECONDS)
    shares = []
    for (one, other), metres in distances.items():
        if rssi_curve(metres, 0, "hand-hand").at(0.0) < WEAKEST_RSSI_DBM + MARGIN_DB:
            continue
        for listener, neighbour in ((one, other), (other, one)):
            heard = ears[listener].windows[neighbour] & ((1 << windows) - 1)
            shares.append(heard.bit_count() / windows)
    return sum(shares) / len(shares), min(shares), len(shares)


async def live_phones(scene: Scene, phones: Sequence[Handset], seconds: float, duty: str) -> VirtualAir:
    """Run whole phones on the scene, each started at its own moment, with reciprocity; returns the air they shared."""
    rng = random.Random(51)
    air = VirtualAir(scene, rng)

    async def start(number: int) -> None:
        await asyncio.sleep(rng.uniform(0, WINDOW_SECONDS))
        encounters, clock = phones[number].encounters, phones[number].clock.boot_seconds
        encounters.accept_signed_time(NOON)
        radio, chance = air.light_radio(str(number)), random.Random(number)
        await Beacon(radio, encounters.payload, encounters, PROFILES[duty], clock, chance, reciprocity=encounters).run()

    tasks = [asyncio.create_task(start(number)) for number in range(len(phones))]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return air


@dataclass
class LoopClock:
    """A phone's clocks: both follow the simulation while one runs, and stand at its end afterwards."""

    ended: float = 0.0

    def boot_seconds(self) -> float:
        with contextlib.suppress(RuntimeError):
            self.ended = asyncio.get_running_loop().time()
        return self.ended

    def wall_seconds(self) -> float:
        return NOON + self.boot_seconds()


def both_directions(count: int, minutes: int, loss: float = 0.0, duty: str = "default") -> tuple[float, int]:
    """Share of windows of 10 minutes, one for each pair of phones in a room, that know how both heard each other.

    Every phone is opened as if all others had reported. Returns the share and how many windows were counted.
    """
    scene, _ = room(count, loss, random.Random(5))
    with tempfile.TemporaryDirectory(prefix="bluezone-air-") as folder:
        phones = [
            Handset.open(Path(folder) / str(number), "http://127.0.0.1:9", LoopClock(), random.Random(number))
            for number in range(count)
        ]
        run_simulated(live_phones(scene, phones, WARM_UP_SECONDS + minutes * 60, duty))
        keys = [phone.encounters.keys.key_of_day(day_at(NOON)) for phone in phones]
        whole = both = 0
        for phone in phones:
            for window in _windows(phone, keys):
                for part in _ten_minutes(window.scan_instances):
                    whole += 1
                    both += any(instance.reciprocal_attenuation_db is not None for instance in part)
            phone.close()
    return both / whole, whole


def _windows(phone: Handset, keys: Sequence[TemporaryExposureKey]) -> list[ExposureWindow]:
    columns = KeyColumns.from_keys(DiagnosisKey(key.key, keys[0].start, 144, 1, 0) for key in keys)
    own = phone.encounters.keys
    return build_file_windows(
        EncounterIndex(phone.encounters.log), columns, 1, own.stored_keys(), phone.encounters.receiver, "UTC",
        load_profile("covid-19"), own.identifiers(),
    )  # fmt: skip


def _ten_minutes(instances: Sequence[ScanInstance]) -> Iterator[list[ScanInstance]]:
    """Cut a meeting into parts of ten minutes; what is left at its end is no whole window."""
    part: list[ScanInstance] = []
    seconds = 0.0
    for instance in instances:
        part.append(instance)
        seconds += instance.seconds_since_last_scan
        if seconds >= 600:
            yield part
            part, seconds = [], 0.0


def received_per_second(over_hci: bool, count: int, seconds: float) -> float:
    """Packets that listeners were told of per second of processor time, setting up included."""
    scene, _ = room(count, 0.0, random.Random(5))
    started = time.process_time()
    ears = run_simulated(live(scene, range(count), seconds, "mains", over_hci=over_hci))
    return sum(ear.heard_count for ear in ears.values()) / (time.process_time() - started)


def town(places: int) -> Scene:
    """Places of ten handsets each, phones in hand, 2 m apart."""
    names = range(places * IN_A_PLACE)
    return Scene(default=Pair(2.0), places={str(name): f"place {name // IN_A_PLACE}" for name in names})


def growth(progress: Callable[[str], None]) -> dict[str, Any]:
    """CPU seconds of one simulated minute of rooms and of towns, and how much more the largest costs than the least."""
    rooms = [(count, room(count, 0.0, random.Random(1))[0]) for count in IN_A_ROOM]
    towns = [(places * IN_A_PLACE, town(places)) for places in PLACES]
    told: dict[str, Any] = {}
    for name, scenes in (("room", rooms), ("town", towns)):
        seconds = {}
        for count, scene in scenes:
            started = time.process_time()
            for group in scene.apart(map(str, range(count))):
                run_simulated(live(scene, map(int, group), GROWTH_SECONDS, "default", over_hci=False))
            seconds[count] = round(time.process_time() - started, 2)
            progress(f"{name} of {count}: {seconds[count]} s of CPU")
        told[name] = seconds | {"times": round(seconds[scenes[-1][0]] / seconds[scenes[0][0]], 1)}
    return told


def run(progress: Callable[[str], None]) -> dict[str, Any]:
    """Measure continuity at rising loss, how many windows know both directions, then both paths on the same scene."""
    rows = {}
    for duty, loss in (("default", 0.0), ("default", 0.25), ("default", 0.5), ("saver", 0.5)):
        mean, worst, pairs = continuity(loss, duty)
        rows[f"{duty}, {loss:.0%} loss"] = {
            "percent": round(100 * mean, 3),
            "worst_pair_percent": round(100 * worst, 1),
        }
        progress(f"continuity {duty} {loss:.0%} loss: {mean:.3%}, worst pair {worst:.1%}, {pairs} directed pairs")
    both = {}
    for loss in (0.0, 0.5):
        share, windows = both_directions(HANDSETS, 11, loss)
        both[f"default, {loss:.0%} loss"] = round(100 * share, 1)
        progress(f"both directions known {loss:.0%} loss: {share:.1%} of {windows} windows of ten minutes")
    light = received_per_second(False, 20, 120)
    over_hci = received_per_second(True, 20, 120)
    progress(f"received per core-second: light {light:.0f}, over HCI {over_hci:.0f}")
    return {
        "name": "air",
        "value": round(light),
        "unit": "packets received per core-second, light path; baseline: the same scene over HCI bytes",
        "baseline": round(over_hci),
        "ratio": round(light / over_hci, 1),
        "cpu_seconds_of_a_minute": growth(progress),
        "continuity_30s": rows,
        "continuity_holds": rows["default, 50% loss"]["percent"] >= 99,
        "both_directions_percent": both,
        "both_directions_hold": min(both.values()) >= 80,
    }
