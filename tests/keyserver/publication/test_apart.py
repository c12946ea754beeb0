# SPDX-License-Identifier: Apache-2.0
"""Two processes share what is due: one governs (configs, week keys, codes, forgetting), one publishes."""

from contextlib import contextmanager

import pytest
from tests.builders.keyserver import HOUR, open_server, report_of
from tests.builders.signer import signing

from bluezone.city_settings import FILE_NAME
from bluezone.keyserver import service
from bluezone.keyserver.configs.applied_settings import SettingsOutdated
from bluezone.keyserver.datafolder import PublicationApart
from bluezone.keyserver.publication.folder import LocalFiles
from bluezone.keyserver.publication.history import UNCHECKED_FILE, HistoryUnknown
from bluezone.keyserver.publication.place import PublishedPlace
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.ticks import open_publication
from bluezone.protocol.upload import Status


class ReadOnly(LocalFiles):
    """Published files as the governing process sees them: another user's."""

    def put_if_absent(self, name, content):
        assert self.get(name) == content, f"{name} is written"

    def replace(self, name, content, version):
        raise AssertionError(f"{name} is written")

    def remove(self, name):
        raise AssertionError(f"{name} is removed")


@contextmanager
def governing(folder, clock):
    """A key server on a folder with files that are another user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "may_publish", lambda _folder: False)
        place = PublishedPlace(ReadOnly(folder), LocalFiles(folder).get, folder, "")
        patch.setattr(service, "open_place", lambda _folder: place)
        server = KeyServer.open(folder, clock)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def apart(folder, clock):
    """The process that governs and the one that publishes, on one data folder."""
    with signing(folder, clock):
        open_server(folder, clock).close()
        with governing(folder, clock) as worker:
            (folder / "run" / "publication").mkdir(parents=True)
            publication = open_publication(folder, clock)
            try:
                yield worker, publication
            finally:
                publication.close()


def files(folder):
    return sorted(path.name for path in (folder / "exports").glob("*.zip"))


def ended_codes(server):
    return server.codes_store.read("SELECT handle FROM credential WHERE link_expire <= ?", (int(server.clock()),))


def test_one_governs_and_forgets_and_the_other_publishes(database, city_folder, clock):
    with apart(city_folder, clock) as (worker, publication):
        publication.tick()
        before = files(city_folder)
        phone = report_of(worker)
        assert phone.upload().status is Status.OK
        clock.pass_by(2 * HOUR)
        worker.tick()
        assert files(city_folder) == before, "who governs makes no file"
        publication.tick()
        (made,) = set(files(city_folder)) - set(before)
        assert worker.indexes.read_index().entries[-1].name == made
        assert worker.keys_store.read("SELECT COUNT(*) FROM waiting_key WHERE key = ?", (phone.keys[0].key,)) == [(0,)]

        clock.pass_by(24 * HOUR * 15)
        publication.tick()
        assert made not in files(city_folder), "who publishes removes what phones are told of no longer"
        assert ended_codes(worker), "and forgets no code"
        worker.tick()
        assert not ended_codes(worker)
        assert publication.notes.signing_problem() is None


def test_nothing_tells_random_keys_from_real_ones_by_when_each_process_wrote(city_folder, clock):
    with apart(city_folder, clock) as (worker, publication):
        publication.tick()
        assert report_of(worker).upload().status is Status.OK
        clock.pass_by(HOUR)
        worker.tick()
        publication.tick()
        # SQLite's write-ahead log would show which rows came in one transaction.
        assert (city_folder / "keys.sqlite3-wal").stat().st_size == 0
        (hours,) = zip(*worker.keys_store.read("SELECT DISTINCT received_hour FROM waiting_key"), strict=True)
        assert set(hours) == {0, int(clock()) // HOUR}, "a report's keys, and random ones of this hour"


def test_who_publishes_holds_until_its_settings_are_those_that_were_applied(city_folder, clock):
    with apart(city_folder, clock) as (worker, publication):
        publication.tick()
        path = city_folder / FILE_NAME
        path.write_text(path.read_text().replace('region = "VN"', 'region = "XX"'))
        renewed = open_publication(city_folder, clock)
        with pytest.raises(SettingsOutdated):
            renewed.tick()
        KeyServer.open(city_folder, clock).close()
        with pytest.raises(SettingsOutdated):
            publication.tick()
        renewed.tick()
        renewed.close()
        assert worker.data_dir == city_folder


def test_a_restored_folder_is_compared_by_who_governs_before_anything_is_published(city_folder, clock):
    with apart(city_folder, clock) as (worker, publication):
        publication.tick()
        (city_folder / UNCHECKED_FILE).touch()
        before = files(city_folder)
        clock.pass_by(2 * HOUR)
        with pytest.raises(HistoryUnknown):
            publication.tick()
        assert (files(city_folder), publication.notes.signing_problem()) == (before, "history_unknown")
        worker.tick()
        publication.tick()
        assert len(files(city_folder)) == len(before) + 1
        assert publication.notes.signing_problem() is None


def test_what_writes_published_files_is_refused_to_who_governs(city_folder, clock):
    with apart(city_folder, clock) as (worker, _), pytest.raises(PublicationApart):
        worker.ticks.adopt_missing([])
