# SPDX-License-Identifier: Apache-2.0
"""The double's advertising sets: the system owns their addresses and ends them after their duration. Not Android."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.radio.androiddouble.classes import AdvertisingSet, AdvertisingSetCallback, BluetoothAdapter, Manifest
from tests.radio.androiddouble.java import IllegalArgumentException, IllegalStateException, SecurityException, is_java

from bluezone.radio.air.station import ADV_IND, ADV_NONCONN_IND, Advertisement

if TYPE_CHECKING:
    from tests.radio.androiddouble.phone import AndroidPhone

LEGACY_BYTES = 31
UNIT_SECONDS, DURATION_UNIT_SECONDS = 0.000625, 0.01
SHORTEST_ADDRESS_SECONDS, LONGEST_ADDRESS_SECONDS = 7 * 60, 15 * 60
ADVERTISING_TIMEOUT = 0x3C  # the HCI error of a set whose duration is over


@dataclass
class _Set:
    handle: int
    callback: Any
    kind: int
    data: bytes
    interval_seconds: float
    public: AdvertisingSet = field(default_factory=AdvertisingSet)
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class Advertising:
    """Sets of one phone.

    slots: how many sets the chip has, other apps' included. statuses: what the next starts answer instead of 0.
    silent: True for a stack that answers nothing. start_seconds: how long a start takes.
    """

    def __init__(self, phone: "AndroidPhone") -> None:
        self._phone = phone
        self.slots = 5
        self.statuses: list[int] = []
        self.silent = False
        self.start_seconds = 0.02
        self.starts = 0
        self.on_air: list[_Set] = []
        self._sets: dict[Any, _Set | None] = {}
        self._handles = itertools.count()

    def start(self, parameters: Any, data: Any, duration: int, callback: Any) -> None:
        """BluetoothLeAdvertiser.startAdvertisingSet."""
        self._check()
        kept = parameters.kept
        laid_out = data.on_air(kept["connectable"])
        if not is_java(callback) or callback in self._sets:
            raise IllegalArgumentException("callback instance already associated with advertising, or none")
        if not kept["legacy"] or kept["connectable"] != kept["scannable"]:
            raise IllegalArgumentException("the double knows legacy sets, connectable and scannable or neither")
        if len(laid_out) > LEGACY_BYTES:
            raise IllegalArgumentException("Legacy advertising data too big")
        if not 0 <= duration <= 0xFFFF:
            raise IllegalArgumentException(f"duration out of range: {duration}")
        self.starts += 1
        self._sets[callback] = None
        kind = ADV_IND if kept["connectable"] else ADV_NONCONN_IND
        made = _Set(next(self._handles), callback, kind, laid_out, kept["interval"] * UNIT_SECONDS)
        made.public.on_data = lambda data: self._change(made, data.on_air(kept["connectable"]))
        asyncio.get_running_loop().call_later(self.start_seconds, self._begin, self._phone.process, made, duration)

    def stop(self, callback: Any) -> None:
        """BluetoothLeAdvertiser.stopAdvertisingSet; before the start was answered the wish is forgotten."""
        self._check()
        made = self._sets.pop(callback, None)
        if made is not None:
            self._end(made)
            if not self.silent:
                self._phone.answer(callback, "onAdvertisingSetStopped", made.public)

    def _change(self, made: _Set, laid_out: bytes) -> None:
        """AdvertisingSet.setAdvertisingData: the address stays; a set that has ended answers with an error."""
        self._check()
        if len(laid_out) > LEGACY_BYTES:
            raise IllegalArgumentException("Legacy advertising data too big")
        on_air = made in self.on_air
        if on_air:
            made.data = laid_out
            self._phone.station.change_advertising(laid_out, made.handle)
        internal = AdvertisingSetCallback.ADVERTISE_FAILED_INTERNAL_ERROR
        if not self.silent:
            self._phone.answer(made.callback, "onAdvertisingDataSet", made.public, 0 if on_air else internal)

    def drop_all(self) -> None:
        """Bluetooth went off, or the process died."""
        for made in list(self.on_air):
            self._end(made)
        self._sets.clear()

    def _check(self) -> None:
        phone = self._phone
        if phone.state != BluetoothAdapter.STATE_ON:
            raise IllegalStateException("BT Adapter is not turned ON")
        if phone.sdk >= 31 and Manifest.permission.BLUETOOTH_ADVERTISE not in phone.granted:
            raise SecurityException("Need android.permission.BLUETOOTH_ADVERTISE permission")

    def _begin(self, process: int, made: _Set, duration: int) -> None:
        phone = self._phone
        if process != phone.process or phone.state != BluetoothAdapter.STATE_ON or self.silent:
            return
        status = self.statuses.pop(0) if self.statuses else AdvertisingSetCallback.ADVERTISE_SUCCESS
        if not status and len(self.on_air) >= self.slots:
            status = AdvertisingSetCallback.ADVERTISE_FAILED_TOO_MANY_ADVERTISERS
        if status:
            self._sets.pop(made.callback, None)
            phone.answer(made.callback, "onAdvertisingSetStarted", None, 0, status)
            return
        if made.callback in self._sets:
            self._sets[made.callback] = made
        self.on_air.append(made)
        self._address(made)
        if duration:
            self._later(made, duration * DURATION_UNIT_SECONDS, self._time_out)
        phone.answer(made.callback, "onAdvertisingSetStarted", made.public, -15, 0)

    def _later(self, made: _Set, seconds: float, then: Any) -> None:
        made.timers.append(asyncio.get_running_loop().call_later(seconds, then, made))

    def _address(self, made: _Set) -> None:
        """A resolvable private address: the two highest bits are 01. Renewed by the system while the set lasts."""
        address = (self._phone.rng.getrandbits(46) | 1 << 46).to_bytes(6, "big")
        self._phone.station.start_advertising(
            Advertisement(address, made.data, made.kind), made.interval_seconds, made.handle
        )
        self._later(made, self._phone.rng.uniform(SHORTEST_ADDRESS_SECONDS, LONGEST_ADDRESS_SECONDS), self._address)

    def _time_out(self, made: _Set) -> None:
        self._end(made)
        self._phone.answer(made.callback, "onAdvertisingEnabled", made.public, False, ADVERTISING_TIMEOUT)

    def _end(self, made: _Set) -> None:
        for timer in made.timers:
            timer.cancel()
        if made in self.on_air:
            self.on_air.remove(made)
        self._phone.station.stop_advertising(made.handle)
