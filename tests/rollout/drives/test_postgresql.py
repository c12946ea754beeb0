# SPDX-License-Identifier: Apache-2.0
"""The help queue on PostgreSQL: the same tests and the races, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = pytest.mark.postgres
HERE = Path(__file__).parent


def test_the_queue_holds_on_postgresql_too():
    hold_on_postgresql_too([HERE / "test_queue.py"])


def test_of_helpers_who_tap_at_the_same_moment_one_wins():
    hold_on_postgresql_too([HERE / "test_races.py"])
