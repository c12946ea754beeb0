# SPDX-License-Identifier: Apache-2.0
"""Row 16: a network observer tells a real report from a rehearsal (chaff) by sizes or by how long answers take."""

import gc
import random
import time

import numpy as np
import pytest
from tests.builders.keyserver import Clock, Phone, keys_for, opened, poster

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
    """Between phone and server: sees sizes and durations of each of the three calls, nothing else."""

    def __init__(self, post):
        self._post = post
        self.seen = []

    def __call__(self, path, body):
        begun = time.perf_counter()
        answer = self._post(path, body)
        self.seen.append((path, len(body), len(answer), time.perf_counter() - begun))
        return answer


def play(server, rng, number, chaff):
    issued = codes.issue(server, "confirmed", onset_of(server))
    observer = Observer(poster(server, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"))
    phone = Phone(observer, server, Credential.from_text(issued.code), chaff=chaff, keys=keys_for(server.clock()))
    assert phone.verify1().status is Status.OK
    assert phone.verify2().status is Status.OK
    server.clock.pass_by(rng.uniform(0, 3600))
    assert phone.upload().status is Status.OK
    server.clock.pass_by(61)
    return observer.seen


def onset_of(server):
    import datetime

    return datetime.datetime.fromtimestamp(server.clock(), datetime.UTC).date() - datetime.timedelta(days=1)


@pytest.mark.parametrize("plays", SIZES)
def test_real_and_rehearsed_reports_have_the_same_sizes_and_take_as_long(tmp_path, plays):
    server = opened(tmp_path, Clock())
    rng = random.Random(16)
    kinds = [False, True] * plays
    rng.shuffle(kinds)
    seen = {False: [], True: []}
    gc.disable()
    try:
        for number in range(20):
            play(server, rng, number, number % 2 == 0)
        for number, chaff in enumerate(kinds, start=20):
            seen[chaff].append(play(server, rng, number, chaff))
    finally:
        gc.enable()
    server.close()

    shapes = {tuple((path, sent, got) for path, sent, got, _ in one) for kind in seen.values() for one in kind}
    assert shapes == {(("/v1/verify", 1024, 1024), ("/v1/verify", 1024, 1024), ("/v1/upload", 4096, 1024))}
    bound = CRITICAL * (2 / plays) ** 0.5
    for step, name in enumerate(("verify 1", "verify 2", "upload")):
        durations = [np.array([one[step][3] for one in seen[kind]]) for kind in (False, True)]
        assert distance(*durations) < bound, (name, [np.median(d) for d in durations])
