# SPDX-License-Identifier: Apache-2.0
"""SIGKILL in the middle of uploads and publishing: nothing acknowledged is lost, nothing is published twice."""

import http.client
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.builders.keyserver import open_server, report_of
from tests.builders.load import published_counts, tick_when_alone
from tests.builders.serving import free_port

from bluezone.keyserver.storage.store import key_prefix
from bluezone.protocol.upload import Status, decode_upload_answer, encode_upload

KILLABLE = Path(__file__).with_name("killable.py")


class Killable:
    """The server process and its workers, a process group of their own."""

    def __init__(self, folder):
        self.port = free_port()
        command = [sys.executable, str(KILLABLE), str(folder), str(self.port)]
        self.process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 600
        while not self.answers() and time.monotonic() < deadline:
            time.sleep(0.02)

    def answers(self):
        try:
            return self.post("/v1/verify", bytes(1024)) is not None
        except OSError:
            return False

    def post(self, path, body):
        """Return the answer's body, or None when the server died before it was whole."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("POST", path, body)
            answer = connection.getresponse()
            content = answer.read()
            return content if answer.status == 200 and len(content) == 1024 else None
        except http.client.HTTPException:
            return None
        finally:
            connection.close()

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def upload_all(killable, bodies, kill_after=None):
    """Upload from four phones at a time, killing the server after so many; returns the numbers acknowledged."""
    acknowledged = set()

    def upload(number):
        try:
            answer = killable.post("/v1/upload", bodies[number])
        except OSError:
            return
        if answer is not None and decode_upload_answer(answer).status is Status.OK:
            acknowledged.add(number)
            if len(acknowledged) == kill_after:
                killable.kill()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upload, bodies))
    return acknowledged


@pytest.mark.parametrize(
    ("uploads", "kills"), [(100, 2), pytest.param(1000, 10, marks=pytest.mark.slow)], ids=["short", "whole"]
)
def test_sigkill_in_the_middle_of_uploads(city_folder, monkeypatch, uploads, kills):
    monkeypatch.delenv("BLUEZONE_DATABASE_URL", raising=False)
    rng = random.Random(458)
    server = open_server(city_folder, time.time, publish_period_seconds=0, padding_mean=5)
    phones = [report_of(server) for _ in range(uploads)]
    bodies = {number: encode_upload(phone.upload_request()) for number, phone in enumerate(phones)}

    acknowledged = set()
    for _ in range(kills):
        killable = Killable(city_folder)
        open_bodies = {number: body for number, body in bodies.items() if number not in acknowledged}
        acknowledged |= upload_all(killable, open_bodies, kill_after=rng.randint(1, 2 * uploads // kills // 3))
        assert not killable.answers()
    assert 0 < len(acknowledged) < uploads

    stored = {row[0] for row in server.keys_store.read("SELECT prefix FROM known_key")}
    assert {key_prefix(key.key) for number in acknowledged for key in phones[number].keys} <= stored
    assert server.keys_store.read("PRAGMA integrity_check") == [("ok",)]

    # Whoever got no answer sends the same again; so does, by mistake, everybody else.
    killable = Killable(city_folder)
    assert upload_all(killable, bodies) == set(bodies)
    killable.kill()
    # Yesterday's keys are published two hours after midnight UTC; the test may run before.
    tick_when_alone(server, time.time() + 7202)
    tick_when_alone(server, time.time() + 7204)

    counts = published_counts(server)
    assert {counts[key.key] for phone in phones for key in phone.keys} == {1}
    assert set(counts.values()) == {1}
    assert server.keys_store.read("SELECT SUM(uploads) FROM upload_count") == [(uploads,)]
    server.close()
