# SPDX-License-Identifier: Apache-2.0
import shutil

import pytest
from tests.builders.keyserver import NOON

from bluezone.keyserver.keys.keyfolder import open_secrets
from bluezone.keyserver.securefiles import KeyFileExposed, erase_file, write_atomically
from bluezone.keyserver.storage.store import StoreDamaged
from bluezone.protocol.intervals import week_name, week_start


@pytest.fixture
def folder(tmp_path, made_keys):
    shutil.copytree(made_keys, tmp_path / "keys")
    return tmp_path / "keys"


def test_a_private_key_others_may_read_is_refused(folder):
    (folder / "pepper").chmod(0o640)

    with pytest.raises(KeyFileExposed):
        open_secrets(folder)


@pytest.mark.parametrize("name", ["pepper", "signing-ed25519.pem", "export-p256.pem"])
def test_a_damaged_secret_is_refused_and_not_replaced(folder, name):
    (folder / name).write_bytes(b"rubbish")

    with pytest.raises(StoreDamaged):
        open_secrets(folder)
    assert (folder / name).read_bytes() == b"rubbish"


def test_keys_of_swapped_kinds_are_refused(folder):
    shutil.copy(folder / "export-p256.pem", folder / "signing-ed25519.pem")

    with pytest.raises(StoreDamaged):
        open_secrets(folder)


def test_a_damaged_list_of_week_keys_is_refused(folder):
    (folder / "week-keys.json").write_text("{}")

    with pytest.raises(StoreDamaged):
        open_secrets(folder).week_keys.all()


def test_secrets_do_not_show_themselves(folder):
    secrets = open_secrets(folder)

    assert (folder / "pepper").read_bytes().hex() not in repr(secrets)
    assert repr(secrets) == "Secrets(…)"


def test_an_erased_file_is_gone_and_erasing_again_does_nothing(tmp_path):
    path = tmp_path / "secret"
    write_atomically(path, b"secret", mode=0o600)

    erase_file(path)
    erase_file(path)
    assert list(tmp_path.iterdir()) == []


def test_weeks_are_iso_weeks_in_utc():
    assert week_name(1795478400) == "2026-W48"  # Tuesday 2026-11-24
    assert week_start(1795478400) == 1795392000  # Monday 2026-11-23
    assert week_name(1798761600) == "2026-W53"  # Friday 2027-01-01


def test_a_number_of_a_week_key_that_stood_in_a_config_is_given_to_none_though_the_program_ends(folder):
    open_secrets(folder).week_keys.note_kids([7, 900, 8])

    again = open_secrets(folder).week_keys
    assert again.newest_kid() == 900
    again.rotate_week_keys(NOON + 7 * 86400)
    assert again.newest_kid() > 900
