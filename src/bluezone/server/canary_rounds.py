# SPDX-License-Identifier: Apache-2.0
"""The canaries of one `serve`: phones that fetch over HTTP what phones fetch, and pass on whether they got it.

They run in threads of the process that answers phones, one for the address on which it listens, one for the public
address. If an origin has several processes, one of them runs each canary, and another takes over when it ends.
"""

import fcntl
import logging
import os
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bluezone.canary.phone import CanaryPhone, MemoryValues
from bluezone.canary.state import CanaryState, load_state, note_round, save_state, state_file
from bluezone.city_settings import City
from bluezone.handset.client import Client
from bluezone.handset.clocks import Clock, SystemClock
from bluezone.keyserver.statistics import late_after_seconds
from bluezone.logs import event_fields
from bluezone.networks import TLS_VARIABLE, is_local, origin_of, speaks_tls
from bluezone.protocol.exports.files import Export
from bluezone.protocol.signed.index import EXPORTS
from bluezone.refusal import Refused
from bluezone.server.canary_reports import OTHER, Cells
from bluezone.server.metrics.meters import CANARIES, Meters
from bluezone.tls import SELF, authority_folder

log = logging.getLogger(__name__)

# The address at which the canary fetches in place of the public one; NONE for none.
VARIABLE = "BLUEZONE_CANARY_ADDRESS"
NONE = "none"
# The longest duration of all calls of a round, and the longest wait for the next byte.
ROUND_SECONDS = 240.0
BYTE_SECONDS = 20.0
MOST_PAUSE_SECONDS = 60.0
# How often a process tries to take over a canary that another process runs.
TAKE_OVER_SECONDS = 5.0
# A new canary fetches this many of the newest files, because it has nothing to match.
FIRST_FILES = 1


@dataclass(frozen=True)
class Address:
    """Where a canary fetches. name: one of CANARIES. origin: `http(s)://host[:port]`. tls: makes a TLS context."""

    name: str
    origin: str
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context


def own_address(host: str, port: int, secured: bool) -> Address:
    """The address on which this `serve` listens. host: an address to listen on, or a name."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    bracketed = f"[{reachable}]" if ":" in reachable else reachable
    # The certificate need not contain this address, and signatures protect what is fetched.
    scheme = "https" if secured else "http"
    return Address("own", f"{scheme}://{bracketed}:{port}", ssl._create_unverified_context)


def public_address(city: City, folder: Path) -> Address | None:
    """The address that phones use, if it is a public one; None for a local name or a private address."""
    origin = os.environ.get(VARIABLE, "")
    if origin == NONE or (not origin and is_local(city.public_host)):
        return None
    origin = origin or origin_of(city.public_host, tls=speaks_tls(folder))
    if os.environ.get(TLS_VARIABLE) != SELF:
        return Address("public", origin)
    authority = authority_folder(folder) / "authority.pem"
    return Address("public", origin, lambda: ssl.create_default_context(cafile=authority))


class Canary:
    """One canary. trust: returns the city's key, 32 bytes. file: stores its state; a full disk does not stop it."""

    def __init__(
        self, address: Address, trust: Callable[[], bytes], file: Path, cells: Cells, period_seconds: int,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self._address = address
        self._trust = trust
        self._file = file
        self._cells = cells
        self._period_seconds = period_seconds
        self._clock = clock or SystemClock()
        stored = load_state(file)
        self.state = stored[0] if stored else CanaryState(self._clock.wall_seconds())
        self._values = MemoryValues(stored[1] if stored else None)
        self._stored = self.state if stored else None

    def make_round(self) -> None:
        """Fetch what is new, and pass on how that went. Raises nothing that a server or a disk can cause."""
        before = self.state
        problem, newest = self._follow()
        now = self._clock.wall_seconds()
        # Times that a clock which was ahead has left would otherwise count only when they come.
        state = replace(before, began_at=min(before.began_at, now), received_at=min(before.received_at, now))
        since = 0.0
        if problem:
            since = min(before.problem_since, now) if before.problem else now
        state = replace(state, problem=problem, problem_since=since)
        if newest:
            number = int(self._values.get(EXPORTS)["number"])
            state = replace(state, number=number, received_at=now, period_end=newest.end_timestamp)
        self.state = state
        self._log_change(before.problem, problem)
        self._cells.write(self._address.name, state, self._period_seconds, time.monotonic())
        if state != self._stored and save_state(self._file, state, self._values.all()):
            self._stored = state
        note_round(self._file, now)

    def _follow(self) -> tuple[str, Export | None]:
        """Code of the refusal, "" without one, and the newest export file that was received."""
        phone: CanaryPhone | None = None
        problem = ""
        try:
            phone = CanaryPhone(self._values, self._trust(), self._clock, FIRST_FILES)
            phone.follow(
                Client(
                    self._address.origin,
                    timeout_seconds=BYTE_SECONDS,
                    most_seconds=ROUND_SECONDS,
                    tls_context=self._address.tls,
                )
            )
        except Refused as refused:
            problem = refused.code
        except Exception:
            log.exception("canary: a round failed", extra=event_fields("canary_failed", address=self._address.name))
            problem = OTHER
        return problem, phone.newest if phone else None

    def _log_change(self, before: str, problem: str) -> None:
        name = self._address.name
        if problem and problem != before:
            extra = event_fields("canary_refused", address=name, code=problem)
            log.warning("canary: %s: %s", name, problem, extra=extra)
        elif before and not problem:
            log.info("canary: %s: follows again", name, extra=event_fields("canary_follows", address=name))


class CanaryThreads:
    """The canaries of one process.

    meters: the shared cells; locks on their descriptor decide which process runs a canary. trust: as in Canary.
    """

    def __init__(self, folder: Path, city: City, own: Address, trust: Callable[[], bytes], meters: Meters) -> None:
        self._period_seconds = city.publish_period_seconds
        self._meters = meters
        self._cells = Cells(meters)
        self._trust = trust
        # Several parts with a public origin can share a data folder, each with its own port.
        port = own.origin.rsplit(":", 1)[1]
        public = public_address(city, folder)
        self._addresses = [own] if public is None else [own, public]
        self._files = {address.name: state_file(folder, f"{address.name}-{port}") for address in self._addresses}

    def start(self) -> None:
        """Run the canaries until this process ends."""
        for name in CANARIES:
            if name in self._files:
                self._cells.expect(name, time.monotonic())
            else:
                self._cells.forget(name)
        for address in self._addresses:
            threading.Thread(target=self._run, args=(address,), name=f"canary {address.name}", daemon=True).start()

    def _run(self, address: Address) -> None:
        while not self._takes_over(address.name):
            time.sleep(TAKE_OVER_SECONDS)
        file = self._files[address.name]
        canary = Canary(address, self._trust, file, self._cells, self._period_seconds)
        pause = min(MOST_PAUSE_SECONDS, late_after_seconds(self._period_seconds) / 4)
        while True:
            canary.make_round()
            time.sleep(pause)

    def _takes_over(self, name: str) -> bool:
        """Whether this process runs a canary from now on; the lock ends with the process."""
        try:
            fcntl.lockf(self._meters.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, CANARIES.index(name))
        except OSError:
            return False
        return True
