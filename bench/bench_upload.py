# SPDX-License-Identifier: Apache-2.0
"""Uploads with the full check: against a Django view doing the same work, and at 300 a second over real HTTP.

Both do: puzzle limit, spent look-up, RSA verification, bounds, one transaction with 14 keys on SQLite (WAL,
synchronous FULL). `apart`: the same passed on to a process that admits, with a signer beside it, the CPU of all
counted, by turns with a server that does all in one. The view is what one would write in Django: ORM, atomic, the usual
eight middleware.
CPU time per request is the figure: it hardly moves with what else the machine does.
"""

import http.client
import importlib.util
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bluezone.city_settings import write_default
from bluezone.keyserver.http import Application
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.intervals import day_at, first_interval
from bluezone.protocol.upload import Status, UploadKey, UploadRequest, commitment, decode_upload_answer, encode_upload

UPLOADS = 600
# All in one and all apart, by turns.
APART, TURNS = 2000, 10
RATE = 300
RATE_SECONDS = 10
CLIENTS = 16
THREADS = 4
SERVER = Path(__file__).with_name("upload_server.py")


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Compare CPU time in one process, then measure latency over HTTP in another."""
    with tempfile.TemporaryDirectory() as folder:
        write_default(folder, name_vi="Thử", name_en="Test", hotline="115")
        server = KeyServer.open(folder)
        signer = _signer(server)
        bodies = [_body(server, signer) for _ in range(2 * UPLOADS + APART + 40 + RATE * RATE_SECONDS)]
        progress(f"{len(bodies)} uploads signed")
        view = _beside("upload_django_view").application(Path(folder), server)
        application = Application(server.parts)
        ours, theirs = [], []
        _cpu_microseconds(application, bodies[:20])
        _cpu_microseconds(view, bodies[20:40])
        at, chunk = 40, UPLOADS // 4
        for _ in range(4):
            ours.append(_cpu_microseconds(application, bodies[at : at + chunk]))
            theirs.append(_cpu_microseconds(view, bodies[at + chunk : at + 2 * chunk]))
            at += 2 * chunk
        progress(f"CPU per upload: {min(ours):.0f} us here, {min(theirs):.0f} us in the Django view")
        server.close()
        together, apart = _apart(Path(folder), bodies[at : at + APART])
        load = os.getloadavg()[0]
        progress(f"CPU per upload with all apart: {apart:.0f} us, in one {together:.0f} us; load {load:.1f}")
        latency = _latency(Path(folder), bodies[at + APART :], progress)
    return {
        "name": "upload with full check, CPU per request",
        "value": round(min(ours)),
        "unit": "us",
        "baseline": round(min(theirs)),
        "ratio": round(min(theirs) / min(ours), 2),
        "apart_us": round(apart),
        "apart_share": round(together / apart, 2),
        "load": round(load, 1),
        **latency,
    }


def _apart(folder: Path, bodies: list[bytes]) -> tuple[float, float]:
    """CPU microseconds of an upload, all in one and all apart, by turns in threads that stay; the medians."""
    verify, together, taken = _beside("bench_verify"), [], []
    server = KeyServer.open(folder)
    with (
        verify.signer(folder) as used_by_signer,
        verify.passed_on(folder, "admission") as (front, used_by_part),
        ThreadPoolExecutor(THREADS) as threads,
    ):
        application = Application(server.parts)
        for turn in range(TURNS):
            together.append(_cpu_microseconds(application, bodies[turn :: 2 * TURNS], threads))
            some, before = bodies[turn + TURNS :: 2 * TURNS], used_by_signer() + used_by_part()
            ours = _cpu_microseconds(front, some, threads)
            taken.append(ours + (used_by_signer() + used_by_part() - before) / len(some) * 1e6)
    server.close()
    # The first turn opens connections and stores, which an origin does once.
    return statistics.median(together[1:]), statistics.median(taken[1:])


def _beside(name: str) -> Any:
    # Beside this file, not in a package: benches are run by their path.
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _signer(server: KeyServer) -> tuple[int, rsa.RSAPrivateKey]:
    kid = server.secrets.week_keys.current_key(1, server.clock()).kid
    key = server.secrets.week_keys.private_key(kid)
    p, q, d = key.p, key.q, key.d
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(key.e, key.n)
    )
    return kid, numbers.private_key()


def _body(server: KeyServer, signer: tuple[int, rsa.RSAPrivateKey], keys: tuple[UploadKey, ...] | None = None) -> bytes:
    kid, private = signer
    today = day_at(server.clock())
    if keys is None:
        ages = range(13, -1, -1)
        keys = tuple(UploadKey(os.urandom(16), first_interval(today - age), 144, 2 if age < 6 else 1) for age in ages)
    salt, rand = os.urandom(32), os.urandom(32)
    scheme = padding.PSS(mgf=padding.MGF1(hashes.SHA384()), salt_length=48)
    signature = private.sign(rand + commitment(salt, keys, ()), scheme, hashes.SHA384())
    return encode_upload(UploadRequest(kid=kid, rand=rand, signature=signature, salt=salt, keys=keys))


def _cpu_microseconds(application: Any, bodies: list[bytes], kept: ThreadPoolExecutor | None = None) -> float:
    """CPU time of this process per upload, so many requests at a time. kept: threads that stay, as an origin's do."""

    def post(body: bytes) -> None:
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/v1/upload", "CONTENT_LENGTH": str(len(body)), "QUERY_STRING": "",
            "CONTENT_TYPE": "application/octet-stream", "wsgi.input": BytesIO(body), "REMOTE_ADDR": "192.0.2.1",
            "SERVER_NAME": "localhost", "SERVER_PORT": "80", "HTTP_HOST": "localhost", "wsgi.url_scheme": "http",
        }  # fmt: skip
        answer = b"".join(application(environ, lambda status, headers: None))
        assert decode_upload_answer(answer).status is Status.OK

    def post_each(number: int) -> None:
        for body in bodies[number::THREADS]:
            post(body)

    begun = time.process_time()
    if kept:
        list(kept.map(post_each, range(THREADS)))
    else:
        with ThreadPoolExecutor(THREADS) as threads:
            list(threads.map(post_each, range(THREADS)))
    return (time.process_time() - begun) / len(bodies) * 1e6


def _latency(folder: Path, bodies: list[bytes], progress: Callable[[str], object]) -> dict[str, Any]:
    """Send at a steady rate whatever comes back; a wait for a free client counts as latency."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, str(SERVER), str(folder), "keyserver", str(port)], start_new_session=True
    )
    try:
        _wait_for(port)
        durations: list[float] = []
        threads = [
            threading.Thread(target=_client, args=(port, bodies, number, durations, time.perf_counter() + 0.5))
            for number in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        process.terminate()
        process.wait()
    assert len(durations) == len(bodies)
    durations.sort()
    progress(f"{len(durations)} uploads over HTTP at {RATE} a second")
    return {
        "p50_milliseconds": round(durations[len(durations) // 2] * 1000, 1),
        "p99_milliseconds": round(durations[len(durations) * 99 // 100] * 1000, 1),
        "rate_per_second": RATE,
    }


def _client(port: int, bodies: list[bytes], number: int, durations: list[float], begin: float) -> None:
    for index in range(number, len(bodies), CLIENTS):
        due = begin + index / RATE
        time.sleep(max(0.0, due - time.perf_counter()))
        # A new connection for each, as phones do.
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", "/v1/upload", bodies[index])
        answer = connection.getresponse().read()
        connection.close()
        durations.append(time.perf_counter() - due)
        assert decode_upload_answer(answer).status is Status.OK


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/v1/health")
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError("the server did not start")
