# SPDX-License-Identifier: Apache-2.0
"""A request as granian passes it on, and the answer, without a network."""

import asyncio
import queue
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any


class Headers(dict[str, str]):
    """Headers as granian has them: names in lower case, a list of values for each (here one)."""

    def get_all(self, name: str) -> list[str]:
        """The values of a header."""
        return [self[name]] if name in self else []


@dataclass
class Scope:
    """One request."""

    method: str
    path: str
    headers: Headers
    query_string: str = ""
    scheme: str = "http"
    client: str = "127.0.0.1:50000"
    server: str = "127.0.0.1:8000"
    http_version: str = "1.1"
    authority: str | None = None


@dataclass
class Protocol:
    """Receives one answer. body: that of the request."""

    body: bytes = b""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    file: str | None = None

    async def __call__(self) -> bytes:
        return self.body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body

    def response_bytes(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        """Store an answer from memory."""
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.content = content

    def response_file(self, status: int, headers: list[tuple[str, str]], file: str) -> None:
        """Store an answer from a file."""
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.file = file


class Inline:
    """Threads without threads: `ask` does their work itself, so that it uses the test's database."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def add(self, work: Callable[[], None], network: Callable[[], bytes]) -> int:
        """Queue work for `work_until`."""
        self._waiting.put(work)
        return 0

    def work_until(self, done: "Future[None]") -> None:
        """Do the queued work until a future is done."""
        done.add_done_callback(lambda _: self._waiting.put(None))
        while (work := self._waiting.get()) is not None:
            work()


def ask(entry: Any, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Protocol:
    """Send one request to an entry with Inline threads; returns the answer. headers: with _ for -."""
    all_headers = Headers({"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}})
    if body is not None:
        all_headers["content-length"] = str(len(body))
    path, _, query = path.partition("?")
    protocol = Protocol(body or b"")
    with ThreadPoolExecutor(1) as executor:
        answered = executor.submit(asyncio.run, entry.__rsgi__(Scope(method, path, all_headers, query), protocol))
        entry.threads.work_until(answered)
    answered.result()
    return protocol
