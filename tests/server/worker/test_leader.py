# SPDX-License-Identifier: Apache-2.0
"""Of several workers one leads, on one folder and on one database."""

import threading

import psycopg
import pytest
from tests.builders.keyserver import postgresql_database, postgresql_server

from bluezone.server.leader import Leadership, lead_when_free


@pytest.fixture
def database():
    server_url = postgresql_server()
    with postgresql_database(server_url) as url:
        yield url


def folders(tmp_path, count=2):
    made = [tmp_path / str(number) for number in range(count)]
    for folder in made:
        folder.mkdir()
    return made


def test_one_of_two_on_a_folder_leads_and_the_other_takes_over(tmp_path):
    one, other = Leadership(tmp_path, None), Leadership(tmp_path, None)
    assert one.acquire()
    assert not other.acquire()
    assert one.renew()
    one.release()

    assert other.acquire()
    assert not one.acquire()
    other.release()


def test_whoever_is_stopped_does_not_lead_although_it_could(tmp_path):
    stopped = threading.Event()
    stopped.set()

    assert not lead_when_free(Leadership(tmp_path, None), stopped)


@pytest.mark.postgres
def test_on_one_database_one_leads_although_each_has_a_folder_of_its_own(tmp_path, database):
    # As Django's settings give them: with a limit of their own.
    parameters = {"conninfo": database, "connect_timeout": 3}
    one, other = (Leadership(folder, parameters) for folder in folders(tmp_path))
    assert one.acquire()
    assert not other.acquire()
    one.release()
    assert other.acquire()
    other.release()


@pytest.mark.postgres
def test_a_connection_that_is_ended_costs_nobody_the_lead(tmp_path, database):
    one, other = (Leadership(folder, {"conninfo": database}) for folder in folders(tmp_path))
    assert one.acquire()
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert not other.acquire()
    assert one.renew() or one.renew(), "asked on a new connection the second time"
    one.release()
    assert other.acquire()
    other.release()


@pytest.mark.postgres
def test_who_renews_no_longer_is_followed_and_knows_it(tmp_path, database):
    one, other = (Leadership(folder, {"conninfo": database}) for folder in folders(tmp_path))
    assert one.acquire()
    # Its time is over by the database's clock, as after a machine was frozen or cut off for so long.
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute("UPDATE lease SET holder = 'gone', ends = clock_timestamp() - interval '1 second'")
    assert other.acquire()

    assert not one.renew()
    one.release()
    assert other.renew(), "who let go late has taken nothing from who leads now"
    other.release()


@pytest.mark.postgres
def test_a_database_that_does_not_answer_makes_nobody_lead_and_keeps_no_lock(tmp_path, database):
    assert not Leadership(tmp_path, {"conninfo": "postgresql://localhost:1/none"}).acquire()
    assert Leadership(tmp_path, None).acquire()
