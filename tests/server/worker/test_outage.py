# SPDX-License-Identifier: Apache-2.0
"""A real `serve` with its signer whose disk takes no files for several publishing periods: it publishes when it does,
and a phone that followed before follows.
"""

import contextlib
import json
import subprocess
import urllib.error
import urllib.request

import pytest
from tests.builders.keyserver import report_of
from tests.builders.machines import wait_until
from tests.builders.serving import BLUEZONE, serving
from tests.builders.stores import HOTLINE, prepared_store
from tests.keyserver.signer.test_outages import published_keys, unwritable

from bluezone.city_settings import write_default
from bluezone.keyserver.service import KeyServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
# Each round of the worker, every 15 seconds, is another period.
PERIOD_SECONDS, PERIODS = 1, 50


def check_phone(folder, server, public):
    """What a phone says that is always the same, of what it has."""
    trust = server.secrets.signing_key.public_key().public_bytes_raw().hex()
    options = ["--data", folder, "--server", public, "--trust", trust, "--radio", "virtual:127.0.0.1:1", "--json"]
    done = subprocess.run([BLUEZONE, "handset", "check", *options], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def last_file(server):
    return server.keys_store.read("SELECT number, end_timestamp, sha256 FROM export_file ORDER BY number DESC LIMIT 1")


def health(public):
    try:
        with urllib.request.urlopen(f"{public}/v1/health", timeout=120) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as answer:
        return json.loads(answer.read())


def test_publication_goes_on_after_a_disk_took_no_files_for_many_periods(tmp_path):
    data = tmp_path / "city"
    data.mkdir(mode=0o700)
    write_default(data, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=PERIOD_SECONDS,
                  padding_mean=5, verify_to_upload_seconds=0)  # fmt: skip
    prepared_store(data)
    with contextlib.closing(KeyServer.open(data)) as server, serving(data) as served:
        wait_until(lambda: (index := server.indexes.read_index()) and index.number)
        check_phone(tmp_path / "phone", server, served.public)
        with unwritable(data / "exports"):
            listed = server.indexes.read_index().number
            wait_until(lambda: last_file(server)[0][2] is None)
            waiting = report_of(server)
            waiting.upload()
            ((_, end, _),) = last_file(server)
            wait_until(lambda: server.clock() - end > PERIODS * PERIOD_SECONDS)
            # The canary has received no new file either.
            wait_until(lambda: health(served.public)["failing"] == ["publication_overdue", "canary_late"], 120)
        wait_until(lambda: {key.key for key in waiting.keys} <= published_keys(server), 120)
        assert server.indexes.read_index().number >= listed + 2
        check_phone(tmp_path / "phone", server, served.public)
        wait_until(lambda: health(served.public)["status"] == "ok", 120)
