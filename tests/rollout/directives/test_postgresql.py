# SPDX-License-Identifier: Apache-2.0
"""Directives on PostgreSQL: the same tests, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(1800)]
HERE = Path(__file__).parent
# The two offices and the running one have stores of their own.
ELSEWHERE = {
    "test_exchange_between_offices.py",
    "test_large_upload.py",
    "test_over_the_network.py",
    "test_postgresql.py",
}
SAME = sorted(path for path in HERE.rglob("test_*.py") if path.name not in ELSEWHERE)


def test_everything_that_touches_the_store_holds_on_postgresql_too():
    hold_on_postgresql_too(SAME)
