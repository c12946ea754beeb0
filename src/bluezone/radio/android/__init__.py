# SPDX-License-Identifier: Apache-2.0
"""Bluetooth of an Android phone, through the app's Java bridge. Built from the same engine, verified against a
double of the Android classes (tests/radio/androiddouble), not yet run on a phone.

Everything that touches Java is in platform.py, which only an Android app can import.
"""

from bluezone.radio.android.bridge import AndroidClock, JavaMissing, application_context
from bluezone.radio.android.radio import AndroidRadio

__all__ = ["AndroidClock", "AndroidRadio", "JavaMissing", "application_context"]
