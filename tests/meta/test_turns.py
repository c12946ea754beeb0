# SPDX-License-Identifier: Apache-2.0
"""No test begins while a day is about to end."""

import datetime

import pytest
from tests.builders.turns import ALONE_SECONDS, seconds_to_wait


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2026-12-31T16:58:59", 0), ("2026-12-31T16:59:01", 59), ("2026-12-31T16:59:59.9", 0.1),
        ("2026-12-31T17:00:00", 0), ("2027-01-03T23:59:30", 30), ("2027-01-04T00:00:00", 0),
    ],
)  # fmt: skip
def test_what_would_begin_in_the_last_minute_begins_on_the_next_day(moment, seconds):
    now = datetime.datetime.fromisoformat(moment).replace(tzinfo=datetime.UTC).timestamp()
    waited = seconds_to_wait(now, ALONE_SECONDS)

    assert waited == pytest.approx(seconds, abs=0.11)
    assert seconds_to_wait(now + waited, ALONE_SECONDS) == 0
