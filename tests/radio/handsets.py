# SPDX-License-Identifier: Apache-2.0
"""Builders for radio tests: who listens, and handsets that run on an air for a while."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

from bluezone.radio.beacon import Beacon
from bluezone.radio.interface import PROFILES, Burst, DutyProfile, Radio, Sighting


class Diary:
    """A Listener that keeps everything it is told."""

    def __init__(self) -> None:
        self.bursts: list[Burst] = []
        self.sightings: list[Sighting] = []

    def burst_started(self, burst: Burst) -> None:
        self.bursts.append(burst)

    def heard(self, sighting: Sighting) -> None:
        self.sightings.append(sighting)

    def identifiers(self) -> list[bytes]:
        """Identifiers in the order in which they were first heard."""
        return list(dict.fromkeys(sighting.identifier16 for sighting in self.sightings))


class CountingPayload:
    """Payload that differs at every rotation: handset number, then how often it was asked."""

    def __init__(self, handset: int) -> None:
        self.handset = handset
        self.turns = 0

    def __call__(self) -> bytes:
        self.turns += 1
        return self.handset.to_bytes(2, "big") + self.turns.to_bytes(4, "big") + bytes(10) + b"meta"


class Handset:
    """A beacon, its diary and its payload, started on the running loop."""

    def __init__(self, radio: Radio, number: int, duty: DutyProfile) -> None:
        self.diary = Diary()
        self.payload = CountingPayload(number)
        clock = asyncio.get_running_loop().time
        self.beacon = Beacon(radio, self.payload, self.diary, duty, clock, random.Random(number))
        self.task = asyncio.create_task(self.beacon.run())

    async def stop(self) -> None:
        """Cancel the beacon and wait for its radio to close."""
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


@contextlib.asynccontextmanager
async def running(*radios: Radio, duty: str = "default") -> AsyncIterator[list[Handset]]:
    """Run a handset on each radio, numbered from 1."""
    handsets = [Handset(radio, number, PROFILES[duty]) for number, radio in enumerate(radios, 1)]
    try:
        yield handsets
    finally:
        for handset in handsets:
            await handset.stop()
