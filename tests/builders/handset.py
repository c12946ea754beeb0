# SPDX-License-Identifier: Apache-2.0
"""A phone with a clock that tests move, and a real key server over HTTP on this machine."""

import asyncio
import atexit
import random
import shutil
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from tests.builders.keyserver import NOON, open_server, set_city
from tests.builders.stores import with_week_keys

from bluezone.handset import Handset
from bluezone.handset.encounters.pages import Page
from bluezone.keyserver.http import Application
from bluezone.keyserver.keys.keyfolder import open_secrets
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import Transaction
from bluezone.radio.interface import Burst, Sighting
from bluezone.radio.simulatedtime import run_simulated

BURST_SECONDS = 30.0


@dataclass
class World:
    """True time, which the server and the phones share by default."""

    now: float = NOON

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class AirWorld(World):
    """True time that follows the event loop of a simulation while one runs, and stops between simulations."""

    def __init__(self) -> None:
        self._base = float(NOON)

    @property
    def now(self) -> float:
        try:
            return self._base + asyncio.get_running_loop().time()
        except RuntimeError:
            return self._base

    @now.setter
    def now(self, value: float) -> None:
        self._base = value

    def live(self, story: Coroutine[Any, Any, None]) -> None:
        """Run a simulation that begins now; afterwards, true time is that of its end."""
        ended: list[float] = []

        async def timed() -> None:
            await story
            ended.append(asyncio.get_running_loop().time())

        run_simulated(timed())
        self._base += ended[0]


@dataclass
class PhoneClock:
    """A phone's clocks: the boot clock follows true time from `booted_at`, the wall clock is off by `wall_error`."""

    world: World
    booted_at: float
    wall_error: float = 0.0
    boot_name: str = "boot-1"

    def boot_seconds(self) -> float:
        return self.world.now - self.booted_at

    def wall_seconds(self) -> float:
        return self.world.now + self.wall_error

    def boot_id(self) -> str:
        return self.boot_name

    def restart(self, name: str, wall_error: float = 0.0) -> None:
        """The machine starts again: the boot clock begins at 0 under another name."""
        self.booted_at = self.world.now
        self.boot_name = name
        self.wall_error = wall_error


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@dataclass
class Served:
    """A key server on a port of this machine. tamper: (path, body) -> the body to send instead."""

    key_server: KeyServer
    url: str
    requests: list[tuple[str, int]] = field(default_factory=list)
    tamper: Callable[[str, bytes], bytes] = lambda path, body: body
    down: bool = False

    def trust(self) -> str:
        """The city's public key, as phones get it at set-up."""
        return self.key_server.secrets.signing_key.public_key().public_bytes_raw().hex()

    def application(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        path = environ["PATH_INFO"]
        self.requests.append((path, int(environ.get("CONTENT_LENGTH") or 0)))
        head: list[Any] = []
        body = b"".join(Application(self.key_server.parts)(environ, lambda *response: head.extend(response)))
        if self.down:
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        answer = self.tamper(path, body)
        headers = [(name, str(len(answer)) if name == "Content-Length" else value) for name, value in head[1]]
        # A replaced body is sent as a successful answer.
        start_response(head[0] if answer == body else "200 OK", headers)
        return [answer]


@contextmanager
def serve_city(folder: Path, world: World, **settings: Any) -> Iterator[Served]:
    """Serve a small city from `folder` over HTTP, by default without waiting times."""
    waits = {"verify_to_upload_seconds": 0, "publish_period_seconds": 0, "padding_mean": 1}
    key_server = open_server(folder, lambda: world.now, **{**waits, **settings})
    server = Served(key_server, "")
    httpd = make_server("127.0.0.1", 0, server.application, WSGIServer, _Quiet)
    server.url = f"http://127.0.0.1:{httpd.server_port}"
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
        key_server.close()


@dataclass
class Phones:
    """Makes phones of one city, each in its own folder."""

    folder: Path
    server: Served
    world: World
    made: list[Handset] = field(default_factory=list)

    def new(self, name: str, clock: PhoneClock | None = None, **options: Any) -> Handset:
        """A phone that was switched on a day ago, or the phone of that name again. options: `model` is of its radio."""
        clock = clock or PhoneClock(self.world, self.world.now - 86_400)
        options = {"trust": self.server.trust(), **options}
        model = options.pop("model", "virtual")
        handset = Handset.open(
            self.folder / name, self.server.url, clock, random.Random(f"{name}/{len(self.made)}"), model, **options
        )
        self.made.append(handset)
        return handset

    def close(self) -> None:
        for handset in self.made:
            handset.close()


def hear_frames(
    listener: Handset,
    payload: bytes,
    minutes: float,
    *,
    rssi_dbm: int = -76,
    first_burst: int = 1,
    frames: Iterable[bytes] = (),
    world: World,
) -> int:
    """Let a phone hear one frame in each burst for `minutes` minutes; true time passes. Returns the next burst.

    frames: reciprocity frames that the phone also hears in each burst.
    """
    number = first_burst
    for number in range(first_burst, first_burst + int(minutes * 60 / BURST_SECONDS)):
        burst = Burst(number, listener.clock.boot_seconds(), BURST_SECONDS)
        listener.encounters.burst_started(burst)
        listener.encounters.heard(Sighting(payload[:16], payload[16:], rssi_dbm, number, burst.boot_seconds))
        for frame in frames:
            listener.encounters.heard_reciprocity(frame)
        world.pass_by(BURST_SECONDS)
    return number + 1


def meet_phone(listener: Handset, other: Handset, minutes: int, *, world: World, rssi_dbm: int = -76) -> None:
    """Let a phone hear another one, which changes its identifier every ten minutes."""
    burst = 1
    for start in range(0, minutes, 10):
        payload = other.encounters.payload()
        burst = hear_frames(
            listener, payload, min(10, minutes - start), rssi_dbm=rssi_dbm, first_burst=burst, world=world
        )
    listener.encounters.flush()


def meet_both_ways(
    listener: Handset, other: Handset, minutes: int, *, world: World, rssi_dbm: int = -76, told_dbm: int | None = None
) -> list[bytes]:
    """As `meet_phone`, but in each burst the other phone also reports how it heard the listener. Returns these frames.

    told_dbm: the reported level, before the correction of its receiver; None for the level at the listener.
    """
    frames = []
    burst = 1
    for start in range(0, minutes, 10):
        payload = other.encounters.payload()
        mine = listener.encounters.payload()
        for _ in range(int(min(10, minutes - start) * 60 / BURST_SECONDS)):
            level = rssi_dbm if told_dbm is None else told_dbm
            frame = other.encounters.reciprocity_frame(burst, [(mine[:16], level)])
            assert frame is not None
            frames.append(frame)
            burst = hear_frames(
                listener, payload, BURST_SECONDS / 60, rssi_dbm=rssi_dbm, first_burst=burst, frames=[frame], world=world
            )
    listener.encounters.flush()
    return frames


def pages(handset: Handset) -> list[Page]:
    """Every page of a phone's log."""
    return [page for _, page in handset.encounters.log.pages()]


@cache
def secrets_folder() -> Path:
    """A folder of secrets for NOON, made once in a process."""
    data = Path(tempfile.mkdtemp(prefix="bluezone-secrets-"))
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    with_week_keys(data, NOON)
    folder = data / "keys"
    open_secrets(folder).week_keys.rotate_week_keys(NOON)
    return folder


@contextmanager
def city_with_phones(
    folder: Path, world: World | None = None, **settings: Any
) -> Iterator[tuple[Served, Phones, World]]:
    """A served city and phones in it, all in `folder`."""
    world = world or World()
    home = folder / "city"
    home.mkdir()
    shutil.copytree(secrets_folder(), home / "keys")
    with serve_city(home, world, **settings) as server:
        phones = Phones(folder / "phones", server, world)
        try:
            yield server, phones, world
        finally:
            phones.close()


def remove_random_keys(server: Served) -> None:
    """Remove the random keys, which are stored like real ones, so that a test can count the real ones."""
    key_server = server.key_server
    set_city(key_server, padding_mean=0)

    def clear(transaction: Transaction) -> None:
        for table in ("known_key", "waiting_key"):
            transaction.execute(f"DELETE FROM {table}")

    key_server.keys_store.write(clear)


def report_patient(patient: Handset, server: Served, *, onset_days_ago: int = 1, klass: str = "confirmed") -> None:
    """The patient gets a code and reports everything, with consent."""
    onset = patient.time.today() - timedelta(days=onset_days_ago)
    patient.report.prepare_and_submit(server.key_server.codes.issue_code(klass, onset).code, consent=True)


def publish_reports(server: Served, world: World) -> None:
    """Let a day and the embargo pass, and the server publish what is due."""
    world.pass_by(26 * 3600)
    server.key_server.tick()
