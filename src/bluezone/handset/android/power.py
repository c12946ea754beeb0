# SPDX-License-Identifier: Apache-2.0
"""Keeps the phone's processor awake for pieces of work and no longer, and counts for how long it did."""

import threading
from collections.abc import Callable

from bluezone.handset.android.device import Awake


class WakeTime:
    """Implements radio.interface.Power by a phone's one wake lock and one alarm.

    A piece of work that is never released ends with its time, for the lock as for the count.
    boot_clock: seconds since start-up on a clock that runs through sleep.
    """

    def __init__(self, awake: Awake, boot_clock: Callable[[], float]) -> None:
        self._awake, self._boot_clock = awake, boot_clock
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}
        self._since = self._counted = 0.0
        self._alarm: float | None = None

    @property
    def held_seconds(self) -> float:
        """For how long the processor was kept awake so far."""
        with self._lock:
            self._count()
            return self._counted

    def hold(self, name: str, seconds: float) -> None:
        """Keep it awake until `release(name)`, at most so many seconds from now."""
        with self._lock:
            now = self._count()
            self._ends[name] = now + seconds
            self._awake.hold(max(self._ends.values()) - now)

    def release(self, name: str) -> None:
        """This piece of work is done."""
        with self._lock:
            now = self._count()
            self._ends.pop(name, None)
            if self._ends:
                self._awake.hold(max(self._ends.values()) - now)
            else:
                self._awake.release()

    def wake_at(self, boot_seconds: float) -> None:
        """Wake it at this moment."""
        with self._lock:
            if boot_seconds != self._alarm:
                self._alarm = boot_seconds
                self._awake.wake_at(boot_seconds)

    def woken(self) -> None:
        """The alarm has come, so the next one is asked for anew, even for the same moment."""
        with self._lock:
            self._alarm = None

    def end(self) -> None:
        """Let it sleep, and wake it no more."""
        with self._lock:
            self._count()
            self._ends.clear()
            self._alarm = None
            self._awake.forget()

    def _count(self) -> float:
        """Add up the time since the last look, and drop the work whose time is over. Returns the boot clock."""
        now = self._boot_clock()
        if self._ends:
            self._counted += max(0.0, min(now, max(self._ends.values())) - self._since)
        self._ends = {name: end for name, end in self._ends.items() if end > now}
        self._since = now
        return now
