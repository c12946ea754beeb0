# SPDX-License-Identifier: Apache-2.0
"""Puts the double where `java` and `android.*` are imported from, for as long as it is needed."""

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager

from tests.radio.androiddouble import classes, java, values

import bluezone.radio.android as package

PLATFORM = "bluezone.radio.android.platform"
NAMES = {
    "java": (java, "Override jarray jboolean jbyte jclass jint jvoid static_proxy"),
    "java.lang": (java, "IllegalArgumentException IllegalStateException SecurityException Throwable"),
    "java.util": (java, "ArrayList List"),
    "android": (classes, "Manifest"),
    "android.bluetooth": (classes, "BluetoothAdapter BluetoothManager"),
    "android.content": (classes, "BroadcastReceiver Context"),
    "android.content.pm": (classes, "PackageManager"),
    "android.os": (classes, "Build SystemClock"),
    "android.provider": (classes, "Settings"),
    "android.bluetooth.le": (
        classes, "AdvertisingSet AdvertisingSetCallback BluetoothLeAdvertiser BluetoothLeScanner ScanCallback",
    ),
}  # fmt: skip
VALUES = {
    "android.bluetooth.le": (
        "AdvertiseData AdvertisingSetParameters PeriodicAdvertisingParameters ScanFilter ScanResult ScanSettings"
    ),
    "android.content": "Intent IntentFilter",
    "android.os": "ParcelUuid",
}


def classes_by_module() -> dict[str, dict[str, object]]:
    """Every class and function of the double under the name by which it is imported."""
    found = {
        module: {name: getattr(source, name) for name in names.split() if name != "jclass"}
        for module, (source, names) in NAMES.items()
    }
    for module, names in VALUES.items():
        found[module] |= {name: getattr(values, name) for name in names.split()}
    return found


@contextmanager
def installed() -> Iterator[None]:
    """The bridge, as inside an Android app; outside of it again afterwards."""
    _forget_platform()
    for module, names in classes_by_module().items():
        sys.modules[module] = types.ModuleType(module)
        vars(sys.modules[module]).update(names)
    sys.modules["java"].jclass = _jclass  # type: ignore[attr-defined]
    try:
        yield
    finally:
        for module in NAMES:
            del sys.modules[module]
        _forget_platform()


def _forget_platform() -> None:
    sys.modules.pop(PLATFORM, None)
    vars(package).pop("platform", None)


class application:  # noqa: N801
    """What bluezone.phone.Engine gives; `context` is set by the test that asks for it."""

    context: object = None


def _jclass(name: str) -> object:
    assert name == "bluezone.phone.Engine"
    return types.SimpleNamespace(context=lambda: application.context)
