# SPDX-License-Identifier: Apache-2.0
"""Read the bodies of requests, with a deadline, a minimum rate, and a maximum of bytes that are not finished.

The largest body of one request is `MAX_BODY_BYTES` in `web.settings` and `web.settings_public`.
"""

import asyncio
import io
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import BinaryIO, ClassVar, Protocol, TypeVar, cast

from bluezone.refusal import Refused

# How long the first bytes may take, as from a phone with bad reception. After that, a body must arrive at this rate.
GRACE_SECONDS = 5.0
BYTES_A_SECOND = 1024
# The longest that any body may take: enough for 16 MB at half a megabit a second.
TOTAL_SECONDS = 300.0
# Bodies up to this size are read at once, into memory; larger ones in pieces, to disk from IN_MEMORY_BYTES on.
SMALL_BYTES = 32 * 1024
IN_MEMORY_BYTES = 256 * 1024
# The most bytes of larger bodies that one process has received and not yet finished, so that uploads do not fill memory
# and disk. Bytes that a client has only announced do not count.
UNFINISHED_BYTES = 512 * 1024 * 1024
# The limit for one network. An office building may be one network: eight of its largest files at a time.
NETWORK_BYTES = UNFINISHED_BYTES // 4


class RequestRefused(Refused):
    """The request was refused before it reached the origin's callable. status: that of the HTTP answer."""

    code = "bad_request"
    status: ClassVar[int] = 400


class BodyTooSlow(RequestRefused):
    """The body did not arrive by its deadline."""

    code = "body_too_slow"
    status = 408


class BodyIncomplete(RequestRefused):
    """The connection ended before the announced length was reached."""

    code = "body_incomplete"


class ServerBusy(RequestRefused):
    """The server has more bodies, or more waiting requests, than it can answer in time."""

    code = "server_busy"
    status = 503


class Incoming(Protocol):
    """The body of one request as granian passes it: whole, or piece by piece."""

    async def __call__(self) -> bytes: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


def allowed_seconds(size: int) -> float:
    """How long a body of this many bytes may take."""
    return min(GRACE_SECONDS + size / BYTES_A_SECOND, TOTAL_SECONDS)


T = TypeVar("T")


class BodyReader:
    """Reads the bodies of one process, and counts the bytes received of larger ones, in total and by network.

    A body of SMALL_BYTES or less always has room: sign-ins and reports of codes do not wait for other people's files.
    """

    def __init__(self, most: int = UNFINISHED_BYTES, of_a_network: int = NETWORK_BYTES) -> None:
        self._most = most
        self._of_a_network = of_a_network
        self._total = 0
        self._of_network: Counter[bytes] = Counter()

    @asynccontextmanager
    async def read(self, incoming: Incoming, size: int, network: Callable[[], bytes]) -> AsyncIterator[BinaryIO]:
        """Yield a body of `size` announced bytes; its room is freed when the block is left.

        network: returns the network of the client; called only for larger bodies.
        Raises BodyTooSlow, BodyIncomplete, and ServerBusy if larger bodies have used up all room.
        """
        if size <= SMALL_BYTES:
            yield await _in_time(self._read_whole(incoming, size), size)
            return
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled, self._room(network()) as reserve:
            body = cast(BinaryIO, spooled)
            await _in_time(self._read_to_disk(incoming, size, body, reserve), size)
            yield body

    @contextmanager
    def _room(self, network: bytes) -> Iterator[Callable[[int], None]]:
        """Yield a function that reserves room for received bytes; all of it is freed when the block is left."""
        reserved = 0

        def reserve(count: int) -> None:
            nonlocal reserved
            if self._total + count > self._most or self._of_network[network] + count > self._of_a_network:
                raise ServerBusy("too many uploads at a time; try again")
            self._total += count
            self._of_network[network] += count
            reserved += count

        try:
            yield reserve
        finally:
            self._total -= reserved
            self._of_network[network] -= reserved
            if not self._of_network[network]:
                del self._of_network[network]

    async def _read_whole(self, incoming: Incoming, size: int) -> BinaryIO:
        async with asyncio.timeout(allowed_seconds(size)):
            try:
                content = await incoming()
            except RuntimeError:
                content = b""
        if len(content) != size:
            raise _incomplete(len(content), size)
        return io.BytesIO(content)

    async def _read_to_disk(
        self, incoming: Incoming, size: int, body: BinaryIO, reserve: Callable[[int], None]
    ) -> None:
        started_at = asyncio.get_running_loop().time()
        received = 0
        async with asyncio.timeout_at(started_at + allowed_seconds(0)) as limit:
            async for piece in incoming:
                reserve(len(piece))
                received += len(piece)
                body.write(piece)
                limit.reschedule(started_at + allowed_seconds(received))
        if received != size:
            raise _incomplete(received, size)
        body.seek(0)


async def _in_time(reading: Awaitable[T], size: int) -> T:
    try:
        return await reading
    except TimeoutError:
        raise BodyTooSlow(f"{size} bytes did not arrive within {allowed_seconds(size):.0f} seconds") from None


def _incomplete(received: int, size: int) -> BodyIncomplete:
    return BodyIncomplete(f"the body has {received} bytes, expected {size}")
