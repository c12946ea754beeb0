# SPDX-License-Identifier: Apache-2.0
"""`bluezone demo`: two people meet, one tests positive, the other is warned."""

import asyncio
import base64
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import webbrowser
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bluezone.city_settings import write_default
from bluezone.cli.output import Failed, prints_result, qr_lines
from bluezone.cli.server.serve import lan_address, print_telephone_qr
from bluezone.handset import Handset
from bluezone.handset.page.api import LocalPage
from bluezone.localpage import HOST
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.beacon import Beacon
from bluezone.radio.interface import PROFILES
from bluezone.radio.simulatedtime import run_simulated
from bluezone.refusal import Refused
from bluezone.tls import SELF, authority_folder

# How long the server may take to start: on two idle cores it takes seconds, on busy ones minutes.
START_SECONDS = 600.0

MEETING_SECONDS = 25 * 60
EARLIER_SECONDS_AGO = 10 * 86_400
EPISODE_SECONDS_AGO = 40 * 3_600
STARTED_SECONDS_AGO = 11 * 86_400

ONE_METRE = Pair(distance_m=1.0, carriage="hand-hand")
BEHIND_A_WALL = Pair(distance_m=10.0, walls=1, carriage="hand-hand")

CITY_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
PUBLISH_SECONDS = 300.0
# How often the phones check at most, until a file contains the report.
MOST_CHECKS = 3


class DemoServerFailed(Refused):
    """The server of the demo did not start, or one of its commands failed."""

    code = "demo_server_failed"


def free_port(host: str, preferred: int | None = None) -> int:
    """Return `preferred` if nothing listens there, else a port that the system picks."""
    if preferred:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, preferred))
            return preferred
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _bluezone(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from bluezone.cli.main import main; main()", *arguments]


class DemoServer:
    """The server process of the demo, as a context manager. Its output is stored for error messages.

    host: the address to listen on. tls: with a local authority, which this process trusts from then on.
    """

    def __init__(self, data: Path, *, fixed_ports: bool, host: str = HOST, tls: bool = False) -> None:
        self.data = data
        self.host = host
        self.tls = tls
        self.public_port = free_port(host, 8000 if fixed_ports else None)
        self.office_port = free_port(host, 8001 if fixed_ports else None)
        scheme = "https" if tls else "http"
        self.public_url = f"{scheme}://{host}:{self.public_port}"
        self.office_url = f"{scheme}://{host}:{self.office_port}"
        self.first_admin_link: str | None = None
        self.printed: deque[str] = deque(maxlen=200)
        self._ready = threading.Event()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "DemoServer":
        command = _bluezone(
            "serve", "--data", str(self.data), "--host", self.host,
            "--public-port", str(self.public_port), "--office-port", str(self.office_port),
            *(("--tls", SELF) if self.tls else ()),
        )  # fmt: skip
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        threading.Thread(target=self._read, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while not self._ready.wait(0.1):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise DemoServerFailed("the server did not become ready:\n" + "\n".join(self.printed))
        if self.tls:
            os.environ["SSL_CERT_FILE"] = str(authority_folder(self.data) / "authority.pem")
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.printed.append(line.rstrip())
            if line.startswith("first administrator"):
                self.first_admin_link = line.split(": ", 1)[1].strip()
            if line.startswith("ready"):
                self._ready.set()

    def public_key(self) -> str:
        """The city's public key, 64 hex digits, with which a phone is set up."""
        pem = (self.data / "keys" / "signing-ed25519.pem").read_bytes()
        key = load_pem_private_key(pem, None)
        assert isinstance(key, Ed25519PrivateKey)
        return key.public_key().public_bytes_raw().hex()

    def wait_for_export(self, after: int, seconds: float) -> None:
        """Wait until the index lists a file numbered above `after`. Raises DemoServerFailed if none appears in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self.public_url}/v1/exports/index.json", timeout=10) as response:
                signed = json.load(response)
            if json.loads(base64.b64decode(signed["payload"]))["number"] > after:
                return
            time.sleep(0.2)
        raise DemoServerFailed(f"no export file above number {after} within {seconds:.0f} s")

    def plant_office(self) -> tuple[str, str]:
        """Fill the office; returns the name of a directive in it, and the one-time link of the health worker."""
        command = _bluezone("manage", "--data", str(self.data), "plant_demo")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DemoServerFailed(f"plant_demo ended with {done.returncode}: {done.stderr.strip()}")
        document, token = done.stdout.split("\n")[:2]
        office = self.first_admin_link or self.office_url + "/start/"
        return document, f"{office.split('/start/')[0]}/start/{token}/"

    def issue_code(self, klass: str, onset: date) -> str:
        """Issue a code with `bluezone codes issue`; returns its digits."""
        command = _bluezone(
            "codes", "issue", "--data", str(self.data), "--class", klass, "--onset", onset.isoformat(), "--json"
        )
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DemoServerFailed(f"codes issue ended with {done.returncode}: {done.stderr.strip()}")
        issued: dict[str, Any] = json.loads(done.stdout)
        return str(issued["code"])


@dataclass(frozen=True)
class Episode:
    """One meeting of 25 minutes. pairs: how near each pair of phones is."""

    seconds_ago: int
    pairs: dict[tuple[str, str], Pair]

    @property
    def names(self) -> list[str]:
        """The names of all phones in the episode, sorted."""
        return sorted(set(chain.from_iterable(self.pairs)))


EPISODES = (
    Episode(EARLIER_SECONDS_AGO, {("patient", "earlier"): ONE_METRE}),
    Episode(
        EPISODE_SECONDS_AGO,
        {("patient", "near"): ONE_METRE, ("patient", "far"): BEHIND_A_WALL, ("near", "far"): BEHIND_A_WALL},
    ),
)


class DemoClock:
    """A phone's two clocks: simulated while the episodes run, real afterwards.

    started_unix: when the phone was switched on; the simulation begins then and ends at the present.
    """

    def __init__(self, started_unix: float) -> None:
        self.started_unix = started_unix
        self._seconds: Callable[[], float] = lambda: 0.0

    def follow(self, seconds: Callable[[], float]) -> None:
        """From now on, take boot time from `seconds`, which must not be behind the previous source."""
        self._seconds = seconds

    def boot_seconds(self) -> float:
        """Seconds since the phone was switched on."""
        return self._seconds()

    def wall_seconds(self) -> float:
        """Unix time as the phone shows it; always correct."""
        return self.started_unix + self._seconds()


def run_episodes(handsets: dict[str, Handset], clock: DemoClock, seed: int, say: Callable[[str], None]) -> None:
    """Run all episodes, from the day when the phones were switched on to the present.

    Only the episodes are simulated; the clock skips the days between them.
    """
    run_simulated(_live(handsets, clock, seed, say))
    clock.follow(lambda: time.time() - clock.started_unix)


async def _live(handsets: dict[str, Handset], clock: DemoClock, seed: int, say: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    clock.follow(loop.time)
    present = clock.started_unix + STARTED_SECONDS_AGO
    for number, episode in enumerate(EPISODES):
        await _sleep_until(present - episode.seconds_ago - clock.started_unix)
        say(f"{episode.seconds_ago // 3600} hours ago: " + ", ".join(episode.names))
        await _meet(episode, handsets, clock, random.Random(f"{seed}/{number}"))
    await _sleep_until(time.time() - clock.started_unix)


async def _sleep_until(loop_seconds: float) -> None:
    await asyncio.sleep(max(0.0, loop_seconds - asyncio.get_running_loop().time()))


async def _meet(episode: Episode, handsets: dict[str, Handset], clock: DemoClock, rng: random.Random) -> None:
    air = VirtualAir(Scene(episode.pairs), rng, origin_seconds=asyncio.get_running_loop().time())
    tasks = [asyncio.create_task(_beacon(air, name, handsets[name], clock, rng)) for name in episode.names]
    await asyncio.sleep(MEETING_SECONDS)
    for task in tasks:
        task.cancel()
    await _wait_for_end(tasks)
    for name in episode.names:
        handsets[name].encounters.flush()


async def _beacon(air: VirtualAir, name: str, handset: Handset, clock: DemoClock, rng: random.Random) -> None:
    """Run one phone's Bluetooth, started at a random moment of the first second."""
    chance = random.Random(rng.random())
    radio = air.radio(name)
    await asyncio.sleep(chance.uniform(0.0, 1.0))
    encounters = handset.encounters
    duty = PROFILES["default"]
    boot_clock = clock.boot_seconds
    await Beacon(radio, encounters.payload, encounters, duty, boot_clock, chance, reciprocity=encounters).run()


async def _wait_for_end(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task


@dataclass(frozen=True)
class Expectation:
    """The result that a phone must have."""

    name: str
    level: str
    shortest_minutes: int = 0
    longest_minutes: int = 0

    def text(self, met_on: date) -> str:
        """The expectation as a text."""
        if self.level == "none":
            return "no warning"
        return f"{self.level} on {met_on}, {self.shortest_minutes}-{self.longest_minutes} minutes"

    def is_met_by(self, level: str, day: date | None, minutes: int, met_on: date) -> bool:
        """Whether the phone's result is the expected one; a warning must be for the day of the meeting."""
        if self.level == "none":
            return level == "none"
        return level == self.level and day == met_on and self.shortest_minutes <= minutes <= self.longest_minutes


EXPECTED = (
    Expectation("patient", "none"),
    Expectation("near", "high", 20, 30),
    Expectation("far", "none"),
    Expectation("earlier", "none"),
)


def prepare_city(server: DemoServer) -> None:
    """Write the demo's settings. They have no waits, so that the demo ends in a minute; the server warns of them."""
    write_default(
        server.data,
        public_host=f"{server.host}:{server.public_port}",
        office_host=f"{server.host}:{server.office_port}",
        name_vi="Thành phố Bắc Kạn",
        name_en="Bac Kan City",
        hotline="0209 3 870 943",
        verify_to_upload_seconds=0,
        web_minimum_seconds=0,
        publish_period_seconds=0,
    )


@contextlib.contextmanager
def run_story(
    server: DemoServer, folder: Path, seed: int, say: Callable[[str], None]
) -> Iterator[tuple[dict[str, Any], dict[str, Handset]]]:
    """Let four phones go through the episodes, the report, the publication and the check.

    Yields the result of `bluezone demo`, and the phones by name, which are closed at the end of the block.
    """
    say("warning: waits and publishing period are 0 here; in use they are not (see docs/privacy.md)")
    clock = DemoClock(time.time() - STARTED_SECONDS_AGO)
    handsets = {
        expected.name: Handset.open(
            folder / expected.name,
            server_url=server.public_url,
            clock=clock,
            rng=random.Random(f"{seed}/{expected.name}"),
            trust=server.public_key(),
        )
        for expected in EXPECTED
    }
    try:
        run_episodes(handsets, clock, seed, say)
        met_on = _local_date(time.time() - EPISODE_SECONDS_AGO)
        _report(server, handsets["patient"], say)
        yield _result(handsets, server, seed, met_on, say), handsets
    finally:
        for handset in handsets.values():
            handset.close()


def _local_date(unix_seconds: float) -> date:
    return datetime.fromtimestamp(unix_seconds, UTC).astimezone(CITY_ZONE).date()


def _report(server: DemoServer, patient: Handset, say: Callable[[str], None]) -> None:
    """Report with the patient's phone: tested positive today, first symptoms the day before yesterday."""
    code = server.issue_code("confirmed", _local_date(time.time()) - timedelta(days=2))
    say(f"a health worker issued the code {code}")
    patient.check()
    outcome = patient.report.prepare_and_submit(code, consent=True)
    say(f"the patient's phone sent its keys; days covered: {outcome.keys}")


def _result(
    handsets: dict[str, Handset], server: DemoServer, seed: int, met_on: date, say: Callable[[str], None]
) -> dict[str, Any]:
    """Let every phone fetch the file with the report, and compare its result with the expected one."""
    patient = handsets["patient"].downloads
    server.wait_for_export(after=patient.position.number, seconds=PUBLISH_SECONDS)
    say("the server published; every phone fetches and matches at home")
    rows = _answers(handsets, met_on)
    # If the first file was made between the patient's last check and the report, the report is in the next file.
    with contextlib.suppress(DemoServerFailed):
        for _ in range(MOST_CHECKS - 1):
            if all(row["ok"] for row in rows):
                break
            server.wait_for_export(after=patient.position.number, seconds=PUBLISH_SECONDS)
            rows = _answers(handsets, met_on)
    as_expected = [row.pop("ok") for row in rows]
    for expected, is_so in zip(EXPECTED, as_expected, strict=True):
        if not is_so:
            say(f"{expected.name} differs: expected {expected.text(met_on)}")
    return {"ok": all(as_expected), "seed": seed, "handsets": rows}


def _answers(handsets: dict[str, Handset], met_on: date) -> list[dict[str, Any]]:
    """For each phone a row with the result of its check; "ok": whether it is the expected one."""
    rows = []
    for expected in EXPECTED:
        assessment = handsets[expected.name].check()
        worst = max(assessment.days, key=lambda day: day.score, default=None)
        row: dict[str, Any] = {
            "name": expected.name,
            "expected": expected.level,
            "level": assessment.level,
            "day": None,
            "minutes": 0,
            "certainty": None,
        }
        day = None
        if worst is not None and assessment.level != "none":
            day = worst.day
            row.update(day=day.isoformat(), minutes=worst.minutes, certainty=worst.certainty)
        row["ok"] = expected.is_met_by(assessment.level, day, row["minutes"], met_on)
        rows.append(row)
    return rows


def _lines(result: dict[str, Any]) -> Iterable[str]:
    yield f"{'handset':10} {'expected':9} {'level':6} {'day':11} {'minutes':>7}  certainty"
    for row in result["handsets"]:
        day = row["day"] or "-"
        certainty = row["certainty"] or "-"
        yield f"{row['name']:10} {row['expected']:9} {row['level']:6} {day:11} {row['minutes']:7}  {certainty}"
    if result["ok"]:
        yield "as expected"
    else:
        yield "NOT as expected"


@click.command()
@click.option("--exit", "leave", is_flag=True, help="Stop at the end instead of keeping portal and office open.")
@click.option("--lan", is_flag=True, help="Let a telephone on the same network connect: addresses with QR codes.")
@click.option("--tls", type=click.Choice([SELF]), help="Speak HTTPS, for the web edition on such a telephone.")
@click.option("--open", "browse", is_flag=True, help="Open the two phones, the portal and the office in the browser.")
@click.option("--seed", type=int, default=None, help="Draw of the radio and the rotations; a random one if not given.")
@prints_result(_lines)
def demo(leave: bool, lan: bool, tls: str | None, browse: bool, seed: int | None) -> dict[str, Any]:
    """Run the whole story: a server, a code, four phones, a report, a warning.

    Everything is real except the air between the phones and the hours that pass: the server process, its database and
    files, the Bluetooth host stack, the protocol. Exits with 1 if a phone is not warned as it should be.
    """

    seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    host = lan_address() if lan else HOST
    with _folder() as folder:
        server = DemoServer(folder / "server", fixed_ports=not leave, host=host, tls=tls is not None)
        prepare_city(server)
        with (
            server,
            run_story(server, folder / "phones", seed, lambda line: click.echo(line, err=True)) as (result, phones),
        ):
            if not leave:
                _leave_open(server, result, phones, browse, lan)
    if not result["ok"]:
        raise Failed(result)
    return result


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bluezone-demo-") as name:
        yield Path(name)


def _leave_open(
    server: DemoServer, result: dict[str, Any], phones: dict[str, Handset], browse: bool, lan: bool
) -> None:
    """Print the addresses of all pages, and wait for Ctrl-C."""
    document, health_link = server.plant_office()
    click.echo(f"the office is at work on {document}; its units and agencies are those of 2020", err=True)
    for line in _lines(result):
        click.echo(line, err=True)
    office_link = server.first_admin_link or server.office_url
    pages = {name: LocalPage(phones[name], host=server.host) for name in ("patient", "near")}
    try:
        for page in pages.values():
            page.start()
        click.echo(
            f"\nwarned   {pages['near'].url}  (the phone that was near; its Bluetooth has ended with the story)"
            f"\npatient  {pages['patient'].url}  (the phone that reported)"
            f"\nportal   {server.public_url}/"
            f"\noffice   {office_link}  (administrator, clerk, signatory, leader; once)"
            f"\nhealth   {health_link}  (health worker and supervisor, another person; once)",
            err=True,
        )
        if lan:
            _print_for_telephones(server, pages["near"])
        click.echo("Ctrl-C ends the demo.", err=True)
        if browse:
            for address in (pages["near"].url, pages["patient"].url, server.public_url, office_link):
                webbrowser.open(address)
        # SIGTERM to the demo must end its server too.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
    finally:
        for page in pages.values():
            page.stop()


def _print_for_telephones(server: DemoServer, warned: LocalPage) -> None:
    """Print QR codes for a telephone: the page of the warned phone, and the city's site."""
    for line in ["", *qr_lines(warned.url), "", f"the warned phone on a telephone in this network: {warned.url}"]:
        click.echo(line, err=True)
    print_telephone_qr(f"{server.public_url}/", server.tls)
    click.echo("anyone in this network can open these addresses; nothing on them is real.", err=True)
