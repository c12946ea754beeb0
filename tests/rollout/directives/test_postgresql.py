# SPDX-License-Identifier: Apache-2.0
"""Directives on PostgreSQL: the same tests, in a process whose office store is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.builders.keyserver import postgresql_database

pytestmark = pytest.mark.postgres
HERE = Path(__file__).parent
# What reads letters alone touches no store; the two offices and the running one have stores of their own.
STORELESS = {"test_docxtext.py", "test_pdftext.py", "test_reading.py", "test_register.py"}
ELSEWHERE = {"test_exchange_between_offices.py", "test_large_upload.py", "test_postgresql.py"}
SAME = sorted(path for path in HERE.glob("test_*.py") if path.name not in STORELESS | ELSEWHERE)


def test_everything_that_touches_the_store_holds_on_postgresql_too():
    server = os.environ.get("BLUEZONE_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("needs BLUEZONE_TEST_POSTGRES_URL, a PostgreSQL server this run may use")
    with postgresql_database(server) as address:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *SAME],
            env={**os.environ, "BLUEZONE_OFFICE_URL": address},
            cwd=HERE.parents[2],
            capture_output=True,
            text=True,
        )

    assert ran.returncode == 0, ran.stdout[-3000:]
