# SPDX-License-Identifier: Apache-2.0
"""Everything of the Android radio that is Java. Only an Android app can import this module.

The three classes at the top are static proxies: Android's callbacks are abstract classes, which only Java can extend,
and that Java is made from this file when the app is built (tools/apk/proxies.py). The tool reads the file without
running it, so imports are plain and unconditional and the classes stand at the top level. Their methods run on
Android's main thread and must never raise. Java holds them weakly: whoever asks for a callback keeps the listener.
"""

from __future__ import annotations  # a Java class cannot be subscripted when Python runs

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from android import Manifest
from android.bluetooth import BluetoothAdapter, BluetoothManager
from android.bluetooth.le import (
    AdvertiseData,
    AdvertisingSet,
    AdvertisingSetCallback,
    AdvertisingSetParameters,
    BluetoothLeAdvertiser,
    BluetoothLeScanner,
    PeriodicAdvertisingParameters,
    ScanCallback,
    ScanFilter,
    ScanResult,
    ScanSettings,
)
from android.content import BroadcastReceiver, Context, Intent, IntentFilter
from android.content.pm import PackageManager
from android.os import Build, ParcelUuid, SystemClock
from android.provider import Settings
from java import Override, jarray, jboolean, jbyte, jclass, jint, jvoid, static_proxy
from java.lang import IllegalStateException, SecurityException, Throwable
from java.util import ArrayList, List

from bluezone.radio.android.advertisement import LONGEST_ADVERTISING_SECONDS
from bluezone.radio.android.refusals import (
    AdvertisingUnsupported,
    BluetoothAbsent,
    BluetoothOff,
    BluetoothPermissionMissing,
    LocationOff,
    LocationPermissionMissing,
)
from bluezone.radio.interface import RadioFailed

ANDROID_12 = 31
BASE_UUID = "0000{:04x}-0000-1000-8000-00805f9b34fb"
ADVERTISING_UNIT_MS = 0.625
DURATION_UNIT_SECONDS = 0.01

Heard = tuple[bytes, bytes, int, int]
"""Address (6 bytes, most significant first), scan record, RSSI in dBm, time on the boot clock in nanoseconds."""


def _heard(result: ScanResult) -> Heard | None:
    record = result.getScanRecord()
    if record is None:
        return None
    address = bytes.fromhex(result.getDevice().getAddress().replace(":", ""))
    return address, bytes(record.getBytes()), result.getRssi(), result.getTimestampNanos()


class ScanListener(static_proxy(ScanCallback)):  # type: ignore[misc]  # the stubs type static_proxy as a function
    """Reports what was heard, and with which code a scan failed."""

    def __init__(self, heard: Callable[[list[Heard]], None], failed: Callable[[int], None]) -> None:
        super().__init__()
        self.heard, self.on_failure = heard, failed

    @Override(jvoid, [jint, ScanResult])
    def onScanResult(self, callbackType: int, result: ScanResult) -> None:
        """Android's."""
        self.heard([one for one in [_heard(result)] if one is not None])

    @Override(jvoid, [List])
    def onBatchScanResults(self, results: List[ScanResult]) -> None:
        """Android's."""
        batch = [_heard(results.get(index)) for index in range(results.size())]
        self.heard([one for one in batch if one is not None])

    @Override(jvoid, [jint])
    def onScanFailed(self, errorCode: int) -> None:
        """Android's."""
        self.on_failure(errorCode)


class AdvertisingListener(static_proxy(AdvertisingSetCallback)):  # type: ignore[misc]
    """Reports on one advertising set: started with a status, changed with one, enabled or disabled, stopped."""

    def __init__(
        self,
        started: Callable[[int], None],
        changed: Callable[[int], None],
        enabled: Callable[[bool], None],
        stopped: Callable[[], None],
    ) -> None:
        super().__init__()
        self.started, self.changed, self.enabled, self.stopped = started, changed, enabled, stopped
        self.advertising_set: AdvertisingSet | None = None

    @Override(jvoid, [AdvertisingSet, jint, jint])
    def onAdvertisingSetStarted(self, advertisingSet: AdvertisingSet | None, txPower: int, status: int) -> None:
        """Android's."""
        self.advertising_set = advertisingSet
        self.started(status)

    @Override(jvoid, [AdvertisingSet, jint])
    def onAdvertisingDataSet(self, advertisingSet: AdvertisingSet, status: int) -> None:
        """Android's."""
        self.changed(status)

    @Override(jvoid, [AdvertisingSet, jboolean, jint])
    def onAdvertisingEnabled(self, advertisingSet: AdvertisingSet, enable: bool, status: int) -> None:
        """Android's."""
        self.enabled(enable)

    @Override(jvoid, [AdvertisingSet])
    def onAdvertisingSetStopped(self, advertisingSet: AdvertisingSet) -> None:
        """Android's."""
        self.stopped()


class AdapterListener(static_proxy(BroadcastReceiver)):  # type: ignore[misc]
    """Reports when Bluetooth is switched off."""

    def __init__(self, went_off: Callable[[], None]) -> None:
        super().__init__()
        self.went_off = went_off

    @Override(jvoid, [Context, Intent])
    def onReceive(self, context: Context, intent: Intent) -> None:
        """Android's."""
        state = intent.getIntExtra(BluetoothAdapter.EXTRA_STATE, BluetoothAdapter.ERROR)
        if state in (BluetoothAdapter.STATE_TURNING_OFF, BluetoothAdapter.STATE_OFF):
            self.went_off()


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Turn exceptions of Java into refusals."""
    try:
        yield
    except SecurityException as error:
        raise BluetoothPermissionMissing(f"not allowed to {what}: {error}") from error
    except IllegalStateException as error:  # "BT Adapter is not turned ON"
        raise BluetoothOff(f"Bluetooth is off, cannot {what}: {error}") from error
    except Throwable as error:
        raise RadioFailed(f"Android refused to {what}: {error}") from error


def _data(uuid: int, service_data: bytes) -> AdvertiseData:
    service = ParcelUuid.fromString(BASE_UUID.format(uuid))
    data = AdvertiseData.Builder().setIncludeDeviceName(False).setIncludeTxPowerLevel(False)
    return data.addServiceUuid(service).addServiceData(service, jarray(jbyte)(service_data)).build()


def application_context() -> Context:
    """The context of the app. It is Any, because the stubs do not know the app's own Java classes."""
    engine: Any = jclass("bluezone.phone.Engine")
    return cast(Context, engine.context())


class Phone:
    """The Bluetooth of one Android phone. No method waits; all but the simple queries raise RadioFailed."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def model(self) -> str:
        """Maker and model, under which calibration.py knows it: "samsung SM-G970F"."""
        return f"{Build.MANUFACTURER.lower()} {Build.MODEL}"

    def boot_nanoseconds(self) -> int:
        """Nanoseconds since the phone started, sleep included."""
        return SystemClock.elapsedRealtimeNanos()

    def boot_count(self) -> int:
        """How often the phone has started."""
        return Settings.Global.getInt(self._context.getContentResolver(), Settings.Global.BOOT_COUNT, 0)

    def check(self) -> None:
        """Raise the refusal for whatever prevents hearing: no Bluetooth, no permission, switched off."""
        self._check_permissions()
        self._adapter()

    def _check_permissions(self) -> None:
        if Build.VERSION.SDK_INT >= ANDROID_12:
            if missing := self._missing(Manifest.permission.BLUETOOTH_SCAN, Manifest.permission.BLUETOOTH_ADVERTISE):
                raise BluetoothPermissionMissing(f"not allowed: {missing}")
            return
        if missing := self._missing(Manifest.permission.ACCESS_FINE_LOCATION):
            raise LocationPermissionMissing(f"not allowed, and Android before 12 wants it for Bluetooth: {missing}")
        mode = Settings.Secure.getInt(
            self._context.getContentResolver(), Settings.Secure.LOCATION_MODE, Settings.Secure.LOCATION_MODE_OFF
        )
        if mode == Settings.Secure.LOCATION_MODE_OFF:
            raise LocationOff("the location switch is off, and Android before 12 wants it on for Bluetooth")

    def _missing(self, *permissions: str) -> str:
        granted = PackageManager.PERMISSION_GRANTED
        return ", ".join(name for name in permissions if self._context.checkSelfPermission(name) != granted)

    def _adapter(self) -> BluetoothAdapter:
        service = cast("BluetoothManager | None", self._context.getSystemService(Context.BLUETOOTH_SERVICE))
        adapter = None if service is None else cast("BluetoothAdapter | None", service.getAdapter())
        if adapter is None:
            raise BluetoothAbsent("this phone has no Bluetooth")
        if adapter.getState() != BluetoothAdapter.STATE_ON:
            raise BluetoothOff("Bluetooth is switched off")
        return adapter

    def _scanner(self) -> BluetoothLeScanner:
        self._check_permissions()  # Android before 12 stops reporting without an error
        scanner = self._adapter().getBluetoothLeScanner()
        if scanner is None:
            raise BluetoothOff("Bluetooth is going off")
        return scanner

    def _advertiser(self) -> BluetoothLeAdvertiser:
        adapter = self._adapter()
        # Without the chip's support for several advertisers the system keeps one address for all, rotation or not.
        if not adapter.isMultipleAdvertisementSupported():
            raise AdvertisingUnsupported("this phone cannot advertise under an address of our own")
        advertiser = adapter.getBluetoothLeAdvertiser()
        if advertiser is None:
            raise AdvertisingUnsupported("this phone cannot advertise")
        return advertiser

    def start_advertising(
        self,
        uuid: int,
        service_data: bytes,
        interval_ms: int,
        started: Callable[[int], None],
        changed: Callable[[int], None],
        enabled: Callable[[bool], None],
        stopped: Callable[[], None],
    ) -> AdvertisingListener:
        """Ask for a new advertising set, which has a new address; `started` is called with a status, 0 for success."""
        listener = AdvertisingListener(started, changed, enabled, stopped)
        with _asking("advertise"):
            parameters = AdvertisingSetParameters.Builder()
            parameters.setLegacyMode(True).setConnectable(False).setScannable(False)
            # Google's public calibration, of which calibrations.toml has some, was measured at this power.
            parameters.setTxPowerLevel(AdvertisingSetParameters.TX_POWER_LOW)
            parameters.setInterval(round(interval_ms / ADVERTISING_UNIT_MS))
            # The stubs do not know that Java takes null here for what is not wanted.
            nothing, never = cast(AdvertiseData, None), cast(PeriodicAdvertisingParameters, None)
            duration = round(LONGEST_ADVERTISING_SECONDS / DURATION_UNIT_SECONDS)
            self._advertiser().startAdvertisingSet(
                parameters.build(), _data(uuid, service_data), nothing, never, nothing, duration, 0, listener
            )
        return listener

    def change_advertising(self, listener: AdvertisingListener, uuid: int, service_data: bytes) -> None:
        """Ask for other data in a set that has started; `listener` is called with a status, 0 for success."""
        with _asking("change what is advertised"):
            if listener.advertising_set is None:
                raise RadioFailed("the advertising set has not started")
            listener.advertising_set.setAdvertisingData(_data(uuid, service_data))

    def stop_advertising(self, listener: AdvertisingListener) -> None:
        """Ask for a set to end; `listener` is called when it does, unless the set had not started yet."""
        with _asking("stop advertising"):
            self._advertiser().stopAdvertisingSet(listener)

    def start_scan(
        self, uuid: int, report_delay_ms: int, heard: Callable[[list[Heard]], None], failed: Callable[[int], None]
    ) -> ScanListener:
        """Scan without a pause for frames with this UUID; a scan without a filter ends when the screen goes dark."""
        listener = ScanListener(heard, failed)
        with _asking("scan"):
            filters: ArrayList[ScanFilter] = ArrayList()
            filters.add(ScanFilter.Builder().setServiceUuid(ParcelUuid.fromString(BASE_UUID.format(uuid))).build())
            settings = ScanSettings.Builder().setScanMode(ScanSettings.SCAN_MODE_LOW_LATENCY).setLegacy(True)
            settings.setCallbackType(ScanSettings.CALLBACK_TYPE_ALL_MATCHES)
            settings.setReportDelay(report_delay_ms)
            self._scanner().startScan(filters, settings.build(), listener)
        return listener

    def can_batch(self) -> bool:
        """Whether the chip gathers results while the processor sleeps."""
        return self._adapter().isOffloadedScanBatchingSupported()

    def flush_scan(self, listener: ScanListener) -> None:
        """Ask for the results gathered so far; `listener` gets them, if there are any."""
        with _asking("read the scan"):
            self._scanner().flushPendingScanResults(listener)

    def stop_scan(self, listener: ScanListener) -> None:
        """End a scan at once."""
        with _asking("stop the scan"):
            self._scanner().stopScan(listener)

    def watch(self, went_off: Callable[[], None]) -> AdapterListener:
        """Call `went_off` whenever Bluetooth goes off, until `unwatch`."""
        listener = AdapterListener(went_off)
        with _asking("watch Bluetooth"):
            self._context.registerReceiver(listener, IntentFilter(BluetoothAdapter.ACTION_STATE_CHANGED))
        return listener

    def unwatch(self, listener: AdapterListener) -> None:
        """Stop calling."""
        with _asking("leave Bluetooth alone"):
            self._context.unregisterReceiver(listener)
