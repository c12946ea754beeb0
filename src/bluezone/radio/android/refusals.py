# SPDX-License-Identifier: Apache-2.0
"""Why an Android phone does not send or does not hear; each code has its words on the owner's page (B1)."""

from bluezone.radio.interface import AdvertisingRefused, RadioFailed


class BluetoothAbsent(RadioFailed):
    """The phone has no Bluetooth, or none with Low Energy."""

    code = "bluetooth_absent"


class BluetoothOff(RadioFailed):
    """The owner, a flight mode or the system has switched Bluetooth off."""

    code = "bluetooth_off"


class BluetoothPermissionMissing(RadioFailed):
    """The owner has not allowed "Nearby devices", or took it back. Android 12 and later."""

    code = "bluetooth_permission_missing"


class LocationPermissionMissing(RadioFailed):
    """Android 8 to 11 tells an app what Bluetooth hears only if it may have the location. It is not asked for."""

    code = "location_permission_missing"


class LocationOff(RadioFailed):
    """Android 8 to 11 reports no Bluetooth results to any app while the location switch is off."""

    code = "location_off"


class AdvertisingUnsupported(AdvertisingRefused):
    """The phone's chip or system cannot advertise beside other uses; it listens only."""

    code = "advertising_unsupported"


class ScanRefused(RadioFailed):
    """Android did not start the scan, or ended it."""

    code = "scan_refused"
