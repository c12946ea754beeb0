# SPDX-License-Identifier: Apache-2.0
"""The proof of the explorer: it finds each fault of `faults`, put into a copy of the code, by its ordinary steps.

Some are failures that a city has met; the others were planted.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = sorted(Path(__file__).with_name("faults").glob("*.patch"))
REPOSITORY = Path(__file__).parents[2]
# Within this time each is found.
SECONDS = 600


@pytest.fixture
def faulty_code(tmp_path, request):
    """A copy of the code with a fault in it."""
    shutil.copytree(REPOSITORY / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["patch", "-p1", "--fuzz=0", "-i", request.param], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "src"


@pytest.mark.parametrize("faulty_code", FAULTS, ids=lambda path: path.stem, indirect=True)
def test_a_fault_can_be_put_into_the_code_as_it_is_now(faulty_code):
    assert faulty_code.is_dir()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("gcc"), reason="needs a C compiler")
@pytest.mark.parametrize("faulty_code", FAULTS, ids=lambda path: path.stem, indirect=True)
def test_the_explorer_finds_the_fault(faulty_code):
    command = [sys.executable, "-m", "tests.explore", "--runs", "1000", "--seconds", str(SECONDS), "--whole"]
    environment = {**os.environ, "PYTHONPATH": str(faulty_code)}
    run = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)

    assert run.returncode == 1, run.stdout
    assert "breaks a promise" in run.stdout, run.stderr[-2000:]
