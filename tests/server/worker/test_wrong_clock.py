# SPDX-License-Identifier: Apache-2.0
"""Real servers whose clock is wrong by 45 days for a while: nothing is destroyed or signed, and it is said. When it is
right again what waited is published, and a phone that followed before follows.
"""

import contextlib
import hashlib
import json
import shutil
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from tests.builders.keyserver import report_of
from tests.builders.machines import wait_until
from tests.builders.serving import BLUEZONE, serving
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.city_settings import write_default
from bluezone.keyserver.publication.series import EXPORT_FILES
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.exports.files import read_export

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
SIGNED_OR_SECRET = ("backups", "configs", "exports", "keys", "venues")


def wrong_by(offset):
    """The environment in which a program's clock is off; skips by name where there is no faketime."""
    if not shutil.which("faketime"):
        pytest.skip("needs faketime")
    said = subprocess.run(["faketime", "-f", offset, "env"], capture_output=True, text=True, check=True).stdout
    found = dict(line.partition("=")[::2] for line in said.splitlines())
    return {
        "LD_PRELOAD": found["LD_PRELOAD"], "FAKETIME": found["FAKETIME"], "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip


def rows_of(data):
    """Rows by store and table."""
    found = {}
    for name in ("office", "codes", "keys"):
        with contextlib.closing(sqlite3.connect(data / f"{name}.sqlite3")) as store:
            for (table,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                (found[name, table],) = store.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    return found


def files_of(data):
    """What is signed, secret or kept, by its hash."""
    paths = [path for folder in SIGNED_OR_SECRET for path in (data / folder).rglob("*") if path.is_file()]
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def health(public):
    try:
        with urllib.request.urlopen(f"{public}/v1/health", timeout=120) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as answer:
        return json.loads(answer.read())


def published_keys(server):
    index = server.indexes.read_index()
    contents = [server.publication.published.get(f"{EXPORT_FILES.folder}/{entry.name}") for entry in index.entries]
    return {key.key for content in contents for key in read_export(content).keys}


def check_phone(folder, server, public):
    trust = server.secrets.signing_key.public_key().public_bytes_raw().hex()
    options = ["--data", folder, "--server", public, "--trust", trust, "--radio", "virtual:127.0.0.1:1", "--json"]
    done = subprocess.run([BLUEZONE, "handset", "check", *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("offset", ["+45d", "-45d"])
def test_a_clock_that_is_wrong_by_45_days_destroys_and_signs_nothing_and_publication_goes_on_after_it(offset, tmp_path):
    environment, data = wrong_by(offset), tmp_path / "city"
    data.mkdir(mode=0o700)
    write_default(data, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=0, padding_mean=5,
                  verify_to_upload_seconds=0)  # fmt: skip
    prepared_store(data)
    with contextlib.closing(KeyServer.open(data)) as server:
        report_of(server).upload()
        with serving(data) as served:
            wait_until(lambda: published_keys(server))
            check_phone(tmp_path / "phone", server, served.public)
        subprocess.run([BLUEZONE, "backup", "--data", data], check=True, capture_output=True)
        waiting = report_of(server)
        waiting.upload()
        rows, files = rows_of(data), files_of(data)

        with serving(data, environment=environment) as served:
            said = ""
            for line in served.lines:
                said += line
                if "clock_doubted" in line and "tick" in line:
                    break
            wait_until(lambda: "clock_doubted" in health(served.public)["failing"])
            begun = time.monotonic()
            wait_until(lambda: time.monotonic() - begun > 5)
        assert "clock_doubted" in said
        assert files_of(data) == files
        fewer = {
            table: (count, rows_of(data).get(table)) for table, count in rows.items() if rows_of(data)[table] < count
        }
        assert fewer == {}

        with serving(data) as served:
            wait_until(lambda: {key.key for key in waiting.keys} <= published_keys(server))
            check_phone(tmp_path / "phone", server, served.public)
            assert "clock_doubted" not in health(served.public)["failing"]
