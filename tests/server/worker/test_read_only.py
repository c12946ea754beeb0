# SPDX-License-Identifier: Apache-2.0
"""A real `serve` whose data folder becomes read-only: it serves what it can, answers reports "later", and continues."""

import contextlib
import ctypes
import mmap
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from tests.builders.keyserver import report_of
from tests.builders.machines import wait_until
from tests.builders.serving import serving
from tests.builders.stores import HOTLINE, prepared_store
from tests.explore.machine import NEVER, Control, Disk, build
from tests.server.worker.test_outage import health, last_file

from bluezone.city_settings import write_default
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.sqlite import SqliteStore
from bluezone.protocol.upload import Status

pytestmark = [pytest.mark.timeout(900), pytest.mark.skipif(not shutil.which("gcc"), reason="needs gcc")]
PATHS = ("/v1/health/live", "/v1/config", "/v1/exports/index.json", "/v1/venues/index.json", "/")


class ReadOnlyDisk:
    """A folder that processes with `environment` find read-only, if `fault` says so."""

    def __init__(self, place, folder):
        path = place / "control"
        path.write_bytes(bytes(ctypes.sizeof(Control)))
        with path.open("r+b") as file:
            self._control = Control.from_buffer(mmap.mmap(file.fileno(), 0))
        self._control.kill_after = NEVER
        self._control.folder = str(folder).encode()
        self.environment = {"LD_PRELOAD": str(build(place)), "BLUEZONE_MACHINE": str(path)}

    @contextlib.contextmanager
    def read_only(self):
        """A time in which it is read-only."""
        self._control.fault = Disk.READ_ONLY
        try:
            yield
        finally:
            self._control.fault = Disk.SOUND


def post(public, path, body):
    """The body of the answer; raises HTTPError."""
    with urllib.request.urlopen(urllib.request.Request(public + path, data=body, method="POST"), timeout=120) as answer:
        return answer.read()


def status(url):
    """The status of the answer to a GET."""
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.status


def children(served):
    parent = served.process.pid
    with open(f"/proc/{parent}/task/{parent}/children") as file:
        return file.read()


def test_a_read_only_folder_ends_no_process_and_loses_no_report(tmp_path):
    data = tmp_path / "disk" / "city"
    data.mkdir(mode=0o700, parents=True)
    write_default(data, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=0, padding_mean=5,
                  verify_to_upload_seconds=0)  # fmt: skip
    prepared_store(data)
    disk = ReadOnlyDisk(tmp_path, data)
    with contextlib.closing(KeyServer.open(data)) as server, serving(data, environment=disk.environment) as served:
        wait_until(lambda: health(served.public)["export_number"])
        pids = children(served)
        patient = report_of(server)
        patient.post = lambda path, body: post(served.public, path, body)
        with disk.read_only():
            assert {status(served.public + path) for path in PATHS} == {200}
            assert status(f"{served.office}/sign-in/") == 200
            with pytest.raises(urllib.error.HTTPError) as refusal:
                patient.upload()
            assert (refusal.value.code, refusal.value.headers["Retry-After"]) == (503, "30")
            before = last_file(server)
            for line in served.lines:
                if "Read-only file system" in line:
                    break

        assert patient.upload().status is Status.OK
        wait_until(lambda: last_file(server)[0][0] > before[0][0])
        assert children(served) == pids


FIRST_WRITE = """
import sys
from pathlib import Path
from bluezone.keyserver.storage.sqlite import SqliteStore
from bluezone.keyserver.storage.store import StoreRefused

store = SqliteStore(Path(sys.argv[1]))
for line in sys.stdin:
    try:
        store.write(lambda transaction: transaction.execute("INSERT INTO given VALUES (1)"))
        print("stored", flush=True)
    except StoreRefused as refused:
        print(refused.code, flush=True)
"""


def test_a_store_whose_first_write_met_a_read_only_folder_takes_later_ones(tmp_path):
    (tmp_path / "disk").mkdir()
    path = tmp_path / "disk" / "keys.sqlite3"
    store = SqliteStore(path)
    store.write(lambda transaction: transaction.execute("CREATE TABLE given (number)"))
    disk = ReadOnlyDisk(tmp_path, path.parent)
    command = [sys.executable, "-c", FIRST_WRITE, path]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **disk.environment}
    ) as writer:

        def write():
            writer.stdin.write("\n")
            writer.stdin.flush()
            return writer.stdout.readline().strip()

        with disk.read_only():
            assert write() == "store_unreachable"
        assert write() == "stored"
        writer.stdin.close()
    assert store.read("SELECT count(*) FROM given") == [(1,)]
    store.close()
