# SPDX-License-Identifier: Apache-2.0
"""People, roles, agencies, devices and the audit on PostgreSQL: the same tests, where the office store is there.

One process for all of them, because each takes seconds to begin.
"""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(1800)]
TESTS = Path(__file__).parents[1]
SAME = [
    "audit/test_hash_chain.py",
    "authority/test_account_list.py",
    "authority/test_account_records.py",
    "authority/test_role_grants.py",
    "devices/test_audience.py",
    "devices/test_endpoints.py",
    "devices/test_enrolment.py",
    "devices/test_views.py",
    "directory/imports/test_list_imports.py",
    "directory/records/test_changes.py",
    "directory/records/test_seed.py",
    "directory/test_models.py",
    "directory/test_pages.py",
    "directory/test_queries.py",
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
