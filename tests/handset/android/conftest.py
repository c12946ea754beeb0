# SPDX-License-Identifier: Apache-2.0
"""The app of the city behind tests/handset, installed on a double of a phone."""

from contextlib import contextmanager

import pytest
from tests.builders.androidphone import AndroidPhone, Keystore
from tests.builders.handset import PhoneClock

from bluezone.handset.android.cityfile import CityFile


@pytest.fixture
def full_disk(phone):
    """No room for the app's answers while this lasts: the kernel says so of the device that is always full."""

    @contextmanager
    def full():
        unfinished = phone.folder / "setup.unfinished"
        unfinished.symlink_to("/dev/full")
        try:
            yield
        finally:
            unfinished.unlink()

    return full


@pytest.fixture
def phone(tmp_path, server, world):
    made = AndroidPhone(
        tmp_path / "app", Keystore(tmp_path / "keystore"), PhoneClock(world, world.now - 86_400),
        CityFile(server.url, server.trust()),
    )  # fmt: skip
    yield made
    for tracing in made.processes:
        tracing.stop()
