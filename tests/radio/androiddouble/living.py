# SPDX-License-Identifier: Apache-2.0
"""A beacon that lives in a process of the double, an ordinary neighbour beside it, and what a witness saw of them."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.radio.androiddouble.phone import AndroidPhone
from tests.radio.handsets import CountingPayload, Diary, Handset

from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.station import Station
from bluezone.radio.beacon import Beacon
from bluezone.radio.frames import parse_contact
from bluezone.radio.interface import PROFILES

PHONE, NEIGHBOUR = 1, 2


@dataclass
class Life:
    """phone: the double. sent: (seconds, address, payload) of each contact frame of the phone's that was on the air."""

    phone: AndroidPhone
    neighbour: Handset
    witness: Station
    diary: Diary = field(default_factory=Diary)
    payload: CountingPayload = field(default_factory=lambda: CountingPayload(PHONE))
    sent: list[tuple[float, bytes, bytes]] = field(default_factory=list)
    beacon: Beacon | None = None

    def start(self, duty: str = "default") -> None:
        """A new process of the app, with a new radio and a new beacon; diary and payload outlive it."""
        from bluezone.radio.android import AndroidRadio

        clock = asyncio.get_running_loop().time
        radio = AndroidRadio(self.phone.start_process())
        self.beacon = Beacon(radio, self.payload, self.diary, PROFILES[duty], clock, random.Random(9))
        self.phone.running.run(self.beacon.run())

    def watch(self, every_seconds: float = 0.1) -> None:
        """Let the witness listen for 0.1 s of every so many seconds; long stories need not see each packet."""
        self.witness.start_scanning(every_seconds, 0.1)

    def note(self, address: bytes, data: bytes) -> None:
        """What the witness heard."""
        contact = parse_contact(data)
        if contact is not None and int.from_bytes(contact[:2], "big") == PHONE:
            self.sent.append((asyncio.get_running_loop().time(), address, contact))

    def turns(self) -> list[bytes]:
        """Payloads in the order in which they came on the air."""
        return list(dict.fromkeys(contact for _, _, contact in self.sent))

    def heard_by_phone(self, since: float = 0.0) -> int:
        """How many frames of the neighbour the phone has noted since a moment."""
        return sum(sighting.boot_seconds >= since for sighting in self.diary.sightings)

    def check(self) -> None:
        """What must hold whatever happened: see the sentences."""
        blocks = [contact for contact, _ in itertools.groupby(contact for _, _, contact in self.sent)]
        assert len(blocks) == len(set(blocks)), "a payload that was followed by another came back"
        carried: dict[bytes, set[bytes]] = {}
        spans: dict[bytes, list[float]] = {}
        for moment, address, contact in self.sent:
            carried.setdefault(address, set()).add(contact)
            spans.setdefault(contact, []).append(moment)
        assert all(len(contacts) == 1 for contacts in carried.values()), "an address was used for two payloads"
        assert all(address[0] >> 6 == 1 for address in carried), "the system's addresses are resolvable private"
        lives = [max(moments) - min(moments) for moments in spans.values()]
        assert max(lives, default=0.0) <= 656.0, "a payload outlived the limit given to the system"
        assert self.phone.crashes == [], "a callback raised on the main thread: on a phone the app ends"
        assert self.phone.scanning.refused == 0, "a scan was started too often"


@asynccontextmanager
async def a_life(duty: str = "default", **how) -> AsyncIterator[Life]:
    """A running phone, half a metre from an ordinary handset."""
    air = VirtualAir(Scene(default=Pair(0.5)), random.Random(1))
    phone = AndroidPhone(air, "phone", **how)
    life = Life(phone, Handset(air.light_radio("neighbour"), NEIGHBOUR, PROFILES["default"]), air.station("witness"))
    life.witness.on_heard = lambda heard, _rssi: life.note(heard.address, heard.data)
    life.watch()
    life.start(duty)
    try:
        yield life
    finally:
        running = life.phone.running
        if running is not None and running.main is not None:
            running.main.cancel()
            await asyncio.gather(running.main, return_exceptions=True)
        await life.neighbour.stop()
