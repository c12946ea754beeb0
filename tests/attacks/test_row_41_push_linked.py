# SPDX-License-Identifier: Apache-2.0
"""Row 41: a push subscription linked to an upload or a person."""

import logging

import pytest
from tests.builders.handset import city_with_phones
from tests.builders.keyserver import HOUR, call, report_of
from tests.builders.pushservice import Browser

from bluezone.keyserver.publication.mingling import mingle
from bluezone.protocol.intervals import hour_at
from bluezone.protocol.upload import Status

ENDPOINT = "https://updates.push.services.mozilla.com/{}"


def tables(store):
    if store.dialect == "sqlite":
        names = store.read("SELECT name FROM sqlite_master WHERE type = 'table'")
    else:
        names = store.read("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return {name: store.read(f"SELECT * FROM {name}") for (name,) in names if name != "noise"}


def subscribe(server, name):
    answered = call(server, "POST", "/v1/push/subscribe", Browser(ENDPOINT.format(name)).body(), f"198.51.100.{name}")
    assert answered.status == 200


def test_row_41_the_table_has_an_address_two_keys_and_of_the_time_the_four_weeks_alone(server):
    subscribe(server, 1)
    ((endpoint, point, auth, period, proven),) = server.keys_store.read("SELECT * FROM push_subscription")

    assert (period, proven) == (server.clock() // (28 * 86_400), 0)

    assert endpoint == ENDPOINT.format(1)
    assert (len(point), len(auth)) == (65, 16)


def test_row_41_subscribing_changes_no_other_table_and_writes_no_line(server, caplog):
    caplog.set_level(logging.DEBUG)
    before = {store: tables(store) for store in (server.codes_store, server.keys_store)}
    caplog.clear()
    subscribe(server, 1)
    after = {store: tables(store) for store in before}
    changed = [name for store in before for name in before[store] if before[store][name] != after[store][name]]

    assert changed == ["push_subscription"]
    assert "mozilla.com" not in caplog.text
    assert "198.51.100.1" not in caplog.text


def test_row_41_no_value_is_shared_with_an_upload_of_the_same_hour(server):
    phone = report_of(server, days=3)
    subscribe(server, 1)
    assert phone.upload().status is Status.OK
    stored = tables(server.keys_store)
    subscription = {
        bytes(value) if isinstance(value, memoryview) else value for value in stored["push_subscription"][0]
    }

    # Nought and nothing stand in many rows and tell of none.
    subscription -= {0, "", b""}
    for name, rows in stored.items():
        if name != "push_subscription":
            assert not subscription & {bytes(v) if isinstance(v, memoryview) else v for row in rows for v in row}


def test_row_41_postgresql_forgets_which_came_when(server):
    if server.keys_store.dialect == "sqlite":
        pytest.skip("its table is ordered by the address")
    for name in (5, 3, 9, 1):
        subscribe(server, name)
    mingle(server.keys_store, hour_at(server.clock()) + 1)

    # The place of a row is PostgreSQL's choice; all that it knows of its turn is the command that wrote it.
    sql = "SELECT endpoint, xmin::text, cmin::text::bigint FROM push_subscription ORDER BY 3"
    rows = server.keys_store.read(sql)
    assert [endpoint for endpoint, _, _ in rows] == sorted(ENDPOINT.format(name) for name in (1, 3, 5, 9))
    assert len({command for _, _, command in rows}) == len(rows)
    assert len({written for _, written, _ in rows}) == 1


def test_row_41_sqlite_keeps_them_by_address(server):
    if server.keys_store.dialect != "sqlite":
        pytest.skip("SQLite's")
    for name in (5, 3, 9, 1):
        subscribe(server, name)

    kept = [endpoint for (endpoint,) in server.keys_store.read("SELECT endpoint FROM push_subscription")]
    assert kept == sorted(kept)


def test_row_41_a_handset_that_reports_never_speaks_of_push(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone = phones.new("phone")
        phone.check()
        world.pass_by(HOUR)
        phone.check()

        assert not any("push" in path for path, _ in server.requests)
