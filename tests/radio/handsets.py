# SPDX-License-Identifier: Apache-2.0
"""Builders for radio tests: who listens, and handsets that run on an air for a while."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Sequence

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
        return self.current

    @property
    def current(self) -> bytes:
        """What it gave last."""
        return self.handset.to_bytes(2, "big") + self.turns.to_bytes(2, "big") + bytes(12) + b"meta"


class Teller:
    """A Reciprocity that notes whom it tells in which burst, and what it hears; its frames name its payload."""

    def __init__(self, payload: CountingPayload) -> None:
        self.told: list[tuple[int, list[bytes]]] = []
        self.frames: list[bytes] = []
        self.wanted = True
        self._payload = payload

    def reciprocity_frame(self, burst: int, heard: Sequence[tuple[bytes, int]]) -> bytes | None:
        self.told.append((burst, [identifier for identifier, _ in heard]))
        if not self.wanted:
            return None
        return b"\x03" + self._payload.current[:4] + len(self.told).to_bytes(2, "big") + bytes(16)

    def heard_reciprocity(self, frame: bytes) -> None:
        self.frames.append(frame)


class Handset:
    """A beacon, its diary, its payload and, if it tells its neighbours, its teller; started on the running loop."""

    def __init__(self, radio: Radio, number: int, duty: DutyProfile, *, tells: bool = False) -> None:
        self.diary = Diary()
        self.payload = CountingPayload(number)
        self.teller = Teller(self.payload)
        clock = asyncio.get_running_loop().time
        self.beacon = Beacon(
            radio,
            self.payload,
            self.diary,
            duty,
            clock,
            random.Random(number),
            reciprocity=self.teller if tells else None,
        )
        self.task = asyncio.create_task(self.beacon.run())

    async def stop(self) -> None:
        """Cancel the beacon and wait for its radio to close."""
        self.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.task


@contextlib.asynccontextmanager
async def running(*radios: Radio, duty: str = "default", tell: bool = False) -> AsyncIterator[list[Handset]]:
    """Run a handset on each radio, numbered from 1. tell: whether they tell each other how they heard them."""
    handsets = [Handset(radio, number, PROFILES[duty], tells=tell) for number, radio in enumerate(radios, 1)]
    try:
        yield handsets
    finally:
        for handset in handsets:
            await handset.stop()
