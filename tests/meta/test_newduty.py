# SPDX-License-Identifier: Apache-2.0
"""A whole duty can be added without touching a file of the program: the setting names it, and everything finds it."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def test_a_duty_outside_the_package_is_in_menu_addresses_audit_purges_and_coverage():
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", HERE / "newduty" / "checks.py"],
        cwd=HERE.parents[1],
        env={**os.environ, "BLUEZONE_DUTIES": "tests.meta.newduty.duty"},
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stdout
    assert "7 passed" in ran.stdout
