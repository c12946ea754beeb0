# SPDX-License-Identifier: Apache-2.0
"""200 tablets that call at the same moment, each over a connection of its own, against a real `bluezone serve`.

How much work a minute's passages are is held by test_load.py; here nothing is lost, doubled or turned away.
"""

import http.client
import json
import statistics
import time
from contextlib import contextmanager
from threading import Barrier, Thread
from urllib.parse import urlsplit

import pytest
from tests.builders.gatefleet import plant, sums
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.serving import serving

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
GATES, PASSAGES, MINUTES, SENDINGS = 200, 1_000, 1, 3


@contextmanager
def store(name):
    """The environment of a `serve` whose office is on SQLite or PostgreSQL."""
    if name == "sqlite":
        yield {}
        return
    server = postgresql_server()
    with postgresql_database(server) as address:
        yield {"BLUEZONE_OFFICE_URL": address}


class Tablet(Thread):
    """One gate: keeps its connection, sends its queue when all are ready, and sends it again twice."""

    def __init__(self, host, port, token, bucket, ready):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(host, port, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.bucket, self.ready = bucket, ready
        self.statuses, self.seconds = [], []

    def run(self):
        self.connection.connect()
        for minute in range(1, MINUTES + 1):
            self.ready.wait(120)
            body = json.dumps({"counters": [[self.bucket, "in", "running", PASSAGES // GATES * minute]]})
            for _ in range(SENDINGS):
                begun = time.monotonic()
                self.connection.request("POST", "/v1/gates/counters", body, self.headers)
                answer = self.connection.getresponse()
                answer.read()
                self.statuses.append(answer.status)
                self.seconds.append(time.monotonic() - begun)
        self.connection.close()


@pytest.mark.parametrize("name", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_200_tablets_at_once_lose_nothing_and_double_nothing(tmp_path, name, record_property):
    with store(name) as environment, serving(tmp_path / "data", environment=environment) as served:
        tokens = plant(served.data, GATES, environment)
        public = urlsplit(served.public)
        ready = Barrier(GATES)
        bucket = int(time.time()) // 300 * 300 - 300
        tablets = [Tablet(public.hostname, public.port, token, bucket, ready) for token in tokens]
        begun = time.monotonic()
        for tablet in tablets:
            tablet.start()
        for tablet in tablets:
            tablet.join(240)
        spent = time.monotonic() - begun
        held = sums(served.data, environment)

    statuses = {status for tablet in tablets for status in tablet.statuses}
    waited = sorted(second for tablet in tablets for second in tablet.seconds)
    assert (statuses, len(waited)) == ({200}, GATES * MINUTES * SENDINGS)
    assert held == [PASSAGES * MINUTES] * 2
    record_property("seconds", round(spent, 1))
    record_property("median_and_slowest_call", [round(statistics.median(waited), 2), round(waited[-1], 2)])
