# SPDX-License-Identifier: Apache-2.0
"""The one asynchronous entry of an origin: files at once, bodies by a deadline, everything else in a thread.

Source: RSGI specification 1.5; docs/adr/0013-front.md.

A request's body, read before anything else is done: by a deadline, at a minimum rate, within a size.

A client that sends slowly or nothing waits here, where waiting costs a socket and no thread.
"""

import asyncio
import io
import json
import logging
import re
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, BinaryIO, ClassVar, Protocol, TypeVar, cast

from bluezone.logs import event
from bluezone.networks import network_of
from bluezone.refusal import Refused
from bluezone.server.front.pages import Key, Pages, Sent
from bluezone.server.front.threads import Answer, LineFull, Threads, call, environ_of, remote_address
from bluezone.server.metrics.meters import Measured

# The first bytes of a phone with one bar may take this long; from then on a body has to keep up with the rate.
GRACE_SECONDS = 5.0
BYTES_A_SECOND = 1024
# The longest that any body may take: 16 MB at half a megabit a second.
TOTAL_SECONDS = 300.0
# Read at one go, into memory; what is larger goes to disk in pieces.
SMALL_BYTES = 32 * 1024
IN_MEMORY_BYTES = 256 * 1024
# What the larger bodies of one process may hold together, so that uploads do not fill memory and disk: bytes that have
# come. What a client only announces costs nothing.
HELD_BYTES = 512 * 1024 * 1024
# And those of one network. An office building may be one network: eight of its largest files at a time.
NETWORK_BYTES = HELD_BYTES // 4


class RequestRefused(Refused):
    """A request that does not get as far as the origin's callable. status: of the HTTP answer."""

    code = "bad_request"
    status: ClassVar[int] = 400


class BodyTooSlow(RequestRefused):
    """The body was not here by its deadline."""

    code, status = "body_too_slow", 408


class BodyIncomplete(RequestRefused):
    """The connection ended before the announced length was reached."""

    code = "body_incomplete"


class LengthRequired(RequestRefused):
    """A body without an announced length: its end would be told from a broken connection by nothing."""

    code, status = "length_required", 411


class ServerBusy(RequestRefused):
    """More bodies, or more requests before the threads, than would be answered in time."""

    code, status = "server_busy", 503


class Incoming(Protocol):
    """The body of one request as granian gives it: whole, or piece by piece."""

    async def __call__(self) -> bytes: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


def seconds_for(size: int) -> float:
    """How long a body of so many bytes may take."""
    return min(GRACE_SECONDS + size / BYTES_A_SECOND, TOTAL_SECONDS)


T = TypeVar("T")


class Bodies:
    """The bodies that one process reads, and how many bytes of larger ones have come: of all, and of each network.

    A body of SMALL_BYTES or less always has room: signing in and reporting a code do not wait for other people's files.
    """

    def __init__(self, most: int = HELD_BYTES, of_a_network: int = NETWORK_BYTES) -> None:
        self._most = most
        self._of_a_network = of_a_network
        self._total = 0
        self._of_network: Counter[bytes] = Counter()

    @asynccontextmanager
    async def read(self, incoming: Incoming, size: int, network: Callable[[], bytes]) -> AsyncIterator[BinaryIO]:
        """Read a body of `size` announced bytes; its room is free again when the block is left.

        network: where it comes from; called for larger bodies only.
        Raises BodyTooSlow, BodyIncomplete, and ServerBusy where larger bodies have taken all room.
        """
        if size <= SMALL_BYTES:
            yield await _in_time(self._whole(incoming, size), size)
            return
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled, self._room(network()) as take:
            body = cast(BinaryIO, spooled)
            await _in_time(self._in_pieces(incoming, size, body, take), size)
            yield body

    @contextmanager
    def _room(self, network: bytes) -> Iterator[Callable[[int], None]]:
        """What takes room for bytes that have come; given back when the block is left."""
        taken = 0

        def take(count: int) -> None:
            nonlocal taken
            if self._total + count > self._most or self._of_network[network] + count > self._of_a_network:
                raise ServerBusy("too many uploads at a time; try again")
            self._total += count
            self._of_network[network] += count
            taken += count

        try:
            yield take
        finally:
            self._total -= taken
            self._of_network[network] -= taken
            if not self._of_network[network]:
                del self._of_network[network]

    async def _whole(self, incoming: Incoming, size: int) -> BinaryIO:
        async with asyncio.timeout(seconds_for(size)):
            try:
                content = await incoming()
            except RuntimeError:
                content = b""
        if len(content) != size:
            raise _incomplete(len(content), size)
        return io.BytesIO(content)

    async def _in_pieces(self, incoming: Incoming, size: int, body: BinaryIO, take: Callable[[int], None]) -> None:
        begun = asyncio.get_running_loop().time()
        had = 0
        async with asyncio.timeout_at(begun + seconds_for(0)) as limit:
            async for piece in incoming:
                take(len(piece))
                had += len(piece)
                body.write(piece)
                limit.reschedule(begun + seconds_for(had))
        if had != size:
            raise _incomplete(had, size)
        body.seek(0)


async def _in_time(reading: Awaitable[T], size: int) -> T:
    try:
        return await reading
    except TimeoutError:
        raise BodyTooSlow(f"{size} bytes did not come within {seconds_for(size):.0f} seconds") from None


def _incomplete(had: int, size: int) -> BodyIncomplete:
    return BodyIncomplete(f"the body has {had} bytes, expected {size}")


log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
# Who waits behind so many is looked after: he may go before his turn.
LONG_LINE = 16
# What a browser must not guess, whoever answers.
NOSNIFF = ("X-Content-Type-Options", "nosniff")
_CLOSE = ("Connection", "close")
_LENGTH = re.compile(r"[0-9]{1,18}")
# Path and headers -> what is sent, None where a thread has to look.
AtHand = Callable[[str, Any], Sent | None]


class Entry:
    """What granian calls for each request of an origin.

    measured: the WSGI callable with its meters. at_hand: what needs no thread. largest: bytes of a body that is read
    at all; for a larger one the callable is asked with an empty body, and refuses by the announced length. always: the
    headers that every answer has. trusted: the proxies whose X-Forwarded-For is believed. ready: called once requests
    are taken. pages: where public pages are kept, None where none are public.
    """

    def __init__(
        self,
        measured: Measured,
        at_hand: AtHand,
        threads: Threads,
        largest: int,
        always: Sequence[tuple[str, str]] = (),
        trusted: Sequence[str] = (),
        ready: Callable[[], None] = lambda: None,
        pages: Pages | None = None,
    ) -> None:
        self._measured, self._at_hand, self.threads = measured, at_hand, threads
        self._largest, self._trusted, self._ready = largest, trusted, ready
        self._always, self._pages = [NOSNIFF, *always], pages
        self._bodies = Bodies()
        self._leaving = False

    def leave(self) -> None:
        """From now on close each connection behind its next answer, so that its client comes to another process."""
        self._leaving = True

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say that requests are taken once this step of the loop, which opens the socket, is over."""
        loop.call_soon(self._ready)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        begun = time.perf_counter()
        try:
            await self._answer(scope, protocol, begun)
        except RequestRefused as refused:
            self._refuse(scope, protocol, begun, refused)
        except Exception:
            self._fail(scope, protocol)

    async def _answer(self, scope: Any, protocol: Any, begun: float) -> None:
        headers = scope.headers
        hosts = headers.get_all("host")
        if len(hosts) > 1 or (scope.authority is not None and [scope.authority] != hosts):
            raise RequestRefused("the request names two servers")
        if scope.method in ("GET", "HEAD"):
            found = self._at_hand(scope.path, headers)
            if found is not None:
                self._send_noted(scope, protocol, begun, found)
                return
            if self._pages is not None and (key := self._pages.key(scope)) is not None:
                await self._page(scope, protocol, begun, self._pages, key)
                return
        size = _announced(headers)
        if size is None or not 0 < size <= self._largest:
            await self._in_a_thread(scope, protocol, environ_of(scope, io.BytesIO(), size))
            return
        async with self._bodies.read(protocol, size, lambda: self._network(scope)) as body:
            await self._in_a_thread(scope, protocol, environ_of(scope, body, size))

    async def _page(self, scope: Any, protocol: Any, begun: float, pages: Pages, key: Key) -> None:
        """Send a page that is kept, or make it."""
        is_get = scope.method == "GET"
        found = await pages.find(key, scope.headers.get("if-none-match", ""), is_get)
        if found is not None:
            self._send_noted(scope, protocol, begun, found)
            return
        stamp, answer = pages.stamp(), None
        try:
            answer = await self._in_a_thread(scope, protocol, environ_of(scope, io.BytesIO(), None))
        finally:
            if is_get:
                pages.done(key, answer, stamp)

    async def _in_a_thread(self, scope: Any, protocol: Any, environ: dict[str, Any]) -> Answer | None:
        """Let the callable answer in a thread, and wait for it even when the client is gone; None if it failed."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        answer: Answer | None = None
        gone = False

        def work() -> None:
            nonlocal answer
            try:
                # Who is gone before his turn was promised nothing; after a flood nobody waits for what it left behind.
                if not gone:
                    answer = call(self._measured, environ)
                    self._send(scope, protocol, answer)
            except BaseException:
                self._fail(scope, protocol)
            loop.call_soon_threadsafe(done.set_result, None)

        async def watch() -> None:
            nonlocal gone
            await protocol.client_disconnect()
            gone = True

        try:
            before = self.threads.add(work, lambda: self._network(scope))
        except LineFull:
            raise ServerBusy("too many requests wait; try again") from None
        watching = loop.create_task(watch()) if before >= LONG_LINE else None
        while not done.done():
            # A thread that is at work goes on when the client is gone, and reads the body.
            with suppress(asyncio.CancelledError):
                await asyncio.shield(done)
        if watching:
            watching.cancel()
        return answer

    def _network(self, scope: Any) -> bytes:
        return network_of(remote_address(scope), scope.headers.get("x-forwarded-for"), self._trusted)

    def _fail(self, scope: Any, protocol: Any) -> None:
        # granian would log the error's own words, which may quote what somebody sent.
        log.exception("an answer failed", extra=event("answer_failed", route=self._measured.class_of(scope.path)))
        self._send(scope, protocol, Answer(500, [("Content-Length", "0")], b""))

    def _send_noted(self, scope: Any, protocol: Any, begun: float, sent: Sent) -> None:
        self._send(scope, protocol, sent)
        self._measured.note(scope.path, sent.status, time.perf_counter() - begun)

    def _refuse(self, scope: Any, protocol: Any, begun: float, refused: RequestRefused) -> None:
        body = json.dumps({"error": {"code": refused.code, "message": refused.message}}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        headers.append(("Cache-Control", "no-store"))
        if refused.status == 503:
            headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
        # What of the body is still to come is not waited for.
        self._send(scope, protocol, Answer(refused.status, [*headers, _CLOSE], body))
        self._measured.note(scope.path, refused.status, time.perf_counter() - begun)

    def _send(self, scope: Any, protocol: Any, answer: Answer | Sent) -> None:
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
            protocol.response_file(answer.status, headers, str(answer.content))


def _announced(headers: Any) -> int | None:
    """The length that a request says its body has; raises RequestRefused for one that does not say it."""
    if "transfer-encoding" in headers:
        raise LengthRequired("a body must say its length")
    text = headers.get("content-length")
    if text is None:
        return None
    if not _LENGTH.fullmatch(text):
        raise RequestRefused("the announced length is no number")
    return int(text)
