# SPDX-License-Identifier: Apache-2.0
import datetime

import pytest
from tests.builders.keyserver import DAY, HOUR, NOON, report_of

from bluezone.keyserver import statistics
from bluezone.keyserver.statistics import CodeCount, UploadCount


@pytest.mark.long
def test_codes_are_counted_by_the_day_they_were_issued_and_used_ones_when_it_is_over(server, clock, onset):
    server.tick()
    report_of(server)
    server.codes.revoke(server.codes.issue("confirmed", onset).row_id)
    clock.pass_by(DAY)
    server.tick()
    server.codes.issue("clinical", onset + datetime.timedelta(days=1))

    today = NOON // DAY
    assert statistics.codes_by_issue_day(server.codes_store, server.clock()) == [
        CodeCount(today, 2, 1, 1, 0),
        CodeCount(today + 1, 1, 0, 0, 0),
    ]


def test_reports_are_counted_by_day_and_class(server, clock):
    report_of(server).upload()
    report_of(server, "clinical").upload()
    clock.pass_by(DAY)
    report_of(server).upload()

    today = NOON // DAY
    assert statistics.uploads_by_day(server.keys_store) == [
        UploadCount(today, 1, 1),
        UploadCount(today, 2, 1),
        UploadCount(today + 1, 1, 1),
    ]


def test_fewer_than_five_reports_of_a_day_are_counted_with_a_later_day_of_their_week(server, clock):
    today = NOON // DAY
    clock.pass_by((7 - (today + 3) % 7) * DAY)
    monday = int(clock()) // DAY
    few, many = (monday, 1, 3), (monday + 1, 2, 5)
    server.keys_store.write(lambda t: t.execute_each("INSERT INTO upload_count VALUES (?, ?, ?)", [few, many]))
    report_of(server).upload()

    clock.pass_by(2 * DAY)
    server.tick()
    assert statistics.uploads_by_day(server.keys_store) == [UploadCount(*many), UploadCount(monday + 2, 1, 4)]

    clock.pass_by(DAY)
    report_of(server).upload()
    clock.pass_by(5 * DAY)
    server.tick()
    assert statistics.uploads_by_day(server.keys_store) == [UploadCount(*many), UploadCount(monday + 6, 1, 5)]


def test_files_are_listed_with_their_sizes(server):
    server.tick()

    (only,) = statistics.files(server.keys_store)
    assert (only.number, only.end_timestamp) == (1, NOON)
    assert only.size == next((server.data_dir / "exports").glob("1-*.zip")).stat().st_size


def test_hours_of_guessing_are_listed_once(server, clock):
    for number in range(130):
        server.limits.count(number.to_bytes(4, "big"), invalid=True)

    assert statistics.guessing_alarm_hours(server.codes_store) == [NOON // HOUR]


def test_an_open_code_is_expired_once_neither_digits_nor_link_work(server, clock, onset):
    server.codes.issue("confirmed", onset)
    clock.pass_by(2 * DAY - 1)
    assert statistics.codes_by_issue_day(server.codes_store, server.clock())[0].expired == 0

    clock.pass_by(1)
    assert statistics.codes_by_issue_day(server.codes_store, server.clock())[0].expired == 1
