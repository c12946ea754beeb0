# SPDX-License-Identifier: Apache-2.0
"""A request's body, read before anything else is done: by a deadline, at a minimum rate, within a size.

A client that sends slowly or nothing waits here, where waiting costs a socket and no thread.
"""

import asyncio
import io
import tempfile
from collections.abc import AsyncIterator
from typing import BinaryIO, ClassVar, Protocol

from bluezone.refusal import Refused

# The first bytes of a phone with one bar may take this long; from then on a body has to keep up with the rate.
GRACE_SECONDS = 5.0
BYTES_A_SECOND = 1024
# The longest that any body may take: 16 MB at half a megabit a second.
TOTAL_SECONDS = 300.0
# Read at one go, into memory; what is larger goes to disk in pieces.
SMALL_BYTES = 32 * 1024
IN_MEMORY_BYTES = 256 * 1024
# What the bodies of one process may hold together, so that uploads do not fill memory and disk.
HELD_BYTES = 512 * 1024 * 1024


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


class Bodies:
    """The bodies that one process reads, and how much they hold together."""

    def __init__(self, most: int = HELD_BYTES) -> None:
        self._free = most

    async def read(self, incoming: Incoming, size: int) -> BinaryIO:
        """Read a body whose declared length is `size` bytes; `release` it when the request is answered.

        Raises BodyTooSlow, BodyIncomplete, and ServerBusy where others hold too much already.
        """
        if size > self._free:
            raise ServerBusy("too many uploads at a time; try again")
        self._free -= size
        try:
            body = await (self._whole(incoming, size) if size <= SMALL_BYTES else self._in_pieces(incoming, size))
        except TimeoutError:
            self._free += size
            raise BodyTooSlow(f"{size} bytes did not come within {seconds_for(size):.0f} seconds") from None
        except BaseException:
            self._free += size
            raise
        return body

    def release(self, body: BinaryIO, size: int) -> None:
        """Forget a body that was read."""
        body.close()
        self._free += size

    async def _whole(self, incoming: Incoming, size: int) -> BinaryIO:
        async with asyncio.timeout(seconds_for(size)):
            try:
                content = await incoming()
            except RuntimeError:
                content = b""
        if len(content) != size:
            raise _incomplete(len(content), size)
        return io.BytesIO(content)

    async def _in_pieces(self, incoming: Incoming, size: int) -> BinaryIO:
        begun = asyncio.get_running_loop().time()
        # Closed by `release`, or here.
        body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115
        had = 0
        try:
            async with asyncio.timeout_at(begun + seconds_for(0)) as limit:
                async for piece in incoming:
                    had += len(piece)
                    body.write(piece)
                    limit.reschedule(begun + seconds_for(had))
            if had != size:
                raise _incomplete(had, size)
        except BaseException:
            body.close()
            raise
        body.seek(0)
        return body  # type: ignore[return-value]


def _incomplete(had: int, size: int) -> BodyIncomplete:
    return BodyIncomplete(f"the body has {had} bytes, expected {size}")
