# SPDX-License-Identifier: Apache-2.0
"""The outbox once more on PostgreSQL, and two senders at one outbox, each message once."""

from pathlib import Path

import pytest
from tests.builders.postgresql import hold_on_postgresql_too

pytestmark = pytest.mark.postgres
HERE = Path(__file__).parent


def test_the_outbox_holds_on_postgresql_too():
    hold_on_postgresql_too([HERE / "test_sender.py", HERE / "test_two_senders.py"])


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_million_deliveries_hold_on_postgresql_too():
    hold_on_postgresql_too([HERE / "test_a_million.py"], slow=True)
