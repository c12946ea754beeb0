# SPDX-License-Identifier: Apache-2.0
"""Several processes and machines on one PostgreSQL, which may be out of connections, restart, or lose an answer."""

import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from tests.builders.keyserver import (
    HOUR,
    call,
    exchange,
    open_server,
    postgresql_database,
    postgresql_server,
    report_of,
)
from tests.builders.relay import Relay

from bluezone.keyserver.hosts.samefolder import DataFolderDiffers
from bluezone.keyserver.storage import postgresql
from bluezone.keyserver.storage.leases import TurnLost
from bluezone.keyserver.storage.postgresql import (
    CONNECTIONS_VARIABLE,
    ConnectionsInvalid,
    PostgresqlStore,
    connections_allowed,
)
from bluezone.keyserver.storage.store import LIBPQ_OPTIONS, SERVER_SETTINGS, StoreBusy, StoreUnreachable
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.signed.index import CHAIN_START, follow_index
from bluezone.protocol.upload import Status, encode_upload

pytestmark = pytest.mark.postgres

SHARED = ("keys", "configs", "exports", "venues")


@pytest.fixture
def database(monkeypatch):
    """Only PostgreSQL here."""
    server_url = postgresql_server()
    with postgresql_database(server_url) as url:
        monkeypatch.setenv("BLUEZONE_DATABASE_URL", url)
        yield url


@pytest.fixture
def other(server, tmp_path_factory):
    """The same city on a second machine: a data folder of its own, which shares what must be shared."""
    folder = tmp_path_factory.mktemp("other")
    for name in SHARED:
        (server.data_dir / name).mkdir(exist_ok=True)
        (folder / name).symlink_to(server.data_dir / name)
    second = open_server(folder, server.clock)
    yield second
    second.close()


def uploaded(server, phone):
    return call(server, "POST", "/v1/upload", encode_upload(phone.upload_request()))


def published_keys(server):
    """Every key of every file, after following the whole index as a phone does."""
    keys = []
    for entry in follow_index(server.indexes.read_index(), 0, CHAIN_START):
        keys += [key.key for key in read_export(call(server, "GET", f"/v1/exports/{entry.name}").body).keys]
    return keys


# One turn for all machines


def test_two_machines_tick_at_once_and_everything_is_published_once(server, other, clock):
    server.tick()
    phones = [report_of(machine) for _ in range(3) for machine in (server, other)]
    for phone in phones:
        assert phone.upload().status is Status.OK
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            clock.pass_by(2 * HOUR)
            ticked = list(pool.map(lambda machine: machine.tick(), [server, other] * 2))
            assert any(ticked)

    keys = published_keys(server)
    assert [keys.count(key.key) for phone in phones for key in phone.keys] == [1] * 18
    assert len(keys) == len(set(keys))
    assert other.indexes.read_index().number == 4


def test_while_one_has_the_turn_another_machine_does_nothing(server, other):
    with server.keys_store.exclusive(0) as turn:
        assert turn is not None
        assert other.tick() is False
    assert other.tick() is True


def test_a_killed_process_loses_the_turn_when_its_time_is_over(server, database):
    script = (
        "import sys; from bluezone.keyserver.storage.postgresql import PostgresqlStore\n"
        "with PostgresqlStore(sys.argv[1], 'keys').exclusive(0) as turn:\n"
        "    print('mine' if turn else 'not mine', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", script, database], **pipes) as holder:
        assert holder.stdout.readline() == "mine\n"
        assert server.tick() is False
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert server.tick() is False, "nobody let go of it"
    end_the_turn(server)
    assert server.tick() is True


def test_who_lost_the_turn_replaces_no_index(server, other, clock):
    server.tick()
    clock.pass_by(2 * HOUR)
    with server.keys_store.exclusive(0) as turn:
        end_the_turn(server)
        assert other.tick() is True
        with pytest.raises(TurnLost):
            turn.check()
        newest = other.indexes.read_index()
        with pytest.raises(TurnLost):
            server.publication.index_writer.renew_index(clock.now + 2 * HOUR, turn=turn)
    assert server.indexes.read_index() == newest


def test_what_was_begun_in_a_turn_that_is_lost_is_not_stored(server, other):
    def write(transaction):
        transaction.execute("INSERT INTO push_subscription VALUES ('x', ?, ?)", (bytes(65), bytes(16)))

    def rows():
        return server.keys_store.read("SELECT endpoint FROM push_subscription")

    with server.keys_store.exclusive(0):
        end_the_turn(server)
        with other.keys_store.exclusive(0) as turn:
            assert turn is not None
            with pytest.raises(TurnLost):
                server.keys_store.write(write)
            assert rows() == []
    server.keys_store.write(write)
    assert len(rows()) == 1, "outside a turn nobody is asked for one"


def end_the_turn(server):
    """The time of whoever has the turn is over, as the database's clock tells it."""
    with psycopg.connect(server.keys_store._connections._address, autocommit=True) as admin:
        admin.execute("UPDATE lease SET holder = 'gone', ends = clock_timestamp() - interval '1 second'")


def test_a_machine_with_keys_of_its_own_or_an_old_copy_is_refused_before_it_makes_anything(
    server, clock, tmp_path_factory
):
    stranger, stale = tmp_path_factory.mktemp("stranger"), tmp_path_factory.mktemp("stale")
    shutil.copytree(server.data_dir / "keys", stranger / "keys")
    (stranger / "keys" / "signing-ed25519.pem").unlink()
    for name in ("keys", "configs"):
        shutil.copytree(server.data_dir / name, stale / name)
    clock.pass_by(8 * 86400)
    server.tick()

    with pytest.raises(DataFolderDiffers, match="signing key"):
        open_server(stranger, clock)
    with pytest.raises(DataFolderDiffers, match="copy keys and configs"):
        open_server(stale, clock)
    assert len(list((stale / "keys").iterdir())) < len(list((server.data_dir / "keys").iterdir()))
    assert not (stale / "exports").exists()


# As many connections as are allowed


def test_who_finds_every_connection_in_use_is_answered_503_and_served_when_one_is_free(server, database):
    phone = report_of(server)
    server.keys_store.close()
    exchange(server, server.keys_store, PostgresqlStore(database, "keys", connections=2, wait_seconds=0.1))
    holding, done = threading.Barrier(3), threading.Event()

    def hold(_):
        def action(transaction):
            holding.wait(120)
            assert done.wait(120)

        server.keys_store.write(action)

    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(hold, number) for number in range(2)]
        holding.wait(120)
        answered = uploaded(server, phone)
        assert (answered.status, answered.body[:30]) == (503, b'{"error": {"code": "store_busy')
        assert int(answered.headers["Retry-After"]) > 0
        done.set()
        assert [work.result() for work in held] == [None, None]

    assert uploaded(server, phone).status == 200


def test_many_threads_share_the_connections_that_are_allowed(server, database):
    store = PostgresqlStore(database, "keys", connections=3)
    mine = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'counted'"
    with ThreadPoolExecutor(12) as pool:
        seen = list(pool.map(lambda _: store.write(lambda t: _counted(t, mine)), range(60)))

    assert max(seen) <= 3
    store.close()


def _counted(transaction, mine):
    transaction.execute("SET application_name = 'counted'")
    return transaction.execute(mine)[0][0]


def test_a_database_without_room_for_another_connection_is_unreachable_and_not_waited_for(server, database):
    # Not a superuser, for whom no such limit holds.
    server.keys_store.read("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    try:
        address = urlsplit(database)
        crowded = address._replace(netloc=f"crowded@{address.hostname}:{address.port}")
        with pytest.raises(StoreUnreachable):
            PostgresqlStore(urlunsplit(crowded), "keys")
    finally:
        server.keys_store.read("DROP ROLE crowded")


@pytest.mark.parametrize("text", ["0", "many", "-1", "1001"])
def test_a_number_of_connections_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv(CONNECTIONS_VARIABLE, text)
    with pytest.raises(ConnectionsInvalid):
        connections_allowed()


# A server that goes and comes back


@pytest.fixture
def relayed(server, database):
    """The server of the city behind a relay, which can lose the database."""
    address = urlsplit(database)
    relay = Relay(address.hostname, address.port)
    for name in ("codes", "keys"):
        store = getattr(server, f"{name}_store")
        store.close()
        url = urlunsplit(address._replace(netloc=f"{address.username}@127.0.0.1:{relay.port}"))
        exchange(server, store, PostgresqlStore(url, name))
    yield relay
    relay.close()


def test_while_the_database_is_gone_phones_get_503_and_afterwards_it_goes_on_by_itself(server, relayed, monkeypatch):
    before, meanwhile = report_of(server), report_of(server)
    assert uploaded(server, before).status == 200
    relayed.lose_server()

    # Nobody waits out the time that a busy database is given: a thread that does serves no files either. Here it is
    # longer than a test may last.
    monkeypatch.setattr(postgresql, "BUSY_SECONDS", 3600.0)
    for _ in range(2):
        answered = uploaded(server, meanwhile)
        assert (answered.status, answered.body[:37]) == (503, b'{"error": {"code": "store_unreachable')
        assert int(answered.headers["Retry-After"]) > 0
    assert call(server, "GET", "/v1/health").status == 503
    with pytest.raises(StoreUnreachable):
        server.tick()

    relayed.find_server()
    assert uploaded(server, meanwhile).status == 200
    assert server.keys_store.read("SELECT COUNT(*) FROM known_key") == [(6,)]
    assert server.tick() is True
    assert call(server, "GET", "/v1/health").status == 200


def test_connections_that_the_server_ended_while_nobody_used_them_cost_no_request(server, relayed):
    phone = report_of(server)
    relayed.lose_server()
    relayed.find_server()

    assert uploaded(server, phone).status == 200


def test_an_upload_whose_commit_was_done_but_not_heard_of_is_sent_again_and_counts_once(server, relayed):
    phone = report_of(server)
    relayed.lose_answer_to(b"COMMIT")
    assert uploaded(server, phone).status == 503
    assert server.keys_store.read("SELECT COUNT(*) FROM known_key") == [(3,)]

    assert phone.upload().status is Status.OK
    assert server.keys_store.read("SELECT SUM(uploads) FROM upload_count") == [(1,)]


# Nothing waits for ever


def test_both_ends_of_a_connection_give_up_on_the_other_and_on_a_statement_that_does_not_end(database):
    store = PostgresqlStore(database, "keys")
    with psycopg.connect(store._connections._address) as connection:
        told = connection.info.get_parameters()
        shown = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in SERVER_SETTINGS}
    assert {name: int(told[name]) for name in LIBPQ_OPTIONS} == LIBPQ_OPTIONS
    assert shown == {
        "statement_timeout": "1min", "idle_in_transaction_session_timeout": "2min", "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "25000",
    }  # fmt: skip
    store.close()


def test_a_statement_that_does_not_end_is_store_busy(database):
    store = PostgresqlStore(database, "keys")

    def sleep(transaction):
        transaction.execute("SET LOCAL statement_timeout = 100")
        transaction.execute("SELECT pg_sleep(600)")

    with pytest.raises(StoreBusy):
        store.write(sleep)
    store.close()


def test_tidying_up_takes_as_long_as_it_takes_and_leaves_the_limit_as_it_was(database):
    store = PostgresqlStore(database, "keys", connections=1)
    store.write(lambda t: t.execute("CREATE TABLE large AS SELECT n FROM generate_series(1, 1000) AS n"))
    # Each page takes a tenth of a second at least, and a statement may take two.
    for setting in ("vacuum_cost_limit = 1", "vacuum_cost_delay = 100", "statement_timeout = 200"):
        store.read(f"SET {setting}")
    store.erase_deleted_rows()
    assert store.read("SHOW statement_timeout") == [("1min",)]
    store.close()
