# SPDX-License-Identifier: Apache-2.0
"""One radio's place on the virtual air: what it sends, when it listens, whom it reaches."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from bluezone.radio.air.fading import CHANNELS, Drifts, Fading
from bluezone.radio.air.figures import RECEIVER_FLOOR_DBM, Curve, correlation, rssi_curve
from bluezone.radio.air.scenes import Pair

ADVERTISING_DELAY_SECONDS = 0.010  # added at random to each interval, Core Specification Vol 6, Part B, 4.4.2.2.1
MOST_LAG_SECONDS = 0.02  # when further behind its own clock, the air drops packets instead of starving the loop

ADV_IND, ADV_SCAN_IND, ADV_NONCONN_IND = 0x00, 0x02, 0x03  # as the HCI names them


@dataclass(frozen=True, slots=True)
class Advertisement:
    """What an advertiser sends: its address (6 bytes, most significant first), data and kind of PDU."""

    address: bytes
    data: bytes
    kind: int = ADV_NONCONN_IND


class Link(Fading):
    """One direction between two stations that may hear each other."""

    __slots__ = ("_curve", "_pair", "receiver")

    def __init__(
        self, pair: Pair, receiver: "Station", drifts: Drifts, direction: int, noise: Callable[[], float]
    ) -> None:
        _, _, carriage = pair.at(0.0)
        super().__init__(correlation(carriage), drifts, direction, noise)
        self.receiver = receiver
        self._pair = pair
        self._curve = self._curve_at(0.0) if pair.constant else None

    def _curve_at(self, seconds: float) -> Curve:
        return rssi_curve(*self._pair.at(seconds))

    def rssi_dbm(self, now: float, seconds: float, channel: int) -> int | None:
        """Strength of a packet sent now, None if it is too weak to be heard."""
        curve = self._curve
        if curve is None:
            curve = self._curve_at(seconds)
            if curve.strongest_dbm < RECEIVER_FLOOR_DBM:
                return None
        rssi = curve.at(self.score(now, channel))
        return rssi if rssi >= RECEIVER_FLOOR_DBM else None


class Air(Protocol):
    """What radios need of the air (`VirtualAir` is one).

    rng:     source of all chance. count: events by name, here "shed" (too busy).
    resting: trains that wait until somebody listens.
    """

    rng: random.Random
    count: Counter[str]
    resting: "dict[Train, None]"

    @property
    def listened_to(self) -> bool:
        """True while at least one radio scans."""

    def station(self, name: str) -> "Station":
        """Put a radio on the air under a name that nobody has. Raises ValueError if somebody has."""

    def listen(self, station: "Station") -> None:
        """Deliver to this station from now on."""

    def ignore(self, station: "Station") -> None:
        """Deliver nothing more to this station."""

    def remove(self, station: "Station") -> None:
        """Forget a station; its name is free again."""

    def carry(self, sender: "Station", advertisement: Advertisement, now: float) -> None:
        """Deliver one advertising event, sent at `now` of the loop's clock, to whoever hears it."""


class Station:
    """One radio's place on the air: what it sends and when it listens. number: counts the arrivals on this air."""

    __slots__ = (
        "_air", "_scan_interval", "_scan_started", "_scan_window", "_trains", "ears", "links", "listening", "name",
        "number", "on_heard",
    )  # fmt: skip

    def __init__(self, air: Air, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.on_heard: Callable[[Advertisement, int], None] = lambda _advertisement, _rssi: None
        self.listening = False
        self.links: dict[Station, Link] | None = None  # to whom it can be audible; None until first needed
        self.ears: dict[Station, Link] = {}  # those of its links whose receivers listen now
        self._air = air
        self._trains: dict[int, Train] = {}
        self._scan_interval = self._scan_window = self._scan_started = 0.0

    def start_advertising(self, advertisement: Advertisement, interval_seconds: float, handle: int = 0) -> None:
        """Send from now on; a second start with the same handle replaces the first."""
        self.stop_advertising(handle)
        self._trains[handle] = Train(self._air, self, advertisement, interval_seconds)

    def change_advertising(self, data: bytes, handle: int) -> None:
        """Send other data from the next event on, without a new start; nothing happens if it is silent."""
        if train := self._trains.get(handle):
            train.change(data)

    def stop_advertising(self, handle: int = 0) -> None:
        """Stop sending; nothing happens if it was silent."""
        if train := self._trains.pop(handle, None):
            train.stop()

    def start_scanning(self, interval_seconds: float, window_seconds: float) -> None:
        """Listen, moving to the next advertising channel with each scan interval."""
        self._scan_interval, self._scan_window = interval_seconds, window_seconds
        self._scan_started = asyncio.get_running_loop().time()
        self._air.listen(self)

    def stop_scanning(self) -> None:
        """Stop listening; nothing happens if it did not."""
        self._air.ignore(self)

    def channel_at(self, now: float) -> int | None:
        """Advertising channel 0..2 it listens on, None in the pause between two windows."""
        intervals, rest = divmod(now - self._scan_started, self._scan_interval)
        return int(intervals) % CHANNELS if rest < self._scan_window else None

    def leave(self) -> None:
        """Take the radio off the air."""
        for handle in list(self._trains):
            self.stop_advertising(handle)
        self._air.remove(self)


class Train:
    """Advertising events of one advertiser; it rests while no radio listens."""

    __slots__ = ("_advertisement", "_air", "_interval", "_station", "_timer")

    def __init__(self, air: Air, station: Station, advertisement: Advertisement, interval: float) -> None:
        self._air = air
        self._station = station
        self._advertisement = advertisement
        self._interval = interval
        self._timer: asyncio.TimerHandle | None = None
        air.resting[self] = None
        if air.listened_to:
            self.wake()

    def wake(self) -> None:
        """Start again at a random phase of the interval."""
        self._air.resting.pop(self, None)
        self._schedule(asyncio.get_running_loop().time() + self._air.rng.uniform(0, self._interval))

    def change(self, data: bytes) -> None:
        """Send other data from now on."""
        self._advertisement = replace(self._advertisement, data=data)

    def stop(self) -> None:
        """Send nothing more."""
        self._air.resting.pop(self, None)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self, due: float) -> None:
        self._timer = asyncio.get_running_loop().call_at(due, self._fire, due)

    def _fire(self, due: float) -> None:
        if not self._air.listened_to:
            self._timer = None
            self._air.resting[self] = None
            return
        now = asyncio.get_running_loop().time()
        if now - due > MOST_LAG_SECONDS:
            self._air.count["shed"] += 1
        else:
            self._air.carry(self._station, self._advertisement, now)
        self._schedule(max(due, now) + self._interval + self._air.rng.uniform(0, ADVERTISING_DELAY_SECONDS))
