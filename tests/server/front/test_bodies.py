# SPDX-License-Identifier: Apache-2.0
"""Bodies in simulated time: what comes in time is read, what does not is refused, and nothing is held afterwards."""

import asyncio

import pytest

from bluezone.radio.simulatedtime import run_simulated
from bluezone.server.front.entry import (
    BYTES_A_SECOND,
    GRACE_SECONDS,
    SMALL_BYTES,
    TOTAL_SECONDS,
    Bodies,
    BodyIncomplete,
    BodyTooSlow,
    ServerBusy,
    seconds_for,
)

LARGE = 4 * 1024 * 1024


class Client:
    """A body as granian gives it: pieces, and seconds before each."""

    def __init__(self, *pieces):
        self._pieces = pieces

    async def __call__(self):
        return b"".join([piece async for piece in self])

    async def __aiter__(self):
        for seconds, piece in self._pieces:
            await asyncio.sleep(seconds)
            yield piece


def read(client, size, bodies=None):
    async def reading():
        return (await (bodies or Bodies()).read(client, size)).read()

    return run_simulated(reading())


@pytest.mark.parametrize("size", [1, 4096, SMALL_BYTES, SMALL_BYTES + 1, LARGE])
def test_a_body_that_comes_in_time_is_read_whole(size):
    body = bytes(size - 1) + b"x"
    half = size // 2

    assert read(Client((1, body[:half]), (1, body[half:])), size) == body


@pytest.mark.parametrize("size", [4096, LARGE])
def test_a_silent_client_is_refused_when_the_grace_is_over(size):
    with pytest.raises(BodyTooSlow):
        read(Client((0, b"abc"), (seconds_for(size) + 1, bytes(size - 3))), size)


def test_a_large_body_must_keep_its_rate_from_the_first_byte_on():
    piece = bytes(BYTES_A_SECOND)
    dripped = [(1, piece)] * 100

    assert len(read(Client(*dripped), len(dripped) * len(piece))) == 100 * BYTES_A_SECOND
    with pytest.raises(BodyTooSlow):
        read(Client(*dripped[:50], (GRACE_SECONDS + 1, piece), *dripped[:49]), 100 * BYTES_A_SECOND)


def test_no_body_takes_longer_than_the_total():
    enough = (TOTAL_SECONDS / 100, bytes(LARGE // 99))
    with pytest.raises(BodyTooSlow):
        read(Client(*[enough] * 101), LARGE // 99 * 101)


@pytest.mark.parametrize("size", [4096, LARGE])
def test_a_body_that_ends_early_is_refused(size):
    with pytest.raises(BodyIncomplete):
        read(Client((0, bytes(size - 1))), size)


def test_bodies_together_hold_no_more_than_the_bound_and_give_it_back():
    bodies = Bodies(most=3 * 4096)
    client = Client((0, bytes(4096)))

    async def holding():
        held = [await bodies.read(client, 4096) for _ in range(3)]
        with pytest.raises(ServerBusy):
            await bodies.read(client, 4096)
        bodies.release(held[0], 4096)
        for wrong in (Client((99, b"")), Client((0, b"short"))):
            with pytest.raises((BodyTooSlow, BodyIncomplete)):
                await bodies.read(wrong, 4096)
        await bodies.read(client, 4096)

    run_simulated(holding())
