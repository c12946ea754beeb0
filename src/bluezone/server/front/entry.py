# SPDX-License-Identifier: Apache-2.0
"""The asynchronous entry of an origin: sends files at once, reads bodies, and passes all other work to threads.

The body of a request is read before a thread gets the request. So a slow client occupies a socket, but no thread.

Source: RSGI specification 1.5; docs/adr/0013-front.md.
"""

import asyncio
import errno
import io
import json
import logging
import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from bluezone.logs import event_fields
from bluezone.networks import network_of
from bluezone.server.front.bodies import SMALL_BYTES, BodyReader, RequestRefused, ServerBusy
from bluezone.server.front.pages import Key, PageCache
from bluezone.server.front.static_files import ReadyAnswer
from bluezone.server.front.threads import QueueFull, Threads
from bluezone.server.front.wsgi import Answer, as_latin, call_application, remote_address, wsgi_environ
from bluezone.server.metrics.measured_application import MeasuredApplication
from bluezone.shortage import is_short_now, is_shortage

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
# Behind this many other requests, a request is watched: its client may disconnect before its turn.
LONG_QUEUE = 16
# A browser must not guess the type of any answer.
NOSNIFF = ("X-Content-Type-Options", "nosniff")
_CLOSE = ("Connection", "close")
_LENGTH = re.compile(r"[0-9]{1,18}")
# While descriptors are short, files up to this size are read into memory, so that they are opened only once.
MOST_READ_BYTES = 8 * 1024 * 1024
# Takes path and headers; returns the answer, None if a thread has to answer.
AtHand = Callable[[str, Any], ReadyAnswer | None]
# Takes path, body, its length, and a function that returns the client's network; returns the refusal of a POST, None if
# a thread has to answer.
RefuseAtHand = Callable[[str, BinaryIO, int, Callable[[], bytes]], ReadyAnswer | None]


class LengthRequired(RequestRefused):
    """The request has a body without an announced length, so that a broken connection would look like its end."""

    code = "length_required"
    status = 411


class DescriptorsShort(ServerBusy):
    """The process could not open what the answer needs, because too much is open; nothing was stored."""

    code = "descriptors_short"


class Entry:
    """What granian calls for each request of an origin.

    measured: the WSGI callable with its meters. at_hand: answers requests that need no thread. refuse_at_hand: the same
    for small bodies that are refused without a store, so that a flood of them wakes no thread; None if the origin has
    no such calls. largest: bytes of the largest body that is read; if the announced length is greater, the callable
    gets an empty body and refuses. always: headers of every answer. trusted: proxies that are trusted to set
    X-Forwarded-For. ready: called once requests are accepted. pages: the cache of public pages, None if the origin has
    none. is_file: whether a path is that of a published file; these have threads of their own, because all others may
    wait for a database that never answers.
    """

    def __init__(
        self,
        measured: MeasuredApplication,
        at_hand: AtHand,
        threads: Threads,
        file_threads: Threads,
        is_file: Callable[[str], bool],
        largest: int,
        always: Sequence[tuple[str, str]] = (),
        trusted: Sequence[str] = (),
        ready: Callable[[], None] = lambda: None,
        pages: PageCache | None = None,
        refuse_at_hand: RefuseAtHand | None = None,
    ) -> None:
        self._measured = measured
        self._at_hand = at_hand
        self._refuse_at_hand = refuse_at_hand
        self.threads = threads
        self._file_threads = file_threads
        self._is_file = is_file
        self._largest = largest
        self._always = [NOSNIFF, *always]
        self._trusted = trusted
        self._ready = ready
        self._pages = pages
        self._bodies = BodyReader()
        self._leaving = False

    def drain(self) -> None:
        """From now on close each connection after its next answer, so that its client connects to another process."""
        self._leaving = True

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Report that requests are accepted once this step of the loop, which opens the socket, is over."""
        loop.call_soon(self._ready)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        started_at = time.perf_counter()
        try:
            await self._answer(scope, protocol, started_at)
        except RequestRefused as refused:
            self._refuse(scope, protocol, started_at, refused)
        except Exception as error:
            self._fail(scope, protocol, started_at, error)

    async def _answer(self, scope: Any, protocol: Any, started_at: float) -> None:
        headers = scope.headers
        hosts = headers.get_all("host")
        if len(hosts) > 1 or (scope.authority is not None and [scope.authority] != hosts):
            raise RequestRefused("the request names two servers")
        if scope.method in ("GET", "HEAD"):
            sent = self._at_hand(scope.path, headers)
            if sent is not None:
                self._send_noted(scope, protocol, started_at, sent)
                return
            if self._pages is not None and (key := self._pages.cache_key(scope)) is not None:
                await self._answer_with_page(scope, protocol, started_at, self._pages, key)
                return
        size = _announced_length(headers)
        if size is None or not 0 < size <= self._largest:
            await self._in_a_thread(scope, protocol, wsgi_environ(scope, io.BytesIO(), size))
            return
        async with self._bodies.read(protocol, size, lambda: self._network(scope)) as body:
            refused = self._refuse_small(scope, body, size)
            if refused is not None:
                self._send_noted(scope, protocol, started_at, refused)
                return
            await self._in_a_thread(scope, protocol, wsgi_environ(scope, body, size))

    def _refuse_small(self, scope: Any, body: BinaryIO, size: int) -> ReadyAnswer | None:
        if self._refuse_at_hand is None or scope.method != "POST" or size > SMALL_BYTES:
            return None
        return self._refuse_at_hand(scope.path, body, size, lambda: self._network(scope))

    async def _answer_with_page(self, scope: Any, protocol: Any, started_at: float, pages: PageCache, key: Key) -> None:
        """Send a page from the cache, or make it."""
        is_get = scope.method == "GET"
        sent = await pages.find(key, scope.headers.get("if-none-match", ""), is_get)
        if sent is not None:
            self._send_noted(scope, protocol, started_at, sent)
            return
        stamp = pages.store_state()
        answer = None
        environ = wsgi_environ(scope, io.BytesIO(), None)
        # The page must not depend on more than its key does: its links name the address at which it was requested.
        environ |= {"PATH_INFO": as_latin(key.path), "QUERY_STRING": as_latin(key.query)}
        try:
            answer = await self._in_a_thread(scope, protocol, environ)
        finally:
            if is_get:
                pages.finish(key, answer, stamp)

    async def _in_a_thread(self, scope: Any, protocol: Any, environ: dict[str, Any]) -> Answer | None:
        """Let the callable answer in a thread, and wait for it even if the client disconnects; None if it failed."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        answer: Answer | None = None
        disconnected = False

        def work() -> None:
            nonlocal answer
            try:
                # If the client has disconnected before its turn, no answer is made, and the next request is sooner.
                if not disconnected:
                    answer = call_application(self._measured, environ)
                    self._send(scope, protocol, answer)
            except BaseException as error:
                self._fail(scope, protocol, time.perf_counter(), error)
            loop.call_soon_threadsafe(done.set_result, None)

        async def watch() -> None:
            nonlocal disconnected
            await protocol.client_disconnect()
            disconnected = True

        threads = self._file_threads if self._is_file(scope.path) else self.threads
        try:
            ahead = threads.add(work, lambda: self._network(scope))
        except QueueFull:
            raise ServerBusy("too many requests wait; try again") from None
        watching = loop.create_task(watch()) if ahead >= LONG_QUEUE else None
        while not done.done():
            # A working thread continues after the client has disconnected, and reads the body.
            with suppress(asyncio.CancelledError):
                await asyncio.shield(done)
        if watching:
            watching.cancel()
        return answer

    def _network(self, scope: Any) -> bytes:
        return network_of(remote_address(scope), scope.headers.get("x-forwarded-for"), self._trusted)

    def _fail(self, scope: Any, protocol: Any, started_at: float, error: BaseException) -> None:
        if is_shortage(error):
            self._refuse(scope, protocol, started_at, DescriptorsShort("no descriptor is free; try again"))
            return
        # granian would log the error's text, which may quote what a client sent.
        log.exception(
            "an answer failed", extra=event_fields("answer_failed", route=self._measured.class_of(scope.path))
        )
        self._send(scope, protocol, Answer(500, [("Content-Length", "0")], b""))

    def _send_noted(self, scope: Any, protocol: Any, started_at: float, sent: ReadyAnswer) -> None:
        self._send(scope, protocol, sent)
        self._measured.count_answer(scope.path, sent.status, time.perf_counter() - started_at, sent.content)

    def _refuse(self, scope: Any, protocol: Any, started_at: float, refused: RequestRefused) -> None:
        body = json.dumps({"error": {"code": refused.code, "message": refused.message}}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        headers.append(("Cache-Control", "no-store"))
        if refused.status == 503:
            headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
        # The connection is closed, because the rest of the body is not read.
        self._send(scope, protocol, Answer(refused.status, [*headers, _CLOSE], body))
        self._measured.count_answer(scope.path, refused.status, time.perf_counter() - started_at)

    def _send(self, scope: Any, protocol: Any, answer: Answer | ReadyAnswer) -> None:
        headers = list(answer.headers)
        names = {name.lower() for name, _ in headers}
        headers += [header for header in self._always if header[0].lower() not in names]
        if self._leaving and "connection" not in names:
            headers.append(_CLOSE)
        if isinstance(answer, Answer):
            protocol.response_bytes(answer.status, headers, answer.body)
        elif isinstance(answer.content, bytes):
            protocol.response_bytes(answer.status, headers, answer.content)
        else:
            _send_file(protocol, answer.status, headers, answer.content)


def _send_file(protocol: Any, status: int, headers: list[tuple[str, str]], path: Path) -> None:
    """Send a file; granian answers 404 if it cannot open it. Raises OSError if no descriptor is free."""
    content = _content_if_short(path)
    if content is None:
        protocol.response_file(status, headers, str(path))
    else:
        protocol.response_bytes(status, headers, content)


def _content_if_short(path: Path) -> bytes | None:
    """The content of a file if it was opened with the last free descriptor; None if granian can open it."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError as error:
        if is_shortage(error):
            raise
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not is_short_now():
            return None
        if os.fstat(descriptor).st_size > MOST_READ_BYTES:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return file.read()


def _announced_length(headers: Any) -> int | None:
    """The announced length of the body, None without a body.

    Raises RequestRefused for a length that is not a number, LengthRequired for a body without one.
    """
    if "transfer-encoding" in headers:
        raise LengthRequired("a body must say its length")
    text = headers.get("content-length")
    if text is None:
        return None
    if not _LENGTH.fullmatch(text):
        raise RequestRefused("the announced length is not a number")
    return int(text)
