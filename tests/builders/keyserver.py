# SPDX-License-Identifier: Apache-2.0
"""A key server with its own clock, a phone that reports to it, and the two databases on which it may run."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4
from wsgiref.simple_server import WSGIRequestHandler, make_server

from tests.builders.stores import with_week_keys

from bluezone.city_settings import write_default
from bluezone.keyserver.http import Application
from bluezone.keyserver.service import KeyServer
from bluezone.protocol import blindrsa
from bluezone.protocol.intervals import day_at, first_interval
from bluezone.protocol.upload import (
    HIGH,
    STANDARD,
    Slot,
    Status,
    UploadAnswer,
    UploadKey,
    UploadRequest,
    Verify1Answer,
    Verify1Request,
    Verify2Answer,
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
from bluezone.protocol.upload.puzzle import solve_puzzle

NOON = 1795608000  # 2026-11-25T12:00Z, a Wednesday
HOUR = 3600
DAY = 86400


@dataclass
class Clock:
    """A clock of a server that only a test moves."""

    now: float = NOON

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


def open_server(folder: Path, clock: Callable[[], float], **settings: Any) -> KeyServer:
    """A key server of a small city in `folder`."""
    write_default(folder, **{"name_vi": "Bắc Kạn", "name_en": "Bac Kan", "hotline": "0209 3870 000", **settings})
    with_week_keys(folder, clock())
    return KeyServer.open(folder, clock)


def exchange(server: KeyServer, old: Any, new: Any) -> None:
    """Put `new` in place of `old`, such as a store, the clock or the city, in every part of a key server."""
    seen: set[int] = set()
    waiting: list[Any] = [server]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or not type(part).__module__.startswith("bluezone."):
            continue
        seen.add(id(part))
        for name, value in list(getattr(part, "__dict__", {}).items()):
            if value is old:
                object.__setattr__(part, name, new)
            elif isinstance(value, tuple):
                object.__setattr__(part, name, tuple(new if item is old else item for item in value))
                waiting += value
            elif getattr(value, "__self__", None) is old:
                object.__setattr__(part, name, getattr(new, value.__name__))
            else:
                waiting.append(value)


def set_city(server: KeyServer, **changes: Any) -> None:
    """Change settings of a key server that runs."""
    exchange(server, server.city, replace(server.city, **changes))


def postgresql_server() -> str:
    """The address of a PostgreSQL server that this run may use; skips the test without one."""
    import pytest

    address = os.environ.get("BLUEZONE_TEST_POSTGRES_URL")
    if not address:
        # .ci/run starts a server and sets its address; the README's command also runs on machines without one.
        pytest.skip("needs BLUEZONE_TEST_POSTGRES_URL, a PostgreSQL server this run may use")
    return address


@contextmanager
def postgresql_database(server_url: str) -> Iterator[str]:
    """A new database on the PostgreSQL server at `server_url`, dropped afterwards; yields its address."""
    import psycopg

    name = f"bluezone_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@dataclass
class Answered:
    """An answer over HTTP (or WSGI)."""

    status: int
    headers: dict[str, str]
    body: bytes


def call(
    server: KeyServer, method: str, path: str, body: bytes = b"", remote: str = "203.0.113.5", **environ: Any
) -> Answered:
    """Call the WSGI application in this thread, or the server's `application` if a test has wrapped it."""
    seen: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        seen.update(status=int(status.split()[0]), headers=dict(headers))

    application = getattr(server, "application", None) or Application(server.parts)
    chunks = application(
        {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "REMOTE_ADDR": remote,
            **environ,
        },
        start_response,
    )
    return Answered(seen["status"], seen["headers"], b"".join(chunks))


Post = Callable[[str, bytes], bytes]


def poster(server: KeyServer, remote: str = "203.0.113.5") -> Post:
    """A function that posts bodies to the application; any status but 200 fails the test."""

    def post(path: str, body: bytes) -> bytes:
        answered = call(server, "POST", path, body, remote)
        assert answered.status == 200, answered
        return answered.body

    return post


def keys_for(now: float, days: int = 3, newest_age: int = 1, level: int = HIGH) -> tuple[UploadKey, ...]:
    """Fresh keys of `days` days in a row, the newest `newest_age` days old, sorted."""
    newest = day_at(now) - newest_age
    return tuple(
        UploadKey(os.urandom(16), first_interval(day), 144, level) for day in range(newest - days + 1, newest + 1)
    )


@dataclass
class Phone:
    """The calls of a phone that reports, step by step; a test can replace every part before it is sent."""

    post: Post
    server: KeyServer
    credential: Credential
    chaff: bool = False
    keys: tuple[UploadKey, ...] = ()
    slots: tuple[Slot, ...] = ()
    salt: bytes = field(default_factory=lambda: os.urandom(32))
    rand: bytes = field(default_factory=lambda: os.urandom(32))
    kid: int = 0
    blinded: blindrsa.Blinded | None = None
    signature: bytes = b""
    puzzle: tuple[bytes, bytes] = (bytes(32), bytes(8))

    @property
    def input_msg(self) -> bytes:
        return self.rand + commitment(self.salt, self.keys, self.slots)

    def check_code(self) -> Verify1Answer:
        challenge, nonce = self.puzzle
        request = Verify1Request(credential=self.credential, is_rehearsal=self.chaff, challenge=challenge, nonce=nonce)
        answer = decode_verify1_answer(self.post("/v1/verify", encode_verify1(request)))
        self._note_puzzle(answer.challenge)
        if answer.status is Status.OK:
            self.kid = answer.kid
        return answer

    def redeem_code(self) -> Verify2Answer:
        key = self.server.secrets.week_keys.find_key(self.kid)
        assert key is not None
        public = blindrsa.PublicKey(key.n, key.e)
        if self.blinded is None:
            self.blinded = blindrsa.blind(public, self.input_msg)
        challenge, nonce = self.puzzle
        request = Verify2Request(
            credential=self.credential, is_rehearsal=self.chaff, kid=self.kid, blinded=self.blinded.message,
            challenge=challenge, nonce=nonce,
        )  # fmt: skip
        answer = decode_verify2_answer(self.post("/v1/verify", encode_verify2(request)))
        self._note_puzzle(answer.challenge)
        if answer.status is Status.OK:
            self.signature = blindrsa.finalize(public, self.input_msg, answer.blind_signature, self.blinded.inverse)
        return answer

    def upload_request(self, **changes: Any) -> UploadRequest:
        challenge, nonce = self.puzzle
        request = UploadRequest(
            kid=self.kid, is_rehearsal=self.chaff, rand=self.rand, signature=self.signature, salt=self.salt,
            keys=self.keys, slots=self.slots, challenge=challenge, nonce=nonce,
        )  # fmt: skip
        return replace(request, **changes)

    def upload(self, **changes: Any) -> UploadAnswer:
        answer = decode_upload_answer(self.post("/v1/upload", encode_upload(self.upload_request(**changes))))
        self._note_puzzle(answer.challenge)
        return answer

    def certified(self) -> "Phone":
        """Make both verify calls, which must succeed."""
        assert self.check_code().status is Status.OK
        assert self.redeem_code().status is Status.OK
        return self

    def _note_puzzle(self, challenge: bytes | None) -> None:
        self.puzzle = (bytes(32), bytes(8)) if challenge is None else (challenge, solve_puzzle(challenge))


def report_of(server: KeyServer, klass: str = "confirmed", days: int = 3, **parts: Any) -> Phone:
    """A phone of a case with a fresh code, which has its certificate and has not uploaded yet."""
    onset = datetime.fromtimestamp(server.clock(), UTC).date() - timedelta(days=2)
    issued = server.codes.issue_code(klass, onset)
    parts.setdefault("keys", keys_for(server.clock(), days, level=STANDARD if days > 6 else HIGH))
    return Phone(poster(server), server, Credential.from_text(issued.code), **parts).certified()


class _Quiet(WSGIRequestHandler):
    """A handler without a log."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serve_application(application: Any) -> Iterator[tuple[str, int]]:
    """Serve a WSGI application over real HTTP on a free port of this machine, one call at a time; yields host and port.

    It has one thread, as a server reuses its threads: a new thread for each call would open the databases each time.
    """
    with make_server("127.0.0.1", 0, application, handler_class=_Quiet) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield "127.0.0.1", httpd.server_port
        finally:
            httpd.shutdown()
            thread.join()
