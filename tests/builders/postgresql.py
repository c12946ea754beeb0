# SPDX-License-Identifier: Apache-2.0
"""The same tests once more in a process whose office store is a PostgreSQL database of its own."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.builders.keyserver import postgresql_database

REPOSITORY = Path(__file__).parents[2]


def hold_on_postgresql_too(files: Iterable[Path]) -> None:
    """Run test files on a PostgreSQL server where one is given; skips by name where none is."""
    server = os.environ.get("BLUEZONE_TEST_POSTGRES_URL")
    if not server:
        pytest.skip("needs BLUEZONE_TEST_POSTGRES_URL, a PostgreSQL server this run may use")
    with postgresql_database(server) as address:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *files],
            env={**os.environ, "BLUEZONE_OFFICE_URL": address},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
        )

    assert ran.returncode == 0, ran.stdout[-3000:]
