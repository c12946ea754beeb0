# SPDX-License-Identifier: Apache-2.0
"""A real `serve` behind pgbouncer in transaction mode: reports, office and worker; never a second city by mistake."""

import datetime
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import psycopg
import pytest
from tests.builders.keyserver import Phone, keys_for
from tests.builders.pooler import pooled_database
from tests.builders.serving import BLUEZONE, HOTLINE, free_port, serving

from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import POOLER_VARIABLE
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.codes import Credential

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]


@pytest.fixture
def folder():
    """A folder that another user may look into."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)


def test_a_city_behind_a_pooler_takes_a_report_and_publishes_it(folder, tmp_path, monkeypatch):
    with pooled_database(folder) as addresses:
        environment = {f"BLUEZONE_{store.upper()}_URL": address for store, address in addresses.items()}
        environment[POOLER_VARIABLE] = "transaction"
        port = free_port()
        with serving(
            tmp_path / "data", "--operator-port", str(port), environment={"BLUEZONE_DATABASE_URL": "", **environment}
        ) as served:
            for name, value in environment.items():
                monkeypatch.setenv(name, value)

            def post(path, body):
                return urllib.request.urlopen(urllib.request.Request(served.public + path, body), timeout=120).read()

            server = KeyServer.open(served.data)
            onset = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
            code = server.codes.issue_code("confirmed", onset).code
            phone = Phone(post, server, Credential.from_text(code), keys=keys_for(time.time(), days=3, newest_age=1))
            assert [step().status for step in (phone.check_code, phone.redeem_code, phone.upload)] == [Status.OK] * 3
            assert urllib.request.urlopen(f"{served.office}/sign-in/", timeout=120).status == 200
            deadline = time.monotonic() + 240
            while "worker_leading 1.0" not in _metrics(port):
                assert time.monotonic() < deadline
                time.sleep(0.1)
            with psycopg.connect(addresses["keys"]) as admin:
                tables = admin.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'lease'").fetchall()
            assert sorted(tables) == [("codes",), ("keys",), ("office",)]
            server.close()


def _metrics(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=120) as answer:
        return answer.read().decode()


def test_a_pooler_that_drops_our_schema_is_refused_and_no_second_city_is_made(folder, tmp_path):
    with pooled_database(folder, roles=False) as addresses:
        done = subprocess.run(
            [BLUEZONE, "serve", "--data", tmp_path / "data", "--hotline", HOTLINE],
            env={"PATH": "/usr/bin:/bin", "BLUEZONE_DATABASE_URL": addresses["keys"]},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 1
        assert "schema_differs" in done.stderr
        with psycopg.connect(addresses["keys"]) as admin:
            assert admin.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall() == []
