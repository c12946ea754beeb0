# SPDX-License-Identifier: Apache-2.0
import json
import shutil
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from tests.builders.keyserver import (
    HOUR,
    NOON,
    Clock,
    call,
    exchange,
    open_server,
    postgresql_database,
    postgresql_server,
    report_of,
)

from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.opening import open_store
from bluezone.keyserver.storage.sqlite import SqliteStore
from bluezone.keyserver.storage.store import (
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreRefused,
    StoreTooNew,
    StoreUnreachable,
    key_prefix,
)
from bluezone.protocol.upload import Status, encode_upload
from bluezone.refusal import Refused
from bluezone.timekeeping import ClockDoubted, ClockGuard


class Unwelcome(Refused):
    """A refusal of these tests."""


@pytest.fixture
def store(server):
    return server.keys_store


def insert(key, number=0):
    return lambda transaction: transaction.execute("INSERT INTO duty VALUES (?, ?)", (key, number))


def test_a_write_returns_its_result_and_can_be_read(store):
    assert store.write(lambda t: t.execute("INSERT INTO duty VALUES ('a', 1) RETURNING done")) == [(1,)]
    assert store.read("SELECT done FROM duty WHERE name = ?", ("a",)) == [(1,)]


def test_a_refusal_inside_a_write_undoes_it_and_reaches_the_caller(store):
    def action(transaction):
        insert("a")(transaction)
        raise Unwelcome("no")

    with pytest.raises(Unwelcome):
        store.write(action)
    assert store.read("SELECT * FROM duty") == []


def test_a_broken_constraint_refuses_that_write_alone(store):
    store.write(insert("a"))

    with pytest.raises(StoreRefused):
        store.write(insert("a"))
    store.write(insert("b"))
    assert len(store.read("SELECT * FROM duty")) == 2


def test_a_rehearsal_returns_its_result_and_leaves_only_noise(store):
    noise = store.read("SELECT value FROM noise ORDER BY id")

    undone = store.write_alike(lambda t: t.execute("INSERT INTO duty VALUES ('a', 7) RETURNING done"), keep=False)
    assert undone == [(7,)]
    assert store.read("SELECT * FROM duty") == []
    assert len(set(store.read("SELECT value FROM noise ORDER BY id")) ^ set(noise)) in (1, 2)


# What each database says of a table's columns, checks and indexes.
SHAPE = {
    "sqlite": (
        "SELECT name, type, [notnull], dflt_value, pk FROM pragma_table_info(?)",
        "SELECT i.[unique], i.origin, c.seqno, c.name, c.[desc], c.key"
        " FROM pragma_index_list(?) AS i, pragma_index_xinfo(i.name) AS c",
        "SELECT wr, strict FROM pragma_table_list(?)",
    ),
    "postgresql": (
        "SELECT column_name, data_type, is_nullable, column_default FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = ?",
        # Which numbers are allowed differs, and costs the same.
        "SELECT regexp_replace(pg_get_constraintdef(oid), '[0-9]+', 'n', 'g') FROM pg_constraint"
        " WHERE conrelid = CAST(? AS regclass)",
        "SELECT i.indisunique, k.at, a.attname FROM pg_index AS i,"
        " unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, at), pg_attribute AS a"
        " WHERE i.indrelid = CAST(? AS regclass) AND a.attrelid = i.indrelid AND a.attnum = k.number",
    ),
}


def test_a_row_of_a_rehearsal_costs_what_a_row_of_a_code_costs(server, database):
    """The same columns, checks and indexes; what SQLite checks it tells only in a table's text."""
    codes = server.codes_store

    for question in SHAPE[database]:
        code, rehearsal = (sorted(codes.read(question, (table,)), key=repr) for table in ("credential", "rehearsal"))
        assert code
        assert rehearsal == code, question
    if database == "sqlite":
        text = "SELECT sql FROM sqlite_master WHERE name = ?"
        code, rehearsal = (codes.read(text, (table,))[0][0] for table in ("credential", "rehearsal"))
        assert rehearsal.count("CHECK") == code.count("CHECK") > 0


def test_writes_that_come_together_are_kept_or_undone_each_alone(store):
    def number_of(transaction):
        return transaction.execute("SELECT COUNT(*) FROM duty")[0][0]

    def twice(transaction):
        insert("once")(transaction)
        insert("once")(transaction)

    def unwelcome(transaction):
        insert("refused")(transaction)
        raise Unwelcome("no")

    outcomes = store.write_alike_each(
        [(insert("a"), True), (twice, True), (insert("rehearsed"), False), (unwelcome, True), (number_of, True)]
    )
    assert outcomes[0]() == []
    with pytest.raises(StoreRefused):
        outcomes[1]()
    assert outcomes[2]() == []
    with pytest.raises(Unwelcome):
        outcomes[3]()
    assert outcomes[4]() == 1
    assert store.read("SELECT name FROM duty") == [("a",)]
    assert store.write_alike_each([]) == []


def test_writes_of_many_threads_are_all_kept_and_a_refused_one_spoils_no_other(store):
    outcomes = []

    def write(number):
        try:
            store.write(insert(f"n{number % 40}"))
            outcomes.append(True)
        except StoreRefused:
            outcomes.append(False)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (outcomes.count(True), outcomes.count(False)) == (40, 40)
    assert len(store.read("SELECT * FROM duty")) == 40


def test_a_store_of_a_newer_version_is_refused_and_left_alone(city_folder, clock, database):
    open_server(city_folder, clock).close()
    server = open_server(city_folder, clock)
    server.keys_store.write(lambda t: t.execute("INSERT INTO migration VALUES (9999)"))
    server.close()

    with pytest.raises(StoreTooNew):
        KeyServer.open(city_folder, clock)


def test_opening_from_several_processes_at_once_migrates_once(tmp_path, city_folder):
    open_server(city_folder, Clock()).close()
    shutil.rmtree(city_folder / "exports", ignore_errors=True)
    for name in ("codes", "keys"):
        (city_folder / f"{name}.sqlite3").unlink()
    script = f"from bluezone.keyserver.service import KeyServer; KeyServer.open('{city_folder}', lambda: {NOON})"
    processes = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]

    assert [process.wait(120) for process in processes] == [0, 0, 0]


# What only SQLite can be: a file that is locked, full, damaged or out of reach.


@pytest.fixture
def sqlite_server(city_folder, clock):
    server = open_server(city_folder, clock)
    yield server
    server.close()


def make_impatient(server):
    """Wait a moment instead of seconds for a lock."""
    server.keys_store.close()
    exchange(server, server.keys_store, SqliteStore(server.data_dir / "keys.sqlite3", busy_seconds=0.05))


def test_a_locked_database_answers_503_store_busy_and_works_again_afterwards(sqlite_server):
    phone = report_of(sqlite_server)
    make_impatient(sqlite_server)
    other = sqlite3.connect(sqlite_server.data_dir / "keys.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    answered = call(sqlite_server, "POST", "/v1/upload", encode_upload(phone.upload_request()))
    assert (answered.status, answered.body[:30]) == (503, b'{"error": {"code": "store_busy')
    assert answered.headers["Retry-After"]
    with pytest.raises(StoreBusy):
        sqlite_server.tick(sqlite_server.clock() + 2 * HOUR)

    other.execute("ROLLBACK")
    other.close()
    assert phone.upload().status is Status.OK


def test_a_full_disk_answers_503_store_full_and_loses_nothing_acknowledged(sqlite_server):
    acknowledged = []
    (pages,) = sqlite_server.keys_store.read("PRAGMA page_count")[0]
    sqlite_server.keys_store._writer_connection().execute(f"PRAGMA max_page_count={pages + 4}")
    for _ in range(400):
        phone = report_of(sqlite_server, days=14)
        answered = call(sqlite_server, "POST", "/v1/upload", encode_upload(phone.upload_request()))
        if answered.status != 200:
            break
        acknowledged += [key_prefix(key.key) for key in phone.keys]

    assert (answered.status, answered.body[:30]) == (503, b'{"error": {"code": "store_full')
    assert acknowledged
    stored = {row[0] for row in sqlite_server.keys_store.read("SELECT prefix FROM known_key")}
    assert stored == set(acknowledged)
    assert sqlite_server.keys_store.read("PRAGMA integrity_check") == [("ok",)]

    sqlite_server.keys_store._writer_connection().execute("PRAGMA max_page_count=1000000")
    assert phone.upload().status is Status.OK


def test_a_disk_that_is_really_full_is_store_full_each_time_and_loses_nothing_acknowledged(tmp_path):
    in_a_small_disk = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    mount = 'mount -t tmpfs -o size=9m tmpfs "$0"'
    if subprocess.run([*in_a_small_disk, mount, tmp_path], capture_output=True).returncode:
        pytest.skip("needs a mount namespace of its own (unshare --user --mount)")

    filled = subprocess.run(
        [*in_a_small_disk, f'{mount}; exec "$@"', tmp_path, sys.executable, "-m", "tests.keyserver.filling", tmp_path],
        capture_output=True,
        check=True,
        timeout=300,
    )
    told = json.loads(filled.stdout)
    assert (told["codes"], told["sound"]) == (["store_full"], "ok")
    # Refused, a write may still be found after a restart: its pages were in the log, and trying again is safe.
    assert told["lost"] <= 0
    assert told["refused"] > 100


def test_no_space_for_an_export_file_is_store_full_and_the_next_tick_finishes_it(sqlite_server, clock, monkeypatch):
    from bluezone.keyserver.keys import keyfolder

    sqlite_server.tick()
    phone = report_of(sqlite_server)
    assert phone.upload().status is Status.OK
    clock.pass_by(2 * HOUR)

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(keyfolder.os, "fsync", no_space)
        with pytest.raises(StoreFull):
            sqlite_server.tick()
    assert [path.name for path in (sqlite_server.data_dir / "exports").glob(".*")] == []

    sqlite_server.tick()
    assert len(list((sqlite_server.data_dir / "exports").glob("2-*.zip"))) == 1


def test_a_clock_is_doubted_on_a_full_disk_too(sqlite_server, clock, monkeypatch):
    guard = sqlite_server.ticks.guard = ClockGuard(sqlite_server.data_dir)
    guard.require(clock())
    clock.pass_by(9 * HOUR)

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", no_space)
        with pytest.raises(ClockDoubted):
            sqlite_server.tick()


def test_a_file_that_is_no_database_is_damaged(tmp_path):
    (tmp_path / "keys.sqlite3").write_bytes(b"not a database at all" * 100)

    with pytest.raises(StoreDamaged):
        SqliteStore(tmp_path / "keys.sqlite3").read("SELECT 1 FROM duty")


def test_a_folder_that_is_not_there_is_unreachable(tmp_path):
    with pytest.raises(StoreUnreachable):
        SqliteStore(tmp_path / "nowhere" / "keys.sqlite3")


def test_a_store_file_is_for_its_owner_alone(sqlite_server):
    files = [sqlite_server.data_dir / f"{name}.sqlite3" for name in ("codes", "keys")]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


@pytest.mark.postgres
def test_a_postgresql_server_that_is_gone_is_unreachable(city_folder, clock, monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("BLUEZONE_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")

    with pytest.raises(StoreUnreachable):
        open_server(city_folder, clock)


@pytest.mark.postgres
def test_a_store_that_is_closed_leaves_no_connection_to_the_database(tmp_path):
    psycopg = pytest.importorskip("psycopg")
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with postgresql_database(postgresql_server()) as url:
        store = open_store("keys", tmp_path, url)
        with psycopg.connect(url, autocommit=True) as looking:
            assert looking.execute(others).fetchone()
            store.close()
            # PostgreSQL takes a moment to let a connection go that was closed.
            deadline = time.monotonic() + 600
            while looking.execute(others).fetchone():
                assert time.monotonic() < deadline, "a connection is still there"
