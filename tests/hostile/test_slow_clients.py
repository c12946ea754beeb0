# SPDX-License-Identifier: Apache-2.0
"""Clients that send slowly, half, or nothing: they wait for themselves, are ended, and nobody else notices."""

import pytest
from tests.builders.hostile import allow_descriptors, connections, dripping, ends, post

pytestmark = [pytest.mark.timeout(900)]

# More than the threads of all processes, and than granian's own bound of connections when nobody sets one.
SILENT, MANY = 60, 1300
HALF_A_HEAD = b"GET /v1/config HTTP/1.1\r\nHost: localhost\r\nX-Half:"


@pytest.mark.parametrize(("origin", "path"), [("public", "/v1/upload"), ("public", "/help/"), ("office", "/sign-in/")])
def test_silent_bodies_stop_nobody_and_are_refused(served, good, origin, path):
    with connections(getattr(served, origin), SILENT, post(path, 4096, b"abc")) as held:
        good.day()
        answers = ends(held)

    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers)


def test_a_body_that_comes_byte_by_byte_stops_nobody_and_is_refused(served, good):
    # The larger one is read in pieces, and each piece moves its deadline.
    request = post("/exchange/", 1_000_000, b"a")
    with (
        connections(served.office, SILENT, request) as held,
        connections(served.public, SILENT, post("/v1/tokens", 6144, b"a")) as others,
    ):
        with dripping([*held, *others], b"a", seconds=0.5):
            good.day()
        answers = ends([*held, *others])

    # A byte that arrives after the answer makes the kernel end the connection with a reset, which may take the answer.
    assert {answer[:13] for answer in answers} <= {b"HTTP/1.1 408 ", b""}


@pytest.mark.parametrize(
    ("origin", "path", "size", "count", "posted"),
    [
        ("office", "/sign-in/", 16 * 1024 * 1024, 40, ("/sign-in/", b"a=bc")),
        ("public", "/v1/help", 1024 * 1024, 600, ("/v1/upload", bytes(4096))),
    ],
    ids=["office", "public"],
)
def test_bodies_that_are_announced_and_drip_take_no_room_from_anybody(
    served, good, origin, path, size, count, posted
):  # fmt: skip
    assert allow_descriptors(count)
    address, quiet = getattr(served, origin), good.ask(getattr(served, origin), *posted)
    with connections(address, count, post(path, size, b"a")) as dripped, dripping(dripped, bytes(1100), seconds=1.0):
        statuses = [good.ask(address, *posted) for _ in range(20)]

    assert statuses == [quiet] * 20


@pytest.mark.parametrize("first", [HALF_A_HEAD, b""], ids=["half a head", "nothing"])
def test_more_waiting_connections_than_a_queue_holds_stop_nobody_and_are_ended(served, good, first):
    assert allow_descriptors(MANY)
    with connections(served.public, MANY, first) as held:
        good.day()
        answers = ends(held)

    assert {answer[:12] for answer in answers} <= {b"", b"HTTP/1.1 408"}


@pytest.mark.slow
def test_ten_thousand_idle_connections_stop_nobody(served, good):
    if not allow_descriptors(10_000):
        pytest.skip("needs a limit of 10,512 descriptors: ulimit -n")
    with connections(served.public, 10_000, HALF_A_HEAD) as held:
        good.day(1)
        held[-1].setblocking(False)
        # Answered beside them, not when their time was over.
        with pytest.raises(BlockingIOError):
            held[-1].recv(1)
        good.day(4)


def test_a_connection_that_was_used_is_ended_when_nothing_more_comes(served, good):
    request = b"GET /v1/config HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with connections(served.public, 20, request) as held:
        good.day(1)
        answers = ends(held)

    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)


def test_readers_who_do_not_read_hold_no_thread(served, good):
    page = b"GET /app/ HTTP/1.1\r\nHost: localhost\r\n\r\n" * 200
    with connections(served.public, 20, page):
        good.day()
