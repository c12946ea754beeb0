# SPDX-License-Identifier: Apache-2.0
"""A day of a region of 10 million people: its peak hour through a real `bluezone serve`, and its exports.

Of 5 million phones each rehearses a report every five days, and 1,250 report: three calls each. The peak hour is taken
to hold a tenth of the day. Every phone has an address and a connection of its own; `rehearsals_a_minute` is set to the
number of phones. BLUEZONE_BENCH_POSTGRES_URL, a PostgreSQL server on which a database may be made, repeats it there.

Baseline: the upload as a Django view with the usual middleware (upload_django_view.py), over HTTP under the same
server program at the same rate. Source: docs/design.md, growth path; docs/exposure-notification.md section 4.
"""

import importlib.util
import math
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluezone.city_settings import write_default
from bluezone.keyserver.http import Application
from bluezone.keyserver.publication.series import EXPORTS_FOLDER
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.upload import (
    Status,
    Verify1Request,
    decode_upload_answer,
    decode_verify1_answer,
    encode_verify1,
)
from bluezone.protocol.upload.codes import Credential

PHONES, PLAYS_A_DAY, REPORTS_A_DAY = 5_000_000, 0.2, 1250
PEAK_SHARE = 0.1
FILES_A_DAY = 12
PERIOD_SECONDS = 7200
PLAYS_A_SECOND = (PHONES * PLAYS_A_DAY + REPORTS_A_DAY) * PEAK_SHARE / 3600
CALLS_A_SECOND = 3 * PLAYS_A_SECOND
LOAD_SECONDS = 30
# Uploads alone, to compare with the view, and calls that are answered with a puzzle, to know what those cost.
UPLOADS, PUZZLES = 600, 600
BUSY = 0.5
HERE = Path(__file__).parent


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """The load on SQLite, the day's exports, the view; then the load on PostgreSQL if there is one."""
    with tempfile.TemporaryDirectory() as folder:
        sqlite, published = _on(Path(folder), {}, progress, lambda server, kept: _publish(server, kept, progress))
    url = os.environ.get("BLUEZONE_BENCH_POSTGRES_URL")
    postgresql = None
    if url:
        with tempfile.TemporaryDirectory() as folder, _load.fresh_database(url) as database:
            postgresql, _ = _on(Path(folder), {"BLUEZONE_DATABASE_URL": database}, progress, lambda *_: None)
    with tempfile.TemporaryDirectory() as folder:
        view = _view_microseconds(Path(folder))
    cores = CALLS_A_SECOND * sqlite["cpu_microseconds_a_call"] / 1e6
    return {
        "name": "peak hour of a day of 10 million people, SQLite",
        "value": round(cores, 3),
        "unit": "cores",
        "baseline": f"{view} us of CPU an upload in a Django view over HTTP",
        "ratio": round(view / sqlite["cpu_microseconds_an_upload"], 2),
        "calls_a_second_at_the_peak": round(CALLS_A_SECOND, 1),
        "calls_a_day": round(3 * (PHONES * PLAYS_A_DAY + REPORTS_A_DAY)),
        "core_hours_a_day": round(cores / PEAK_SHARE, 2),
        "machines_of_2_cores_at_half_load": math.ceil(cores / (2 * BUSY)),
        "sqlite": sqlite,
        "postgresql": postgresql or "not measured: BLUEZONE_BENCH_POSTGRES_URL is not set",
        "publication": published,
        "load_average": os.getloadavg()[0],
    }


def _beside(name: str) -> Any:
    # Benches are run by their path and are no package.
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


_load = _beside("publish_day_load")
_upload = _beside("bench_upload")


@dataclass
class _Clock:
    """This machine's clock, or Unix seconds once they are set."""

    moment: float | None = None

    def __call__(self) -> float:
        return time.time() if self.moment is None else self.moment


def _on(
    folder: Path, environment: dict[str, str], progress: Callable[[str], object], after: Callable[..., Any]
) -> tuple[dict[str, Any], Any]:
    """Measure one `serve` on a new data folder; `after` gets the key server once it has stopped, and the kept keys."""
    write_default(
        folder, name_vi="Thử", name_en="Test", hotline="115", trusted_proxies=("127.0.0.1/32",),
        rehearsals_a_minute=PHONES // 1200, publish_period_seconds=PERIOD_SECONDS,
    )  # fmt: skip
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        server = KeyServer.open(folder, _Clock())
        reports = REPORTS_A_DAY // FILES_A_DAY
        plays = [_load.Play(server, number >= reports) for number in range(round(PLAYS_A_SECOND * LOAD_SECONDS))]
        uploads = [_upload._body(server, _upload._signer(server)) for _ in range(UPLOADS)]
        progress(f"{len(plays)} plays are ready")
        with ExitStack() as stack:
            pid, port = stack.enter_context(_load.serve(folder, environment))
            url = environment.get("BLUEZONE_DATABASE_URL")
            told = _measure(plays, uploads, pid, port, _load.postmaster(url) if url else None)
        progress(f"{told}")
        result = after(server, {key.key for play in plays if not play.chaff for key in play.keys})
        server.close()
    finally:
        for name in environment:
            os.environ.pop(name)
        os.environ.update(before)
    return told, result


def _measure(plays: list[Any], uploads: list[bytes], pid: int, port: int, database: int | None) -> dict[str, Any]:
    """Latency and CPU of the plays, then CPU of uploads alone and of answers that ask for a puzzle."""
    durations, networks = _load.Durations(), _load.addresses(458)
    actions = [play.playing(_load.poster(port, next(networks)), durations) for play in plays]
    cpu = {"public": 0.0, "others": 0.0, "database": 0.0}

    def used() -> dict[str, float]:
        public = _load.cpu_seconds(pid, "bluezone-public")
        whole = _load.cpu_seconds(pid)
        return {"public": public, "others": whole - public, "database": _load.cpu_seconds(database) if database else 0}

    before = used()
    seconds = _load.at_a_rate(actions, PLAYS_A_SECOND)
    cpu = {name: value - before[name] for name, value in used().items()}
    told: dict[str, Any] = {
        "plays": len(plays),
        "calls_a_second": round(durations.count() / seconds, 1),
        "milliseconds": durations.milliseconds(),
        "cpu_microseconds_a_call": round((cpu["public"] + cpu["database"]) / durations.count() * 1e6),
        "of_it_database": round(cpu["database"] / durations.count() * 1e6),
        "other_processes_cores": round(cpu["others"] / seconds, 3),
    }

    def cpu_of(count: int, calls: list[Callable[[float], None]]) -> int:
        before = used()
        _load.at_a_rate(calls, CALLS_A_SECOND)
        after = used()
        return round(sum(after[name] - before[name] for name in ("public", "database")) / count * 1e6)

    told["cpu_microseconds_an_upload"] = cpu_of(len(uploads), [_sending(port, next(networks), b) for b in uploads])
    guesser = _load.poster(port, "192.0.2.1")
    guesses = [_guessing(guesser) for _ in range(PUZZLES)]
    for guess in guesses[:11]:
        guess(0.0)
    told["cpu_microseconds_a_puzzle"] = cpu_of(PUZZLES, guesses)
    return told


def _sending(port: int, network: str, body: bytes) -> Callable[[float], None]:
    def send(_due: float) -> None:
        if decode_upload_answer(_load.poster(port, network)("/v1/upload", body)).status is not Status.OK:
            raise RuntimeError("an upload was refused")

    return send


def _guessing(post: Callable[[str, bytes], bytes]) -> Callable[[float], None]:
    body = encode_verify1(Verify1Request(credential=Credential.from_link(os.urandom(16))))

    def guess(_due: float) -> None:
        if decode_verify1_answer(post("/v1/verify", body)).status is Status.OK:
            raise RuntimeError("a guess was right")

    return guess


def _publish(server: KeyServer, kept: set[bytes], progress: Callable[[str], object]) -> dict[str, Any]:
    """The exports of the day: the other periods' reports are stored in this process, and the clock runs ahead."""
    clock = server.clock
    assert isinstance(clock, _Clock)
    now = clock()
    kept = set(kept)
    uploaded = server.keys_store.read("SELECT key FROM waiting_key")
    kept |= {bytes(key) for (key,) in uploaded}
    seconds, cpu, sizes = [], [], []
    for number in range(FILES_A_DAY + 1):
        now += PERIOD_SECONDS
        clock.moment = now
        if 0 < number < FILES_A_DAY:
            kept |= _store_reports(server, REPORTS_A_DAY // FILES_A_DAY)
        before = _files(server)
        begun, used = time.perf_counter(), time.process_time()
        server.tick(now)
        seconds.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
        sizes += [len(content) for name, content in _files(server).items() if name not in before]
    counts = Counter(key.key for content in _files(server).values() for key in read_export(content).keys)
    if {counts[key] for key in kept} != {1}:
        raise AssertionError("a reported key is missing from the files, or stands in two")
    day = sum(sizes[:FILES_A_DAY])
    polls = 86_400 // server.city.poll_seconds
    small = polls * server.downloads.index().size + server.downloads.config(None).size
    progress(f"{len(sizes)} files")
    return {
        "keys_reported": len(kept),
        "keys_in_the_files": counts.total(),
        "files": FILES_A_DAY,
        "seconds_a_file": round(max(seconds), 2),
        "cpu_seconds_a_day": round(sum(cpu), 2),
        "kilobytes_a_file": round(day / FILES_A_DAY / 1000),
        "megabytes_a_phone_a_day": round((day + small) / 1e6, 2),
        "of_it_index_and_config_kilobytes": round(small / 1000),
        "terabytes_a_day_for_all_phones": round((day + small) * PHONES / 1e12, 2),
    }


def _files(server: KeyServer) -> dict[str, bytes]:
    publication = server.publication
    assert publication is not None
    names = (name for name in publication.published.names(EXPORTS_FOLDER) if name.endswith(".zip"))
    return {name: publication.published.get(name) or b"" for name in names}


def _store_reports(server: KeyServer, count: int) -> set[bytes]:
    """Upload reports through the whole check, without HTTP; returns their keys."""
    signer = _upload._signer(server)
    reports = [_load.keys_of_a_report(server.clock()) for _ in range(count)]
    _upload._cpu_microseconds(Application(server.parts), [_upload._body(server, signer, keys) for keys in reports])
    return {key.key for keys in reports for key in keys}


def _view_microseconds(folder: Path) -> int:
    """CPU of one upload in the Django view, over HTTP at the same rate."""
    write_default(folder, name_vi="Thử", name_en="Test", hotline="115")
    server = KeyServer.open(folder)
    bodies = [_upload._body(server, _upload._signer(server)) for _ in range(UPLOADS)]
    server.close()
    with _load.program(sys.executable, str(HERE / "upload_server.py"), str(folder), "view") as (pid, port):
        sends = [_sending(port, "192.0.2.1", body) for body in bodies]
        sends.pop()(0.0)
        before = _load.cpu_seconds(pid)
        _load.at_a_rate(sends, CALLS_A_SECOND)
        used: float = _load.cpu_seconds(pid) - before
        return round(used / len(sends) * 1e6)
