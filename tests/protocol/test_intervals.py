# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.intervals import day_at, day_of, first_interval, hour_at, interval_at


def test_the_published_key_began_in_the_published_interval():
    assert interval_at(1585785600) == 2642976


@given(st.floats(0, 2**33))
def test_a_moment_lies_in_the_interval_hour_and_day_that_hold_it(unix_seconds):
    assert interval_at(unix_seconds) * 600 <= unix_seconds < (interval_at(unix_seconds) + 1) * 600
    assert hour_at(unix_seconds) * 3600 <= unix_seconds < (hour_at(unix_seconds) + 1) * 3600
    assert day_of(interval_at(unix_seconds)) == day_at(unix_seconds)


@given(st.integers(0, 40_000))
def test_a_day_begins_with_its_first_interval(day):
    assert day_of(first_interval(day)) == day
    assert day_of(first_interval(day) - 1) == day - 1
