# SPDX-License-Identifier: Apache-2.0
"""Blind signatures a second on one core: the whole second step of verify, code looked up, used and committed.

Baseline: the same without gmpy2, with Python's own pow(). `apart`: calls a CPU second where what is asked passes on to
a process with the codes, and that asks a signer, the CPU of all three counted; and the share of the calls of a server
that does all in one, asked by turns in the same run, both in as many threads as an origin has.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

from bluezone.city_settings import write_default
from bluezone.keyserver.datafolder import RUN_FOLDER
from bluezone.keyserver.http import Application
from bluezone.keyserver.service import KeyServer
from bluezone.protocol import blindrsa
from bluezone.protocol.upload import Status, Verify2Request, decode_verify2_answer, encode_verify2
from bluezone.protocol.upload.codes import Credential
from bluezone.server.front.relay import Front, socket_of

CALLS = 800
BASELINE_CALLS = 120
# All in one and all apart, by turns; the first opens connections and stores, which an origin does once.
TURNS = 6
THREADS = 4


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Time verify 2 through the WSGI application in one thread; codes are issued and values blinded beforehand."""
    with tempfile.TemporaryDirectory() as folder:
        write_default(folder, name_vi="Thử", name_en="Test", hotline="115")
        server = KeyServer.open(folder)
        bodies = [_body(server) for _ in range(CALLS + BASELINE_CALLS + 20)]
        progress("codes issued")
        _calls_a_second(server, bodies[:20])
        fast, fast_cpu = _best_of_four(server, bodies[20 : CALLS + 20], lambda: 0.0)
        library, blindrsa.gmpy2 = blindrsa.gmpy2, None
        try:
            slow, _ = _calls_a_second(server, bodies[CALLS + 20 :])
        finally:
            blindrsa.gmpy2 = library
        bodies = [_body(server) for _ in range(2 * CALLS)]
        together, apart = [], []
        with (
            signer(Path(folder)) as used_by_signer,
            passed_on(Path(folder), "codes") as (front, used_by_part),
            ThreadPoolExecutor(THREADS) as threads,
        ):
            for turn in range(TURNS):
                together.append(_measured(server, bodies[turn :: 2 * TURNS], lambda: 0.0, threads))
                some = bodies[turn + TURNS :: 2 * TURNS]
                apart.append(_measured(front, some, lambda: used_by_signer() + used_by_part(), threads))
        server.close()
        calls, cpu = (statistics.median(each[at] for each in apart[1:]) for at in (0, 1))
        whole_calls, whole = (statistics.median(each[at] for each in together[1:]) for at in (0, 1))
        load = f"load {os.getloadavg()[0]:.1f}"
        progress(f"all apart: {calls:.0f} calls/s, {cpu:.0f} a CPU second of all; in one {whole:.0f}; {load}")
    return {
        "name": "verify 2, blind signature and commit",
        "value": round(fast),
        "unit": "calls/s on one core",
        "baseline": round(slow),
        "ratio": round(fast / slow, 2),
        "calls_per_cpu_second": round(fast_cpu),
        "apart_calls_per_cpu_second": round(cpu),
        "apart_share": round(cpu / whole, 2),
        "apart_share_by_the_wall": round(calls / whole_calls, 2),
        "load": round(os.getloadavg()[0], 1),
        "gmpy2": library is not None,
    }


@contextmanager
def signer(folder: Path) -> Iterator[Callable[[], float]]:
    """A signer on a data folder, where servers that are opened meanwhile find it; yields its CPU seconds so far."""
    (folder / "signer").mkdir(exist_ok=True)
    # More in a second than a city has in an hour.
    (folder / "signer" / "signer.toml").write_text("most_certificates_an_hour = 1000000\n")
    ready, told = os.pipe()
    command = ["-m", "bluezone.server.processes.signer", folder, folder / "signer" / "bench.sock"]
    process = subprocess.Popen(
        [sys.executable, *map(str, command), f"--ready={told}", "--meters=0", "--row=0"],
        stdin=subprocess.PIPE,
        pass_fds=(told,),
    )
    os.close(told)
    try:
        if not os.read(ready, 1):
            raise RuntimeError("the signer did not start")
        yield lambda: _cpu_seconds(process.pid)
    finally:
        os.close(ready)
        process.terminate()
        process.wait()


@contextmanager
def passed_on(folder: Path, part: str) -> Iterator[tuple[Front, Callable[[], float]]]:
    """The public origin that passes on, and a part that it asks; and that one's CPU seconds so far."""
    socket_of(folder / RUN_FOLDER, part).parent.mkdir(parents=True, exist_ok=True)
    ready, told = os.pipe()
    command = ["-m", "bluezone.server.processes.part", part, folder, f"--allow={os.getuid()}"]
    process = subprocess.Popen(
        [sys.executable, *map(str, command), f"--ready={told}", "--meters=0", "--row=0"],
        stdin=subprocess.PIPE,
        pass_fds=(told,),
    )
    os.close(told)
    try:
        if not os.read(ready, 1):
            raise RuntimeError(f"{part} did not start")
        yield Front(folder, folder / RUN_FOLDER, lambda _path: False), lambda: _cpu_seconds(process.pid)
    finally:
        os.close(ready)
        process.terminate()
        process.wait()


def _cpu_seconds(pid: int) -> float:
    # The kernel's clock of a whole process, threads that have ended included (clock_getcpuclockid(3)).
    return time.clock_gettime(~pid << 3 | 2)


def _body(server: KeyServer) -> bytes:
    onset = datetime.fromtimestamp(server.clock(), UTC).date() - timedelta(days=2)
    issued = server.codes.issue_code("confirmed", onset)
    key = server.secrets.week_keys.current_key(1, server.clock())
    blinded = blindrsa.blind(blindrsa.PublicKey(key.n, key.e), bytes(64)).message
    return encode_verify2(Verify2Request(credential=Credential.from_text(issued.code), kid=key.kid, blinded=blinded))


def _best_of_four(server: KeyServer, bodies: list[bytes], beside: Callable[[], float]) -> tuple[float, float]:
    """Calls a second and calls a CPU second; the best of four parts."""
    found = [_measured(server, bodies[part::4], beside) for part in range(4)]
    return max(calls for calls, _ in found), max(cpu for _, cpu in found)


def _measured(
    server: KeyServer | Front, bodies: list[bytes], beside: Callable[[], float], kept: ThreadPoolExecutor | None = None
) -> tuple[float, float]:
    """Calls a second and calls a CPU second, this process and what `beside` says together."""
    before = beside()
    calls, ours = _calls_a_second(server, bodies, kept)
    return calls, len(bodies) / (len(bodies) / ours + beside() - before)


def _calls_a_second(
    server: KeyServer | Front, bodies: list[bytes], kept: ThreadPoolExecutor | None = None
) -> tuple[float, float]:
    """Calls a second by the wall clock and by CPU time. kept: threads that stay; none: one call after the other."""
    application = Application(server.parts) if isinstance(server, KeyServer) else server

    def ask_each(some: list[bytes]) -> None:
        for body in some:
            environ = {
                "REQUEST_METHOD": "POST", "PATH_INFO": "/v1/verify", "CONTENT_LENGTH": str(len(body)),
                "wsgi.input": BytesIO(body), "REMOTE_ADDR": "192.0.2.1",
            }  # fmt: skip
            (answer,) = application(environ, lambda status, headers: None)
            assert decode_verify2_answer(answer).status is Status.OK

    begun, used = time.perf_counter(), time.process_time()
    if kept:
        list(kept.map(ask_each, [bodies[number::THREADS] for number in range(THREADS)]))
    else:
        ask_each(bodies)
    return len(bodies) / (time.perf_counter() - begun), len(bodies) / (time.process_time() - used)
