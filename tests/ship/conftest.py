# SPDX-License-Identifier: Apache-2.0
"""What is shipped is built by `make ship` into the folder that BLUEZONE_TEST_SHIP names; these tests install it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SHIP_VARIABLE = "BLUEZONE_TEST_SHIP"


@pytest.fixture(scope="session")
def shipped():
    """The folder of what was built."""
    if not os.environ.get(SHIP_VARIABLE):
        pytest.skip(f"needs {SHIP_VARIABLE}, the folder of what was built: make test-ship")
    if os.geteuid() != 0:
        pytest.skip("needs root: it enters roots of Debian")
    for name in ("mmdebstrap", "unshare", "ip"):
        if shutil.which(name) is None:
            pytest.skip(f"needs {name}")
    return Path(os.environ[SHIP_VARIABLE]).resolve()


def bash(script, *arguments, expected=0):
    """Run a script that knows the functions of tools/ship/root.sh; returns what it printed."""
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", f". tools/ship/root.sh\n{script}", "bash", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stdout
