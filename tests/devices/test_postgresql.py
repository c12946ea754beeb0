# SPDX-License-Identifier: Apache-2.0
"""Devices on PostgreSQL: the same tests, in a process whose office store is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.builders.keyserver import postgresql_database

pytestmark = pytest.mark.postgres
SAME = ["test_audience.py", "test_endpoints.py", "test_enrolling.py", "test_views.py"]


def test_everything_of_devices_holds_on_postgresql_too():
    server = os.environ.get("BLUEZONE_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("needs BLUEZONE_TEST_POSTGRES_URL, a PostgreSQL server this run may use")
    here = Path(__file__).parent
    with postgresql_database(server) as address:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(here / name for name in SAME)],
            env={**os.environ, "BLUEZONE_OFFICE_URL": address},
            cwd=here.parents[1],
            capture_output=True,
            text=True,
        )

    assert ran.returncode == 0, ran.stdout[-3000:]
