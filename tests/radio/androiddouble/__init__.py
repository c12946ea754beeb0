# SPDX-License-Identifier: Apache-2.0
"""A DOUBLE of Android's Bluetooth LE classes and of Chaquopy's bridge, written from the platform documentation.

It is not Android and proves nothing about a phone. It stands where `java` and `android.*` are imported from, so that
bluezone.radio.android runs unaltered, on the project's virtual air. What it models and from where:

* states, callbacks on the main thread and error codes: developer.android.com/reference/android/bluetooth (API 36);
* address of a set, its rotation by the system after 7 to 15 minutes, the end of a set after its duration, a stop that
  is forgotten before the start was answered, the end of everything with the process: AOSP packages/modules/Bluetooth
  (le_advertising_manager.cc, le_address_manager.cc, AdvertiseManager);
* five scan starts in 30 s, scan intervals by mode: AOSP AppScanStats, ScanManager;
* static proxies, arrays: Chaquopy's documentation of its Python API.
"""

from tests.radio.androiddouble.modules import installed
from tests.radio.androiddouble.phone import AndroidPhone

__all__ = ["AndroidPhone", "installed"]
