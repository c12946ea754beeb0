# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL with a synchronous standby: what is acknowledged outlives the primary, and how soon writing goes on."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.builders.serving import free_port

from bluezone.keyserver.storage.postgresql import PostgresqlStore
from bluezone.keyserver.storage.store import StoreRefused

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

TOOL = Path(__file__).parents[3] / "tools" / "postgres.sh"
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_basebackup"))
WRITERS = 4
ACKNOWLEDGED = 400


def _tool(action, folder):
    return subprocess.run([TOOL, action, folder], check=True, capture_output=True, text=True).stdout.strip()


def _as_owner(*command):
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*prefix, *map(str, command)], check=True, capture_output=True)


@contextmanager
def two_servers(folder):
    """A primary and its synchronous standby: their folders and addresses."""
    if not BINARIES:
        pytest.skip("needs PostgreSQL's programs on this machine")
    first, second, port = folder / "first", folder / "second", free_port()
    address = _tool("start", first)
    try:
        second.mkdir()
        (second / "port").write_text(str(port))
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "postgres", second], check=True)
        _as_owner(BINARIES[-1], "-d", address, "-D", second / "data", "-R", "-X", "stream", "-c", "fast")
        _tool("resume", second)
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            connection.execute("SELECT pg_reload_conf()")
            deadline = time.monotonic() + 600
            while connection.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone() is None:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        yield (first, address), (second, f"postgresql://bluezone@127.0.0.1:{port}/bluezone")
    finally:
        for one in (first, second):
            subprocess.run([TOOL, "stop", one], capture_output=True)


@pytest.fixture
def servers(tmp_path_factory):
    # Its own user must be able to go there.
    folder = Path(f"/tmp/bluezone-standby-{os.getpid()}")
    folder.mkdir(mode=0o755)
    with two_servers(folder) as both:
        yield both
    subprocess.run(["rm", "-rf", folder], check=True)


def test_no_acknowledged_row_is_lost_with_the_primary_and_writing_goes_on_when_the_standby_is_promoted(servers, capsys):
    (first, one), (_, other) = servers
    both = f"{one.rpartition('/')[0]},{other.rpartition('@')[2]}?target_session_attrs=read-write"
    store = PostgresqlStore(both, "keys", connections=WRITERS)
    store.write(lambda t: t.execute("CREATE TABLE acknowledged (number BIGINT PRIMARY KEY)"))
    acknowledged, moments, enough, stop = [], [], threading.Event(), threading.Event()

    def write_on_and_on(number):
        while not stop.is_set():
            try:
                store.write(
                    lambda t, n=number: t.execute("INSERT INTO acknowledged VALUES (?) ON CONFLICT DO NOTHING", (n,))
                )
            except StoreRefused:
                continue
            acknowledged.append(number)
            moments.append(time.monotonic())
            number += WRITERS
            if len(acknowledged) > ACKNOWLEDGED:
                enough.set()

    threads = [threading.Thread(target=write_on_and_on, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    assert enough.wait(120)
    _tool("stop", first)
    crashed = time.monotonic()
    with psycopg.connect(other, autocommit=True) as connection:
        # Until somebody promotes it there is nobody to write to; the new primary waits for no other one.
        connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
        connection.execute("SELECT pg_reload_conf()")
        assert connection.execute("SELECT pg_promote(true, 60)").fetchone() == (True,)
    promoted = time.monotonic()
    while not [moment for moment in moments if moment > promoted]:
        assert time.monotonic() < promoted + 120
        time.sleep(0.05)
    stop.set()
    for thread in threads:
        thread.join(120)
    stored = {number for (number,) in store.read("SELECT number FROM acknowledged")}
    store.close()

    assert set(acknowledged) - stored == set()
    back = min(moment for moment in moments if moment > promoted)
    with capsys.disabled():
        sys.stderr.write(
            f"\n{len(acknowledged)} acknowledged, none lost; promoted {promoted - crashed:.1f} s after the crash,"
            f" written again {back - promoted:.1f} s after that (load {os.getloadavg()[0]:.1f})\n"
        )


def test_without_its_standby_a_commit_waits_until_somebody_says_that_it_need_not(servers):
    """No limit of a statement ends that wait; docs/operating.md says what to do about it."""
    (_, one), (second, _) = servers
    store = PostgresqlStore(one, "keys")
    store.write(lambda t: t.execute("CREATE TABLE acknowledged (number BIGINT PRIMARY KEY)"))
    _tool("stop", second)

    def write(transaction):
        transaction.execute("SET LOCAL statement_timeout = 100")
        transaction.execute("INSERT INTO acknowledged VALUES (1)")

    with psycopg.connect(one, autocommit=True) as connection, ThreadPoolExecutor(1) as pool:
        writing = pool.submit(store.write, write)
        waiting = "SELECT clock_timestamp() - query_start > '1 s' FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        deadline = time.monotonic() + 600
        while connection.execute(waiting).fetchone() != (True,):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert not writing.done()
        connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
        connection.execute("SELECT pg_reload_conf()")
        writing.result(120)
    assert store.read("SELECT number FROM acknowledged") == [(1,)]
    store.close()
