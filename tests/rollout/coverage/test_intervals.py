# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.rollout.coverage.api import bootstrap_interval, wilson_interval
from bluezone.rollout.coverage.intervals import ShareImpossible

gate_day = st.integers(0, 500).flatmap(lambda phones: st.tuples(st.integers(0, phones), st.just(phones)))


@pytest.mark.parametrize(
    ("count", "base", "low", "high"),
    # Worked by hand from Wilson's formula with z = 1.96.
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (48, 510, 0.0716, 0.1226)],
)
def test_wilson_gives_the_published_interval(count, base, low, high):
    interval = wilson_interval(count, base)

    assert (interval.low, interval.high) == (pytest.approx(low, abs=5e-4), pytest.approx(high, abs=5e-4))


def test_nothing_of_nothing_has_no_interval():
    assert wilson_interval(0, 0) is None


@pytest.mark.parametrize(("count", "base"), [(3, 2), (-1, 2), (1, 0)])
def test_more_than_there_are_is_refused(count, base):
    with pytest.raises(ShareImpossible):
        wilson_interval(count, base)


def test_the_bootstrap_draws_whole_gate_days_and_so_is_wider_than_passages_would_be():
    """Two gates at 20 % and 80 %, a thousand passages each: as passages ±2 points, as gate-days far more."""
    days = [(200, 1000), (800, 1000)] * 3
    interval, as_passages = bootstrap_interval(days), wilson_interval(3000, 6000)

    assert interval.high - interval.low > 10 * (as_passages.high - as_passages.low)
    assert interval.low < 0.5 < interval.high


def test_equal_gate_days_leave_no_doubt_between_them():
    interval = bootstrap_interval([(30, 100)] * 20)

    assert (interval.low, interval.high) == (pytest.approx(0.3), pytest.approx(0.3))


@pytest.mark.parametrize("days", [[], [(3, 10)], [(3, 10), (0, 0)]])
def test_fewer_than_two_gate_days_with_a_smartphone_say_nothing_of_the_spread(days):
    assert bootstrap_interval(days) is None


def test_a_gate_day_with_more_running_than_smartphones_is_refused():
    with pytest.raises(ShareImpossible):
        bootstrap_interval([(3, 10), (11, 10)])


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(st.lists(gate_day, max_size=30))
def test_the_same_gate_days_give_the_same_interval_within_the_days_extremes(days):
    interval = bootstrap_interval(days, draws=200)
    assert interval == bootstrap_interval(days, draws=200)
    shares = [running / phones for running, phones in days if phones]

    if interval is not None:
        assert min(shares) - 1e-9 <= interval.low <= interval.high <= max(shares) + 1e-9


def test_nineteen_of_twenty_intervals_hold_the_truth():
    """200 weeks of 60 gate-days around a true share of 0.4; about 95 % of the intervals must hold it."""
    import numpy as np

    rng = np.random.default_rng(7)
    held = 0
    for week in range(200):
        phones = rng.integers(20, 200, 60)
        running = rng.binomial(phones, np.clip(rng.normal(0.4, 0.1, 60), 0, 1))
        interval = bootstrap_interval(list(zip(running.tolist(), phones.tolist(), strict=True)), draws=400, seed=week)
        held += interval.low <= 0.4 <= interval.high

    assert 178 <= held <= 199
