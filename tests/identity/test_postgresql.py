# SPDX-License-Identifier: Apache-2.0
"""People, roles and the audit on PostgreSQL: the same tests, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = pytest.mark.postgres
HERE = Path(__file__).parent
SAME = [
    "test_account_list.py",
    "test_auditing.py",
    "test_granting.py",
    "test_inviting.py",
    "test_retention.py",
    "test_scoping.py",
    "test_secondfactor.py",
    "test_sessions.py",
    "test_signing_in.py",
    "test_undoing.py",
]


def test_everything_that_touches_the_store_holds_on_postgresql_too():
    hold_on_postgresql_too(HERE / name for name in SAME)
