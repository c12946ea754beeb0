# SPDX-License-Identifier: Apache-2.0
"""A disk, a signer or an index that was away for many publishing periods: publication goes on when it is back, and the
signer is led onto no other history by it.
"""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
from contextlib import contextmanager

import pytest
from tests.builders.keyserver import DAY, HOUR, call, open_server, report_of, set_city
from tests.builders.signer import signing

from bluezone.city_settings import _RANGES, CityInvalid, write_default
from bluezone.keyserver.keys.keyfolder import SignerAway, SigningRefused
from bluezone.keyserver.publication.series import ALL_SERIES, EXPORT_FILES, VENUE_PACKAGES
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.signer.client import Operation
from bluezone.keyserver.signer.daemon import Daemon
from bluezone.keyserver.signer.record import FILE_NAME
from bluezone.keyserver.storage.store import StoreUnreachable
from bluezone.protocol.exports.files import read_export
from bluezone.protocol.signed.envelope import extend_chain, sign_payload
from bluezone.protocol.signed.index import encode_index, follow_index
from bluezone.protocol.upload import Status
from bluezone.refusal import Refused

PERIODS = (2, 5, 50)
PERIOD = 2 * HOUR


@contextmanager
def unwritable(*folders):
    """Folders into which nothing can be written, not even by root."""
    if shutil.which("chattr") is None:
        pytest.skip("needs chattr")
    try:
        for folder in folders:
            if subprocess.run(["chattr", "+i", folder], capture_output=True, check=False).returncode:
                pytest.skip("needs chattr +i, of root and of this file system")
        yield
    finally:
        for folder in folders:
            subprocess.run(["chattr", "-i", folder], capture_output=True, check=False)


def tick_refused(server, expected=(Refused, OSError)):
    with pytest.raises(expected):
        server.tick()


def follows(server, positions):
    """Whether a phone that stood where `positions` says goes on from there; returns where it stands then."""
    reached = {}
    for series in ALL_SERIES:
        index = server.indexes.read_index(series)
        number, chain = positions[series.kind]
        for entry in follow_index(index, number, chain):
            path = f"/v1/{series.folder}/{entry.name}"
            assert call(server, "GET", path).status == 200
            number, chain = entry.number, extend_chain(chain, bytes.fromhex(entry.sha256))
        assert number == index.number
        reached[series.kind] = (number, chain)
    return reached


def start_of_a_phone():
    return {series.kind: (0, bytes(32)) for series in ALL_SERIES}


def health(server):
    return json.loads(call(server, "GET", "/v1/health").body)


def published_keys(server):
    contents = [
        server.publication.published.get(f"exports/{entry.name}") for entry in server.indexes.read_index().entries
    ]
    return {key.key for content in contents for key in read_export(content).keys}


@pytest.mark.long
@pytest.mark.parametrize("periods", PERIODS)
def test_a_disk_that_takes_no_files_for_many_periods_holds_publication_up_and_no_longer(city_folder, clock, periods):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        server.tick()
        before = follows(server, start_of_a_phone())
        with unwritable(city_folder / "exports", city_folder / "venues"):
            phone = report_of(server)
            assert phone.upload().status is Status.OK
            for _ in range(periods):
                clock.pass_by(PERIOD)
                tick_refused(server)
            told = health(server)
            assert "publication_overdue" in told["failing"]
            assert told["publication_overdue_seconds"] == (periods - 1) * PERIOD
        server.tick()
        told = health(server)
        assert (told["failing"], told["publication_overdue_seconds"]) == ([], 0)

        after = follows(server, before)
        assert after[EXPORT_FILES.kind][0] > before[EXPORT_FILES.kind][0]
        assert after[VENUE_PACKAGES.kind][0] > before[VENUE_PACKAGES.kind][0]
        assert {key.key for key in phone.keys} <= published_keys(server)
        server.close()


@pytest.mark.long
def test_a_disk_that_takes_no_files_for_over_two_weeks_holds_publication_up_and_no_longer(city_folder, clock):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        server.tick()
        before = server.indexes.read_index().number
        with unwritable(city_folder / "exports", city_folder / "venues"):
            for _ in range(20):
                clock.pass_by(DAY)
                tick_refused(server)
        # In the first round the files of before the outage are still listed, for the signer to see where it goes on.
        server.tick()
        server.tick()

        # A phone that was here before has missed more than is kept, and begins as at first.
        assert follows(server, start_of_a_phone())[EXPORT_FILES.kind][0] > before + 1
        server.close()


@pytest.mark.long
@pytest.mark.parametrize("periods", PERIODS)
def test_a_signer_that_is_away_for_many_periods_holds_publication_up_and_no_longer(city_folder, clock, periods):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        server.tick()
        before = follows(server, start_of_a_phone())
        phone = report_of(server)
        assert phone.upload().status is Status.OK
    for _ in range(periods):
        clock.pass_by(PERIOD)
        tick_refused(server, SignerAway)
    with signing(city_folder, clock):
        server.tick()

        after = follows(server, before)
        assert after[EXPORT_FILES.kind][0] > before[EXPORT_FILES.kind][0]
        assert {key.key for key in phone.keys} <= published_keys(server)
        server.close()


@pytest.mark.long
def test_a_file_that_was_begun_under_another_period_is_made_anew(city_folder, clock):
    settings = {"name_vi": "Bắc Kạn", "name_en": "Bac Kan", "hotline": "0209 3870 000", "padding_mean": 5}
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, **settings)
        server.tick()
        before = follows(server, start_of_a_phone())
        phone = report_of(server)
        assert phone.upload().status is Status.OK
        clock.pass_by(PERIOD)
        if int(clock()) // PERIOD * PERIOD % (5 * HOUR) == 0:
            clock.pass_by(PERIOD)
        # Killed after a file was begun, with an end that no period of five hours has, and before it was signed.
        server.keys_store.write(lambda transaction: server.publication.export_files._begin(transaction, clock()))
        server.close()

    (city_folder / "city.toml").unlink()
    write_default(city_folder, publish_period_seconds=5 * HOUR, **settings)
    with signing(city_folder, clock):
        server = KeyServer.open(city_folder, clock)
        for _ in range(8):
            server.tick()
            clock.pass_by(PERIOD)

        after = follows(server, before)
        assert after[EXPORT_FILES.kind][0] > before[EXPORT_FILES.kind][0]
        assert {key.key for key in phone.keys} <= published_keys(server)
        assert health(server)["failing"] == []
        server.close()


def made_without_an_index(server, clock, periods):
    """Files of many periods that no index lists, as an earlier version left them while its signer refused."""
    for _ in range(periods):
        clock.pass_by(PERIOD)
        server.publication.export_files.publish_due_file(clock())
        for hour in range(clock() - PERIOD + HOUR, clock() + 1, HOUR):
            server.publication.venue_packages.publish_due_package(hour)


@pytest.mark.long
@pytest.mark.parametrize("periods", PERIODS)
def test_a_city_whose_index_fell_behind_its_files_by_many_lists_them_all_at_the_next_tick(city_folder, clock, periods):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        server.tick()
        before = follows(server, start_of_a_phone())
        made_without_an_index(server, clock, periods)
        told = health(server)
        assert ("publication_overdue" in told["failing"], told["status"]) == (True, "failing")
        assert told["publication_overdue_seconds"] == (periods - 1) * PERIOD
        server.tick()
        assert health(server)["status"] == "ok"

        after = follows(server, before)
        assert after[EXPORT_FILES.kind][0] == before[EXPORT_FILES.kind][0] + periods
        assert after[VENUE_PACKAGES.kind][0] >= before[VENUE_PACKAGES.kind][0] + 2 * periods
        server.close()


@pytest.mark.long
def test_an_index_that_no_longer_reaches_the_head_signed_last_is_refused(city_folder, clock):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        server.tick()
        made_without_an_index(server, clock, 3)
        index = server.publication.index_writer._index(clock(), EXPORT_FILES, None)
        key = server.secrets.signing_key

        def asked(**changes):
            return sign_payload("exports", encode_index(dataclasses.replace(index, **changes)), key)

        head = extend_chain(bytes.fromhex(index.chain_before), bytes.fromhex(index.entries[0].sha256))
        second = extend_chain(head, bytes.fromhex(index.entries[1].sha256))
        with pytest.raises(SigningRefused, match="no longer reaches"):
            asked(entries=index.entries[2:], chain_before=second.hex())
        with pytest.raises(SigningRefused, match="no longer reaches"):
            asked(entries=(), chain_before="11" * 32)
        with pytest.raises(SigningRefused, match="no longer reaches"):
            asked(number=2, entries=(), chain_before="11" * 32)
        with pytest.raises(SigningRefused, match="other files"):
            asked(entries=index.entries[1:], chain_before="11" * 32)
        forged = dataclasses.replace(index.entries[2], sha256=os.urandom(32).hex())
        with pytest.raises(SigningRefused, match="did not sign"):
            asked(entries=(*index.entries[:2], forged, index.entries[3]))
        assert asked(entries=index.entries[1:], chain_before=head.hex())
        with pytest.raises(SigningRefused, match="ends with number"):
            asked(number=index.number - 1, entries=index.entries[:-1])
        server.close()


@pytest.mark.long
def test_a_file_of_many_periods_may_have_the_keys_of_as_many(city_folder, clock):
    (city_folder / "signer").mkdir()
    (city_folder / "signer" / "signer.toml").write_text("most_keys_a_file = 400\n")
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=0)
        server.tick()
        with unwritable(city_folder / "exports"):
            for _ in range(5):
                for _ in range(20):
                    assert report_of(server, days=6).upload().status is Status.OK
                clock.pass_by(PERIOD)
                tick_refused(server)
        server.tick()
        sizes = [entry.number for entry in server.indexes.read_index().entries]
        assert sizes == [1, 2, 3]
        server.close()


@pytest.mark.long
def test_the_largest_padding_that_the_settings_allow_is_signed_and_a_larger_one_is_no_setting(city_folder, clock):
    largest = _RANGES["padding_mean"][1]
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=largest)
        for _ in range(3):
            server.tick()
            clock.pass_by(PERIOD)
        assert health(server)["export_number"] == 3
        server.close()
    with pytest.raises(CityInvalid, match="padding_mean"):
        write_default(city_folder / "other", name_vi="Bắc Kạn", name_en="Bac Kan", hotline="0209 3870 000",
                      padding_mean=largest + 1)  # fmt: skip


def configs_signed_last(city_folder):
    lines = map(json.loads, (city_folder / "signer" / FILE_NAME).read_text().splitlines())
    return [line["number"] for line in lines if line["kind"] == "config"]


@pytest.mark.long
def test_a_config_that_was_signed_and_could_not_be_kept_goes_out_when_it_can(city_folder, clock):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        server.tick()
        held = server.configs.newest_number()
        clock.pass_by(7 * DAY)

        def away(_name, _content):
            raise StoreUnreachable("the database of all hosts is away")

        keep = server.configs._before_written
        server.configs._before_written = away
        tick_refused(server)
        assert configs_signed_last(city_folder)[-1] == held + 1
        server.configs._before_written = keep
        set_city(server, hotline="0209 3870 001")
        clock.pass_by(HOUR)
        server.tick()
        assert server.configs.newest_number() == held + 2
        assert server.configs.newest_config().hotline == "0209 3870 001"
        server.close()


@pytest.mark.long
@pytest.mark.parametrize("folder", ["configs", "keys", "signer"])
def test_a_folder_that_takes_nothing_when_a_config_is_due_holds_it_up_and_no_longer(city_folder, clock, folder):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        server.tick()
        before, held = follows(server, start_of_a_phone()), server.configs.newest_number()
        with unwritable(city_folder / folder):
            for _ in range(3):
                clock.pass_by(7 * DAY)
                with contextlib.suppress(Refused, OSError):
                    server.tick()
        clock.pass_by(HOUR)
        server.tick()
        assert server.configs.newest_number() > held
        assert follows(server, before)[EXPORT_FILES.kind][0] > before[EXPORT_FILES.kind][0]
        server.close()


@pytest.mark.long
def test_a_record_on_a_full_disk_signs_nothing_and_goes_on_when_there_is_room(city_folder, clock):
    with signing(city_folder, clock):
        server = open_server(city_folder, clock, padding_mean=5)
        server.tick()
        before = follows(server, start_of_a_phone())
        with unwritable(city_folder / "signer" / FILE_NAME):
            for _ in range(2):
                clock.pass_by(PERIOD)
                tick_refused(server)
        server.tick()
        assert follows(server, before)[EXPORT_FILES.kind][0] > before[EXPORT_FILES.kind][0]
        server.close()


class EarlierSigner(Daemon):
    """A signer from before the operation LAST; it ends the connection of a caller that requests it."""

    def _answer(self, first, body, uid):
        if first == Operation.LAST:
            raise ValueError(f"{first} is not a valid Operation")
        return super()._answer(first, body, uid)


def test_files_and_public_log_go_on_while_a_signer_of_the_version_before_is_not_restarted_yet(city_folder, clock):
    with signing(city_folder, clock, version=EarlierSigner):
        server = open_server(city_folder, clock)
        server.tick()
        before = server.public_log.newest_checkpoint()[0]
        positions = follows(server, start_of_a_phone())
        clock.pass_by(PERIOD)
        server.tick()
        assert server.public_log.newest_checkpoint()[0] > before
        assert follows(server, positions)[EXPORT_FILES.kind][0] > positions[EXPORT_FILES.kind][0]
        server.close()


@pytest.mark.long
def test_a_file_that_an_outage_delayed_for_days_is_listed_long_enough_for_every_phone(city_folder, clock):
    """A phone follows files without a gap as long as it looks every 13 days, whatever happened here meanwhile."""
    with signing(city_folder, clock):
        server = open_server(city_folder, clock)
        server.tick()
        positions = follows(server, start_of_a_phone())
        clock.pass_by(PERIOD)
        with unwritable(*(city_folder / series.folder for series in ALL_SERIES)):
            tick_refused(server)
            clock.pass_by(12 * DAY)
            tick_refused(server)
        server.tick()
        for _ in range(12):
            clock.pass_by(DAY)
            server.tick()
        follows(server, positions)
        server.close()
