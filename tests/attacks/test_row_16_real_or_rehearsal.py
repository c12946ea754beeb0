# SPDX-License-Identifier: Apache-2.0
"""Row 16: a network observer tells a real report from a rehearsal (chaff) by sizes or by how long answers take.

Twice: what the server does is counted, in calls and in instructions of the database, which is the same on every
machine; and how long it takes is measured on a machine that does nothing else, with a bound on the effect. Two samples
of one distribution exceed that bound once in 100,000 runs or less.
"""

import datetime
import gc
import os
import random
import socket
import time

import numpy as np
import pytest
from tests.builders.keyserver import NOON, Clock, Phone, keys_for, open_server, poster, serve_application
from tests.builders.tracing import DatabaseSteps, calls_apart, work_of

from bluezone.keyserver.http import Application
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential

# Calls in which the answers to a real and a rehearsed report may differ, of 190 to 600 each.
FEW_CALLS = 16
# Instructions of the database, of 19 to 270 each, that a rehearsal takes more: it is undone, by one statement. It never
# takes fewer, or an index or a check is missing that the table of codes has.
UNDOING_STEPS = 4
# Plays of each kind, and how far an observer's guess may be better than chance (Kolmogorov-Smirnov).
PLAYS, BOUND = 500, 0.16


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
        with socket.create_connection(self._address, timeout=120) as connection:
            sent = request.encode() + body
            begun = time.perf_counter()
            connection.sendall(sent)
            answer = connection.makefile("rb").read()
            self.seen.append((path, len(sent), len(answer), time.perf_counter() - begun))
        head, _, content = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0]
        return content


def play(server, address, rng, number, chaff):
    issued = server.codes.issue_code("confirmed", onset_of(server))
    # A network of its own for each phone, always as many characters.
    observer = Observer(address, f"10.1{number >> 12:02}.1{number >> 6 & 63:02}.1{number & 63:02}")
    phone = Phone(observer, server, Credential.from_text(issued.code), chaff=chaff, keys=keys_for(server.clock()))
    assert phone.check_code().status is Status.OK
    assert phone.redeem_code().status is Status.OK
    server.clock.pass_by(rng.uniform(0, 3600))
    assert phone.upload().status is Status.OK
    server.clock.pass_by(61)
    return observer.seen


def onset_of(server):
    return datetime.datetime.fromtimestamp(server.clock(), datetime.UTC).date() - datetime.timedelta(days=1)


def work_of_a_report(server, number, chaff, steps):
    """What the server calls for each of the three steps, and what the database does meanwhile."""
    credential = Credential.from_text(server.codes.issue_code("confirmed", onset_of(server)).code)
    phone = Phone(poster(server, f"10.0.0.{number}"), server, credential, chaff=chaff, keys=keys_for(server.clock()))
    made = []
    for step in (phone.check_code, phone.redeem_code, phone.upload):
        steps.taken()
        answer, called = work_of(step)
        assert answer.status is Status.OK
        made.append((called, steps.taken()))
        server.clock.pass_by(61)
    return made


def test_the_server_does_the_same_work_for_a_rehearsal_as_for_a_report(tmp_path, monkeypatch):
    # `randbelow` draws again while a number is too large, which is chance and tells nothing of the kind.
    monkeypatch.setattr("secrets.randbelow", lambda below: int.from_bytes(os.urandom(256)) % below)
    steps = DatabaseSteps(monkeypatch)
    server = open_server(tmp_path, Clock())
    for number in range(4):
        work_of_a_report(server, number, number % 2 == 0, steps)
    real, chaff = work_of_a_report(server, 4, False, steps), work_of_a_report(server, 5, True, steps)
    server.close()

    for (one, steps_of_one), (other, steps_of_other) in zip(real, chaff, strict=True):
        assert 0 < steps_of_one <= steps_of_other <= steps_of_one + UNDOING_STEPS
        assert one.total() > 10 * FEW_CALLS
        assert calls_apart(one, other) <= FEW_CALLS, (one - other, other - one)


def observed(folder, plays):
    """What an observer sees of so many reports and so many rehearsals, mixed: by kind (chaff) and play."""
    server = open_server(folder, Clock(), trusted_proxies=["127.0.0.1/32"])
    rng = random.Random(16)
    kinds = [False, True] * plays
    rng.shuffle(kinds)
    seen = {False: [], True: []}
    gc.disable()
    try:
        with serve_application(Application(server.parts)) as address:
            for number in range(20):
                play(server, address, rng, number, number % 2 == 0)
            for number, chaff in enumerate(kinds, start=20):
                seen[chaff].append(play(server, address, rng, number, chaff))
    finally:
        gc.enable()
    server.close()
    return seen


def test_real_and_rehearsed_reports_have_the_same_sizes(tmp_path):
    seen = observed(tmp_path, 10)

    shapes = {tuple((path, sent, got) for path, sent, got, _ in one) for kind in seen.values() for one in kind}
    assert len(shapes) == 1
    ((_, sent_1, got_1), (_, sent_2, got_2), (_, sent_3, got_3)) = shapes.pop()
    assert sent_1 == sent_2
    assert sent_3 == sent_1 + 4096 - 1024
    assert got_1 == got_2 == got_3


@pytest.mark.slow
def test_real_and_rehearsed_reports_take_as_long(tmp_path):
    seen = observed(tmp_path, PLAYS)

    for step, name in enumerate(("verify 1", "verify 2", "upload")):
        durations = [np.array([one[step][3] for one in seen[kind]]) for kind in (False, True)]
        assert distance(*durations) < BOUND, (name, [np.median(d) for d in durations])


@pytest.mark.long
def test_when_too_many_rehearse_a_report_and_a_rehearsal_meet_the_same_puzzle(tmp_path):
    """A flood of rehearsals gets its minute and no more, and what it provokes does not tell who is reporting."""
    server = open_server(tmp_path, Clock())
    for number in range(60):
        server.codes_part.limits.count_call(number.to_bytes(4, "big"), invalid=False, rehearsal=True)
    asked = {}
    for chaff in (False, True):
        issued = server.codes.issue_code("confirmed", onset_of(server))
        phone = Phone(poster(server), server, Credential.from_text(issued.code), chaff=chaff, keys=keys_for(NOON))
        asked[chaff] = [step().status for step in (phone.check_code, phone.redeem_code, phone.upload) for _ in range(2)]
    server.close()

    assert asked[False] == asked[True] == [Status.PUZZLE_REQUIRED, Status.OK] * 3
