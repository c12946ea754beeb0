# SPDX-License-Identifier: Apache-2.0
"""Whether this machine's clock can be trusted, checked before acts that no one can undo: deleting, signing.

The time is compared with the last trusted one, with how long the machine has run since, with the database's clock, and
with the kernel's state of synchronisation. At the first start and after a reboot it is compared with the clocks of HTTP
servers. A difference of over an hour that these do not explain stops such work until a person has looked at the clock
(`bluezone clock --confirm`).
"""

import ctypes
import http.client
import json
import logging
import os
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bluezone.logs import event_fields
from bluezone.refusal import Refused

logger = logging.getLogger(__name__)

JUMP_SECONDS = 3600.0
# A trusted time is noted this often, so after a restart the last one is at most this much older.
NOTE_SECONDS = 60.0
NAME = "clock.json"
# 2026-11-20, before this release was made: a clock that says an earlier time is wrong. Each release changes it.
RELEASED = 1_795_132_800.0
# How long a server may take to say its time.
ASK_SECONDS = 5.0
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL.
_NOT_VALID_NOW = {9, 10}
# Size of struct timex on 64-bit Linux. adjtimex(2) returns TIME_ERROR if nothing synchronises the clock.
_TIMEX_BYTES = 208
_TIME_ERROR = 5


class ClockDoubted(Refused):
    """The time of the clock is implausible; work that no one can undo waits for a person."""

    code = "clock_doubted"


@dataclass(frozen=True)
class Boot:
    """The boot of this machine: its identifier ("" if unknown), and the seconds since then.

    synchronised: whether a time service synchronises the kernel's clock.
    """

    identifier: str
    uptime: float
    synchronised: bool


@dataclass(frozen=True)
class Believed:
    """A trusted time: Unix seconds, with the boot and its uptime at that time."""

    wall: float
    boot: str
    uptime: float


@dataclass(frozen=True)
class DatabaseClock:
    """The time of a database's clock, Unix seconds, and whether it is on another machine."""

    wall: float
    elsewhere: bool


@dataclass(frozen=True)
class ServerClock:
    """The time that an HTTP server says, Unix seconds. name: its host, for sentences to operators."""

    name: str
    wall: float


def this_boot() -> Boot:
    """The boot of this machine from the kernel, or an unknown boot if that cannot be read."""
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


def ask_server(address: str, now: float) -> ServerClock | None:
    """The clock of the HTTP server at an http or https address, from the `Date` of its answer, whatever that is.

    now: this machine's time, Unix seconds. None if the server cannot be asked. Raises ClockDoubted if its certificate
    is not valid at that time, which says that one of the two clocks is wrong.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    https = parts.scheme == "https"
    kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
    try:
        with closing(kind(host, parts.port, timeout=ASK_SECONDS)) as connection:
            connection.request("HEAD", parts.path or "/")
            date = connection.getresponse().headers["Date"]
        return ServerClock(host, parsedate_to_datetime(date).timestamp())
    except ssl.SSLCertVerificationError as error:
        if error.verify_code in _NOT_VALID_NOW:
            raise ClockDoubted(
                f"the clock says {_utc_text(now)}, when the certificate of {host} is not valid"
            ) from None
        return None
    except (OSError, http.client.HTTPException, ValueError, TypeError):
        return None


def ask_servers(addresses: Iterable[str], now: float) -> list[ServerClock]:
    """The clocks of those servers that answer; see `ask_server`. Raises ClockDoubted."""
    clocks = (ask_server(address, now) for address in addresses)
    return [clock for clock in clocks if clock]


def doubt(
    now: float,
    believed: Believed | None,
    boot: Boot,
    database: DatabaseClock | None,
    servers: Callable[[], Sequence[ServerClock]] = list,
) -> str | None:
    """Why the time `now` (Unix seconds) cannot be trusted, in a sentence; None if it can.

    servers: asks other machines for their time. It is called where nothing says how long this machine has run since the
    last trusted time: at the first start, and after a reboot. Raises ClockDoubted as it does.
    """
    if database and abs(now - database.wall) > JUMP_SECONDS:
        return f"the clock says {_utc_text(now)}, the database's {_utc_text(database.wall)}"
    if believed is None:
        if now < RELEASED:
            return f"the clock says {_utc_text(now)}, which is before this release was made"
        return _difference(now, servers())
    elapsed = now - believed.wall
    if elapsed < -JUMP_SECONDS:
        return f"the clock says {_utc_text(now)}, which is before {_utc_text(believed.wall)}, when work was last done"
    if believed.boot and believed.boot == boot.identifier:
        run = boot.uptime - believed.uptime
        if abs(elapsed - run) > JUMP_SECONDS:
            return f"the clock advanced by {elapsed / 3600:.1f} hours while the machine ran for {run / 3600:.1f}"
        return None
    clocks = servers()
    if clocks:
        return _difference(now, clocks)
    if elapsed <= JUMP_SECONDS or boot.synchronised or (database and database.elsewhere):
        return None
    return (
        f"the clock says {_utc_text(now)}, {elapsed / 3600:.0f} hours after work was last done; the machine was"
        " restarted since, and no time service or other machine's clock confirms the time"
    )


def _difference(now: float, clocks: Sequence[ServerClock]) -> str | None:
    for clock in clocks:
        if abs(now - clock.wall) > JUMP_SECONDS:
            return f"the clock says {_utc_text(now)}, that of {clock.name} {_utc_text(clock.wall)}"
    return None


def _utc_text(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(moment))


class ClockGuard:
    """Holds back work that cannot be undone while the clock of a data folder's machine is in doubt.

    database: reads the clock of the stores, None if they are on this machine. servers: addresses of HTTP servers that
    are asked for the time at the first start and after a reboot. notes: whether this process notes trusted times, or
    only uses the notes of another.
    """

    def __init__(
        self,
        folder: Path,
        database: Callable[[], DatabaseClock | None] = lambda: None,
        boot: Callable[[], Boot] = this_boot,
        notes: bool = True,
        servers: Iterable[str] = (),
    ) -> None:
        self._path = folder / NAME
        self._database = database
        self._boot = boot
        self._notes = notes
        self._servers = tuple(servers)

    def doubt(self, now: float) -> str | None:
        """Why `now` (Unix seconds) cannot be trusted; None if it can. Raises StoreRefused."""
        try:
            return doubt(now, self.believed(), self._boot(), self._database(), lambda: ask_servers(self._servers, now))
        except ClockDoubted as refused:
            return refused.message

    def require(self, now: float) -> None:
        """Return if `now` can be trusted, and note the time. Raises ClockDoubted, StoreRefused."""
        reason = self.doubt(now)
        if reason:
            raise ClockDoubted(f"{reason}; look at the clock, then: bluezone clock --confirm")
        if not self._notes:
            return
        believed = self.believed()
        if believed is None or abs(now - believed.wall) >= NOTE_SECONDS or believed.boot != self._boot().identifier:
            try:
                self.confirm(now)
            except OSError as error:
                # With a full disk, later comparisons still use the previous note.
                logger.warning(
                    "clock: the trusted time cannot be noted: %s",
                    error.strerror,
                    extra=event_fields("clock_not_noted"),
                )

    def confirm(self, now: float) -> None:
        """Trust `now` (Unix seconds) from here on, because a person has looked or nothing contradicts it."""
        boot = self._boot()
        temporary = self._path.with_suffix(f".{os.getpid()}")
        try:
            # Readable by processes of other users, which may use the note.
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), "w") as file:
                json.dump(asdict(Believed(now, boot.identifier, boot.uptime)), file)
            os.replace(temporary, self._path)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise

    def believed(self) -> Believed | None:
        """The last trusted time; None before the first, or if its note cannot be read."""
        try:
            note: dict[str, Any] = json.loads(self._path.read_text())
            return Believed(float(note["wall"]), str(note["boot"]), float(note["uptime"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
