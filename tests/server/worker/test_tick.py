# SPDX-License-Identifier: Apache-2.0
"""A round of the worker while something that it needs is away."""

import json
import threading

import pytest
from tests.builders.keyserver import exchange
from tests.builders.office import data_folder, furnished_folder, server
from tests.builders.relay import relayed_postgresql
from tests.builders.serving import free_port

from bluezone.keyserver.publication.bucket import ObjectFiles
from bluezone.keyserver.service import KeyServer
from bluezone.server.leader import Leadership
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.survey import Survey
from bluezone.server.recurring_work import RecurringWork
from bluezone.server.worker import make_announcer, tick_until

__all__ = ["data_folder", "furnished_folder", "server"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def meters():
    return Meters.make(1)


def test_a_bucket_that_is_away_ends_no_round_and_its_indexes_keep_their_age(server, meters, monkeypatch):
    survey = Survey(server, meters, make_announcer(server))
    survey.measure(server.clock())
    made = meters.gauge("index_timestamp_seconds_exports")
    assert made > 0
    for name, value in {"ENDPOINT_URL": f"http://127.0.0.1:{free_port()}", "REGION": "x"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "nobody")
    exchange(server, server.publication.published, ObjectFiles("s3://away/v1", timeout_seconds=0.5))
    meters.set("disk_bytes", 0)
    survey.measure(server.clock())

    assert meters.gauge("index_timestamp_seconds_exports") == made
    assert meters.gauge("store_up_keys") == 1
    assert meters.gauge("disk_bytes") > 0, "what comes after the files is measured"


def test_a_config_that_phones_cannot_get_is_measured_as_a_damaged_file(server, meters):
    survey = Survey(server, meters, make_announcer(server))
    survey.measure(server.clock())
    before = meters.gauge("published_files_damaged")
    server.configs.path(server.configs.newest_number()).unlink()
    survey.measure(server.clock())

    assert (before, meters.gauge("published_files_damaged")) == (0, 1)


@pytest.fixture
def relayed():
    """A database of its own behind a relay that can lose it, and its address there."""
    with relayed_postgresql() as behind:
        yield behind


@pytest.mark.postgres
def test_a_worker_that_rests_because_the_database_went_has_said_that_it_is_down(
    data_folder, meters, relayed, monkeypatch
):
    between, url = relayed
    monkeypatch.setenv("BLUEZONE_CODES_URL", url)
    monkeypatch.setenv("BLUEZONE_KEYS_URL", url)
    server, lead = KeyServer.open(data_folder), Leadership(data_folder, {"conninfo": url})
    survey = Survey(server, meters, make_announcer(server))
    assert lead.acquire()
    survey.measure(server.clock())
    assert meters.gauge("store_up_keys") == 1
    between.lose_server()
    tick_until(threading.Event(), server, survey, RecurringWork.of_duties(meters), lead)

    assert [meters.gauge(f"store_up_{name}") for name in ("codes", "keys")] == [0, 0]
    lead.release()
    server.close()


def test_a_worker_whose_settings_are_outdated_makes_a_round_and_lets_others_lead(server, meters):
    server.keys_store.write(lambda t: t.execute("INSERT INTO applied_settings VALUES (9, ?)", (bytes(32),)))
    lead = Leadership(server.data_dir, None)
    assert lead.acquire()
    tick_until(
        threading.Event(), server, Survey(server, meters, make_announcer(server)), RecurringWork.of_duties(meters), lead
    )

    assert meters.gauge("settings_outdated") == 1
    # What needs no signature was done.
    assert meters.gauge("work_timestamp_seconds_purge_identity") > 0
    lead.release()


@pytest.mark.postgres
def test_a_worker_whose_folder_is_another_than_the_database_knows_lets_others_lead(
    data_folder, meters, relayed, monkeypatch
):
    _, url = relayed
    monkeypatch.setenv("BLUEZONE_CODES_URL", url)
    monkeypatch.setenv("BLUEZONE_KEYS_URL", url)
    server, lead = KeyServer.open(data_folder), Leadership(data_folder, {"conninfo": url})
    server.keys_store.write(lambda t: t.execute("UPDATE data_folder SET configs = 99"))
    assert lead.acquire()
    tick_until(
        threading.Event(), server, Survey(server, meters, make_announcer(server)), RecurringWork.of_duties(meters), lead
    )
    lead.release()
    server.close()


def test_how_the_last_drill_went_is_measured(server, meters):
    survey = Survey(server, meters, make_announcer(server))
    measured = []
    for ok in (True, False):
        note = {"at": 1_700_000_000, "ok": ok, "backup": "x", "followed": {}, "problem": "", "message": ""}
        (server.data_dir / "drill.json").write_text(json.dumps(note))
        survey.measure(server.clock())
        measured.append((meters.gauge("drill_timestamp_seconds"), meters.gauge("drill_ok")))
    assert measured == [(1_700_000_000, 1), (1_700_000_000, 0)]
