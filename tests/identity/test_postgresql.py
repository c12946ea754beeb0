# SPDX-License-Identifier: Apache-2.0
"""People, roles and the audit on PostgreSQL: the same tests, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = pytest.mark.postgres
TESTS = Path(__file__).parents[1]
SAME = [
    "audit/test_hash_chain.py",
    "authority/test_account_list.py",
    "authority/test_account_records.py",
    "authority/test_role_grants.py",
    "directory/test_scopes.py",
    "identity/factors/test_second_factors.py",
    "identity/test_invitations.py",
    "identity/test_retention.py",
    "identity/signin/test_sessions.py",
    "identity/signin/test_attempts.py",
    "identity/test_undo_offers.py",
]


def test_everything_that_touches_the_store_holds_on_postgresql_too():
    hold_on_postgresql_too(TESTS / name for name in SAME)
