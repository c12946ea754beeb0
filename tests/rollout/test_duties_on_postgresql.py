# SPDX-License-Identifier: Apache-2.0
"""Gates, drives, schools and staff reports on PostgreSQL: the same tests, in a process whose office store is there.

One process for all of them, because each takes seconds to begin. Directives, which are more, have their own.
"""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(1800)]
HERE = Path(__file__).parent
SAME = [
    "drives/test_queue.py",
    "drives/test_races.py",
    "gates/test_counters.py",
    "gates/test_day_sums.py",
    "gates/test_load.py",
    "gates/test_paper_slips.py",
    "schools/test_class_links.py",
    "schools/test_class_reports.py",
    "staffing/test_pages.py",
    "staffing/test_reopened_weeks.py",
    "staffing/test_staff_reports.py",
]


def test_everything_that_touches_the_store_holds_on_postgresql_too():
    hold_on_postgresql_too(HERE / name for name in SAME)


@pytest.mark.slow
def test_ten_thousand_counter_updates_a_minute_hold_on_postgresql_too():
    hold_on_postgresql_too([HERE / "gates" / "test_ten_thousand_a_minute.py"], slow=True)
