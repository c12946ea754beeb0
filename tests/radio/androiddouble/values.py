# SPDX-License-Identifier: Apache-2.0
"""Double of the android.* classes that only hold values: data, parameters, filters, results, intents. Not Android."""

from dataclasses import dataclass

from tests.radio.androiddouble.java import JavaArrayJByte, List, Object

BASE = "-0000-1000-8000-00805f9b34fb"


class ParcelUuid(Object):
    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text.lower()

    @staticmethod
    def fromString(text: str) -> "ParcelUuid":
        return ParcelUuid(text)

    def short(self) -> bytes:
        """Not Android's: the 16-bit form, as it goes on the air."""
        assert self._text.endswith(BASE)
        assert self._text.startswith("0000")
        return bytes.fromhex(self._text[4:8])[::-1]


class _Setting(Object):
    """A builder that keeps what it is told; each setter returns the builder."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict = {}

    def _keep(self, name, value):
        self.kept[name] = value
        return self

    def build(self):
        return self.BUILDS(dict(self.kept))


class _Built(Object):
    def __init__(self, kept: dict) -> None:
        super().__init__()
        self.kept = kept


class AdvertiseData(_Built):
    class Builder(_Setting):
        def setIncludeDeviceName(self, include):
            return self._keep("name", include)

        def setIncludeTxPowerLevel(self, include):
            return self._keep("power", include)

        def addServiceUuid(self, uuid):
            return self._keep("uuid", uuid)

        def addServiceData(self, uuid, data):
            assert isinstance(data, JavaArrayJByte)
            return self._keep("data", (uuid, bytes(data)))

    def on_air(self, connectable: bool) -> bytes:
        """Not Android's: the bytes as AdvertiseHelper and the native stack lay them out."""
        assert not self.kept.get("name")
        assert not self.kept.get("power")
        flags = b"\x02\x01\x02" if connectable else b""
        uuid, data = self.kept["data"]
        return flags + b"\x03\x03" + self.kept["uuid"].short() + bytes([len(data) + 3, 0x16]) + uuid.short() + data


AdvertiseData.Builder.BUILDS = AdvertiseData


class PeriodicAdvertisingParameters(Object):
    pass


class AdvertisingSetParameters(_Built):
    INTERVAL_MIN, INTERVAL_LOW, INTERVAL_MEDIUM, INTERVAL_HIGH, INTERVAL_MAX = 160, 160, 400, 1600, 16777215
    TX_POWER_MIN, TX_POWER_ULTRA_LOW, TX_POWER_LOW, TX_POWER_MEDIUM, TX_POWER_HIGH, TX_POWER_MAX = (
        -127,
        -21,
        -15,
        -7,
        1,
        1,
    )

    class Builder(_Setting):
        def setLegacyMode(self, legacy):
            return self._keep("legacy", legacy)

        def setConnectable(self, connectable):
            return self._keep("connectable", connectable)

        def setScannable(self, scannable):
            return self._keep("scannable", scannable)

        def setTxPowerLevel(self, power):
            return self._keep("power", power)

        def setInterval(self, interval):
            assert AdvertisingSetParameters.INTERVAL_MIN <= interval <= AdvertisingSetParameters.INTERVAL_MAX
            return self._keep("interval", interval)


AdvertisingSetParameters.Builder.BUILDS = AdvertisingSetParameters


class ScanFilter(_Built):
    class Builder(_Setting):
        def setServiceUuid(self, uuid):
            return self._keep("uuid", uuid)

    def passes(self, data: bytes) -> bool:
        """Not Android's name: whether the list of 16-bit UUIDs has the one asked for."""
        return b"\x03\x03" + self.kept["uuid"].short() in data


ScanFilter.Builder.BUILDS = ScanFilter


class ScanSettings(_Built):
    SCAN_MODE_OPPORTUNISTIC, SCAN_MODE_LOW_POWER, SCAN_MODE_BALANCED, SCAN_MODE_LOW_LATENCY = -1, 0, 1, 2
    CALLBACK_TYPE_ALL_MATCHES = 1

    class Builder(_Setting):
        def setScanMode(self, mode):
            return self._keep("mode", mode)

        def setLegacy(self, legacy):
            return self._keep("legacy", legacy)

        def setCallbackType(self, kind):
            return self._keep("callback", kind)

        def setReportDelay(self, milliseconds):
            return self._keep("delay", milliseconds)


ScanSettings.Builder.BUILDS = ScanSettings


@dataclass
class BluetoothDevice(Object):
    address: bytes

    def getAddress(self) -> str:
        return self.address.hex(":").upper()


@dataclass
class ScanRecord(Object):
    data: bytes

    def getBytes(self) -> JavaArrayJByte:
        """A legacy record is filled with zeros to the 62 bytes of an advertisement and a scan response."""
        return JavaArrayJByte(self.data.ljust(62, b"\0"))


@dataclass
class ScanResult(Object):
    device: BluetoothDevice
    record: ScanRecord
    rssi: int
    nanoseconds: int

    def getDevice(self):
        return self.device

    def getScanRecord(self):
        return self.record

    def getRssi(self) -> int:
        return self.rssi

    def getTimestampNanos(self) -> int:
        return self.nanoseconds


@dataclass
class Intent(Object):
    extras: dict

    def getIntExtra(self, name: str, default: int) -> int:
        return self.extras.get(name, default)


@dataclass
class IntentFilter(Object):
    action: str

    def __post_init__(self) -> None:
        super().__init__()


def results(values: list[ScanResult]) -> List:
    """A java.util.List of results."""
    return List(tuple(values))
