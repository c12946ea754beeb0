# SPDX-License-Identifier: Apache-2.0
"""Whether this machine's clock may be believed, asked before what nobody can take back: forgetting, signing.

The time is compared with the last one that was believed, with how long the machine has run since, with the database's
clock and with what the kernel says of its own synchronisation. A jump of over an hour that these do not explain stops
such work until a person has looked at the clock (`bluezone clock --confirm`).
"""

import ctypes
import json
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bluezone.logs import event
from bluezone.refusal import Refused

logger = logging.getLogger(__name__)

JUMP_SECONDS = 3600.0
# A believed time is written down this often; a restart finds one that is at most so old.
NOTE_SECONDS = 60.0
NAME = "clock.json"
# struct timex of Linux on 64 bits: adjtimex(2) returns TIME_ERROR where nothing keeps the clock.
_TIMEX_BYTES, _TIME_ERROR = 208, 5


class ClockDoubted(Refused):
    """The clock says what cannot be so; work that nobody can take back waits for a person."""

    code = "clock_doubted"


@dataclass(frozen=True)
class Boot:
    """How this machine stands: an identifier of its boot ("" where there is none), and seconds since then.

    synchronised: whether a time service keeps the kernel's clock.
    """

    identifier: str
    uptime: float
    synchronised: bool


@dataclass(frozen=True)
class Believed:
    """A time that was believed: Unix seconds, in which boot, and its uptime then."""

    wall: float
    boot: str
    uptime: float


@dataclass(frozen=True)
class DatabaseClock:
    """What a database's clock says, Unix seconds, and whether it is another machine's."""

    wall: float
    elsewhere: bool


def this_boot() -> Boot:
    """This machine as its kernel describes it; where that cannot be read, nothing is known of it."""
    try:
        identifier = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return Boot("", 0.0, False)
    return Boot(identifier, uptime, _is_synchronised())


def _is_synchronised() -> bool:
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


def doubt(now: float, believed: Believed | None, boot: Boot, database: DatabaseClock | None) -> str | None:
    """Why the time `now` (Unix seconds) cannot be believed, in a sentence; None if it can."""
    if database and abs(now - database.wall) > JUMP_SECONDS:
        return f"the clock says {_said(now)}, the database's {_said(database.wall)}"
    if believed is None:
        return None
    passed = now - believed.wall
    if passed < -JUMP_SECONDS:
        return f"the clock says {_said(now)}, which is before {_said(believed.wall)}, when work was last done"
    if believed.boot and believed.boot == boot.identifier:
        run = boot.uptime - believed.uptime
        if abs(passed - run) > JUMP_SECONDS:
            return f"the clock went on by {passed / 3600:.1f} hours while the machine ran for {run / 3600:.1f}"
        return None
    if passed > JUMP_SECONDS and not boot.synchronised and not (database and database.elsewhere):
        return (
            f"the clock says {_said(now)}, {passed / 3600:.0f} hours after work was last done; the machine was started"
            " anew since, and no time service or other machine's clock bears it out"
        )
    return None


def _said(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment))


class ClockGuard:
    """Holds back what cannot be taken back while the clock of one data folder's machine is in doubt.

    database: asks the clock of the stores, None where they lie on this machine. notes: whether this process notes what
    was believed, or goes by what another does.
    """

    def __init__(
        self,
        folder: Path,
        database: Callable[[], DatabaseClock | None] = lambda: None,
        boot: Callable[[], Boot] = this_boot,
        notes: bool = True,
    ) -> None:
        self._path = folder / NAME
        self._database, self._boot, self._notes = database, boot, notes

    def doubt(self, now: float) -> str | None:
        """Why `now` (Unix seconds) cannot be believed; None if it can. Raises StoreRefused."""
        return doubt(now, self.believed(), self._boot(), self._database())

    def require(self, now: float) -> None:
        """Return if `now` may be believed, and note that it was. Raises ClockDoubted, StoreRefused."""
        said = self.doubt(now)
        if said:
            raise ClockDoubted(f"{said}; look at the clock, then: bluezone clock --confirm")
        if not self._notes:
            return
        believed = self.believed()
        if believed is None or abs(now - believed.wall) >= NOTE_SECONDS or believed.boot != self._boot().identifier:
            try:
                self.confirm(now)
            except OSError as error:
                # A full disk: what was believed before is compared with as well, and goes on being so.
                logger.warning(
                    "clock: the time that is believed cannot be noted: %s",
                    error.strerror,
                    extra=event("clock_not_noted"),
                )

    def confirm(self, now: float) -> None:
        """Believe `now` (Unix seconds) from here on: a person has looked, or nothing speaks against it."""
        boot = self._boot()
        aside = self._path.with_suffix(f".{os.getpid()}")
        try:
            # Another user's process may go by it.
            with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), "w") as file:
                json.dump(asdict(Believed(now, boot.identifier, boot.uptime)), file)
            os.replace(aside, self._path)
        except OSError:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            raise

    def believed(self) -> Believed | None:
        """The time that was believed last; None before the first, or if its note cannot be read."""
        try:
            noted: dict[str, Any] = json.loads(self._path.read_text())
            return Believed(float(noted["wall"]), str(noted["boot"]), float(noted["uptime"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
