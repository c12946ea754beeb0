# SPDX-License-Identifier: Apache-2.0
"""Secrets are made once, are private, and do not appear where there is no data folder."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from bluezone.office_secrets import office_secret

MAKE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from bluezone.office_secrets import office_secret
print(office_secret(Path(sys.argv[1]), "django"))
"""


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    secret = office_secret(tmp_path, "django")

    assert office_secret(tmp_path, "django") == secret
    assert office_secret(tmp_path, "audit") != secret
    assert len(secret) == 64
    assert stat.S_IMODE((tmp_path / "keys" / "office-django").stat().st_mode) == 0o600


def test_processes_that_start_together_agree(tmp_path):
    makers = [
        subprocess.Popen([sys.executable, "-c", MAKE, tmp_path], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]

    assert len({maker.communicate(timeout=120)[0] for maker in makers}) == 1
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["office-django"]


def test_without_a_folder_nothing_is_written(tmp_path):
    office_secret(tmp_path / "none", "django")

    assert not (tmp_path / "none").exists()


def test_threads_that_make_a_secret_in_one_moment_agree_on_it(tmp_path):
    for number in range(100):
        with ThreadPoolExecutor(8) as threads:
            made = set(threads.map(lambda _: office_secret(tmp_path, f"secret-{number}"), range(8)))  # noqa: B023
        assert len(made) == 1
        assert len(made.pop()) == 64

    assert len(list((tmp_path / "keys").iterdir())) == 100, "nothing is left aside"
