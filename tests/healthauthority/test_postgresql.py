# SPDX-License-Identifier: Apache-2.0
"""Codes on PostgreSQL: the same tests, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = pytest.mark.postgres
HERE = Path(__file__).parent
SAME = [
    "test_batches.py",
    "test_declaration_access.py",
    "test_issuance.py",
    "test_practice.py",
    "test_quotas.py",
    "test_retention.py",
    "test_revocation.py",
    "test_statistics.py",
    "test_views.py",
]


def test_everything_that_touches_the_store_holds_on_postgresql_too():
    hold_on_postgresql_too(HERE / name for name in SAME)
