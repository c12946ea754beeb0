# SPDX-License-Identifier: Apache-2.0
"""Reaches Android's classes from Python, or says in a sentence why that is impossible here."""

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
