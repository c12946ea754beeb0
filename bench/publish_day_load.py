# SPDX-License-Identifier: Apache-2.0
"""For bench_publish_day: a real `bluezone serve`, the CPU time of its processes, and phones that call at a rate."""

import http.client
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bluezone.keyserver.service import KeyServer
from bluezone.protocol.blindrsa import PublicKey, blind, finalize
from bluezone.protocol.intervals import day_at, first_interval
from bluezone.protocol.upload import (
    Status,
    UploadKey,
    UploadRequest,
    Verify1Request,
    Verify2Request,
    commitment,
    decode_upload_answer,
    decode_verify1_answer,
    decode_verify2_answer,
    encode_upload,
    encode_verify1,
    encode_verify2,
)
from bluezone.protocol.upload.codes import Credential

KEYS_IN_A_REPORT = 14
CLIENTS = 16
TICK = os.sysconf("SC_CLK_TCK")

# A call of a phone: sends a body to a path and returns the answer's.
Post = Callable[[str, bytes], bytes]


@contextmanager
def serve(folder: Path, environment: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Run `bluezone serve`; yields its process id and the public port once it is ready."""
    public, office = free_port(), free_port()
    ports = ["--public-port", str(public), "--office-port", str(office)]
    command = [sys.executable, "-c", "from bluezone.cli.main import main; main()", "serve", "--data", str(folder)]
    process = subprocess.Popen([*command, *ports], stderr=subprocess.PIPE, text=True, env={**os.environ, **environment})
    try:
        assert process.stderr is not None
        if not any(line.startswith("ready") for line in process.stderr):
            raise RuntimeError(f"serve ended with {process.wait()}")
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield process.pid, public
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def program(*command: str) -> Iterator[tuple[int, int]]:
    """Run `COMMAND PORT` until it answers; yields its process id and the port."""
    port = free_port()
    process = subprocess.Popen([*command, str(port)], start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except OSError:
                time.sleep(0.05)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """A database of its own on a PostgreSQL server, dropped afterwards; yields its address."""
    import psycopg

    name = f"bluezone_bench_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def postmaster(url: str) -> int | None:
    """Process id of the PostgreSQL behind `url` if it runs on this machine."""
    import psycopg

    with psycopg.connect(url) as connection:
        backend = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert backend is not None
        stat = Path(f"/proc/{backend[0]}/stat")
        return int(_fields(stat)[1]) if stat.exists() and "postgres" in stat.read_text() else None


def free_port() -> int:
    """A TCP port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_seconds(root: int, only: str = "") -> float:
    """Processor time of a process and all below it, those that have ended included.

    only: the name of a child, to count that child and what is below it alone.
    """
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = _fields(path)
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
        used[int(path.parent.name)] = sum(map(int, fields[11:15])) / TICK
    found = [root]
    if only:
        found = [pid for pid, parent in parents.items() if parent == root and only == _name(pid)]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return sum(used[pid] for pid in found)


def _fields(stat: Path) -> list[str]:
    return stat.read_text().rsplit(")", 1)[1].split()


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


class Durations:
    """How long calls took, by name; safe to add to from several threads."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, seconds: float) -> None:
        self._seconds[name].append(seconds)

    def count(self) -> int:
        return sum(map(len, self._seconds.values()))

    def milliseconds(self) -> dict[str, dict[str, float]]:
        """p50, p95 and p99 of each name."""
        told = {}
        for name, seconds in self._seconds.items():
            ordered = sorted(seconds)
            told[name] = {f"p{p}": round(ordered[len(ordered) * p // 100] * 1000, 1) for p in (50, 95, 99)}
        return told


def poster(port: int, network: str) -> Post:
    """A phone's way to the server: a new connection for each call, from an address of its own behind the proxy."""

    def post(path: str, body: bytes) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", path, body, {"X-Forwarded-For": network, "Connection": "close"})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}")
        return content

    return post


def addresses(seed: int) -> Iterator[str]:
    """Addresses of phones, each its own."""
    rng = random.Random(seed)
    for number in rng.sample(range(1 << 24), 1 << 16):
        yield f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def at_a_rate(actions: Sequence[Callable[[float], None]], rate: float) -> float:
    """Start `actions` at a steady rate a second whatever comes back; each is given when it was due. Returns seconds."""
    errors: list[BaseException] = []
    begin = time.perf_counter() + 0.2

    def client(number: int) -> None:
        try:
            for index in range(number, len(actions), CLIENTS):
                due = begin + index / rate
                time.sleep(max(0.0, due - time.perf_counter()))
                actions[index](due)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.perf_counter() - begin


class Play:
    """The three calls of one phone, a report or a rehearsal."""

    def __init__(self, server: KeyServer, chaff: bool) -> None:
        now = server.clock()
        self.chaff = chaff
        if chaff:
            self._credential = Credential.from_link(os.urandom(16))
            self._kid = server.secrets.week_keys.current_key(0, now).kid
        else:
            onset = datetime.fromtimestamp(now, UTC).date() - timedelta(days=2)
            self._credential = Credential.from_text(server.codes.issue_code("confirmed", onset).code)
            self._kid = server.secrets.week_keys.current_key(1, now).kid
        self.keys = keys_of_a_report(now)
        self._salt, self._rand = os.urandom(32), os.urandom(32)
        key = server.secrets.week_keys.find_key(self._kid)
        assert key is not None
        self._public = PublicKey(key.n, key.e)
        self._message = self._rand + commitment(self._salt, self.keys, ())
        self._blinded = blind(self._public, self._message)

    def playing(self, post: Post, durations: Durations) -> Callable[[float], None]:
        """What a client does when this play is due; a wait for a free client counts for the first call."""

        def play(due: float) -> None:
            credential, chaff, kid = self._credential, self.chaff, self._kid
            body = encode_verify1(Verify1Request(credential=credential, is_rehearsal=chaff))
            answers = [decode_verify1_answer(_timed("verify1", due, body)).status]
            request = Verify2Request(credential=credential, is_rehearsal=chaff, kid=kid, blinded=self._blinded.message)
            signed = decode_verify2_answer(_timed("verify2", time.perf_counter(), encode_verify2(request)))
            signature = finalize(self._public, self._message, signed.blind_signature, self._blinded.inverse)
            upload = UploadRequest(
                kid=kid, is_rehearsal=chaff, rand=self._rand, signature=signature, salt=self._salt, keys=self.keys
            )
            sent = decode_upload_answer(_timed("upload", time.perf_counter(), encode_upload(upload)))
            if {*answers, signed.status, sent.status} != {Status.OK}:
                raise RuntimeError(f"a play was refused: {answers} {signed.status} {sent.status}")

        def _timed(name: str, begun: float, body: bytes) -> bytes:
            answer = post("/v1/upload" if name == "upload" else "/v1/verify", body)
            durations.add(name, time.perf_counter() - begun)
            return answer

        return play


def keys_of_a_report(now: float) -> tuple[UploadKey, ...]:
    """Keys of the last 14 days that are over, the most a report holds that may be published at once."""
    today = day_at(now)
    ages = range(KEYS_IN_A_REPORT, 0, -1)
    return tuple(UploadKey(os.urandom(16), first_interval(today - age), 144, 2 if age < 6 else 1) for age in ages)
