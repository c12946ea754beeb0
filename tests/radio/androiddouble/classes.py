# SPDX-License-Identifier: Apache-2.0
"""Double of the android.* classes that do something; each asks the phone it belongs to (phone.py). Not Android."""

import asyncio
from typing import TYPE_CHECKING, Any

from tests.radio.androiddouble.java import List, Object, jboolean, jint, jvoid
from tests.radio.androiddouble.values import Intent, ScanResult

if TYPE_CHECKING:
    from tests.radio.androiddouble.phone import AndroidPhone


class BluetoothAdapter(Object):
    STATE_OFF, STATE_TURNING_ON, STATE_ON, STATE_TURNING_OFF = 10, 11, 12, 13
    ERROR = -2147483648
    ACTION_STATE_CHANGED = "android.bluetooth.adapter.action.STATE_CHANGED"
    EXTRA_STATE = "android.bluetooth.adapter.extra.STATE"

    def __init__(self, context: "Context") -> None:
        super().__init__()
        self._context = context

    def getState(self) -> int:
        return self._context.phone.state

    def isMultipleAdvertisementSupported(self) -> bool:
        return self._context.phone.advertises

    def isOffloadedScanBatchingSupported(self) -> bool:
        return self._context.phone.batches

    def getBluetoothLeAdvertiser(self) -> "BluetoothLeAdvertiser | None":
        on = self._context.phone.state == self.STATE_ON
        return BluetoothLeAdvertiser(self._context) if on and self._context.phone.has_advertiser else None

    def getBluetoothLeScanner(self) -> "BluetoothLeScanner | None":
        return BluetoothLeScanner(self._context) if self._context.phone.state == self.STATE_ON else None


class BluetoothManager(Object):
    def __init__(self, context: "Context") -> None:
        super().__init__()
        self._context = context

    def getAdapter(self) -> BluetoothAdapter | None:
        return BluetoothAdapter(self._context) if self._context.phone.has_bluetooth else None


class AdvertisingSet(Object):
    """on_data: what the phone does with other data; set by the double when the set is made."""

    def setAdvertisingData(self, advertiseData: Any) -> None:  # noqa: N803
        self.on_data(advertiseData)


class AdvertisingSetCallback(Object):
    ADVERTISE_SUCCESS = 0
    ADVERTISE_FAILED_DATA_TOO_LARGE = 1
    ADVERTISE_FAILED_TOO_MANY_ADVERTISERS = 2
    ADVERTISE_FAILED_ALREADY_STARTED = 3
    ADVERTISE_FAILED_INTERNAL_ERROR = 4
    ADVERTISE_FAILED_FEATURE_UNSUPPORTED = 5

    def onAdvertisingSetStarted(self, advertisingSet: Any, txPower: int, status: int) -> None:  # noqa: N803
        pass

    def onAdvertisingDataSet(self, advertisingSet: Any, status: int) -> None:  # noqa: N803
        pass

    def onAdvertisingEnabled(self, advertisingSet: Any, enable: bool, status: int) -> None:  # noqa: N803
        pass

    def onAdvertisingSetStopped(self, advertisingSet: Any) -> None:  # noqa: N803
        pass


AdvertisingSetCallback.JAVA_METHODS = {
    "onAdvertisingSetStarted": (jvoid, [AdvertisingSet, jint, jint]),
    "onAdvertisingDataSet": (jvoid, [AdvertisingSet, jint]),
    "onAdvertisingEnabled": (jvoid, [AdvertisingSet, jboolean, jint]),
    "onAdvertisingSetStopped": (jvoid, [AdvertisingSet]),
}


class ScanCallback(Object):
    SCAN_FAILED_ALREADY_STARTED = 1
    SCAN_FAILED_APPLICATION_REGISTRATION_FAILED = 2
    SCAN_FAILED_INTERNAL_ERROR = 3
    SCAN_FAILED_FEATURE_UNSUPPORTED = 4
    SCAN_FAILED_OUT_OF_HARDWARE_RESOURCES = 5
    SCAN_FAILED_SCANNING_TOO_FREQUENTLY = 6

    def onScanResult(self, callbackType: int, result: ScanResult) -> None:  # noqa: N803
        pass

    def onBatchScanResults(self, results: List) -> None:
        pass

    def onScanFailed(self, errorCode: int) -> None:  # noqa: N803
        pass


ScanCallback.JAVA_METHODS = {
    "onScanResult": (jvoid, [jint, ScanResult]),
    "onBatchScanResults": (jvoid, [List]),
    "onScanFailed": (jvoid, [jint]),
}


class BluetoothLeAdvertiser(Object):
    def __init__(self, context: "Context") -> None:
        super().__init__()
        self._context = context

    def startAdvertisingSet(self, parameters, data, response, periodic, periodic_data, duration, events, callback):
        assert response is periodic is periodic_data is None
        assert events == 0
        self._context.alive().advertising.start(parameters, data, duration, callback)

    def stopAdvertisingSet(self, callback) -> None:
        self._context.alive().advertising.stop(callback)


class BluetoothLeScanner(Object):
    def __init__(self, context: "Context") -> None:
        super().__init__()
        self._context = context

    def startScan(self, filters, settings, callback) -> None:
        self._context.alive().scanning.start(filters, settings, callback)

    def stopScan(self, callback) -> None:
        self._context.alive().scanning.stop(callback)

    def flushPendingScanResults(self, callback) -> None:
        self._context.alive().scanning.flush(callback)


class BroadcastReceiver(Object):
    def onReceive(self, context: "Context", intent: Intent) -> None:
        pass


class Context(Object):
    """What one process of the app has; a new process has a new one."""

    BLUETOOTH_SERVICE = "bluetooth"

    def __init__(self, phone: "AndroidPhone", process: int) -> None:
        super().__init__()
        self.phone, self._process = phone, process

    def alive(self) -> "AndroidPhone":
        """Not Android's: the phone, for a process that still lives."""
        assert self._process == self.phone.process, "a dead process calls nothing"
        return self.phone

    def checkSelfPermission(self, name: str) -> int:
        return PackageManager.PERMISSION_GRANTED if name in self.phone.granted else PackageManager.PERMISSION_DENIED

    def getSystemService(self, name: str) -> BluetoothManager:
        assert name == self.BLUETOOTH_SERVICE
        return BluetoothManager(self)

    def getContentResolver(self) -> "AndroidPhone":
        return self.phone

    def registerReceiver(self, receiver, wanted) -> None:
        assert wanted.action == BluetoothAdapter.ACTION_STATE_CHANGED
        self.alive().receivers.append(receiver)

    def unregisterReceiver(self, receiver) -> None:
        self.alive().receivers.remove(receiver)


BroadcastReceiver.JAVA_METHODS = {"onReceive": (jvoid, [Context, Intent])}


class PackageManager(Object):
    PERMISSION_GRANTED, PERMISSION_DENIED = 0, -1


class Manifest(Object):
    class permission(Object):  # noqa: N801
        BLUETOOTH_SCAN = "android.permission.BLUETOOTH_SCAN"
        BLUETOOTH_ADVERTISE = "android.permission.BLUETOOTH_ADVERTISE"
        BLUETOOTH_CONNECT = "android.permission.BLUETOOTH_CONNECT"
        ACCESS_FINE_LOCATION = "android.permission.ACCESS_FINE_LOCATION"


class Build(Object):
    """All phones of a test are of one kind; AndroidPhone says which."""

    MANUFACTURER = MODEL = ""

    class VERSION(Object):
        SDK_INT = 0


class SystemClock(Object):
    @staticmethod
    def elapsedRealtimeNanos() -> int:
        return round(asyncio.get_running_loop().time() * 1e9)


class Settings(Object):
    class Global(Object):
        BOOT_COUNT = "boot_count"

        @staticmethod
        def getInt(resolver: "AndroidPhone", name: str, default: int) -> int:
            return {"boot_count": resolver.boots}.get(name, default)

    class Secure(Object):
        LOCATION_MODE, LOCATION_MODE_OFF, LOCATION_MODE_HIGH_ACCURACY = "location_mode", 0, 3

        @staticmethod
        def getInt(resolver: "AndroidPhone", name: str, default: int) -> int:
            return {"location_mode": 3 if resolver.location_on else 0}.get(name, default)
