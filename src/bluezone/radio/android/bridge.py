# SPDX-License-Identifier: Apache-2.0
"""Reaches Android's classes from Python, its clocks among them, or says in a sentence why that is impossible here."""

import time
from types import ModuleType
from typing import TYPE_CHECKING

from bluezone.radio.interface import RadioFailed

if TYPE_CHECKING:
    from android.content import Context

    from bluezone.radio.android.platform import Phone


class JavaMissing(RadioFailed):
    """This Python does not run inside an Android app, so there is no Android radio."""

    code = "android_missing"


def phone_of(context: "Context") -> "Phone":
    """The phone that an android.content.Context belongs to. Raises JavaMissing."""
    phone: Phone = _platform().Phone(context)
    return phone


def application_context() -> "Context":
    """The context of the app that this Python runs in. Raises JavaMissing."""
    context: Context = _platform().application_context()
    return context


def _platform() -> ModuleType:
    try:
        from bluezone.radio.android import platform
    except ImportError as error:
        raise JavaMissing(f"no Java bridge here ({error}); the Android radio needs the packaged app") from error
    return platform


class AndroidClock:
    """elapsedRealtime as the boot clock: it runs through deep sleep and nobody can set it. Raises JavaMissing."""

    def __init__(self, context: "Context") -> None:
        self._phone = phone_of(context)

    def boot_seconds(self) -> float:
        """Seconds since the phone started, sleep included."""
        return self._phone.boot_nanoseconds() / 1e9

    def wall_seconds(self) -> float:
        """Unix time as the phone shows it."""
        return time.time()

    def boot_id(self) -> str:
        """A name of this start of the phone: how often it has started. Apps cannot read Linux's own boot_id."""
        return f"android-{self._phone.boot_count()}"
