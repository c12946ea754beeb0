# SPDX-License-Identifier: Apache-2.0
"""The clocks of an Android phone, in the shape of handset.clock.Clock."""

import time
from typing import TYPE_CHECKING

from bluezone.radio.android.bridge import phone_of

if TYPE_CHECKING:
    from android.content import Context


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
