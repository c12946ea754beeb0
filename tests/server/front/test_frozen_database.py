# SPDX-License-Identifier: Apache-2.0
"""A real `serve` whose database accepts connections and never answers: what needs no database is still answered."""

import base64
import json
import select
import socket
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import pytest
from tests.builders.machines import wait_until
from tests.builders.objectserver import BUCKET, object_server
from tests.builders.relay import relayed_postgresql
from tests.builders.serving import serving

from bluezone.server.processes.origin import THREADS

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]
# Many more than there are threads for them, at each origin.
WAITING = 20 * THREADS


def get(url):
    """Status and body. A call that is not answered within a minute fails the test."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def ask_without_waiting(url):
    """Send a request, and return its connection without reading the answer."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port))
    connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
    return connection


def answered(connections):
    """How many of these connections have an answer to read."""
    return len(select.select(connections, [], [], 0)[0])


def published_paths(public):
    """The addresses of all files that a phone fetches."""
    index = json.loads(get(f"{public}/v1/exports/index.json")[1])
    entries = json.loads(base64.b64decode(index["payload"]))["entries"]
    files = [f"/v1/exports/{entry['name']}" for entry in entries]
    return ["/v1/config", "/v1/config/1", "/v1/exports/index.json", "/v1/venues/index.json", *files]


@pytest.mark.parametrize("in_bucket", [False, True], ids=["folder", "bucket"])
def test_liveness_config_and_files_are_answered_while_all_else_waits_for_the_database(tmp_path, in_bucket):
    (tmp_path / "s3").mkdir()
    with relayed_postgresql() as (relay, address), object_server(tmp_path / "s3") as bucket:
        environment = {"BLUEZONE_DATABASE_URL": address}
        if in_bucket:
            environment |= {**bucket.environment(), "BLUEZONE_EXPORTS_URL": f"s3://{BUCKET}/city"}
        with serving(tmp_path / "data", environment=environment) as served:
            wait_until(lambda: len(published_paths(served.public)) > 4)
            paths = published_paths(served.public)
            relay.hold_answer_to(b"", times=1_000_000)
            public = [ask_without_waiting(f"{served.public}/v1/health/ready") for _ in range(WAITING)]
            office = [ask_without_waiting(f"{served.office}/health/ready") for _ in range(WAITING)]

            for path in ["/v1/health/live", *paths]:
                assert get(f"{served.public}{path}")[0] == 200, path
            assert get(f"{served.office}/health/live")[0] == 200
            # Most of the earlier requests still wait for the database, so these answers did not wait for them.
            assert answered(public) < WAITING - THREADS
            assert answered(office) < WAITING - THREADS

            relay.no_more_faults()
            relay.lose_server()
            relay.find_server()
            wait_until(lambda: get(f"{served.public}/v1/health/ready")[0] == 200)
            for connection in (*public, *office):
                connection.close()
