# SPDX-License-Identifier: Apache-2.0
"""Keys cut by day on PostgreSQL: forgotten with their file, never twice, and never lost for want of a partition."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
from tests.builders.keyserver import (
    DAY,
    HOUR,
    NOON,
    keys_for,
    opened,
    postgresql_database,
    postgresql_server,
    report_of,
)

from bluezone.keyserver.reports import submission
from bluezone.keyserver.service import open_store
from bluezone.keyserver.storage import migrations
from bluezone.keyserver.storage.partitions import DAYS_AHEAD, KNOWN_KEY
from bluezone.keyserver.storage.postgresql import PostgresqlStore
from bluezone.keyserver.storage.store import StoreBusy, key_prefix
from bluezone.protocol.intervals import first_interval
from bluezone.protocol.upload import Slot, Status, UploadKey

pytestmark = pytest.mark.postgres

TODAY = NOON // DAY


@pytest.fixture
def database(monkeypatch):
    """Only PostgreSQL here."""
    server_url = postgresql_server()
    with postgresql_database(server_url) as url:
        monkeypatch.setenv("BLUEZONE_DATABASE_URL", url)
        yield url


def partition_of(server, key):
    """Name of the partition that holds a key, None if none does."""
    rows = server.keys_store.read(
        "SELECT tableoid::regclass::text FROM known_key WHERE prefix = ?", (key_prefix(key.key),)
    )
    return rows[0][0] if rows else None


def names(store, table="known_key"):
    rows = store.read("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(?)", (table,))
    return {name for (name,) in rows}


@contextmanager
def read_by_another(url, table):
    """Somebody, a backup say, who has read a table of the keys store and is not done yet."""
    import psycopg

    with psycopg.connect(url, options="-c search_path=keys") as connection:
        connection.execute(f"SELECT 1 FROM {table} LIMIT 1")
        yield


def until_somebody_waits_for_a_lock(store):
    deadline = time.monotonic() + 120
    while not store.read("SELECT 1 FROM pg_locks WHERE NOT granted AND database IS NOT NULL LIMIT 1"):
        assert time.monotonic() < deadline, "nobody waited"


# Days


def test_every_day_that_an_upload_may_hold_has_a_partition_and_so_have_the_days_to_come(server):
    phone = report_of(server, days=14, keys=keys_for(NOON, days=15, newest_age=0, level=1))
    assert phone.upload().status is Status.OK

    assert {partition_of(server, key) for key in phone.keys} == {KNOWN_KEY.name(key.start + 144) for key in phone.keys}
    ahead = {KNOWN_KEY.name(first_interval(TODAY + day + 1)) for day in range(1, DAYS_AHEAD + 1)}
    assert ahead <= names(server.keys_store)
    rest = server.keys_store.read("SELECT 1 FROM known_key_rest UNION ALL SELECT 1 FROM spent_rest")
    assert rest == []


def test_a_forgotten_day_is_gone_from_the_database_and_its_file_from_the_disk(server, clock):
    phone = report_of(server, keys=keys_for(NOON, days=2, newest_age=0))
    phone.upload()
    server.tick()
    yesterday, today = (partition_of(server, key) for key in phone.keys)
    (path,) = server.keys_store.read("SELECT pg_relation_filepath(?::regclass)", (yesterday,))[0]
    size = "SELECT (pg_stat_file(?, true)).size"
    assert server.keys_store.read(size, (path,))[0][0] > 0

    clock.pass_by(14 * DAY)
    server.tick()
    server.keys_store.read("CHECKPOINT")
    assert server.keys_store.read(size, (path,)) == [(None,)]
    assert yesterday not in names(server.keys_store)
    assert [partition_of(server, key) for key in phone.keys] == [None, today]


def test_a_spent_certificate_goes_with_its_partition_in_its_last_second(server, clock):
    report_of(server).upload()
    (where,) = server.keys_store.read("SELECT tableoid::regclass::text FROM spent")[0]
    clock.pass_by(11 * DAY + 12 * HOUR - 1)
    server.tick()
    assert where in names(server.keys_store, "spent")

    clock.pass_by(1)
    server.tick()
    assert where not in names(server.keys_store, "spent")
    assert server.keys_store.read("SELECT 1 FROM spent") == []


def test_keys_that_came_while_the_tick_was_down_are_kept_found_and_forgotten(server, clock):
    clock.pass_by((DAYS_AHEAD + 2) * DAY)
    phone = report_of(server, keys=keys_for(clock.now, days=1, newest_age=0))
    assert phone.upload().status is Status.OK
    (key,) = phone.keys
    assert partition_of(server, key) == "known_key_rest"

    # The tick is back: the day goes on without a partition of its own, those after it have theirs.
    server.tick()
    assert partition_of(server, key) == "known_key_rest"
    assert KNOWN_KEY.name(key.start + 2 * 144) in names(server.keys_store)
    assert report_of(server, keys=phone.keys).upload().status is Status.KEYS_REFUSED

    clock.pass_by(15 * DAY)
    server.tick()
    assert partition_of(server, key) is None


def test_a_day_that_somebody_reads_is_dropped_later_and_uploads_do_not_wait_for_it(server, clock, database):
    (key,) = keys_for(NOON, days=1, newest_age=0)
    report_of(server, keys=(key,)).upload()
    where = partition_of(server, key)
    clock.pass_by(15 * DAY)
    phone = report_of(server)
    with read_by_another(database, where), ThreadPoolExecutor(1) as pool:
        ticking = pool.submit(server.tick)
        until_somebody_waits_for_a_lock(server.keys_store)
        # The reader reads on until the end of this block: an upload that waited for it would never be answered.
        assert phone.upload().status is Status.OK
        assert ticking.result()
        assert where in names(server.keys_store)

    server.tick()
    assert where not in names(server.keys_store)


# No key twice


def as_of(key, start):
    return UploadKey(key.key, start, key.period, key.level)


@pytest.mark.parametrize("days_apart", [0, 1], ids=["same day", "another day"])
def test_a_key_is_refused_under_whatever_day_it_comes_again(server, days_apart):
    (key,) = keys_for(NOON, days=1)
    assert report_of(server, keys=(key,)).upload().status is Status.OK

    again = report_of(server, keys=(as_of(key, key.start - 144 * days_apart),))
    assert again.upload().status is Status.KEYS_REFUSED
    assert server.keys_store.read("SELECT COUNT(*) FROM known_key") == [(1,)]


@pytest.mark.parametrize("days_apart", [0, 1], ids=["same day", "another day"])
@pytest.mark.parametrize("first_commits", [True, False])
def test_whoever_brings_a_key_while_another_does_waits_for_what_becomes_of_it(server, days_apart, first_commits):
    store, start = server.keys_store, first_interval(TODAY - 1)
    stored, decided = threading.Event(), threading.Event()

    class GivenUp(Exception):
        pass

    def first(transaction):
        assert submission.remember(transaction, [(458, start), (7, start)])
        stored.set()
        assert decided.wait(120)
        if not first_commits:
            raise GivenUp

    def second(transaction):
        return submission.remember(transaction, [(8, start), (458, start - 144 * days_apart)])

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(store.write, first)
        assert stored.wait(120)
        other = pool.submit(store.write, second)
        until_somebody_waits_for_a_lock(store)
        assert not other.done()
        decided.set()
        assert other.result(120) is not first_commits
        assert (one.exception() is None) is first_commits

    assert store.read("SELECT COUNT(*) FROM known_key WHERE prefix = 458") == [(1,)]


def test_of_many_uploads_with_one_key_at_once_under_several_days_one_is_taken(server):
    (shared,) = keys_for(NOON, days=1)
    phones = []
    for number in range(8):
        others = [key for key in keys_for(NOON, days=4) if key.start != shared.start - 144 * (number % 4)]
        keys = sorted([*others, as_of(shared, shared.start - 144 * (number % 4))], key=lambda k: (k.start, k.key))
        phones.append(report_of(server, keys=tuple(keys)))
    ready = threading.Barrier(len(phones))

    def upload(phone):
        ready.wait(120)
        return phone.upload().status

    with ThreadPoolExecutor(len(phones)) as pool:
        statuses = list(pool.map(upload, phones))

    assert sorted(statuses) == [Status.OK] + [Status.KEYS_REFUSED] * 7
    # And of those that were refused nothing is left.
    assert server.keys_store.read("SELECT COUNT(*), COUNT(DISTINCT prefix) FROM known_key") == [(4, 4)]
    assert server.keys_store.read("SELECT COUNT(*) FROM waiting_key") == [(4,)]


# Nothing acknowledged is deleted unpublished


class Overtaken:
    """A transaction in which something else is committed after its first statement that reads waiting rows."""

    def __init__(self, transaction, table, meanwhile):
        self._transaction, self._table, self._meanwhile = transaction, table, meanwhile
        self.dialect = transaction.dialect

    def execute(self, sql, parameters=()):
        rows = self._transaction.execute(sql, parameters)
        if self._table in sql and self._meanwhile:
            meanwhile, self._meanwhile = self._meanwhile, None
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join()
        return rows


@pytest.mark.parametrize(("maker", "table"), [("export_files", "waiting_key"), ("venue_packages", "waiting_item")])
def test_what_is_uploaded_while_a_file_is_begun_waits_for_the_next(server, clock, maker, table):
    server.city = replace(server.city, padding_mean=0)
    server.tick()
    slots = (Slot(int(NOON) // HOUR - 1, os.urandom(32), 0, 30),)
    early, late = report_of(server), report_of(server, slots=slots)
    early.upload()
    clock.pass_by(2 * HOUR)
    count = f"SELECT COUNT(*) FROM {table}"
    server.keys_store.write(lambda t: getattr(server, maker)._begin(Overtaken(t, table, late.upload), clock.now))

    assert server.keys_store.read(count) == [(len(late.keys) if maker == "export_files" else 1,)]


# From the layout before


def old_store(url, monkeypatch, rows=()):
    """A keys store as version 4 left it, with known keys and a spent certificate."""
    with monkeypatch.context() as patch:
        every = migrations._scripts("keys", "postgresql")
        patch.setattr(migrations, "_scripts", lambda *_: {number: every[number] for number in range(1, 5)})
        store = open_store("keys", None, url)
    store.write(lambda t: t.execute_each("INSERT INTO known_key VALUES (?, ?)", rows))
    return store


def test_the_rows_of_the_layout_before_stay_where_they_are_and_are_forgotten_day_by_day(
    city_folder, clock, database, monkeypatch
):
    keys = keys_for(NOON, days=15, newest_age=0, level=1)
    old_store(database, monkeypatch, [(key_prefix(key.key), key.start) for key in keys]).close()
    server = opened(city_folder, clock)
    server.city = replace(server.city, padding_mean=0)

    undivided = partition_of(server, keys[0])
    assert {partition_of(server, key) for key in keys} == {undivided} != {"known_key_rest"}
    assert report_of(server, keys=keys[3:4]).upload().status is Status.KEYS_REFUSED
    assert report_of(server, keys=(as_of(keys[3], keys[4].start),)).upload().status is Status.KEYS_REFUSED

    clock.pass_by(10 * DAY)
    server.tick()
    left = server.keys_store.read("SELECT start FROM known_key ORDER BY start")
    assert left == [(key.start,) for key in keys[10:]]
    clock.pass_by(10 * DAY)
    server.tick()
    assert undivided not in names(server.keys_store)
    server.close()


def test_a_migration_gives_up_on_a_table_in_use_and_goes_on_when_started_again(database, monkeypatch):
    before = old_store(database, monkeypatch, [(1, 144 * 20_000)])
    with read_by_another(database, "known_key"), pytest.raises(StoreBusy):
        open_store("keys", None, database)
    # Nothing was changed, and whoever still runs the version before goes on.
    assert before.read("SELECT MAX(number) FROM migration") == [(4,)]
    before.write(lambda t: t.execute("INSERT INTO known_key VALUES (2, ?)", (144 * 20_001,)))

    store = open_store("keys", None, database)
    assert sorted(store.read("SELECT prefix FROM known_key")) == [(1,), (2,)]
    # So does the version before once the new one has been there: its statements are the same.
    before.write(lambda t: t.execute("INSERT INTO known_key VALUES (3, ?) ON CONFLICT DO NOTHING", (144 * 20_002,)))
    assert sorted(store.read("SELECT prefix FROM known_key")) == [(1,), (2,), (3,)]
    before.close()
    store.close()


def test_rows_that_come_during_the_migration_are_in_the_store_after_it(database, monkeypatch):
    before = old_store(database, monkeypatch, [(number, 144 * 20_000) for number in range(-1000, 0)])
    stop, written = threading.Event(), []

    def upload_on_and_on():
        writer = PostgresqlStore(database, "keys")
        while not stop.is_set() or len(written) < 10:
            number = len(written)
            writer.write(lambda t, n=number: t.execute("INSERT INTO known_key VALUES (?, ?)", (n, 144 * 20_001)))
            written.append((number,))
        writer.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(upload_on_and_on)
        store = open_store("keys", None, database)
        stop.set()
        writing.result(120)

    assert store.read("SELECT prefix FROM known_key WHERE prefix >= 0 ORDER BY prefix") == written
    before.close()
    store.close()
