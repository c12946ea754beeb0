# SPDX-License-Identifier: Apache-2.0
"""The wheel holds all of the package and nothing else, says one version, and installs where there is no clone."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.ship.conftest import REPOSITORY

import bluezone

RELEASE = r"^## ([0-9.]+)"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([REPOSITORY / "tools/ship/wheel.sh", folder, sys.executable], check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.long
def test_every_file_of_the_package_is_in_the_wheel(wheel):
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "src/bluezone"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    tracked = {name.removeprefix("src/") for name in listed.split("\0") if name and (REPOSITORY / name).exists()}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = archive.read(f"bluezone-{bluezone.__version__}.dist-info/METADATA").decode()

    assert tracked - held == set()
    assert held - tracked <= {"bluezone/planning/kernel.native.so", "bluezone/protocol/kernel.native.so"}
    assert f"\nVersion: {bluezone.__version__}\n" in metadata


def test_the_version_stands_in_one_place_and_is_that_of_the_next_release_or_of_this_one():
    released = re.findall(RELEASE, (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    named = subprocess.run(
        [sys.executable, "-m", "bluezone.cli.main", "--version"], capture_output=True, text=True, check=False
    )
    version = tuple(map(int, re.match(r"([0-9]+)\.([0-9]+)\.([0-9]+)", bluezone.__version__).groups()))
    newest = tuple(map(int, released[0].split(".")))

    assert named.returncode == 0
    assert (version > newest) if ".dev" in bluezone.__version__ else (version == newest)
    assert not re.search(r'^version = "', (REPOSITORY / "pyproject.toml").read_text(), re.MULTILINE)


def test_the_steps_to_each_release_are_written_down():
    released = re.findall(RELEASE, (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    steps = re.findall(r"^## To ([0-9.]+)", (REPOSITORY / "docs/upgrading.md").read_text(), re.MULTILINE)
    coming = bluezone.__version__.split(".dev")[0]

    # The first release is upgraded to from nothing.
    assert set(released[:-1]) <= set(steps) <= {*released, coming}


@pytest.mark.slow
def test_a_wheelhouse_installs_without_a_network_into_a_new_environment(shipped, tmp_path):
    house = shipped / "wheelhouse"
    python = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    command = [python, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", house, "--require-hashes",
               "--requirement", house / "requirements.txt"]  # fmt: skip
    # A namespace of its own without any interface is what "offline" means.
    subprocess.run(["unshare", "--net", *command], check=True, env={"PATH": "/usr/bin:/bin"})
    ran = subprocess.run([python.with_name("bluezone"), "--version"], capture_output=True, text=True, cwd=tmp_path)

    assert ran.stdout == f"bluezone, version {bluezone.__version__}\n"
    where = subprocess.run(
        [python, "-c", "import bluezone.protocol.kernel as k; print(k.__file__); assert k.PROCESSORS, k.WHY_NOT"],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(tmp_path)
    checks = subprocess.run(
        [python.with_name("bluezone"), "demo", "--exit", "--seed", "7"], capture_output=True, text=True, cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(tmp_path)}, timeout=1800,
    )  # fmt: skip
    assert checks.returncode == 0, checks.stdout + checks.stderr
