# SPDX-License-Identifier: Apache-2.0
"""The double's scans: filters, batches, five starts in 30 s, deaf without location before Android 12. Not Android."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.radio.androiddouble.classes import BluetoothAdapter, Manifest, ScanCallback
from tests.radio.androiddouble.java import IllegalStateException, SecurityException, is_java
from tests.radio.androiddouble.values import BluetoothDevice, ScanRecord, ScanResult, ScanSettings, results

from bluezone.radio.air.station import Advertisement

if TYPE_CHECKING:
    from tests.radio.androiddouble.phone import AndroidPhone

EXCESSIVE_SECONDS, STARTS = 30.0, 5
TOLD_FROM = 30  # API level from which a start too many is answered; before, it is only logged


@dataclass
class _Scan:
    filters: list[Any]
    settings: dict[str, Any]
    gathered: list[ScanResult] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None


class Scanning:
    """Scans of one phone. failures: what the next starts answer. starts: moments of every start, refused ones too."""

    def __init__(self, phone: "AndroidPhone") -> None:
        self._phone = phone
        self.failures: list[int] = []
        self.starts: list[float] = []
        self.refused = 0
        self._recent: deque[float] = deque(maxlen=STARTS)
        self.running: dict[Any, _Scan] = {}
        phone.station.on_heard = self._heard

    def start(self, filters: Any, settings: Any, callback: Any) -> None:
        """BluetoothLeScanner.startScan."""
        self._check()
        assert is_java(callback)
        now = asyncio.get_running_loop().time()
        self.starts.append(now)
        if len(self._recent) == STARTS and now - self._recent[0] < EXCESSIVE_SECONDS:
            self.refused += 1
            if self._phone.sdk >= TOLD_FROM:
                self._fail(callback, ScanCallback.SCAN_FAILED_SCANNING_TOO_FREQUENTLY)
            return
        self._recent.append(now)
        if self.failures:
            self._fail(callback, self.failures.pop(0))
            return
        if callback in self.running:
            self._fail(callback, ScanCallback.SCAN_FAILED_ALREADY_STARTED)
            return
        wanted = [filters.get(index) for index in range(filters.size())]
        self.running[callback] = scan = _Scan(wanted, settings.kept)
        self._gather(callback, scan)
        assert settings.kept["mode"] == ScanSettings.SCAN_MODE_LOW_LATENCY
        seconds = 0.1 if self._phone.sdk >= 31 else 4.096
        self._phone.station.start_scanning(seconds, seconds)

    def stop(self, callback: Any) -> None:
        """BluetoothLeScanner.stopScan."""
        self._check()
        self._end(callback)

    def flush(self, callback: Any) -> None:
        """BluetoothLeScanner.flushPendingScanResults."""
        self._check()
        scan = self.running[callback]
        gathered, scan.gathered = scan.gathered, []
        self._phone.answer(callback, "onBatchScanResults", results(gathered))

    def fail(self, code: int) -> None:
        """A scan that ran ends with a code."""
        for callback in list(self.running):
            self._end(callback)
            self._fail(callback, code)

    def drop_all(self) -> None:
        """Bluetooth went off, or the process died."""
        for callback in list(self.running):
            self._end(callback)

    def _end(self, callback: Any) -> None:
        scan = self.running.pop(callback, None)
        if scan is not None and scan.timer is not None:
            scan.timer.cancel()
        if not self.running:
            self._phone.station.stop_scanning()

    def _fail(self, callback: Any, code: int) -> None:
        self._phone.answer(callback, "onScanFailed", code)

    def _check(self) -> None:
        phone = self._phone
        if phone.state != BluetoothAdapter.STATE_ON:
            raise IllegalStateException("BT Adapter is not turned ON")
        if phone.sdk >= 31 and Manifest.permission.BLUETOOTH_SCAN not in phone.granted:
            raise SecurityException("Need android.permission.BLUETOOTH_SCAN permission")

    def _may_be_told(self) -> bool:
        phone = self._phone
        if phone.sdk >= 31:
            return Manifest.permission.BLUETOOTH_SCAN in phone.granted
        return phone.location_on and Manifest.permission.ACCESS_FINE_LOCATION in phone.granted

    def _heard(self, packet: Advertisement, rssi_dbm: int) -> None:
        if not self._may_be_told():
            return
        nanoseconds = round(asyncio.get_running_loop().time() * 1e9)
        found = ScanResult(BluetoothDevice(packet.address), ScanRecord(packet.data), rssi_dbm, nanoseconds)
        for callback, scan in self.running.items():
            passes = any(wanted.passes(packet.data) for wanted in scan.filters)
            if not passes and (scan.filters or not self._phone.screen_on):
                continue
            if scan.settings["delay"] and self._phone.batches:
                scan.gathered.append(found)
            else:
                self._phone.at_once(callback, "onScanResult", ScanSettings.CALLBACK_TYPE_ALL_MATCHES, found)

    def _gather(self, callback: Any, scan: _Scan) -> None:
        if not scan.settings["delay"] or not self._phone.batches:
            return
        if scan.gathered:
            self.flush(callback)
        loop = asyncio.get_running_loop()
        scan.timer = loop.call_later(scan.settings["delay"] / 1000, self._gather, callback, scan)
