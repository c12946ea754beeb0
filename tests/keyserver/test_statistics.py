# SPDX-License-Identifier: Apache-2.0
import json

from tests.builders.keyserver import DAY, HOUR, NOON, call, report_of

from bluezone.keyserver import statistics
from bluezone.keyserver.statistics import UploadCount


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


def health(server):
    return json.loads(call(server, "GET", "/v1/health").body)


def test_a_city_that_begins_long_after_the_end_of_a_period_is_not_late_with_its_first_file(server, clock):
    clock.pass_by(HOUR)
    server.publication.renew_lists(clock(), None)
    server.publication.export_files.publish_due_file(clock())

    # The file is made, and its index is signed a moment later.
    assert (health(server)["status"], health(server)["publication_overdue_seconds"]) == ("ok", 0)

    clock.pass_by(2 * HOUR)
    assert health(server)["failing"] == ["publication_overdue"]
    assert health(server)["publication_overdue_seconds"] == HOUR


def test_what_is_overdue_is_the_file_after_the_listed_one(server, clock):
    server.tick()
    for _ in range(3):
        clock.pass_by(2 * HOUR)
        server.publication.export_files.publish_due_file(clock())

    assert health(server)["publication_overdue_seconds"] == 4 * HOUR


def test_hours_of_guessing_are_listed_once(server, clock):
    for number in range(130):
        server.codes_part.limits.count_call(number.to_bytes(4, "big"), invalid=True)

    assert statistics.guessing_alarm_hours(server.codes_store) == [NOON // HOUR]
