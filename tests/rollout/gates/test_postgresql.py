# SPDX-License-Identifier: Apache-2.0
"""Gates on PostgreSQL: the same tests, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]
HERE = Path(__file__).parent
SAME = ["test_counters.py", "test_day_sums.py", "test_paper_slips.py", "test_load.py"]


def test_counting_paper_and_load_hold_on_postgresql_too():
    hold_on_postgresql_too(HERE / name for name in SAME)


@pytest.mark.slow
def test_ten_thousand_counter_updates_a_minute_hold_on_postgresql_too():
    hold_on_postgresql_too([HERE / "test_ten_thousand_a_minute.py"], slow=True)
