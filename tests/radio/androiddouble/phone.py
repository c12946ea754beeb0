# SPDX-License-Identifier: Apache-2.0
"""The double's system of one phone: Bluetooth on and off, permissions, main thread, processes, sleep. Not Android."""

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.radio.androiddouble.advertising import Advertising
from tests.radio.androiddouble.classes import BluetoothAdapter, Build, Context, Manifest
from tests.radio.androiddouble.process import Process
from tests.radio.androiddouble.scanning import Scanning
from tests.radio.androiddouble.values import Intent

from bluezone.radio.air import VirtualAir

ALL_PERMISSIONS = frozenset(value for name, value in vars(Manifest.permission).items() if name.isupper())
NEARBY = frozenset({Manifest.permission.BLUETOOTH_SCAN, Manifest.permission.BLUETOOTH_ADVERTISE})


class AndroidPhone:
    """A phone on a virtual air.

    sdk: API level. model: Build.MODEL, of "samsung". Faults are set on the attributes of `advertising` and `scanning`.
    crashes: what callbacks raised on the main thread; on a phone each ends the app.
    """

    def __init__(self, air: VirtualAir, name: str, *, sdk: int = 34, model: str = "SM-G970F", seed: int = 1) -> None:
        Build.MANUFACTURER, Build.MODEL, Build.VERSION.SDK_INT = "Samsung", model, sdk
        self.sdk, self.rng = sdk, random.Random(f"{name}/{seed}")
        self.air, self.name = air, name
        self.station = air.station(name)
        self.granted: set[str] = set(ALL_PERMISSIONS)
        self.location_on = self.has_bluetooth = self.has_advertiser = self.advertises = True
        self.batches = False
        self.screen_on = True
        self.state = BluetoothAdapter.STATE_ON
        self.boots = 7
        self.process = 0
        self.running: Process | None = None
        self.receivers: list[Any] = []
        self.crashes: list[BaseException] = []
        self.advertising, self.scanning = Advertising(self), Scanning(self)
        self._main_looper = ThreadPoolExecutor(1, thread_name_prefix="main-looper")
        self._held: list[tuple[Any, ...]] = []
        self._asleep = False

    def start_process(self) -> Context:
        """A new process of the app: its context."""
        self.process += 1
        self.running = Process()
        return Context(self, self.process)

    def kill(self) -> None:
        """The system ends the process without a word; what it had asked for ends with it."""
        assert self.running is not None
        self.running.die()
        self.process += 1
        self._drop_all()
        self.receivers.clear()
        self._held.clear()
        self._asleep = False

    def sleep(self) -> None:
        """Doze: the processor stops, the Bluetooth chip goes on with what it was told."""
        assert self.running is not None
        self._asleep = True
        self.running.suspend()

    def wake(self) -> None:
        """The processor runs again; what came for the process meanwhile is delivered now."""
        assert self.running is not None
        self._asleep = False
        held, self._held = self._held, []
        for call in held:
            self._dispatch(*call)
        self.running.resume()

    def revoke(self, *permissions: str) -> None:
        """The owner takes permissions back; Settings also kills the process, see `kill`."""
        self.granted -= set(permissions or ALL_PERMISSIONS)

    def switch_off(self) -> None:
        """Bluetooth off: sets and scans vanish without a callback, receivers are told."""
        self._become(BluetoothAdapter.STATE_TURNING_OFF)
        self._drop_all()
        self._become(BluetoothAdapter.STATE_OFF)

    def switch_on(self) -> None:
        """Bluetooth on again."""
        self._become(BluetoothAdapter.STATE_TURNING_ON)
        self._become(BluetoothAdapter.STATE_ON)

    def answer(self, callback: Any, method: str, *values: Any, delay: float = 0.005) -> None:
        """Call back on the main thread, a little later; a process that has died meanwhile hears nothing."""
        asyncio.get_running_loop().call_later(delay, self._deliver, self.process, callback, method, values)

    def at_once(self, callback: Any, method: str, *values: Any) -> None:
        """Call back on the main thread as soon as it is free."""
        self._deliver(self.process, callback, method, values)

    def _deliver(self, process: int, *call: Any) -> None:
        if process != self.process:
            return
        if self._asleep:
            self._held.append(call)
        else:
            self._dispatch(*call)

    def _dispatch(self, callback: Any, method: str, values: tuple[Any, ...]) -> None:
        asyncio.get_running_loop().run_in_executor(self._main_looper, self._on_main_thread, callback, method, values)

    def _on_main_thread(self, callback: Any, method: str, values: tuple[Any, ...]) -> None:
        try:
            getattr(callback, method)(*values)
        except BaseException as crash:
            self.crashes.append(crash)

    def _become(self, state: int) -> None:
        self.state = state
        for receiver in self.receivers:
            self.at_once(receiver, "onReceive", None, Intent({BluetoothAdapter.EXTRA_STATE: state}))

    def _drop_all(self) -> None:
        self.advertising.drop_all()
        self.scanning.drop_all()
