# SPDX-License-Identifier: Apache-2.0
"""The engine on what a phone has: Python's standard library, its libcrypto, and the C kernel or nothing."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.builders.phonemodules import MISSING, SRC, modules

REPOSITORY = Path(__file__).parents[2]
# All vectors, both providers' refusals, signed files, matching.
CHEAP = (
    "tests/protocol/test_primitives.py", "tests/protocol/test_identifiers.py", "tests/protocol/test_metadata.py",
    "tests/protocol/test_matching.py", "tests/protocol/test_blindrsa.py", "tests/protocol/test_declaration.py",
    "tests/protocol/test_bluezone2020.py", "tests/protocol/test_reciprocity.py", "tests/protocol/signed",
    "tests/protocol/exports", "tests/protocol/gate", "tests/protocol/upload", "tests/protocol/venues",
    "tests/handset/test_store.py", "tests/handset/exposure/test_exposures.py",
)  # fmt: skip
WHOLE = ("tests/protocol", "tests/handset", "tests/face", "tests/radio/test_android.py")

LOADING = """
import importlib, importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"a phone has no {{name}}")

sys.meta_path.insert(0, Absent())
for name in {modules!r}:
    importlib.import_module(name)
from bluezone.protocol import kernel, primitives
from bluezone.protocol.identifiers import rolling_proximity_identifier
from bluezone.protocol.keys import DiagnosisKey
from bluezone.protocol.matching import SightingIndex

key = DiagnosisKey(bytes(range(16)), 2_650_000)
found = SightingIndex(rolling_proximity_identifier(key.key, key.start + 7)).match([key])
print(primitives.PROVIDER, [tuple(match) for match in found])
"""


def interpreter(minor: int) -> str:
    """Python 3.`minor`, this one or another of the machine."""
    if sys.version_info[:2] == (3, minor):
        return sys.executable
    other = shutil.which(f"python3.{minor}")
    if other is None or subprocess.run([other, "-c", "import ssl, sqlite3"], capture_output=True).returncode:
        pytest.skip(f"needs python3.{minor}")
    return other


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_every_module_of_a_phone_loads_and_works_without_what_is_not_published_for_android(minor):
    """Without a setting: where there is no package, libcrypto is chosen by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BLUEZONE_")}
    program = LOADING.format(missing=MISSING, modules=modules())
    ran = subprocess.run(
        [interpreter(minor), "-B", "-c", program],
        env={**environment, "PYTHONPATH": str(SRC)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout == "libcrypto [(0, 2650007, 0)]\n"
    assert len(modules()) > 90


def suite(*tests: str) -> int:
    """Run tests on a phone's providers; returns how many passed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BLUEZONE_", "PYTEST_"))}
    command = [
        sys.executable, "-m", "pytest", "-p", "tests.builders.phoneengine", "-p", "no:cacheprovider", "-q", "-n", "0",
        "-m", "not slow and not browser", "--ignore", "tests/handset/test_phone_engine.py", *tests,
    ]  # fmt: skip
    ran = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    return int(passed[1])


@pytest.mark.timeout(600)
def test_vectors_and_refusals_are_the_same_on_a_phones_providers():
    assert suite(*CHEAP) > 700


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_whole_suite_of_phone_and_protocol_passes_on_a_phones_providers():
    assert suite(*WHOLE) > 1400
