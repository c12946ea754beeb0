# SPDX-License-Identifier: Apache-2.0
"""Of several processes that prepare one office, at a start, at SIGHUP or on another machine, one does at a time."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.office import write_city

from bluezone.keyserver.locks import lock_file
from bluezone.keyserver.storage.leases import Lease
from bluezone.server.preparation import LEASE_NAME, LOCK_NAME

PREPARE = """
import sys
from pathlib import Path
from bluezone.server.preparation import prepare_office
prepare_office(Path(sys.argv[1]))
"""
WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'INSERT INTO lease%'"
    " AND application_name <> 'holder'"
)


@contextmanager
def preparing(command, **environment):
    process = subprocess.Popen([sys.executable, *command], env={**os.environ, **environment})
    try:
        yield process
        assert process.wait(120) == 0
    finally:
        process.kill()
        process.wait()


def until_it_waits(process, waits):
    deadline = time.monotonic() + 600
    while not waits():
        assert process.poll() is None, "it did not wait"
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.long
def test_a_process_that_prepares_for_a_restart_waits_for_one_that_prepares_for_a_start(data_folder):
    def waits():
        lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        return any(line[1:3] == ["->", "FLOCK"] and line[5] == str(process.pid) for line in lines)

    with ExitStack() as held:
        held.enter_context(lock_file(data_folder / LOCK_NAME, wait=True))
        with preparing(["-m", "bluezone.server.preparation", data_folder]) as process:
            until_it_waits(process, waits)
            held.close()


@pytest.mark.postgres
def test_processes_with_folders_of_their_own_wait_for_each_other_at_the_database(tmp_path):
    server_url = postgresql_server()
    folder = tmp_path / "data"
    write_city(folder)
    with postgresql_database(server_url) as url, psycopg.connect(url, autocommit=True) as other:
        other.execute("CREATE SCHEMA office")
        holder = {"options": "-c search_path=office", "application_name": "holder", "autocommit": True}
        lease = Lease(lambda: psycopg.connect(url, **holder), LEASE_NAME, seconds=600)
        assert lease.acquire()
        with preparing(["-c", PREPARE, folder], BLUEZONE_OFFICE_URL=url) as process:
            until_it_waits(process, lambda: other.execute(WAITING).fetchone())
            assert other.execute("SELECT to_regclass('office.django_migrations')").fetchone() == (None,)
            lease.release()
        assert other.execute("SELECT to_regclass('office.django_migrations')").fetchone() != (None,)
