# SPDX-License-Identifier: Apache-2.0
"""When a phone plays a rehearsal: drawn anew where no moment is kept or the clock jumped, and never early."""

import random

import pytest

from bluezone.handset.report.rehearsals import NEXT_REHEARSAL, Rehearsals
from bluezone.handset.sentlog import SentLog
from bluezone.handset.store import Store

NOW, DAY = 1_795_608_000.0, 86_400


@pytest.fixture
def store(tmp_path):
    opened = Store.open(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def chaff(store):
    """Nothing is played in these tests, so there is no city to call."""
    return Rehearsals(store, None, SentLog(store), None, random.Random(1))


def test_the_first_moment_is_drawn_and_nothing_is_played(chaff, store):
    assert (chaff.advance(NOW), chaff.next_call_at()) == (False, None)
    assert store.get(NEXT_REHEARSAL) > NOW


@pytest.mark.parametrize(("ahead", "kept"), [(1, True), (100 * DAY, True), (100 * DAY + 1, False)])
def test_a_moment_is_waited_for_unless_it_is_over_a_hundred_days_away(chaff, store, ahead, kept):
    store.put(NEXT_REHEARSAL, NOW + ahead)

    assert chaff.advance(NOW) is False
    assert (store.get(NEXT_REHEARSAL) == NOW + ahead) is kept
    assert chaff._sent.random_packets == 0


def test_a_play_is_drawn_every_five_days_in_the_mean(chaff, store):
    drawn = []
    for _ in range(400):
        store.put(NEXT_REHEARSAL, None)
        chaff.advance(NOW)
        drawn.append(store.get(NEXT_REHEARSAL) - NOW)

    assert 4 * DAY < sum(drawn) / len(drawn) < 6 * DAY
