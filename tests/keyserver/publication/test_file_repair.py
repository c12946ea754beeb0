# SPDX-License-Identifier: Apache-2.0
"""A published file that is damaged or gone: phones wait for it, the next rounds write it again, an operator is told."""

import hashlib
import json
import os
import shutil

import pytest
from tests.builders.keyserver import DAY, HOUR, call, open_server, report_of

from bluezone.keyserver.publication.series import EXPORT_FILES, VENUE_PACKAGES
from bluezone.keyserver.statistics import damaged_files
from bluezone.protocol.upload import Status

BOTH = pytest.mark.parametrize("series", [EXPORT_FILES, VENUE_PACKAGES], ids=["exports", "venues"])


def newest(server, series):
    """The newest listed file: its path, and what the index says of it."""
    entry = server.indexes.read_index(series).entries[-1]
    return server.data_dir / series.folder / entry.name, entry


def fetch(server, series):
    """The status with which a phone gets the newest file; it is never given bytes that it would not believe."""
    _, entry = newest(server, series)
    answer = call(server, "GET", f"/v1/{series.folder}/{entry.name}")
    if answer.status == 200:
        assert hashlib.sha256(answer.body).hexdigest() == entry.sha256
    return answer.status


def health(server):
    return json.loads(call(server, "GET", "/v1/health").body)["failing"]


def publish_report(server, clock):
    server.tick()
    assert report_of(server).upload().status is Status.OK
    clock.pass_by(2 * HOUR)
    server.tick()


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def flip(path):
    """Another bit, as on a failing disk: size and time of the file stay."""
    times = path.stat()
    with path.open("r+b") as file:
        first = file.read(1)[0]
        file.seek(0)
        file.write(bytes([first ^ 1]))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def remove(path):
    path.unlink()


@pytest.mark.parametrize(("age", "damage"), [(0, cut), (0, flip), (1, cut), (1, flip), (1, remove)])
def test_a_damaged_config_is_written_again_at_the_next_round_and_at_a_start(server, clock, age, damage):
    publish_report(server, clock)
    clock.pass_by(8 * DAY)
    server.tick()
    path = server.configs.path(server.configs.newest_number() - age)
    whole = path.read_bytes()
    for run in (server.tick, lambda: open_server(server.data_dir, clock).close()):
        damage(path)
        run()
        assert path.read_bytes() == whole
    assert call(server, "GET", "/v1/config").body == server.configs.path(server.configs.newest_number()).read_bytes()


def test_configs_that_are_all_gone_are_written_again(server, clock):
    publish_report(server, clock)
    clock.pass_by(8 * DAY)
    server.tick()
    paths = [server.configs.path(number) for number in server.configs.numbers()]
    contents = [path.read_bytes() for path in paths]
    # With their folder, as after a wrong `rm -r`.
    shutil.rmtree(server.configs.folder)
    server.tick()
    assert [path.read_bytes() for path in paths] == contents


def test_health_says_that_the_newest_config_is_missing_although_the_one_before_is_whole(server, clock):
    """A phone that has the newest refuses the one before, for example while no inode is free to write it again."""
    publish_report(server, clock)
    clock.pass_by(8 * DAY)
    server.tick()
    server.configs.path(server.configs.newest_number()).unlink()
    assert health(server) == ["published_file_differs"]
    server.tick()
    assert health(server) == []


def test_health_says_that_the_config_is_damaged_and_cannot_be_written(server, clock):
    publish_report(server, clock)
    path = server.configs.path(server.configs.newest_number())
    whole = path.read_bytes()
    cut(path)
    assert health(server) == ["published_file_differs"]
    path.write_bytes(whole)
    assert health(server) == []


@BOTH
@pytest.mark.parametrize("damage", [cut, flip, remove])
def test_the_next_round_writes_a_damaged_file_again(server, clock, series, damage):
    publish_report(server, clock)
    path, _ = newest(server, series)
    whole = path.read_bytes()
    damage(path)
    server.tick()
    assert path.read_bytes() == whole
    assert fetch(server, series) == 200
    assert (damaged_files(server.keys_store), health(server)) == (0, [])


@BOTH
@pytest.mark.parametrize("damage", [cut, flip])
def test_until_then_phones_are_told_to_come_again(server, clock, series, damage):
    publish_report(server, clock)
    path, _ = newest(server, series)
    assert fetch(server, series) == 200
    damage(path)
    assert fetch(server, series) == 503
    server.tick()
    assert fetch(server, series) == 200


def test_a_file_without_a_copy_is_named_to_the_operator_until_it_is_back(server, clock):
    publish_report(server, clock)
    path, _ = newest(server, EXPORT_FILES)
    whole = path.read_bytes()
    server.keys_store.write(lambda transaction: transaction.execute("DELETE FROM published_content"))
    cut(path)
    server.tick()
    assert (damaged_files(server.keys_store), health(server)) == (1, ["published_file_differs"])
    path.write_bytes(whole)
    server.tick()
    assert (damaged_files(server.keys_store), health(server)) == (0, [])


def test_files_of_an_earlier_version_are_copied_before_anything_happens_to_them(server, clock):
    publish_report(server, clock)
    server.keys_store.write(lambda transaction: transaction.execute("DELETE FROM published_content"))
    server.tick()
    path, _ = newest(server, EXPORT_FILES)
    remove(path)
    server.tick()
    assert fetch(server, EXPORT_FILES) == 200


def test_a_new_process_finds_what_was_damaged_while_none_ran(city_folder, clock, database):
    first = open_server(city_folder, clock)
    publish_report(first, clock)
    path, _ = newest(first, EXPORT_FILES)
    first.close()
    cut(path)
    second = open_server(city_folder, clock)
    second.tick()
    assert fetch(second, EXPORT_FILES) == 200
    second.close()


def test_copies_go_with_their_files(server, clock):
    publish_report(server, clock)
    clock.pass_by(15 * DAY)
    server.tick()
    clock.pass_by(2 * HOUR)
    server.tick()
    listed = {
        bytes.fromhex(entry.sha256)
        for series in (EXPORT_FILES, VENUE_PACKAGES)
        for entry in server.indexes.read_index(series).entries
    }
    copies = {bytes(sha256) for (sha256,) in server.keys_store.read("SELECT sha256 FROM published_content")}
    assert copies == listed


def test_many_files_are_compared_in_turn_a_few_at_a_round(server, clock, monkeypatch):
    for _ in range(6):
        publish_report(server, clock)
    monkeypatch.setattr("bluezone.keyserver.publication.file_repair._ROUND_BYTES", 1)
    paths = [server.data_dir / "exports" / entry.name for entry in server.indexes.read_index().entries]
    for path in paths:
        cut(path)
    count = len(server.indexes.read_index(VENUE_PACKAGES).entries) + len(paths)
    for _ in range(count):
        server.tick()
    assert all(fetch(server, series) == 200 for series in (EXPORT_FILES, VENUE_PACKAGES))
    assert [path.stat().st_size for path in paths] == [entry.size for entry in server.indexes.read_index().entries]


def test_a_damaged_file_and_a_lost_index_together_stop_nothing(server, clock):
    publish_report(server, clock)
    path, _ = newest(server, EXPORT_FILES)
    cut(path)
    remove(server.data_dir / "exports" / "index.json")
    server.tick()
    assert fetch(server, EXPORT_FILES) == 200
    assert health(server) == []


def test_a_new_process_does_not_end_the_alarm_before_it_has_compared_every_file(
    city_folder, clock, database, monkeypatch
):
    first = open_server(city_folder, clock)
    for _ in range(3):
        publish_report(first, clock)
    path, _ = newest(first, EXPORT_FILES)
    first.keys_store.write(lambda transaction: transaction.execute("DELETE FROM published_content"))
    cut(path)
    first.tick()
    assert damaged_files(first.keys_store) == 1
    first.close()

    monkeypatch.setattr("bluezone.keyserver.publication.file_repair._ROUND_BYTES", 1)
    second = open_server(city_folder, clock)
    for _ in range(20):
        second.tick()
        assert health(second) == ["published_file_differs"]
    second.close()


def test_a_file_that_cannot_be_written_again_does_not_stop_the_next_one(server, clock):
    publish_report(server, clock)
    path, old = newest(server, EXPORT_FILES)
    remove(path)
    (path / "in the way").mkdir(parents=True)
    clock.pass_by(2 * HOUR)
    server.tick()
    assert newest(server, EXPORT_FILES)[1].number == old.number + 1
    assert health(server) == ["published_file_differs"]
