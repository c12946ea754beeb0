# SPDX-License-Identifier: Apache-2.0
"""Devices on PostgreSQL: the same tests, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = pytest.mark.postgres
HERE = Path(__file__).parent
SAME = ["test_audience.py", "test_endpoints.py", "test_enrolment.py", "test_views.py"]


def test_everything_of_devices_holds_on_postgresql_too():
    hold_on_postgresql_too(HERE / name for name in SAME)
