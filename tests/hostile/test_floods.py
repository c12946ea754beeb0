# SPDX-License-Identifier: Apache-2.0
"""Many requests, large requests, broken requests: who floods waits for himself."""

import re
import socket
import urllib.request

import pytest
from tests.builders.hostile import (
    ELSEWHERE,
    HERE,
    PATIENCE_SECONDS,
    Flood,
    allow_descriptors,
    connections,
    ends,
    port_of,
    post,
)

pytestmark = [pytest.mark.timeout(900)]

AT_A_TIME = 600
# A connection may wait to be accepted behind some of the flood's; behind all who wait, no try would be quick.
TRIES = 30
# Of the public origin's, readiness is shared for a moment; this is answered each time, in a thread.
READY = {"public": "/v1/health/live", "office": "/health/ready"}
FORM = "Content-Type: application/x-www-form-urlencoded"
# Never kept, a form; a form of the office. Each takes a thread for milliseconds.
SLOW = [b"GET /venues/register/?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n", post("/sign-in/", 4, b"a=bc", FORM)]
FLOODS = [
    ("public", post("/v1/upload", 4096, bytes(4096))),
    ("public", post("/v1/verify", 1024, bytes(1024))),
    ("public", post("/v1/tokens", 6144, bytes(6144))),
    ("public", post("/v1/declarations", 1024, bytes(1024))),
    ("public", post("/v1/push/subscribe", 2, b"{}")),
    ("public", post("/help/", 4, b"a=bc", FORM)),
    ("public", SLOW[0]),
    ("office", SLOW[1]),
]


@pytest.mark.parametrize(("origin", "request_"), FLOODS, ids=[flood[1].split(b" ")[1].decode() for flood in FLOODS])
def test_a_flood_from_one_network_does_not_keep_another_waiting_behind_it(served, good, origin, request_):
    assert allow_descriptors(AT_A_TIME)
    # In one line for all, each would come behind all who wait. Where the threads are what is scarce, it comes next.
    most = AT_A_TIME // 4 if request_ in SLOW else AT_A_TIME
    between = []
    with Flood(getattr(served, origin), request_, AT_A_TIME) as flood:
        for _ in range(TRIES):
            before = flood.answers
            assert good.ask(getattr(served, origin), READY[origin]) == 200
            between.append(flood.answers - before)
            if between[-1] < most:
                break
        good.day(1)

    assert min(between) < most


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", ["/venues/register/", "/help/", "/news/9999999/"])
def test_a_flood_on_a_page_that_is_never_kept_delays_nobody_elsewhere_who_asks_for_it(served, good, path, method):
    assert allow_descriptors(AT_A_TIME)
    between = []
    with Flood(served.public, f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), AT_A_TIME) as flood:
        for _ in range(TRIES):
            before = flood.answers
            good.ask(served.public, path)
            between.append(flood.answers - before)
            if between[-1] < AT_A_TIME // 4:
                break

    assert min(between) < AT_A_TIME // 4


def test_what_a_flood_leaves_behind_is_not_worked_off_when_its_clients_are_gone(served, good):
    def made():
        with urllib.request.urlopen(f"{served.operator}/metrics", timeout=PATIENCE_SECONDS) as answer:
            text = answer.read().decode()
        return sum(float(one) for one in re.findall(r'^bluezone_requests_total\{route="pages".* (\S+)$', text, re.M))

    assert allow_descriptors(AT_A_TIME)
    before = made()
    # Never kept, a form: each costs milliseconds.
    with connections(served.public, AT_A_TIME, b"GET /venues/register/?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        pass
    # Behind all of it, since it comes from there too.
    assert answer_to(served, b"GET /?b=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").split()[1] == b"200"

    assert made() - before < AT_A_TIME // 2


def answer_to(served, sent, origin="public", source=ELSEWHERE):
    """The first line of what is answered, and whether the connection was ended afterwards."""
    with socket.create_connection((HERE, port_of(getattr(served, origin))), PATIENCE_SECONDS, (source, 0)) as one:
        one.sendall(sent)
        return ends([one])[0].partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("origin", "request_", "status"),
    [
        ("public", post("/v1/upload", 10**12, b""), b"413"),
        ("public", post("/help/", 10**12, b"", FORM), b"413"),
        ("office", post("/exchange/", 10**12, b""), b"413"),
        ("public", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 400_000 + b"\r\n\r\n", b"431"),
        ("public", b"GET /" + b"a" * 400_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"414"),
        ("public", b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 200 + b"\r\n", b"431"),
    ],
    ids=["upload", "form", "letter", "a header", "the address", "200 headers"],
)
def test_what_is_too_large_is_refused_before_it_is_read(served, good, origin, request_, status):
    assert answer_to(served, request_, origin).split(b" ")[1] in (status, b"431")


@pytest.mark.parametrize(
    "lines",
    [
        ["Content-Length: 3", "Content-Length: 4"],
        ["Content-Length: 3", "Transfer-Encoding: chunked"],
        ["Content-Length: +3"],
        ["Content-Length: 99999999999999999999"],
        ["Transfer-Encoding: chunked"],
        ["Transfer-Encoding: xchunked"],
        ["Content-Length : 3"],
    ],
)
def test_a_request_whose_end_is_in_doubt_is_refused_and_its_connection_ended(served, good, lines):
    head = "\r\n".join(["POST /v1/upload HTTP/1.1", "Host: localhost", *lines]) + "\r\n\r\n"
    line = answer_to(served, head.encode() + b"0\r\n\r\nGET /v1/config HTTP/1.1\r\nHost: localhost\r\n\r\n")

    assert line.split(b" ")[1] in (b"400", b"411")


@pytest.mark.parametrize("host", ["Host: elsewhere.example", "Host: localhost\r\nHost: elsewhere.example"])
def test_a_page_for_another_host_is_refused_and_not_kept_for_ours(served, good, host):
    close = "Connection: close"
    assert answer_to(served, f"GET / HTTP/1.1\r\n{host}\r\n{close}\r\n\r\n".encode()).split(b" ")[1] == b"400"
    absolute = f"GET http://elsewhere.example/ HTTP/1.1\r\nHost: localhost\r\n{close}\r\n\r\n"
    assert answer_to(served, absolute.encode()).split(b" ")[1] == b"400"


def test_requests_sent_ahead_on_one_connection_are_answered_in_their_order(served, good):
    paths = ["/v1/config", "/nothing/", "/v1/exports/index.json", "/v1/upload"] * 25
    ahead = b"".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths)
    with connections(served.public, 1, ahead) as (one,):
        said = one.makefile("rb")
        statuses = []
        for _ in paths:
            status = int(said.readline().split(b" ")[1])
            headers = {}
            while (line := said.readline()) != b"\r\n":
                name, _, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            said.read(int(headers["content-length"]))
            statuses.append(status)

    assert statuses == [200, 404, 200, 405] * 25


def test_a_header_with_an_underscore_does_not_pass_for_a_proxys(served, good):
    request = "GET / HTTP/1.1\r\nHost: localhost\r\nX_Forwarded_For: 203.0.113.9\r\nConnection: close\r\n\r\n"
    assert answer_to(served, request.encode()).split(b" ")[1] == b"200"
