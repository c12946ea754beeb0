# SPDX-License-Identifier: Apache-2.0
"""The package that `make test-apk` has made; without it these tests skip and say so."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest
from tools.apk.programs import missing

PROGRAMS = ("aapt2", "apksigner", "dexdump", "gcc", "java", "llvm-readelf")
DEX_READER = Path("/usr/share/java/baksmali.jar")


@pytest.fixture(scope="session")
def apk() -> Path:
    """The signed package."""
    named = os.environ.get("BLUEZONE_TEST_APK")
    if not named:
        pytest.skip("needs the Android package: make test-apk")
    lacking = missing(PROGRAMS) + ([] if DEX_READER.is_file() else ["libsmali-java"])
    assert not lacking, "make test-apk needs more programs:  sudo apt-get install " + " ".join(lacking)
    return Path(named)


@pytest.fixture(scope="session")
def unpacked(apk, tmp_path_factory) -> Path:
    """A folder with what is in it."""
    folder = tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(apk) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def say():
    """Runs a program and gives what it prints; a program that fails is a failure of the test."""

    def said(*command: object) -> str:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return said
