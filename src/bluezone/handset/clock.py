# SPDX-License-Identifier: Apache-2.0
"""The two clocks of a phone: one that runs through sleep since the last start, and one that people set."""

import time
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What the handset needs to know of time. Tests and the demo inject their own."""

    def boot_seconds(self) -> float:
        """Seconds since the phone started, sleep included; never goes back until it starts again."""

    def wall_seconds(self) -> float:
        """Unix time as the phone shows it; the owner, the network or an attacker may set it."""


class SystemClock:
    """The clocks of the machine the agent runs on."""

    def boot_seconds(self) -> float:
        """Seconds since start from CLOCK_BOOTTIME, which runs during sleep (elsewhere CLOCK_MONOTONIC)."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def wall_seconds(self) -> float:
        """Unix time of the machine."""
        return time.time()

    def boot_id(self) -> str:
        """A random name of this start of the machine; empty where the system gives none."""
        try:
            return BOOT_ID.read_text("ascii").strip()
        except OSError:
            return ""


def boot_id_of(clock: Clock) -> str:
    """The name of this start, or "" for a clock that never restarts (the simulated ones)."""
    named = getattr(clock, "boot_id", None)
    return str(named()) if named else ""
