# SPDX-License-Identifier: Apache-2.0
"""A request as granian hands it over, and what was answered, without a network between."""

import asyncio
import queue
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any


class Headers(dict[str, str]):
    """As granian has them: names in lower case, and each as often as it was sent (here once)."""

    def get_all(self, name: str) -> list[str]:
        """Its values."""
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
    """Takes one answer. body: what the client sends."""

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
        """The answer, from memory."""
        self.status, self.headers, self.content = status, {name.lower(): value for name, value in headers}, content

    def response_file(self, status: int, headers: list[tuple[str, str]], file: str) -> None:
        """The answer, from a file."""
        self.status, self.headers, self.file = status, {name.lower(): value for name, value in headers}, file


class Inline:
    """Threads whose work `ask` does itself, so that it has the test's database."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def add(self, work: Callable[[], None], network: Callable[[], bytes]) -> int:
        """Let it be done by who asks."""
        self._waiting.put(work)
        return 0

    def work_until(self, done: "Future[None]") -> None:
        """Do what there is until something is done."""
        done.add_done_callback(lambda _: self._waiting.put(None))
        while (work := self._waiting.get()) is not None:
            work()


def ask(entry: Any, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Protocol:
    """Send one request to an entry with Inline threads; return what it answered. headers: with _ for -."""
    named = Headers({"host": "localhost", **{name.replace("_", "-"): value for name, value in headers.items()}})
    if body is not None:
        named["content-length"] = str(len(body))
    path, _, query = path.partition("?")
    protocol = Protocol(body or b"")
    with ThreadPoolExecutor(1) as beside:
        answered = beside.submit(asyncio.run, entry.__rsgi__(Scope(method, path, named, query), protocol))
        entry.threads.work_until(answered)
    answered.result()
    return protocol
