# SPDX-License-Identifier: Apache-2.0
"""Python's half of FirstDayTest.java: what a test changes in the app from behind."""

from typing import Any

from bluezone_phone.androiddevice import Parts


def answer(context: Any, name: str, value: bool) -> None:
    """Give an answer for the owner."""
    setup = Parts.of(context).setup
    setup.note(**({"language": "en" if value else "vi"} if name == "english" else {name: value}))


def change(context: Any) -> None:
    """Something changed in the service."""
    Parts.of(context).tracing.on_change()
