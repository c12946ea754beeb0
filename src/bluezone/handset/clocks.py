# SPDX-License-Identifier: Apache-2.0
"""The phone's time: the boot clock, the wall clock, and a trusted time that does not depend on the wall clock alone."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from bluezone.protocol.signed.index import STALE_SECONDS

JUMP_SECONDS = 300.0

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Stamp:
    """The state of the clocks when a sighting was made.

    boot_id:        identifies the start of the machine from which its boot clock counts.
    run:            identifies the run of this program; each run numbers its bursts from its start.
    offset_seconds: Unix time minus boot clock; None until a signed file has given it.
    provisional:    the offset is from the wall clock, after a restart or with an old first file, and no newer signed
                    file has confirmed it yet.
    trusted:        the wall clock has not jumped since the last signed file.
    floor_seconds:  largest `generated_at` of a signed file seen before.
    newest_export:  number of the newest export file already matched.
    """

    boot_id: str
    run: int
    offset_seconds: float | None
    provisional: bool
    trusted: bool
    floor_seconds: int
    newest_export: int

    def unix_seconds(self, boot_seconds: float) -> float | None:
        """Return the trusted Unix time of a moment on the boot clock; None before the first signed file."""
        if self.offset_seconds is None:
            return None
        return max(self.offset_seconds + boot_seconds, float(self.floor_seconds))


class TrustedTime:
    """The phone's estimate of the time. It reads no clock: the caller passes both clocks at every call."""

    def __init__(self) -> None:
        self.boot_id = ""
        self.offset_seconds: float | None = None
        self.provisional = False
        self.trusted = True
        self.floor_seconds = 0
        self._latest_boot = 0.0
        self._latest_trusted = 0.0
        self._reference: float | None = None

    def note_start(self, boot_id: str, boot: float, wall: float) -> None:
        """Note that the program was started. The offset remains valid if the machine was not restarted.

        After a restart of the machine the wall clock is used provisionally, unless it is behind the last trusted time.
        Before the first signed file there is no trusted time.
        """
        same_boot = boot_id == self.boot_id and boot >= self._latest_boot
        if same_boot and self._reference is not None:
            self.check_wall_clock(boot, wall)
            return
        self.boot_id = boot_id
        self._latest_boot = boot
        self._reference = wall - boot
        plausible = self.floor_seconds > 0 and wall >= max(self._latest_trusted, self.floor_seconds) - JUMP_SECONDS
        self.offset_seconds = wall - boot if plausible else None
        self.provisional = plausible
        self.trusted = True

    def check_wall_clock(self, boot: float, wall: float) -> None:
        """Stop trusting the time if the wall clock has jumped by over 5 minutes against the boot clock."""
        self._latest_boot = max(self._latest_boot, boot)
        if self._reference is None or abs(wall - boot - self._reference) > JUMP_SECONDS:
            self._reference = wall - boot
            # Without an offset, nothing depends on the wall clock, so a jump does no harm.
            self.trusted = self.offset_seconds is None
        if self.offset_seconds is not None and self.trusted:
            self._latest_trusted = max(self._latest_trusted, self.now(boot, wall))

    def accept_signed_time(
        self, generated_at: int, boot: float, wall: float, answered_at: float | None = None
    ) -> None:  # fmt: skip
        """Set the trusted time from a signed file that continues its history. generated_at: of the file, Unix s.

        answered_at: the time of the server's answer by its own clock, Unix seconds; None if unknown. It decides only
        where the file is late: a wall clock with which the server agrees is used provisionally.
        """
        is_newer = generated_at > self.floor_seconds
        if not is_newer and (not self.trusted or (self.offset_seconds is not None and not self.provisional)):
            return
        self.floor_seconds = max(self.floor_seconds, generated_at)
        if self._is_plausible(wall):
            self.offset_seconds = wall - boot
        elif self._is_late_file(wall, answered_at):
            self._use_provisionally(boot, wall)
            return
        elif self.provisional and not is_newer:
            return
        elif self.offset_seconds is None or self.provisional or self.offset_seconds + boot < self.floor_seconds:
            self.offset_seconds = self.floor_seconds - boot
        self.provisional = False
        self.trusted = True
        self._reference = wall - boot
        self._latest_trusted = max(self._latest_trusted, self.now(boot, wall))

    def now(self, boot: float, wall: float) -> float:
        """Return the best available time in Unix seconds: trusted time if there is an offset, else the wall clock."""
        best = wall if self.offset_seconds is None else self.offset_seconds + boot
        return max(best, float(self.floor_seconds))

    def clock_error_seconds(self, boot: float, wall: float) -> float:
        """Return how many seconds the wall clock is ahead of trusted time; 0 without trusted time."""
        if self.offset_seconds is None:
            return 0.0
        return wall - self.now(boot, wall)

    @property
    def is_known(self) -> bool:
        """Whether the time is good enough to count days, so that a purge removes only what is old."""
        return self.offset_seconds is not None and self.trusted

    def stamp(self, run: int, newest_export: int) -> Stamp:
        """Return the stamp for sightings from now on."""
        return Stamp(
            self.boot_id, run, self.offset_seconds, self.provisional, self.trusted, self.floor_seconds, newest_export
        )

    def _is_plausible(self, wall: float) -> bool:
        return self.floor_seconds - JUMP_SECONDS <= wall <= self.floor_seconds + STALE_SECONDS

    def _is_late_file(self, wall: float, answered_at: float | None) -> bool:
        """Whether the file is old and the wall clock is right: the server published nothing new for some days."""
        if answered_at is None or (self.offset_seconds is not None and not self.provisional):
            return False
        return wall > self.floor_seconds and abs(wall - answered_at) <= JUMP_SECONDS

    def _use_provisionally(self, boot: float, wall: float) -> None:
        self.offset_seconds = wall - boot
        self.provisional = True
        self.trusted = True
        self._reference = wall - boot
        self._latest_trusted = max(self._latest_trusted, wall)

    def to_json(self) -> dict[str, Any]:
        """Return the state to store for the next run of the program."""
        return dict(vars(self))

    @classmethod
    def from_json(cls, stored: dict[str, Any] | None) -> "TrustedTime":
        """Restore a result of `to_json`; None for a phone without trusted time."""
        time = cls()
        for name, value in (stored or {}).items():
            setattr(time, name, value)
        return time


def stamp_to_json(stamp: Stamp) -> dict[str, Any]:
    """Return a stamp as the pages of the encounter log store it."""
    return asdict(stamp)


class Clock(Protocol):
    """The two clocks that a handset needs. Tests and the demo pass in their own."""

    def boot_seconds(self) -> float:
        """Return the seconds since the phone started, including sleep; they never decrease until the next start."""

    def wall_seconds(self) -> float:
        """Return the Unix time of the phone's clock, which the owner, the network or an attacker may set."""


class SystemClock:
    """The clocks of the machine on which the agent runs."""

    def boot_seconds(self) -> float:
        """Seconds since start from CLOCK_BOOTTIME, which runs during sleep (elsewhere CLOCK_MONOTONIC)."""
        return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))

    def wall_seconds(self) -> float:
        """Unix time of the machine."""
        return time.time()

    def boot_id(self) -> str:
        """Return the random id of this start of the machine, "" if the system has none."""
        try:
            return BOOT_ID.read_text("ascii").strip()
        except OSError:
            return ""


def boot_id_of(clock: Clock) -> str:
    """Return the id of this start of the machine, or "" for simulated clocks, which never restart."""
    read_boot_id = getattr(clock, "boot_id", None)
    return str(read_boot_id()) if read_boot_id else ""


def current_moment(clock: Clock) -> dict[str, Any]:
    """Return this moment on the phone's own clocks, to store for `seconds_since`."""
    return {"boot_id": boot_id_of(clock), "boot": clock.boot_seconds(), "wall": clock.wall_seconds()}


def seconds_since(earlier: dict[str, Any] | None, clock: Clock) -> float | None:
    """Return how long ago a moment was by the phone's own clocks, which no server can set; None if unknown.

    The boot clock is used if the machine was not restarted since, or else the wall clock, unless it was set back.
    earlier: from `current_moment`; None if an earlier release stored none.
    """
    if earlier is None:
        return None
    now = current_moment(clock)
    if now["boot_id"] == earlier["boot_id"] and now["boot"] >= earlier["boot"]:
        return float(now["boot"] - earlier["boot"])
    if now["wall"] >= earlier["wall"]:
        return float(now["wall"] - earlier["wall"])
    return None


class PhoneTime:
    """The best time that this phone has: Unix seconds, and dates in the city's zone.

    source: the trusted time, which encounters/encounters.py keeps up to date. zone: returns the city's zone.
    """

    def __init__(self, clock: Clock, source: TrustedTime, zone: Callable[[], ZoneInfo]) -> None:
        self.clock = clock
        self.source = source
        self.zone = zone

    def now(self) -> float:
        """Return Unix seconds: trusted time after the first signed file, before it the wall clock."""
        return self.source.now(self.clock.boot_seconds(), self.clock.wall_seconds())

    def today(self) -> date:
        """Return the local date."""
        return self.local(self.now()).date()

    def local(self, unix_seconds: float) -> datetime:
        """Return a moment as a datetime in the city's zone."""
        return datetime.fromtimestamp(unix_seconds, UTC).astimezone(self.zone())

    def clock_error_seconds(self) -> float:
        """Return how many seconds the wall clock is ahead of trusted time; 0 without trusted time."""
        return self.source.clock_error_seconds(self.clock.boot_seconds(), self.clock.wall_seconds())
