# SPDX-License-Identifier: Apache-2.0
"""The picture of the packages: the same source gives the same bytes, whatever order sets have in a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", ["1", "4"])
def test_the_picture_of_the_packages_does_not_depend_on_the_order_of_sets(seed):
    checked = subprocess.run(
        [sys.executable, REPOSITORY / "tools" / "architecture_picture.py", "--check"],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
    )

    assert checked.returncode == 0, checked.stderr
