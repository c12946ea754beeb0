# SPDX-License-Identifier: Apache-2.0
"""Row 16: a network observer tells a real report from a rehearsal (chaff) by sizes or by how long answers take."""

import datetime
import gc
import random
import socket
import time

import numpy as np
import pytest
from tests.builders.keyserver import NOON, Clock, Phone, keys_for, opened, poster, served

from bluezone.keyserver import codes
from bluezone.protocol.codes import Credential
from bluezone.protocol.upload import Status

# The distance between two samples of 500 from one distribution that chance exceeds once in a thousand times.
CRITICAL = 1.95

SIZES = [pytest.param(150, id="short"), pytest.param(500, id="whole", marks=pytest.mark.slow)]


def distance(one, other):
    """Kolmogorov-Smirnov distance of two samples."""
    both = np.sort(np.concatenate([one, other]))
    return np.abs(
        np.searchsorted(np.sort(one), both, side="right") / len(one)
        - np.searchsorted(np.sort(other), both, side="right") / len(other)
    ).max()


class Observer:
    """On the way between phone and server: sees how many bytes pass and when, in a connection for each call."""

    def __init__(self, address, phone_address):
        self._address = address
        self._head = f"Host: bluezone.example\r\nX-Forwarded-For: {phone_address}\r\n"
        self.seen = []

    def __call__(self, path, body):
        request = f"POST {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        with socket.create_connection(self._address, timeout=30) as connection:
            sent = request.encode() + body
            begun = time.perf_counter()
            connection.sendall(sent)
            answer = connection.makefile("rb").read()
            self.seen.append((path, len(sent), len(answer), time.perf_counter() - begun))
        head, _, content = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0]
        return content


def play(server, address, rng, number, chaff):
    issued = codes.issue(server, "confirmed", onset_of(server))
    # A network of its own for each phone, always as many characters.
    observer = Observer(address, f"10.1{number >> 12:02}.1{number >> 6 & 63:02}.1{number & 63:02}")
    phone = Phone(observer, server, Credential.from_text(issued.code), chaff=chaff, keys=keys_for(server.clock()))
    assert phone.verify1().status is Status.OK
    assert phone.verify2().status is Status.OK
    server.clock.pass_by(rng.uniform(0, 3600))
    assert phone.upload().status is Status.OK
    server.clock.pass_by(61)
    return observer.seen


def onset_of(server):
    return datetime.datetime.fromtimestamp(server.clock(), datetime.UTC).date() - datetime.timedelta(days=1)


@pytest.mark.parametrize("plays", SIZES)
def test_real_and_rehearsed_reports_have_the_same_sizes_and_take_as_long(tmp_path, plays):
    server = opened(tmp_path, Clock(), trusted_proxies=["127.0.0.1/32"])
    rng = random.Random(16)
    kinds = [False, True] * plays
    rng.shuffle(kinds)
    seen = {False: [], True: []}
    gc.disable()
    try:
        with served(server.application) as address:
            for number in range(20):
                play(server, address, rng, number, number % 2 == 0)
            for number, chaff in enumerate(kinds, start=20):
                seen[chaff].append(play(server, address, rng, number, chaff))
    finally:
        gc.enable()
    server.close()

    shapes = {tuple((path, sent, got) for path, sent, got, _ in one) for kind in seen.values() for one in kind}
    assert len(shapes) == 1
    ((_, sent_1, got_1), (_, sent_2, got_2), (_, sent_3, got_3)) = shapes.pop()
    assert sent_1 == sent_2
    assert sent_3 == sent_1 + 4096 - 1024
    assert got_1 == got_2 == got_3
    bound = CRITICAL * (2 / plays) ** 0.5
    for step, name in enumerate(("verify 1", "verify 2", "upload")):
        durations = [np.array([one[step][3] for one in seen[kind]]) for kind in (False, True)]
        assert distance(*durations) < bound, (name, [np.median(d) for d in durations])


def test_when_too_many_rehearse_a_report_and_a_rehearsal_meet_the_same_puzzle(tmp_path):
    """A flood of rehearsals gets its minute and no more, and what it provokes does not tell who is reporting."""
    server = opened(tmp_path, Clock())
    for number in range(60):
        server.limits.count(number.to_bytes(4, "big"), invalid=False, rehearsal=True)
    asked = {}
    for chaff in (False, True):
        issued = codes.issue(server, "confirmed", onset_of(server))
        phone = Phone(poster(server), server, Credential.from_text(issued.code), chaff=chaff, keys=keys_for(NOON))
        asked[chaff] = [step().status for step in (phone.verify1, phone.verify2, phone.upload) for _ in range(2)]
    server.close()

    assert asked[False] == asked[True] == [Status.PUZZLE_REQUIRED, Status.OK] * 3
