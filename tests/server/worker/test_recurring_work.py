# SPDX-License-Identifier: Apache-2.0
"""What the worker does again and again: each by itself, so that a purge that fails stops no other and is heard of."""

import datetime
import json
import logging

import pytest
from tests.server.worker import failing_purges

from bluezone.duties.duty import Work
from bluezone.logs import JsonLines, PlainLines
from bluezone.server.metrics.meters import Meters
from bluezone.server.recurring_work import HOURLY_SECONDS, RETRY_SECONDS, PurgeFailed, RecurringWork, purge_office

NOW = datetime.datetime(2020, 8, 20, 3, tzinfo=datetime.UTC)
PURGES = [
    Work("purge_canvass", f"{failing_purges.__name__}.works"),
    Work("purge_gates", f"{failing_purges.__name__}.fails"),
    Work("purge_venues", f"{failing_purges.__name__}.works"),
]


@pytest.fixture
def meters():
    return Meters.make(1)


@pytest.fixture(autouse=True)
def nothing_done():
    failing_purges.done.clear()


def told(meters, name):
    return meters.gauge(f"work_timestamp_seconds_{name}"), meters.gauge(f"work_failures_total_{name}")


@pytest.mark.django_db
def test_a_purge_that_fails_stops_no_other_and_is_counted_and_logged_without_its_words(meters, caplog):
    with caplog.at_level(logging.ERROR):
        RecurringWork(meters, PURGES, []).run(NOW, 0.0)

    assert failing_purges.done == [NOW, NOW]
    assert told(meters, "purge_canvass") == told(meters, "purge_venues") == (NOW.timestamp(), 0)
    assert told(meters, "purge_gates") == (0, 1)
    (logged,) = [record for record in caplog.records if getattr(record, "event", "") == "work_failed"]
    assert (
        json.loads(JsonLines().format(logged)).items() >= {"work": "purge_gates", "exception": "DatabaseError"}.items()
    )
    assert all(failing_purges.ROW not in form().format(logged) for form in (JsonLines, PlainLines))


@pytest.mark.django_db
def test_what_failed_is_tried_again_soon_and_what_was_done_after_an_hour(meters):
    rounds = RecurringWork(meters, PURGES, [])
    for seconds in (0.0, 15.0, RETRY_SECONDS, HOURLY_SECONDS):
        rounds.run(NOW, seconds)

    assert len(failing_purges.done) == 4
    assert told(meters, "purge_gates") == (0, 3)


@pytest.mark.django_db
def test_what_is_done_at_each_tick_is_done_at_each_tick_and_says_whether_it_failed(meters):
    works = RecurringWork(meters, [], [Work("send_mail", f"{failing_purges.__name__}.works")])
    assert [works.run(NOW, seconds) for seconds in (0.0, 1.0, 2.0)] == [True] * 3
    assert len(failing_purges.done) == 3
    fails = RecurringWork(meters, [], [Work("send_mail", f"{failing_purges.__name__}.fails")])

    assert not fails.run(NOW, 0.0)


@pytest.mark.django_db
def test_a_restored_office_is_not_opened_when_something_in_it_could_not_be_forgotten():
    with pytest.raises(PurgeFailed, match="purge_gates"):
        purge_office(NOW, PURGES)

    assert len(failing_purges.done) == 2
