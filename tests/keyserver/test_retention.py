# SPDX-License-Identifier: Apache-2.0
import random

import pytest
from tests.builders.keyserver import DAY, HOUR, NOON, keys_for, open_server, report_of, set_city

from bluezone.keyserver import statistics
from bluezone.keyserver.retention import purge_keys
from bluezone.protocol.intervals import first_interval
from bluezone.protocol.upload import Status


def count(store, table):
    return store.read(f"SELECT COUNT(*) FROM {table}")[0][0]


def without_random_keys(server):
    """Random keys are known as long as real ones; without them the real ones can be counted."""
    set_city(server, padding_mean=0)


@pytest.mark.long
def test_a_key_is_forgotten_when_its_day_is_over_14_days_ago(server, clock):
    without_random_keys(server)
    phone = report_of(server, keys=keys_for(NOON, days=2, newest_age=0))
    phone.upload()
    server.tick()

    clock.pass_by(14 * DAY)
    server.tick()
    assert server.keys_store.read("SELECT start FROM known_key") == [(first_interval(NOON // DAY),)]

    clock.pass_by(DAY)
    server.tick()
    assert count(server.keys_store, "known_key") == 0


@pytest.mark.long
def test_a_forgotten_key_cannot_come_again(server, clock):
    keys = keys_for(NOON, days=1, newest_age=0)
    report_of(server, keys=keys).upload()
    clock.pass_by(15 * DAY)
    server.tick()

    assert report_of(server, keys=keys).upload().status is Status.KEYS_REFUSED


@pytest.mark.long
def test_a_spent_certificate_is_remembered_as_long_as_its_week_key_is_accepted(server, clock):
    report_of(server).upload()
    clock.pass_by(11 * DAY + 12 * HOUR - 1)
    server.tick()
    assert count(server.keys_store, "spent") == 1

    clock.pass_by(1)
    server.tick()
    assert count(server.keys_store, "spent") == 0


@pytest.mark.long
def test_nothing_is_left_of_an_unused_code_at_its_later_expiry_and_of_a_used_one_at_the_end_of_its_week(
    server, clock, onset
):
    without_random_keys(server)
    used = report_of(server)
    ((handle,),) = server.codes_store.read("SELECT handle FROM credential")
    issued = server.codes.issue_code("confirmed", onset)
    clock.pass_by(2 * DAY)
    server.tick()

    # NOON is of a Wednesday.
    monday = (NOON // DAY + 5) * DAY
    assert server.codes_store.read("SELECT handle, digits_expire, link_expire FROM credential") == [
        (handle, monday, monday)
    ]
    assert server.codes.status(bytes(handle).hex()) == "used"
    assert server.codes.status(issued.row_id) == "expired"
    assert used.check_code().status is Status.CODE_INVALID, "as of an unused one"
    assert used.redeem_code().status is Status.OK

    clock.now = monday - 1
    server.tick()
    assert count(server.codes_store, "credential") == 1
    clock.now = monday
    server.tick()
    assert count(server.codes_store, "credential") == 0
    assert used.check_code().status is Status.CODE_INVALID


def test_no_used_or_revoked_code_tells_its_day_of_issue(server, clock, onset):
    without_random_keys(server)
    for _ in range(3):
        report_of(server)
        server.codes.revoke_code(server.codes.issue_code("clinical", onset).row_id)
        clock.pass_by(DAY)
    server.tick()

    rows = server.codes_store.read("SELECT class, onset_day, digits_expire, link_expire FROM credential")
    monday = (NOON // DAY + 5) * DAY
    # Of the third day's the link would have ended on Sunday.
    assert set(rows) == {(None, None, monday, monday)}
    assert len(rows) == 6


@pytest.mark.long
def test_the_office_is_shown_on_the_day_after_that_a_code_was_used(server, clock):
    report_of(server)
    ((handle,),) = server.codes_store.read("SELECT handle FROM credential")
    for hours in range(12):
        server.tick()
        assert server.codes.statuses([handle.hex()]) == {handle.hex(): "open"}, hours
        clock.pass_by(HOUR)

    server.tick()
    assert server.codes.statuses([handle.hex()]) == {handle.hex(): "used"}
    assert server.codes.status(handle.hex()) == "used"


def test_keys_are_forgotten_over_the_whole_range_of_key_bytes(server):
    rng = random.Random(14)
    prefixes = {rng.randrange(-(2**63), 2**63) for _ in range(1000)} | {-(2**63), 2**63 - 1, 0, -1}
    rows = [(prefix, 144 * (100 + number % 2)) for number, prefix in enumerate(sorted(prefixes))]
    server.keys_store.write(lambda transaction: transaction.execute_each("INSERT INTO known_key VALUES (?, ?)", rows))

    purge_keys(server.keys_store, 144 * 101)

    left = server.keys_store.read("SELECT prefix, start FROM known_key")
    assert sorted(left) == [row for row in rows if row[1] == 144 * 101]


@pytest.mark.long
def test_counts_and_alarms_are_forgotten_after_two_weeks(server, clock):
    report_of(server).upload()
    statistics.note_guessing_alarm(server.codes_store, int(clock.now) // HOUR)
    clock.pass_by(15 * DAY)
    server.tick()

    assert count(server.keys_store, "upload_count") == 0
    assert count(server.codes_store, "guessing_alarm") == 0


@pytest.mark.long
def test_a_published_key_is_in_the_store_only_as_in_its_file_and_goes_with_it(city_folder, clock):
    server = open_server(city_folder, clock)
    without_random_keys(server)
    phone = report_of(server, keys=keys_for(NOON, days=14, newest_age=1, level=1))
    phone.upload()

    def left():
        content = b"".join(path.read_bytes() for path in server.data_dir.glob("keys.sqlite3*"))
        return [key for key in phone.keys if key.key in content]

    assert left() == list(phone.keys)
    server.tick()
    # The copy of the file has what everybody may fetch: keys in the order of their bytes.
    ((copy,),) = server.keys_store.read(
        "SELECT content FROM published_content WHERE sha256 IN (SELECT sha256 FROM export_file)"
    )
    (entry,) = server.indexes.read_index().entries
    assert copy == (server.data_dir / "exports" / entry.name).read_bytes()
    assert count(server.keys_store, "waiting_key") == 0
    # What stays is half of each key, as a number, so that it does not come again.
    assert count(server.keys_store, "known_key") == 14

    clock.pass_by(20 * DAY)
    server.tick()
    assert count(server.keys_store, "known_key") == 0
    server.tick()
    server.keys_store.erase_deleted_rows()
    assert left() == []
    server.close()
