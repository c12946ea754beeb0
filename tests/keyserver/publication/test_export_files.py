# SPDX-License-Identifier: Apache-2.0
import hashlib
import itertools
import os
import random
from collections import Counter

import pytest
from tests.builders.hpke import point
from tests.builders.keyserver import DAY, HOUR, NOON, call, keys_for, open_server, report_of

from bluezone.keyserver.publication import embargo, export_files, folder
from bluezone.keyserver.storage.store import key_prefix
from bluezone.protocol.exports.files import read_export, verify_export
from bluezone.protocol.intervals import first_interval
from bluezone.protocol.keys import ReportType
from bluezone.protocol.signed.envelope import extend_chain
from bluezone.protocol.signed.index import CHAIN_START, follow_index
from bluezone.protocol.upload import STANDARD, Status


def report(server, klass="confirmed", **parts):
    phone = report_of(server, klass, **parts)
    assert phone.upload().status is Status.OK
    return phone.keys


def published(server):
    """The files that a phone finds through the index, newest last."""
    return [fetched(server, entry) for entry in server.indexes.read_index().entries]


def fetched(server, entry):
    answered = call(server, "GET", f"/v1/exports/{entry.name}")
    assert answered.status == 200
    assert hashlib.sha256(answered.body).hexdigest() == entry.sha256
    assert len(answered.body) == entry.size
    return read_export(answered.body)


def keys_in(export):
    return {key.key for key in export.keys}


@pytest.mark.long
def test_uploaded_keys_stand_in_the_next_file_with_class_and_level_and_nothing_else(server, clock):
    server.tick()
    high = report(server)
    standard = report(server, "clinical", keys=keys_for(NOON, level=STANDARD))
    clock.pass_by(2 * HOUR)
    server.tick()

    export = published(server)[-1]
    assert verify_export(export, point(server.secrets.export_key.public_key())) == "verified"
    found = {key.key: key for key in export.keys}
    for key in high:
        diagnosis = found[key.key]
        assert (diagnosis.start, diagnosis.period) == (key.start, 144)
        assert (diagnosis.report_type, diagnosis.days_since_onset) == (ReportType.CONFIRMED_TEST, 0)
        assert diagnosis.transmission_risk_level is None
    assert {found[key.key].report_type for key in standard} == {ReportType.CONFIRMED_CLINICAL}
    assert {found[key.key].days_since_onset for key in standard} == {7}
    assert (export.start_timestamp, export.end_timestamp) == (NOON, NOON + 2 * HOUR)
    assert export.region == "VN"
    assert export.revised_keys == ()


@pytest.mark.long
def test_one_file_a_period_whether_or_not_anybody_reported(server, clock):
    for _ in range(3):
        server.tick()
        server.tick()
        clock.pass_by(2 * HOUR)

    index = server.indexes.read_index()
    assert [entry.number for entry in index.entries] == [1, 2, 3]


@pytest.mark.long
def test_nothing_is_published_twice(server, clock):
    server.tick()
    keys = report(server)
    for _ in range(4):
        clock.pass_by(2 * HOUR)
        server.tick()

    holders = [number for number, export in enumerate(published(server)) if keys_in(export) & {k.key for k in keys}]
    assert len(holders) == 1


@pytest.mark.long
def test_every_file_is_padded_and_sorted(server, clock):
    # Two files have as many keys by chance, once in a thousand draws.
    server.publication.random_bytes = random.Random(28).randbytes
    server.tick()
    clock.pass_by(2 * HOUR)
    server.tick()

    first, second = published(server)
    for export in (first, second):
        assert 1500 < len(export.keys) < 4500
        assert [key.key for key in export.keys] == sorted(key.key for key in export.keys)
        cells = {(key.start, key.report_type, key.days_since_onset) for key in export.keys}
        newest = NOON // DAY - 1
        assert {start for start, _, _ in cells} == {first_interval(day) for day in range(newest - 13, newest + 1)}
        assert {(kind, onset) for _, kind, onset in cells} == {(1, 0), (1, 7), (2, 0), (2, 7)}
    assert len(first.keys) != len(second.keys)
    assert not keys_in(first) & keys_in(second)


@pytest.mark.long
@pytest.mark.parametrize("where", ["after_begin", "after_file", "before_seal"])
def test_a_run_killed_anywhere_is_finished_with_the_same_bytes(server, clock, monkeypatch, where):
    server.tick()
    keys = report(server)
    clock.pass_by(2 * HOUR)

    class Killed(BaseException):
        pass

    written = []

    def kill(*arguments):
        raise Killed

    def keep_and_kill(path, content, mode=0o644):
        written.append(content)
        if where == "after_file":
            path.write_bytes(content)
        raise Killed

    with monkeypatch.context() as patch:
        if where == "after_begin":
            patch.setattr(export_files.ExportFiles, "_finish", kill)
            publication_began(server, clock.now)
        elif where == "after_file":
            patch.setattr(folder, "write_new_file", keep_and_kill)
        else:
            patch.setattr(export_files.ExportFiles, "_complete", kill)
        if where != "after_begin":
            with pytest.raises(Killed):
                server.tick()
    left = {path.name: path.read_bytes() for path in (server.data_dir / "exports").glob("2-*.zip")}
    late = report(server)
    clock.pass_by(60)
    server.tick()

    (name,) = [path.name for path in (server.data_dir / "exports").glob("2-*.zip")]
    data = (server.data_dir / "exports" / name).read_bytes()
    assert all(content == data for content in written)
    assert all(left_name == name and content == data for left_name, content in left.items())
    # What arrived after the file was begun waits for the next one.
    assert {k.key for k in keys} <= keys_in(read_export(data))
    assert not {k.key for k in late} & keys_in(read_export(data))


def publication_began(server, now):
    """What a process does before it dies right after the first of the three steps."""
    server.keys_store.write(lambda transaction: server.publication.export_files._begin(transaction, now))


@pytest.mark.long
def test_a_file_sealed_by_a_run_that_died_before_the_index_is_listed_by_the_next(server, clock):
    server.tick()
    clock.pass_by(2 * HOUR)
    server.publication.export_files.publish_due_file(clock.now)
    assert server.indexes.read_index().number == 1

    server.tick()
    assert server.indexes.read_index().number == 2


@pytest.mark.long
def test_the_index_is_one_unbroken_history(server, clock):
    held_number, held_chain = 0, CHAIN_START
    for _ in range(4):
        server.tick()
        entries = follow_index(server.indexes.read_index(), held_number, held_chain)
        for entry in entries:
            held_number, held_chain = entry.number, extend_chain(held_chain, bytes.fromhex(entry.sha256))
        clock.pass_by(2 * HOUR)

    assert held_number == 4


@pytest.mark.long
def test_after_14_days_a_file_leaves_the_index_and_the_disk_and_the_chain_goes_on(server, clock):
    server.tick()
    first = server.indexes.read_index().entries[0]
    chain = extend_chain(CHAIN_START, bytes.fromhex(first.sha256))
    clock.pass_by(2 * HOUR)
    server.tick()

    clock.pass_by(14 * DAY - 2 * HOUR)
    server.tick()
    index = server.indexes.read_index()
    assert [entry.number for entry in index.entries] == [2, 3]
    assert index.chain_before == chain.hex()
    assert call(server, "GET", f"/v1/exports/{first.name}").status == 404

    clock.pass_by(20 * DAY)
    server.tick()
    assert [entry.number for entry in server.indexes.read_index().entries] == [4]


def test_an_index_without_files_still_carries_the_chain(server, clock):
    server.tick()
    chain = extend_chain(CHAIN_START, bytes.fromhex(server.indexes.read_index().entries[0].sha256))
    clock.pass_by(15 * DAY)
    server.publication.index_writer.renew_index(clock.now)

    index = server.indexes.read_index()
    assert (index.number, index.entries, index.chain_before) == (1, (), chain.hex())


@pytest.mark.long
def test_todays_key_waits_for_the_end_of_its_day_and_two_hours_more(server, clock):
    server.tick()
    (today,) = report(server, keys=keys_for(NOON, days=1, newest_age=0))
    midnight = (NOON // DAY + 1) * DAY

    while clock.now < midnight:
        clock.pass_by(2 * HOUR)
        server.tick()
        assert today.key not in keys_in(published(server)[-1])
    clock.pass_by(2 * HOUR)
    server.tick()
    assert today.key in keys_in(published(server)[-1])


@pytest.mark.long
def test_a_key_too_old_for_every_cell_is_not_published_without_padding(server, clock):
    server.tick()
    (old,) = report(server, keys=keys_for(NOON, days=1, newest_age=14))
    clock.pass_by(3 * DAY)  # the service was down
    server.tick()

    assert all(old.key not in keys_in(export) for export in published(server))


@pytest.mark.long
def test_with_period_0_a_file_appears_only_with_something_in_it(city_folder, clock, database):
    server = open_server(city_folder, clock, publish_period_seconds=0)
    server.tick()
    clock.pass_by(60)
    server.tick()
    assert len(published(server)) == 1

    keys = report(server)
    clock.pass_by(60)
    server.tick()
    assert {k.key for k in keys} <= keys_in(published(server)[-1])
    server.close()


@pytest.mark.parametrize(
    ("received", "published_at", "today_published_at"),
    [
        (NOON, NOON, NOON + 14 * HOUR),
        (NOON + 1, NOON + 2 * HOUR, NOON + 14 * HOUR),
        (NOON - 12 * HOUR, NOON - 10 * HOUR, NOON + 14 * HOUR),  # midnight: yesterday's key is under embargo too
    ],
)
def test_reach_times_are_the_next_file_and_a_poll_later(server, received, published_at, today_published_at):
    times = embargo.reach_times(server.city, received)

    assert (times.published_at, times.today_published_at) == (published_at, today_published_at)
    assert times.phones_by == published_at + 5 * HOUR
    assert times.today_phones_by == today_published_at + 5 * HOUR


@pytest.mark.long
def test_reach_times_come_true(server, clock):
    server.tick()
    clock.pass_by(100)
    times = embargo.reach_times(server.city, clock.now)
    keys = report(server)

    clock.now = times.published_at - 1
    server.tick()
    before = {key for export in published(server) for key in keys_in(export)}
    clock.now = times.published_at
    server.tick()
    after = {key for export in published(server) for key in keys_in(export)}
    assert not {k.key for k in keys} & before
    assert {k.key for k in keys} <= after


@pytest.mark.long
def test_the_exports_folder_holds_nothing_half_written(server, clock):
    server.tick()

    assert [path.name for path in (server.data_dir / "exports").iterdir() if path.name.startswith(".")] == []
    assert os.stat(server.data_dir / "exports" / "index.json").st_mode & 0o444 == 0o444


@pytest.mark.long
def test_a_store_that_has_lost_its_newest_files_takes_them_over_again_and_publishes_nothing_twice(server, clock):
    """As after the promotion of a standby that lagged: what was published is in the folder, not in the database."""
    server.tick()
    uploaded = report(server)
    clock.pass_by(26 * HOUR)
    server.tick()
    index, known = server.indexes.read_index(), {(key_prefix(key.key), key.start) for key in uploaded}
    waiting = server.keys_store.read("SELECT * FROM waiting_key ORDER BY key")
    keys = {key.key for key in uploaded}

    def fall_back(transaction):
        transaction.execute("DELETE FROM export_file WHERE number = ?", (index.number,))
        transaction.execute("DELETE FROM known_key")
        transaction.execute_each(
            "INSERT INTO waiting_key VALUES (?, ?, ?, ?, ?)",
            [(key.start, key.key, key.level, 1, 0) for key in uploaded],
        )

    server.keys_store.write(fall_back)
    server.tick()
    assert server.indexes.read_index().entries == index.entries
    assert server.keys_store.read("SELECT * FROM waiting_key ORDER BY key") == waiting
    assert known <= set(server.keys_store.read("SELECT prefix, start FROM known_key"))
    clock.pass_by(2 * HOUR)
    server.tick()
    after = server.indexes.read_index()
    assert after.entries[: len(index.entries)] == index.entries
    found = [key for export in published(server) for key in keys_in(export) & keys]
    assert sorted(found) == sorted(keys)


@pytest.mark.long
def test_random_keys_heap_up_neither_while_a_file_cannot_be_begun_nor_in_a_standstill(city_folder, clock):
    server = open_server(city_folder, clock)
    server.publication.random_bytes = random.Random(30).randbytes
    server.tick()
    clock.pass_by(3 * DAY)

    def waiting():
        return server.keys_store.read("SELECT COUNT(*) FROM waiting_key")[0][0]

    before = waiting()
    for _ in range(5):
        server.keys_store.write(
            lambda transaction: server.publication.export_files.padding.add_keys_before_file(transaction, clock.now)
        )
    # Two hours and the file itself: three parts of a thousand in the mean.
    assert 1500 < waiting() - before < 5000
    server.close()


@pytest.mark.long
def test_random_keys_stand_in_every_cell_of_a_file_and_of_what_no_hourly_copy_has_shown(city_folder, clock):
    """From noon past midnight, where the oldest day of a file changes; copies are taken between two ticks."""
    server = open_server(city_folder, clock)
    server.publication.random_bytes = random.Random(458).randbytes
    seen, files, unseen = set(), [], []
    for _ in range(18):
        server.tick()
        clock.pass_by(HOUR / 2)
        waiting = {key for (key,) in server.keys_store.read("SELECT key FROM waiting_key")}
        if server.indexes.read_index().number > len(files):
            keys = published(server)[-1].keys
            newest = max(key.start for key in keys)
            cells = [((newest - key.start) // 144, key.days_since_onset, key.report_type, key.key) for key in keys]
            files.append(Counter(cell[:3] for cell in cells))
            unseen.append(Counter(cell[:3] for cell in cells if cell[3] not in seen))
            known = {prefix for (prefix,) in server.keys_store.read("SELECT prefix FROM known_key")}
            # What is over 14 days old is forgotten, random or real.
            oldest = first_interval(int(clock.now) // DAY - 14)
            assert {key_prefix(key.key) for key in keys if key.start >= oldest} <= known
            assert {key_prefix(key) for key in waiting} <= known
        seen |= waiting
        clock.pass_by(HOUR / 2)
    server.close()

    every = list(itertools.product(range(14), (0, 7), (1, 2)))
    # Means of 50 and of 17.
    for counted, mean in ((files[1:], 50), (unseen[1:], 50 / 3)):
        assert {
            cell: total for cell in every if (total := sum(c[cell] for c in counted) / len(counted)) < mean / 8
        } == {}
        # And in each single file on every day, also at midnight and when an embargo ends.
        assert [
            age for c in counted for age in range(14) if not sum(c[age, o, k] for o in (0, 7) for k in (1, 2))
        ] == []
