# SPDX-License-Identifier: Apache-2.0
"""A store that lost what phones hold: restored from a backup, promoted from a lagging copy, copied by hand."""

import datetime
import json
import shutil
import sqlite3
from contextlib import closing, contextmanager
from datetime import UTC

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.builders.epochs import RECOVERY, set_recovery_key
from tests.builders.handset import city_with_phones, meet_phone, publish_reports, report_patient
from tests.builders.keyserver import call
from tests.builders.signer import signing

from bluezone.backup import restoration
from bluezone.backup.creation import create_backup
from bluezone.backup.daykeys import FOLDER
from bluezone.keyserver.publication.adoption import HistoryForked
from bluezone.keyserver.publication.folder import LocalFiles
from bluezone.keyserver.publication.history import EpochUnfit, RecoveryKeyMissing
from bluezone.keyserver.publication.log.journal import FOLDER_VARIABLE
from bluezone.keyserver.publication.series import VENUE_PACKAGES
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import key_prefix
from bluezone.protocol.signed.epoch import sign_epoch


@contextmanager
def a_city_with_recovery_key(folder, **settings):
    """A city that pinned a recovery key before any phone came."""
    with city_with_phones(folder, **settings) as (server, phones, world):
        set_recovery_key(server.key_server.data_dir)
        server.key_server.tick()
        yield server, phones, world


def report_and_publish(server, phones, world, name):
    patient = phones.new(name)
    patient.encounters.payload()
    report_patient(patient, server, onset_days_ago=0)
    publish_reports(server, world)


def backed_up(server, world):
    """A backup of this moment."""
    now = datetime.datetime.fromtimestamp(world.now, UTC)
    return create_backup(server.key_server.data_dir, None, now, now.date(), {})


def restored(server, world, backup, folder):
    """The city goes on from a backup, on another machine."""
    old = server.key_server.data_dir
    server.key_server.close()
    today = datetime.datetime.fromtimestamp(world.now, UTC).date()
    restoration.restore_backup(backup, folder, old / FOLDER, today, {}, lambda _: None)
    server.key_server = KeyServer.open(folder, lambda: world.now)


def adopted(server, folder):
    key_server = server.key_server
    taken = key_server.ticks.history.adopt_missing([LocalFiles(folder)])
    key_server.tick()
    return taken


def epoch_opened(server, world, key=RECOVERY):
    key_server = server.key_server
    record = sign_epoch(key_server.ticks.history.propose_epoch(world.now, {}), key)
    epoch = key_server.ticks.history.open_epoch(record, world.now)
    key_server.tick()
    return epoch


def is_warned(phone, server, phones, world):
    """Meet somebody who reports, let the city publish, and see what the phone says."""
    patient = phones.new("new patient")
    meet_phone(phone, patient, 25, world=world)
    report_patient(patient, server, onset_days_ago=0)
    publish_reports(server, world)
    return phone.check().level == "high"


@contextmanager
def a_phone_ahead_of_a_backup(folder):
    """A backup after one file, a phone that has taken in three; (server, phones, world, phone, backup)."""
    with a_city_with_recovery_key(folder) as (server, phones, world):
        report_and_publish(server, phones, world, "one")
        backup = backed_up(server, world)
        for name in ("two", "three"):
            report_and_publish(server, phones, world, name)
        phone = phones.new("phone")
        phone.check()
        assert phone.downloads.position.number == 4
        yield server, phones, world, phone, backup


@pytest.mark.long
def test_after_a_restore_that_finds_what_was_published_a_phone_that_was_up_to_date_is_warned_by_the_next_file(tmp_path):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, phones, world, phone, backup):
        old = server.key_server.data_dir
        restored(server, world, backup, tmp_path / "restored")
        assert adopted(server, old)["exports"] == [3, 4]

        assert is_warned(phone, server, phones, world)
        assert phone.downloads.position.number == 5
        assert phone.store.get("notice") is None


@pytest.mark.long
def test_files_beside_a_damaged_index_are_adopted_if_the_journal_vouches_for_them(tmp_path):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, phones, world, phone, backup):
        old = server.key_server.data_dir
        index = old / "exports" / "index.json"
        index.write_bytes(index.read_bytes()[:100])
        foreign = next((old / "exports").glob("3-*.zip"))
        shutil.copy(foreign, old / "exports" / f"3-{'0' * 32}.zip")
        restored(server, world, backup, tmp_path / "restored")
        assert adopted(server, old)["exports"] == [3, 4]

        assert is_warned(phone, server, phones, world)
        assert phone.downloads.position.number == 5


@pytest.mark.long
def test_files_beside_a_damaged_index_that_no_head_vouches_for_are_left(tmp_path):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, _, world, _, backup):
        old = server.key_server.data_dir
        (old / "exports" / "index.json").unlink()
        next((old / "exports").glob("3-*.zip")).unlink()
        restored(server, world, backup, tmp_path / "restored")
        with pytest.raises(HistoryForked):
            adopted(server, old)


@pytest.mark.long
def test_what_is_adopted_while_a_signer_runs_is_shown_to_it_and_is_what_phones_fetch(tmp_path):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, phones, world, _, backup):
        old = server.key_server.data_dir
        for _ in range(20):
            world.pass_by(86_400)
            server.key_server.tick()
        report_and_publish(server, phones, world, "four")
        number = server.key_server.indexes.read_index().number
        server.key_server.close()
        today = datetime.datetime.fromtimestamp(world.now, UTC).date()
        restoration.restore_backup(backup, tmp_path / "restored", old / FOLDER, today, {}, lambda _: None)
        with signing(tmp_path / "restored", lambda: world.now):
            server.key_server = KeyServer.open(tmp_path / "restored", lambda: world.now)
            server.key_server.ticks.history.adopt_missing([LocalFiles(old)])
            assert server.key_server.indexes.read_index().number == number
            report_and_publish(server, phones, world, "five")
            assert server.key_server.indexes.read_index().number == number + 1
            server.key_server.close()
            server.key_server = KeyServer.open(old, lambda: world.now)


@pytest.mark.long
def test_a_restored_store_that_does_not_find_what_was_published_signs_nothing(tmp_path):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, _, world, _, backup):
        restored(server, world, backup, tmp_path / "restored")
        served = (tmp_path / "restored" / "exports" / "index.json").read_bytes()
        configs = server.key_server.configs.newest_number()
        world.pass_by(8 * 86_400)

        with pytest.raises(HistoryForked, match="up to 4 were published, this store knows them up to 2"):
            server.key_server.tick()
        assert (tmp_path / "restored" / "exports" / "index.json").read_bytes() == served
        assert server.key_server.configs.newest_number() == configs
        assert server.key_server.ticks.history_problem == "history_forked"


@pytest.mark.long
def test_while_nothing_may_be_signed_the_monitor_is_told_and_phones_are_served(tmp_path):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, _phones, world, _phone, backup):
        old = server.key_server.data_dir
        restored(server, world, backup, tmp_path / "restored")
        # Another process than the one that looked.
        other = KeyServer.open(tmp_path / "restored", lambda: world.now)
        other.ticks.history_problem = None
        try:
            told = call(other, "GET", "/v1/health")
            assert (told.status, json.loads(told.body)["failing"][0]) == (503, "history_forked")
            for path in ("/v1/health/ready", "/v1/config", "/v1/exports/index.json", "/v1/venues/index.json"):
                assert call(other, "GET", path).status == 200, path
            adopted(server, old)
            assert call(other, "GET", "/v1/health").status == 200
        finally:
            other.close()


@pytest.mark.long
def test_a_restored_store_without_any_witness_signs_nothing(tmp_path, monkeypatch):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, _, world, _, backup):
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "another journal"))
        restored(server, world, backup, tmp_path / "restored")
        assert server.key_server.ticks.history_problem == "history_unknown"
        with pytest.raises(HistoryForked, match="neither a journal nor a bucket"):
            server.key_server.tick()


@pytest.mark.long
def test_a_journal_that_came_back_from_the_same_backup_bears_no_witness(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "city" / "heads"))
    with city_with_phones(tmp_path) as (server, _, world):
        server.key_server.tick()
        backup = backed_up(server, world)
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "restored" / "heads"))
        restored(server, world, backup, tmp_path / "restored")
        assert server.key_server.ticks.history.journal.heads("exports")
        assert server.key_server.ticks.history_problem == "history_unknown"


@pytest.mark.long
def test_a_restored_store_that_is_at_the_height_of_the_journal_goes_on(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        report_and_publish(server, phones, world, "one")
        phone = phones.new("phone")
        phone.check()
        restored(server, world, backed_up(server, world), tmp_path / "restored")
        assert is_warned(phone, server, phones, world)


@pytest.mark.long
def test_in_a_new_epoch_a_phone_that_was_up_to_date_is_warned_by_the_next_file_and_told(tmp_path):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, phones, world, phone, backup):
        restored(server, world, backup, tmp_path / "restored")
        with pytest.raises(HistoryForked):
            server.key_server.tick()
        epoch = epoch_opened(server, world)
        assert (epoch.number, epoch.exports.ancestor, epoch.exports.first) == (1, 2, 100_000)

        assert is_warned(phone, server, phones, world)
        assert phone.store.get("notice") == "epoch_began"
        assert phone.downloads.position.number >= 100_000
        assert not phone.downloads.position.rescan
        # Behind it everything goes its usual way again.
        world.pass_by(3 * 86_400)
        server.key_server.tick()
        phone.check()


@pytest.mark.long
def test_a_phone_that_is_behind_and_one_that_is_new_find_every_file_of_a_new_epoch(tmp_path):
    with a_city_with_recovery_key(tmp_path) as (server, phones, world):
        late = phones.new("late")
        late.check()
        patient = phones.new("one")
        meet_phone(late, patient, 25, world=world)
        report_patient(patient, server, onset_days_ago=0)
        publish_reports(server, world)
        backup = backed_up(server, world)
        report_and_publish(server, phones, world, "two")
        restored(server, world, backup, tmp_path / "restored")
        epoch_opened(server, world)

        assert late.check().level == "high"
        before = len(server.requests)
        fresh = phones.new("fresh")
        fresh.check()
        assert any("exports/1-" in path for path, _ in server.requests[before:])


@pytest.mark.long
def test_a_backup_from_before_an_epoch_takes_over_the_files_that_the_epoch_still_lists(tmp_path):
    with a_city_with_recovery_key(tmp_path, publish_period_seconds=7200) as (server, phones, world):
        late = phones.new("late")
        late.check()
        backup = backed_up(server, world)
        patient = phones.new("one")
        meet_phone(late, patient, 25, world=world)
        report_patient(patient, server, onset_days_ago=0)
        publish_reports(server, world)
        epoch_opened(server, world)
        report_and_publish(server, phones, world, "two")
        old = server.key_server.data_dir
        restored(server, world, backup, tmp_path / "restored")
        taken = adopted(server, old)
        assert taken["exports"] == [2, 100_000]
        index = server.key_server.indexes.read_index(VENUE_PACKAGES)
        assert [entry.number for entry in (*index.earlier, *index.entries)][-len(taken["venues"]) :] == taken["venues"]
        assert index.earlier[-1].number in taken["venues"]

        report_and_publish(server, phones, world, "three")
        assert late.check().level == "high"


@pytest.mark.long
def test_a_promoted_copy_of_the_database_takes_over_what_the_folder_holds(tmp_path):
    with a_city_with_recovery_key(tmp_path) as (server, phones, world):
        report_and_publish(server, phones, world, "one")
        home = server.key_server.data_dir
        with closing(sqlite3.connect(home / "keys.sqlite3")) as live, closing(sqlite3.connect(tmp_path / "lag")) as lag:
            live.backup(lag)
        report_and_publish(server, phones, world, "two")
        phone = phones.new("phone")
        phone.check()
        server.key_server.close()
        for path in home.glob("keys.sqlite3*"):
            path.unlink()
        shutil.copy(tmp_path / "lag", home / "keys.sqlite3")
        server.key_server = KeyServer.open(home, lambda: world.now)

        assert is_warned(phone, server, phones, world)
        assert phone.downloads.position.number == 4


def old_waiting(server):
    return server.key_server.keys_store.read("SELECT key, start FROM waiting_key")


@pytest.mark.long
def test_keys_of_adopted_files_are_known_and_codes_that_were_open_are_revoked(tmp_path):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, _, world, _, backup):
        old = server.key_server.data_dir
        known = set(server.key_server.keys_store.read("SELECT prefix, start FROM known_key"))
        # What only waited went with the store, random keys like real ones.
        known -= {(key_prefix(key), start) for key, start in old_waiting(server)}
        restored(server, world, backup, tmp_path / "restored")
        code = server.key_server.codes.issue_code(
            "confirmed", datetime.datetime.fromtimestamp(world.now, UTC).date()
        ).code
        adopted(server, old)

        assert known <= set(server.key_server.keys_store.read("SELECT prefix, start FROM known_key"))
        assert server.key_server.codes.status(code) == "revoked"


@pytest.mark.long
def test_configs_that_were_signed_after_the_backup_come_back_from_the_journal(tmp_path):
    with a_phone_ahead_of_a_backup(tmp_path) as (server, phones, world, phone, backup):
        old = server.key_server
        world.pass_by(8 * 86_400)
        old.tick()
        phone.check()
        signed = [old.configs.path(number).read_bytes() for number in old.configs.numbers()]
        restored(server, world, backup, tmp_path / "restored")
        adopted(server, old.data_dir)

        anew = server.key_server.configs
        assert [anew.path(number).read_bytes() for number in anew.numbers()][: len(signed)] == signed
        assert is_warned(phone, server, phones, world)
        newest = {key.kid: key.n for key in phone.city.current.week_keys}
        private = server.key_server.secrets.week_keys
        lost = [kid for kid in newest if private.find_key(kid) is None]
        assert all(private.find_key(kid).n == newest[kid] for kid in newest if kid not in lost)


@pytest.mark.long
def test_only_the_recovery_key_opens_an_epoch_and_only_where_there_is_one(tmp_path, monkeypatch):
    with a_city_with_recovery_key(tmp_path) as (server, _, world):
        with pytest.raises(EpochUnfit):
            epoch_opened(server, world, Ed25519PrivateKey.generate())
        with pytest.raises(EpochUnfit):
            epoch_opened(server, world, server.key_server.secrets.signing_key)
    # Cities of tests have the same key, and so would have one journal.
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "other heads"))
    (tmp_path / "without").mkdir()
    with city_with_phones(tmp_path / "without") as (server, _, world), pytest.raises(RecoveryKeyMissing):
        epoch_opened(server, world)


@pytest.mark.long
def test_two_histories_become_one_in_an_epoch_and_no_key_is_lost(tmp_path):
    """What a version without this comparison has left behind: phones on both sides of a fork."""
    with a_city_with_recovery_key(tmp_path) as (server, phones, world):
        report_and_publish(server, phones, world, "one")
        backup = backed_up(server, world)
        report_and_publish(server, phones, world, "two")
        ahead = phones.new("ahead")
        ahead.check()
        old, ahead_index = server.key_server.data_dir, server.key_server.indexes.read_index()
        restored(server, world, backup, tmp_path / "restored")
        # It publishes another third file, as if it had compared nothing.
        key_server = server.key_server
        patient = phones.new("other two")
        patient.encounters.payload()
        report_patient(patient, server, onset_days_ago=0)
        world.pass_by(26 * 3600)
        key_server.publication.export_files.publish_due_file(world.now)
        with pytest.raises(HistoryForked, match="other files were published"):
            key_server.tick()

        record = sign_epoch(key_server.ticks.history.propose_epoch(world.now, {}, [LocalFiles(old)]), RECOVERY)
        lost = {entry.sha256 for entry in ahead_index.entries[2:]}
        forked = {sha256.hex() for (sha256,) in key_server.keys_store.read("SELECT sha256 FROM export_file")}
        key_server.ticks.history.open_epoch(record, world.now, [LocalFiles(old)])
        key_server.tick()
        index = key_server.indexes.read_index()
        assert [entry.number for entry in index.earlier] == [1, 2]
        assert index.entries[0].number == 100_000
        assert {entry.sha256 for entry in (*index.earlier, *index.entries)} == lost | forked
        assert is_warned(ahead, server, phones, world)
