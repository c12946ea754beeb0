# SPDX-License-Identifier: Apache-2.0
"""The virtual air: carries advertisements between radios that exist only in this process.

It keeps asyncio's time, so it runs in real time or, in a SimulatedTimeLoop, as fast as it can.
"""

import random
from collections import Counter

from bluezone.radio.air.controller import virtual_radio
from bluezone.radio.air.fading import Levels
from bluezone.radio.air.figures import correlation
from bluezone.radio.air.lightradio import LightRadio
from bluezone.radio.air.scenes import Scene
from bluezone.radio.air.station import Advertisement, Link, Station, Train
from bluezone.radio.bumbleradio import BumbleRadio


class VirtualAir:
    """Air between many radios.

    scene:           who is where.
    rng:             source of all chance; the same seed and scene give the same air in simulated time.
    origin_seconds:  what the running loop's clock says at second 0 of the scene.
    count:           events "sent", "heard", "lost" (by the scene's loss), "weak", "shed" (too busy).
    """

    def __init__(self, scene: Scene, rng: random.Random, origin_seconds: float = 0.0) -> None:
        self.scene = scene
        self.rng = rng
        self.origin_seconds = origin_seconds
        self.count: Counter[str] = Counter()
        self.resting: dict[Train, None] = {}
        self._stations: dict[str, Station] = {}
        self._listening: dict[Station, None] = {}
        self._levels: dict[frozenset[str], Levels] = {}

    @property
    def listened_to(self) -> bool:
        """True while at least one radio scans."""
        return bool(self._listening)

    def station(self, name: str) -> Station:
        """Put a radio on the air under a name that nobody has. Raises ValueError if somebody has."""
        if name in self._stations:
            raise ValueError(f"a radio named {name!r} is already on the air")
        for other in self._stations.values():
            other.links = None
        self._stations[name] = Station(self, name)
        return self._stations[name]

    def radio(self, name: str) -> BumbleRadio:
        """A radio over HCI bytes: bumble's host stack on a virtual controller of this air."""
        return virtual_radio(self, name)

    def light_radio(self, name: str) -> LightRadio:
        """A radio without HCI bytes, for large scenes."""
        return LightRadio(self, name)

    def names(self) -> tuple[str, ...]:
        """Names of the radios on the air."""
        return tuple(self._stations)

    def listen(self, station: Station) -> None:
        """Deliver to this station from now on."""
        self._listening[station] = None
        for train in list(self.resting):
            train.wake()

    def ignore(self, station: Station) -> None:
        """Deliver nothing more to this station."""
        self._listening.pop(station, None)

    def remove(self, station: Station) -> None:
        """Forget a station; its name is free again."""
        self.ignore(station)
        self._stations.pop(station.name, None)
        for other in self._stations.values():
            other.links = None

    def carry(self, sender: Station, advertisement: Advertisement, now: float) -> None:
        """Deliver one advertising event to whoever hears it."""
        seconds = now - self.origin_seconds
        loss = self.scene.loss_at(seconds)
        self.count["sent"] += 1
        for link in self._links(sender):
            receiver = link.receiver
            if receiver not in self._listening or (channel := receiver.channel_at(now)) is None:
                continue
            if loss and self.rng.random() < loss:
                self.count["lost"] += 1
                continue
            rssi = link.rssi_dbm(now, seconds, channel)
            if rssi is None:
                self.count["weak"] += 1
                continue
            self.count["heard"] += 1
            receiver.on_heard(advertisement, rssi)

    def inject(self, receiver: str, advertisement: Advertisement, rssi_dbm: int) -> bool:
        """Let a radio hear a packet at a strength no scene gives: an attacker's amplifier or recording.

        Returns whether it was listening. Raises KeyError if there is no such radio.
        """
        station = self._stations[receiver]
        if station not in self._listening:
            return False
        station.on_heard(advertisement, rssi_dbm)
        return True

    def _links(self, sender: Station) -> list[Link]:
        if sender.links is None:
            links = [self._link(sender, other) for other in self._stations.values() if other is not sender]
            sender.links = [link for link in links if not link.never_heard]
        return sender.links

    def _link(self, sender: Station, receiver: Station) -> Link:
        pair = self.scene.between(sender.name, receiver.name)
        key = frozenset((sender.name, receiver.name))
        if key not in self._levels:
            self._levels[key] = Levels(correlation(pair.at(0.0)[2]), self._noise)
        return Link(pair, receiver, self._levels[key], self._noise)

    def _noise(self) -> float:
        return self.rng.gauss(0.0, 1.0)
