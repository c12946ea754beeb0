# SPDX-License-Identifier: Apache-2.0
"""Schools on PostgreSQL: the same tests, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]
HERE = Path(__file__).parent
SAME = ["test_class_links.py", "test_class_reports.py"]


def test_links_and_recording_hold_on_postgresql_too():
    hold_on_postgresql_too(HERE / name for name in SAME)
