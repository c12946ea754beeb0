# SPDX-License-Identifier: Apache-2.0
"""The lock files say exactly what is installed, and say nothing of where it came from."""

import os
import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_a_version_and_a_hash(name):
    blocks = re.split(r"\n(?=[a-z])", (REPOSITORY / name).read_text().strip())
    assert len(blocks) > 20
    for block in blocks:
        assert re.match(r"[a-z0-9-]+==\S+", block), block[:60]
        assert "--hash=sha256:" in block, block[:60]
        assert "://" not in block, block[:60]


def test_running_and_testing_use_the_same_versions():
    def pins(name):
        return set(re.findall(r"^([a-z0-9-]+==\S+)", (REPOSITORY / name).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_when_apt_fails_setup_prints_its_error(tmp_path):
    for name, script in {
        "id": "echo 0",
        "apt-get": "echo 'E: Could not get lock, held by process 41' >&2; exit 100",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    asked = subprocess.run(
        ["bash", "-c", ". tools/system-packages.sh; need_package spin 'a test'"],
        cwd=REPOSITORY,
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )

    assert asked.returncode == 1
    assert "could not install spin" in asked.stderr
    assert "E: Could not get lock, held by process 41" in asked.stderr
