# SPDX-License-Identifier: Apache-2.0
"""Keeps the phone's processor awake for single tasks and no longer, and counts the total time."""

import threading
from collections.abc import Callable

from bluezone.handset.android.device import WakeLock


class WakeTime:
    """Implements radio.interface.Power with a phone's single wake lock and single alarm.

    A task that is never released ends when its time is over.
    boot_clock: returns the seconds since start-up; it runs during sleep.
    """

    def __init__(self, awake: WakeLock, boot_clock: Callable[[], float]) -> None:
        self._awake = awake
        self._boot_clock = boot_clock
        self._lock = threading.Lock()
        self._ends: dict[str, float] = {}
        self._since = 0.0
        self._counted = 0.0
        self._alarm: float | None = None

    @property
    def awake_seconds(self) -> float:
        """How long the tasks have kept the processor awake so far, in seconds."""
        with self._lock:
            self._count()
            return self._counted

    def hold(self, name: str, seconds: float) -> None:
        """Keep the processor awake until `release(name)`, for at most this number of seconds."""
        with self._lock:
            now = self._count()
            self._ends[name] = now + seconds
            self._awake.hold(max(self._ends.values()) - now)

    def release(self, name: str) -> None:
        """End the task `name`."""
        with self._lock:
            now = self._count()
            self._ends.pop(name, None)
            if self._ends:
                self._awake.hold(max(self._ends.values()) - now)
            else:
                self._awake.release()

    def wake_at(self, boot_seconds: float) -> None:
        """Wake the processor at this moment of the boot clock."""
        with self._lock:
            if boot_seconds != self._alarm:
                self._alarm = boot_seconds
                self._awake.wake_at(boot_seconds)

    def note_alarm(self) -> None:
        """Note that the alarm went off, so that the next call of `wake_at` sets it again, even for the same moment."""
        with self._lock:
            self._alarm = None

    def release_all(self) -> None:
        """Let the processor sleep, and cancel the alarm."""
        with self._lock:
            self._count()
            self._ends.clear()
            self._alarm = None
            self._awake.cancel()

    def _count(self) -> float:
        """Add the time since the last call, drop the tasks that are over, and return the boot clock."""
        now = self._boot_clock()
        if self._ends:
            self._counted += max(0.0, min(now, max(self._ends.values())) - self._since)
        self._ends = {name: end for name, end in self._ends.items() if end > now}
        self._since = now
        return now
