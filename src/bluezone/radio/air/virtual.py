# SPDX-License-Identifier: Apache-2.0
"""The virtual air: carries advertisements between radios that exist only in this process.

It keeps asyncio's time, so it runs in real time or, in a SimulatedTimeLoop, as fast as it can.

What it does grows with who can hear whom: a radio that arrives, leaves or moves makes and drops its own links alone,
and there is no link where nothing can ever be heard.
"""

import itertools
import operator
import random
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np

from bluezone.radio.air.controller import virtual_radio
from bluezone.radio.air.fading import Drifts, start_levels
from bluezone.radio.air.lightradio import LightRadio
from bluezone.radio.air.scenes import Scene
from bluezone.radio.air.station import Advertisement, Link, Station, Train
from bluezone.radio.bumbleradio import BumbleRadio

_BY_ARRIVAL = operator.attrgetter("receiver.number")


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
        self._arrivals = itertools.count()
        self._places = dict(scene.places)
        self._cells: dict[str, dict[Station, None]] = {}  # the stations of each place
        self._listening: dict[Station, None] = {}
        self._drifts: dict[tuple[str, str], Drifts] = {}
        self._noise = itertools.chain.from_iterable(_normal_scores(rng)).__next__

    @property
    def listened_to(self) -> bool:
        """True while at least one radio scans."""
        return bool(self._listening)

    def station(self, name: str) -> Station:
        """Put a radio on the air under a name that nobody has. Raises ValueError if somebody has."""
        if name in self._stations:
            raise ValueError(f"a radio named {name!r} is already on the air")
        station = self._stations[name] = Station(self, name, next(self._arrivals))
        self._join(station)
        return station

    def move(self, name: str, place: str) -> None:
        """Take a radio to a place (see `Scene.places`). Raises KeyError if there is no such radio."""
        station = self._stations[name]
        self._part(station)
        self._places[name] = place
        self._join(station)

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
        station.listening = True
        for other in self._reach(station):
            if other.links is not None:
                other.ears[station] = other.links[station]
        for train in list(self.resting):
            train.wake()

    def ignore(self, station: Station) -> None:
        """Deliver nothing more to this station."""
        if station.listening:
            del self._listening[station]
            station.listening = False
            for other in self._reach(station):
                other.ears.pop(station, None)

    def remove(self, station: Station) -> None:
        """Forget a station; its name is free again."""
        self.ignore(station)
        if self._stations.get(station.name) is station:
            self._part(station)
            del self._stations[station.name]

    def carry(self, sender: Station, advertisement: Advertisement, now: float) -> None:
        """Deliver one advertising event to whoever hears it."""
        seconds = now - self.origin_seconds
        loss = self.scene.loss_at(seconds)
        self.count["sent"] += 1
        if sender.links is None:
            sender.links = {other: self._link(sender, other) for other in self._audible(sender)}
            sender.ears = {other: link for other, link in sender.links.items() if other.listening}
        # Copied, because whoever hears this may leave, or bring somebody; and in one order, whoever listened first.
        for link in sorted(sender.ears.values(), key=_BY_ARRIVAL):
            receiver = link.receiver
            if not receiver.listening or (channel := receiver.channel_at(now)) is None:
                continue
            if loss and self.rng.random() < loss:
                self.count["lost"] += 1
            elif (rssi := link.rssi_dbm(now, seconds, channel)) is None:
                self.count["weak"] += 1
            else:
                self.count["heard"] += 1
                receiver.on_heard(advertisement, rssi)

    def inject(self, receiver: str, advertisement: Advertisement, rssi_dbm: int) -> bool:
        """Let a radio hear a packet at a strength no scene gives: an attacker's amplifier or recording.

        Returns whether it was listening. Raises KeyError if there is no such radio.
        """
        station = self._stations[receiver]
        if not station.listening:
            return False
        station.on_heard(advertisement, rssi_dbm)
        return True

    def _reach(self, station: Station) -> Iterable[Station]:
        """The others it may hear and be heard by."""
        return self._audible(station) if station.links is None else station.links

    def _join(self, station: Station) -> None:
        """Let those who are near send to a station that has come."""
        self._cells.setdefault(self._place(station), {})[station] = None
        for other in self._audible(station):
            if other.links is not None:
                link = other.links[station] = self._link(other, station)
                if station.listening:
                    other.ears[station] = link

    def _part(self, station: Station) -> None:
        """Let those who were near send to a station no more."""
        for other in self._audible(station):
            if other.links is not None:
                other.links.pop(station, None)
                other.ears.pop(station, None)
        station.links = None
        station.ears = {}
        cell = self._cells[self._place(station)]
        del cell[station]
        if not cell:
            del self._cells[self._place(station)]

    def _audible(self, station: Station) -> Iterable[Station]:
        """The others it may hear and be heard by, in the order of their arrival."""
        near = {} if self.scene.default.never_heard else dict(self._cells[self._place(station)])
        for name in self.scene.partners.get(station.name, ()):
            if (partner := self._stations.get(name)) is not None:
                near[partner] = None
        return sorted(
            (
                other
                for other in near
                if other is not station and not self.scene.between(station.name, other.name).never_heard
            ),
            key=lambda other: other.number,
        )

    def _place(self, station: Station) -> str:
        return self._places.get(station.name, "")

    def _link(self, sender: Station, receiver: Station) -> Link:
        pair = self.scene.between(sender.name, receiver.name)
        one, other = sender.name, receiver.name
        direction = int(one > other)
        key = (other, one) if direction else (one, other)
        if key not in self._drifts:
            self._drifts[key] = start_levels(self._noise)
        return Link(pair, receiver, self._drifts[key], direction, self._noise)


def _normal_scores(rng: random.Random) -> Iterator[list[float]]:
    """Standard normal values without an end, many at once: three go into each packet that is heard."""
    # The legacy generator, because its stream of a seed is promised to stay the same.
    drawn = np.random.RandomState(rng.getrandbits(32))
    while True:
        yield drawn.standard_normal(512).tolist()
