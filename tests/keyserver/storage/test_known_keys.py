# SPDX-License-Identifier: Apache-2.0
"""Known keys on PostgreSQL: never twice over all days, forgotten in time, and not lost when their layout changes."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from tests.builders.keyserver import (
    DAY,
    HOUR,
    NOON,
    keys_for,
    open_server,
    postgresql_database,
    postgresql_server,
    report_of,
    set_city,
)

from bluezone.keyserver import uploads
from bluezone.keyserver.storage import migrations
from bluezone.keyserver.storage.opening import open_store
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


@contextmanager
def read_by_another(url, table):
    """Somebody, a backup say, who has read a table of the keys store and is not done yet."""
    import psycopg

    with psycopg.connect(url, options="-c search_path=keys") as connection:
        connection.execute(f"SELECT 1 FROM {table} LIMIT 1")
        yield


def until_somebody_waits_for_a_lock(store):
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 600
    while not store.read(waiting):
        assert time.monotonic() < deadline, "nobody waited"


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
        assert uploads.add_known_keys(transaction, [(458, start), (7, start)])
        stored.set()
        assert decided.wait(120)
        if not first_commits:
            raise GivenUp

    def second(transaction):
        return uploads.add_known_keys(transaction, [(8, start), (458, start - 144 * days_apart)])

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

    def execute_each(self, sql, parameters):
        return self._transaction.execute_each(sql, parameters)


@pytest.mark.parametrize(("maker", "table"), [("export_files", "waiting_key"), ("venue_packages", "waiting_item")])
def test_what_is_uploaded_while_a_file_is_begun_waits_for_the_next(server, clock, maker, table):
    set_city(server, padding_mean=0)
    server.tick()
    slots = (Slot(int(NOON) // HOUR - 1, os.urandom(32), 0, 30),)
    early, late = report_of(server), report_of(server, slots=slots)
    early.upload()
    clock.pass_by(2 * HOUR)
    count = f"SELECT COUNT(*) FROM {table}"
    server.keys_store.write(
        lambda t: getattr(server.publication, maker)._begin(Overtaken(t, table, late.upload), clock.now)
    )

    assert server.keys_store.read(count) == [(len(late.keys) if maker == "export_files" else 1,)]


# From the layout before

WHEN = 144 * (TODAY - 1)
CUT = {
    "known_key": "CREATE TABLE known_key (prefix BIGINT NOT NULL, start INTEGER NOT NULL) PARTITION BY RANGE (start)",
    "spent": "CREATE TABLE spent (digest BYTEA NOT NULL, accept_until BIGINT NOT NULL)"
    " PARTITION BY RANGE (accept_until)",
}


def old_store(url, monkeypatch, rows=()):
    """A keys store as version 7 left it: two tables cut by time, each with a partition and a rest; with known keys."""
    with monkeypatch.context() as patch:
        every = migrations._scripts("keys", "postgresql")
        patch.setattr(migrations, "_scripts", lambda *_: {number: every[number] for number in range(1, 8)})
        store = open_store("keys", None, url)

    def cut(transaction):
        for name, (low, high) in {"known_key": (WHEN, WHEN + 144), "spent": (1, 2)}.items():
            transaction.execute(f"ALTER TABLE {name} RENAME TO {name}_rest")
            transaction.execute(CUT[name])
            transaction.execute(f"CREATE TABLE {name}_until_{high} (LIKE {name}_rest INCLUDING ALL)")
            transaction.execute(f"ALTER TABLE {name} ATTACH PARTITION {name}_rest DEFAULT")
            transaction.execute(
                f"ALTER TABLE {name} ATTACH PARTITION {name}_until_{high} FOR VALUES FROM ({low}) TO ({high})"
            )
        transaction.execute_each("INSERT INTO known_key VALUES (?, ?)", rows)

    store.write(cut)
    return store


def tables(store):
    found = store.read(
        "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'keys'::regnamespace AND relkind IN ('r', 'p')"
        " AND (relname LIKE 'known_key%' OR relname LIKE 'spent%') ORDER BY relname"
    )
    left = store.read("SELECT 1 FROM pg_proc WHERE pronamespace = 'keys'::regnamespace")
    assert left == []
    return found


def test_a_store_that_was_cut_by_day_becomes_whole_and_knows_its_keys_under_whatever_day(
    city_folder, clock, database, monkeypatch
):
    keys = keys_for(NOON, days=3, newest_age=0, level=1)
    before = old_store(database, monkeypatch, [(key_prefix(key.key), key.start) for key in keys])
    before.write(lambda t: t.execute("INSERT INTO spent VALUES (?, 1)", (b"d" * 32,)))
    before.close()
    server = open_server(city_folder, clock)
    set_city(server, padding_mean=0)

    assert tables(server.keys_store) == [("known_key", "r"), ("spent", "r")]
    assert server.keys_store.read("SELECT start FROM known_key ORDER BY start") == [(key.start,) for key in keys]
    assert report_of(server, keys=keys[1:2]).upload().status is Status.KEYS_REFUSED
    assert report_of(server, keys=(as_of(keys[1], keys[2].start),)).upload().status is Status.KEYS_REFUSED
    server.tick()
    assert server.keys_store.read("SELECT 1 FROM spent WHERE accept_until = 1") == []
    server.close()


def test_a_migration_gives_up_on_a_table_in_use_and_goes_on_when_started_again(database, monkeypatch):
    before = old_store(database, monkeypatch, [(1, WHEN)])
    with read_by_another(database, "known_key"), pytest.raises(StoreBusy):
        open_store("keys", None, database)
    # Whoever still runs the version before goes on.
    assert before.read("SELECT MAX(number) FROM migration") == [(7,)]
    before.write(lambda t: t.execute("INSERT INTO known_key VALUES (2, ?)", (WHEN + 144,)))

    store = open_store("keys", None, database)
    assert sorted(store.read("SELECT prefix FROM known_key")) == [(1,), (2,)]
    # So does the version before once the new one has been there: its statements are the same.
    before.write(lambda t: t.execute("INSERT INTO known_key VALUES (3, ?) ON CONFLICT DO NOTHING", (WHEN,)))
    assert sorted(store.read("SELECT prefix FROM known_key")) == [(1,), (2,), (3,)]
    before.close()
    store.close()


def test_rows_that_come_during_the_migration_are_in_the_store_after_it(database, monkeypatch):
    before = old_store(database, monkeypatch, [(number, WHEN) for number in range(-1000, 0)])
    stop, written = threading.Event(), []

    def upload_on_and_on():
        writer = PostgresqlStore(database, "keys")
        while not stop.is_set() or len(written) < 10:
            number = len(written)
            writer.write(lambda t, n=number: t.execute("INSERT INTO known_key VALUES (?, ?)", (n, WHEN + n % 2 * 144)))
            written.append((number,))
        writer.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(upload_on_and_on)
        store = open_store("keys", None, database)
        stop.set()
        writing.result(120)

    assert store.read("SELECT prefix FROM known_key WHERE prefix >= 0 ORDER BY prefix") == written
    assert store.read("SELECT COUNT(*) FROM known_key WHERE prefix < 0") == [(1000,)]
    before.close()
    store.close()


def test_a_row_that_comes_between_copying_and_exchange_is_not_lost(database, monkeypatch):
    """What the trigger is for: the copy of the rows has ended, the old table is still the one that is written to."""
    before = old_store(database, monkeypatch, [(1, WHEN)])
    exchange = migrations._join(before)
    before.write(lambda t: t.execute_each("INSERT INTO known_key VALUES (?, ?)", [(2, WHEN), (3, WHEN + 144)]))
    before.write(exchange)
    assert sorted(before.read("SELECT prefix, start FROM known_key")) == [(1, WHEN), (2, WHEN), (3, WHEN + 144)]
    before.close()
