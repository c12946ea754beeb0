# SPDX-License-Identifier: Apache-2.0
import os

from tests.builders.keyserver import DAY, HOUR, NOON, keys_for, report_of

from bluezone.keyserver import codes
from bluezone.keyserver.retention import forget_keys
from bluezone.protocol.intervals import first_interval
from bluezone.protocol.upload import Status


def count(store, table):
    return store.read(f"SELECT COUNT(*) FROM {table}")[0][0]


def test_a_key_is_forgotten_when_its_day_is_over_14_days_ago(server, clock):
    phone = report_of(server, keys=keys_for(NOON, days=2, newest_age=0))
    phone.upload()
    server.tick()

    clock.pass_by(14 * DAY)
    server.tick()
    assert server.keys_store.read("SELECT start FROM known_key") == [(first_interval(NOON // DAY),)]

    clock.pass_by(DAY)
    server.tick()
    assert count(server.keys_store, "known_key") == 0


def test_a_forgotten_key_cannot_come_again(server, clock):
    keys = keys_for(NOON, days=1, newest_age=0)
    report_of(server, keys=keys).upload()
    clock.pass_by(15 * DAY)
    server.tick()

    assert report_of(server, keys=keys).upload().status is Status.KEYS_REFUSED


def test_a_spent_certificate_is_remembered_as_long_as_its_week_key_is_accepted(server, clock):
    report_of(server).upload()
    clock.pass_by(11 * DAY + 12 * HOUR - 1)
    server.tick()
    assert count(server.keys_store, "spent") == 1

    clock.pass_by(1)
    server.tick()
    assert count(server.keys_store, "spent") == 0


def test_a_code_loses_its_credentials_at_its_later_expiry_and_its_outcome_two_weeks_later(server, clock, onset):
    used = report_of(server)
    issued = codes.issue(server, "confirmed", onset)
    handles = [row[0].hex() for row in server.codes_store.read("SELECT handle FROM credential")]
    clock.pass_by(2 * DAY)
    server.tick()

    rows = server.codes_store.read("SELECT digits_hash, link_hash, used_digest, onset_day FROM credential")
    assert rows == [(None,) * 4] * 2
    assert sorted(codes.status(server, handle) for handle in handles) == ["expired", "used"]
    assert codes.status(server, issued.row_id) == "expired"
    assert used.verify1().status is Status.CODE_INVALID

    clock.pass_by(14 * DAY)
    server.tick()
    assert count(server.codes_store, "credential") == 0


def test_keys_are_forgotten_over_the_whole_range_of_key_bytes(server):
    edges = [b"\x00" * 16, b"\xff" * 16, b"\x00\xff" + bytes(14), b"\x01" + bytes(15)]
    rows = [(key, 144 * 100) for key in edges + [os.urandom(16) for _ in range(500)]]
    kept = [(os.urandom(16), 144 * 101) for _ in range(500)]
    server.keys_store.write(lambda t: t.execute_each("INSERT INTO known_key VALUES (?, ?)", rows + kept))

    forget_keys(server.keys_store, 144 * 101)

    left = {row[0] for row in server.keys_store.read("SELECT key FROM known_key")}
    assert left == {row[0] for row in kept}


def test_counts_and_alarms_are_forgotten_after_two_weeks(server, clock):
    report_of(server).upload()
    server._note_alarm(int(clock.now) // HOUR)
    clock.pass_by(15 * DAY)
    server.tick()

    assert count(server.keys_store, "upload_count") == 0
    assert count(server.codes_store, "guessing_alarm") == 0


def test_what_was_deleted_is_not_left_in_the_file(city_folder, clock, monkeypatch):
    from tests.builders.keyserver import opened

    server = opened(city_folder, clock)
    phone = report_of(server, keys=keys_for(NOON, days=14, newest_age=0, level=1))
    phone.upload()
    server.tick()
    files = list(server.data_dir.glob("keys.sqlite3*"))
    assert any(phone.keys[0].key in path.read_bytes() for path in files)

    clock.pass_by(20 * DAY)
    server.tick()
    server.close()
    left = b"".join(path.read_bytes() for path in server.data_dir.glob("keys.sqlite3*"))
    assert not any(key.key in left for key in phone.keys)
