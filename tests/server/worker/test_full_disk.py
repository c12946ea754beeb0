# SPDX-License-Identifier: Apache-2.0
"""A real `serve` on a disk that other programs have filled, with bytes or with inodes: no process ends, a restart
succeeds, and publication goes on when there is room.
"""

import contextlib
import itertools
import shutil
import subprocess

import pytest
from tests.builders.machines import wait_until
from tests.builders.serving import serving
from tests.builders.stores import HOTLINE, prepared_store
from tests.server.worker.test_outage import health

from bluezone.city_settings import write_default

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own that is soon full."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=120m,nr_inodes=3000", "tmpfs", place]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs root, to mount a file system of its own")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(place, what):
    """Take all bytes or all inodes that are left."""
    place.mkdir(exist_ok=True)
    with contextlib.suppress(OSError):
        if what == "inodes":
            for number in itertools.count():
                (place / str(number)).touch()
        with (place / "bytes").open("ab", 0) as file:
            while True:
                file.write(bytes(4096))


def wait_for(served, sentence):
    """Read what a `serve` says up to a sentence; no process of it may end before."""
    for line in served.lines:
        assert "ended with" not in line, line
        if sentence in line:
            return
    raise AssertionError("serve has ended")


@pytest.mark.parametrize("what", ["inodes", "bytes"])
def test_a_full_disk_ends_no_process_and_is_gone_on_from_after_a_restart(small_disk, what):
    data = small_disk / "city"
    data.mkdir(mode=0o700)
    write_default(data, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=1, padding_mean=5)
    prepared_store(data)
    with serving(data) as served:
        wait_until(lambda: health(served.public)["export_number"])
        fill(small_disk / "others", what)
        wait_for(served, "the trusted time cannot be noted")
        wait_until(lambda: "publication_overdue" in health(served.public)["failing"])
        before = health(served.public)["export_number"]

    with serving(data) as served:
        assert health(served.public)["export_number"] == before
        wait_for(served, "store_full")
        shutil.rmtree(small_disk / "others")
        wait_until(lambda: health(served.public)["status"] == "ok")
        assert health(served.public)["export_number"] > before
