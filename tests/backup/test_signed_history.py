# SPDX-License-Identifier: Apache-2.0
"""A backup that is restored and adopts what was published since, served with a signer whose record came back with it:
the city publishes, and a phone that was up to date gets the next file.
"""

import contextlib
import json
import os
import subprocess
import time

import pytest
from tests.builders.keyserver import DAY, HOUR, Clock, report_of
from tests.builders.machines import wait_until
from tests.builders.serving import BLUEZONE, serving
from tests.builders.signer import signing
from tests.builders.stores import HOTLINE, prepared_store
from tests.keyserver.signer.test_outages import published_keys

from bluezone.city_settings import write_default
from bluezone.keyserver.keys.keyfolder import open_signing_keys
from bluezone.keyserver.service import KeyServer

PERIOD = 4 * HOUR


def bluezone(*arguments, **environment):
    done = subprocess.run(
        [BLUEZONE, *map(str, arguments), "--json"], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def published_at(folder, moments):
    """Publish what is due at each moment, under the signer of this folder; number of the newest export file."""
    for moment in moments:
        clock = Clock(moment)
        with signing(folder, clock), contextlib.closing(KeyServer.open(folder, clock)) as server:
            server.tick(moment)
            number = server.indexes.read_index().number
    return number


def backed_up_and_gone_on(tmp_path, days):
    """A city with a backup that is so many days old, and files since; the folder and the backup."""
    folder = tmp_path / "one" / "data"
    folder.mkdir(parents=True, mode=0o700)
    prepared_store(folder)
    write_default(folder, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=1,
                  padding_mean=5, verify_to_upload_seconds=0)  # fmt: skip
    now = time.time()
    published_at(folder, [now - days * DAY - PERIOD, now - days * DAY])
    backup = tmp_path / "backup"
    bluezone("backup", "--data", folder, "--out", backup)
    assert published_at(folder, [now - days * DAY * (left / 4) for left in (3, 2, 1)] + [now - PERIOD]) >= 4
    return folder, backup


def restored(tmp_path, folder, backup):
    """The city on another machine, which has the files of the first and nothing else of it."""
    again = tmp_path / "two" / "data"
    bluezone("restore", backup, "--data", again, "--day-keys", folder / "keys" / "days")
    bluezone("history", "adopt", "--data", again, "--from", folder)
    return again


def phone_at(phone, public, trust):
    """A phone that is always the same looks for new files; the number of the newest it has."""
    options = ["--data", phone, "--server", public, "--trust", trust, "--radio", "virtual:127.0.0.1:1"]
    bluezone("handset", "check", *options)
    return bluezone("handset", "status", "--data", phone)["lists"]["exports"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("days", [1, 20])
def test_a_restored_city_that_adopted_many_files_publishes_and_the_phone_follows(tmp_path, days):
    folder, backup = backed_up_and_gone_on(tmp_path, days)
    trust = open_signing_keys(folder / "keys").signing_key.public_key().public_bytes_raw().hex()
    with serving(folder) as served:
        before = phone_at(tmp_path / "phone", served.public, trust)
    assert before >= 6

    again = restored(tmp_path, folder, backup)
    # Not before: without a signer a key server signs by itself, and the signer would go on from there.
    with serving(again) as served, contextlib.closing(KeyServer.open(again)) as server:
        waiting = report_of(server)
        waiting.upload()
        wait_until(lambda: {key.key for key in waiting.keys} <= published_keys(server), 120)
        assert phone_at(tmp_path / "phone", served.public, trust) > before
