# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL restarts in the middle of uploads to two processes: clean 503s, nothing acknowledged lost or doubled."""

import http.client
import shutil
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.builders.keyserver import open_server, report_of
from tests.keyserver.test_kill import Killable, published_counts, tick_when_alone

from bluezone.keyserver.storage.store import key_prefix
from bluezone.protocol.upload import Status, decode_upload_answer, encode_upload

REPOSITORY = Path(__file__).parents[2]
UPLOADS = 60
RESTARTS = 3


@pytest.fixture
def cluster():
    """A PostgreSQL server of its own, whose folder is readable for the user it runs as; yields its folder and URL."""
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        pytest.skip("needs the server programs of PostgreSQL")
    top = Path(tempfile.mkdtemp())
    top.chmod(0o755)
    folder = top / "postgres"
    try:
        yield folder, run_cluster("start", folder).strip()
    finally:
        run_cluster("stop", folder)
        shutil.rmtree(top)


def run_cluster(action, folder):
    command = [REPOSITORY / "tools" / "postgres.sh", action, folder]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=120).stdout


def posted(port, body):
    """Status, headers and body of an upload's answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("POST", "/v1/upload", body)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.postgres
def test_postgresql_restarted_in_the_middle_of_uploads(cluster, city_folder, monkeypatch):
    folder, url = cluster
    monkeypatch.setenv("BLUEZONE_DATABASE_URL", url)
    server = open_server(city_folder, time.time, publish_period_seconds=0, padding_mean=5)
    phones = [report_of(server) for _ in range(UPLOADS)]
    bodies = [encode_upload(phone.upload_request()) for phone in phones]
    processes = [Killable(city_folder) for _ in range(2)]
    acknowledged, refused, enough = set(), [], threading.Condition()

    def upload_until_acknowledged(number):
        for attempt in range(10_000):
            status, headers, body = posted(processes[(number + attempt) % 2].port, bodies[number])
            if status == 200:
                assert decode_upload_answer(body).status is Status.OK
                with enough:
                    acknowledged.add(number)
                    enough.notify_all()
                return
            assert status == 503
            assert int(headers["Retry-After"]) > 0
            refused.append(body)
        raise AssertionError("never acknowledged")

    with ThreadPoolExecutor(6) as pool:
        uploads = [pool.submit(upload_until_acknowledged, number) for number in range(UPLOADS)]
        for restart in range(1, RESTARTS + 1):
            with enough:
                assert enough.wait_for(lambda r=restart: len(acknowledged) >= r * UPLOADS // (RESTARTS + 2), 60)
            run_cluster("restart", folder)
        for upload in uploads:
            upload.result(120)
    assert {b'"code": "store_unreachable"' in body or b'"code": "store_busy"' in body for body in refused} <= {True}

    stored = {row[0] for row in server.keys_store.read("SELECT prefix FROM known_key")}
    assert {key_prefix(key.key) for phone in phones for key in phone.keys} <= stored
    for process in processes:
        process.kill()
    # Yesterday's keys are published two hours after midnight UTC; the test may run before.
    for later in (7202, 7204):
        tick_when_alone(server, time.time() + later)
    counts = published_counts(server)
    assert {counts[key.key] for phone in phones for key in phone.keys} == {1}
    assert set(counts.values()) == {1}
    assert server.keys_store.read("SELECT SUM(uploads) FROM upload_count") == [(UPLOADS,)]
    server.close()
