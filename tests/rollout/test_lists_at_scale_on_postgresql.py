# SPDX-License-Identifier: Apache-2.0
"""Every list page of a small and of a large office on PostgreSQL: the same tests, in a process whose store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.mark.timeout(900)
def test_every_list_page_holds_on_postgresql_too():
    hold_on_postgresql_too([Path(__file__).with_name("test_lists_at_scale.py")], slow=True)
