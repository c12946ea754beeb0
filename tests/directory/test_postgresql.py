# SPDX-License-Identifier: Apache-2.0
"""The directory on PostgreSQL: the same tests, in a process whose office store is there."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = pytest.mark.postgres
HERE = Path(__file__).parent
SAME = [
    "test_models.py",
    "records/test_changes.py",
    "records/test_seed.py",
    "test_queries.py",
    "imports/test_list_imports.py",
    "test_pages.py",
]


def test_everything_that_touches_the_store_holds_on_postgresql_too():
    hold_on_postgresql_too(HERE / name for name in SAME)
