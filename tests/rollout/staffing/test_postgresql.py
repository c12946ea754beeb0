# SPDX-License-Identifier: Apache-2.0
"""Staff reports on PostgreSQL: the same tests, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = pytest.mark.postgres
HERE = Path(__file__).parent
SAME = ["test_staff_reports.py", "test_reopened_weeks.py", "test_pages.py"]


def test_everything_that_touches_the_store_holds_on_postgresql_too():
    hold_on_postgresql_too(HERE / name for name in SAME)
