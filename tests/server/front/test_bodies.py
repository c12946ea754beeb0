# SPDX-License-Identifier: Apache-2.0
"""Bodies in simulated time: what comes in time is read, what does not is refused, and nothing is held afterwards."""

import asyncio

import pytest

from bluezone.radio.simulatedtime import run_simulated
from bluezone.server.front.bodies import (
    BYTES_A_SECOND,
    GRACE_SECONDS,
    SMALL_BYTES,
    TOTAL_SECONDS,
    BodyIncomplete,
    BodyReader,
    BodyTooSlow,
    ServerBusy,
    allowed_seconds,
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


def here():
    return b"here"


def read(client, size):
    async def reading():
        async with BodyReader().read(client, size, here) as body:
            return body.read()

    return run_simulated(reading())


@pytest.mark.parametrize("size", [1, 4096, SMALL_BYTES, SMALL_BYTES + 1, LARGE])
def test_a_body_that_comes_in_time_is_read_whole(size):
    body = bytes(size - 1) + b"x"
    half = size // 2

    assert read(Client((1, body[:half]), (1, body[half:])), size) == body


@pytest.mark.parametrize("size", [4096, LARGE])
def test_a_silent_client_is_refused_when_the_grace_is_over(size):
    with pytest.raises(BodyTooSlow):
        read(Client((0, b"abc"), (allowed_seconds(size) + 1, bytes(size - 3))), size)


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


def test_larger_bodies_together_have_no_more_room_than_the_bound_and_give_it_back():
    bodies = BodyReader(most=3 * LARGE, of_a_network=3 * LARGE)
    client = Client((0, bytes(LARGE)))

    async def fill():
        async with bodies.read(client, LARGE, here), bodies.read(client, LARGE, here):
            async with bodies.read(client, LARGE, here):
                with pytest.raises(ServerBusy):
                    await bodies.read(client, LARGE, here).__aenter__()
            for wrong in (Client((99, b"")), Client((0, b"short"))):
                with pytest.raises((BodyTooSlow, BodyIncomplete)):
                    await bodies.read(wrong, LARGE, here).__aenter__()
            async with bodies.read(client, LARGE, here) as body:
                return len(body.read())

    assert run_simulated(fill()) == LARGE


def test_bytes_that_are_announced_and_have_not_come_take_no_room():
    bodies = BodyReader(most=LARGE, of_a_network=LARGE)

    async def wait_for_nothing():
        async with bodies.read(Client((60, b"")), LARGE, here):
            pytest.fail("it did not come")

    async def read_beside_them():
        silent = [asyncio.ensure_future(wait_for_nothing()) for _ in range(100)]
        await asyncio.sleep(1)
        async with bodies.read(Client((0, bytes(LARGE))), LARGE, here) as body:
            size = len(body.read())
        return size, await asyncio.gather(*silent, return_exceptions=True)

    size, refused = run_simulated(read_beside_them())

    assert size == LARGE
    assert {type(refusal) for refusal in refused} == {BodyTooSlow}


def test_a_network_that_fills_its_share_leaves_room_to_others_and_to_small_bodies():
    bodies = BodyReader(most=4 * LARGE, of_a_network=LARGE)
    large, small = Client((0, bytes(LARGE))), Client((0, bytes(SMALL_BYTES)))

    async def fill():
        async with bodies.read(large, LARGE, here):
            with pytest.raises(ServerBusy):
                await bodies.read(large, LARGE, here).__aenter__()
            async with bodies.read(small, SMALL_BYTES, here) as ours, bodies.read(large, LARGE, lambda: b"") as theirs:
                return len(ours.read()), len(theirs.read())

    assert run_simulated(fill()) == (SMALL_BYTES, LARGE)
