# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.venue import keys_of, signed_venue

from bluezone.protocol.upload.payload import Slot, check_slots
from bluezone.protocol.venues.stays import hours_of_stay, infectious_time, limit_to_upload, slots_of_stay, split_by_hour

START = 1_597_121_400 // 3600 * 3600
MINUTE = 60
stays = st.tuples(st.integers(START, START + 86_400), st.integers(600, 12 * 3600))


def test_a_stay_under_ten_minutes_is_not_reported():
    assert infectious_time(START, START + 10 * MINUTE - 1) is None
    assert infectious_time(START, START + 10 * MINUTE) == (START, START + 20 * MINUTE)


def test_the_tail_is_as_long_as_the_stay_up_to_half_an_hour():
    assert infectious_time(START, START + 25 * MINUTE) == (START, START + 50 * MINUTE)
    assert infectious_time(START, START + 30 * MINUTE) == (START, START + 60 * MINUTE)
    assert infectious_time(START, START + 60 * MINUTE) == (START, START + 90 * MINUTE)
    # Whole minutes decide: 30 minutes and 59 seconds still count as 30, and their tail is as long as they.
    assert infectious_time(START, START + 30 * MINUTE + 59) == (START, START + 60 * MINUTE)


def test_the_rounded_time_leans_to_the_side_on_which_more_of_it_lies():
    # 9 minutes into a step of ten at the start, 1 at the end: the first step holds less of the stay than the last.
    assert infectious_time(START + 9 * MINUTE, START + 9 * MINUTE + 40 * MINUTE) == (
        START + 10 * MINUTE,
        START + 80 * MINUTE,
    )
    assert infectious_time(START + 1 * MINUTE, START + 1 * MINUTE + 40 * MINUTE) == (START, START + 70 * MINUTE)


def test_where_both_ends_hold_as_much_the_rounded_time_begins_with_the_stay():
    # 5 minutes of a step of ten at the start, 5 at the end.
    assert infectious_time(START + 5 * MINUTE, START + 5 * MINUTE + 40 * MINUTE) == (START, START + 70 * MINUTE)


@given(stay=stays)
def test_the_derived_time_never_leaves_the_hours_whose_keys_are_kept(stay):
    start, lasts = stay
    derived = infectious_time(start, start + lasts)

    assert derived[0] % 600 == derived[1] % 600 == 0
    # A whole number of steps, off by at most half a step.
    assert abs(derived[1] - derived[0] - lasts - min(lasts, 1859)) <= 300 + 59
    hours = hours_of_stay(start, start + lasts)
    assert {hour for hour, _, _ in split_by_hour(*derived)} <= set(hours)


@given(stay=stays)
def test_split_minutes_add_up(stay):
    start, lasts = stay[0] // 60 * 60, stay[1] // 60 * 60
    pieces = list(split_by_hour(start, start + lasts))

    assert sum(end - begin for _, begin, end in pieces) == lasts // 60
    assert all(0 <= begin < end <= 60 for _, begin, end in pieces)


@given(stays=st.lists(stays, max_size=40), venues=st.integers(1, 4))
def test_any_stays_make_slots_that_the_server_takes(stays, venues):
    now = START + 2 * 86_400
    slots = []
    for number, (start, lasts) in enumerate(stays):
        venue = signed_venue(seed=bytes([number % venues] * 16))
        slots += slots_of_stay(start, start + lasts, keys_of(venue, start, start + lasts), now)

    check_slots(limit_to_upload(slots), now)


def test_nothing_after_now_is_reported():
    venue = signed_venue()
    end = START + 30 * MINUTE
    slots = slots_of_stay(START, end, keys_of(venue, START, end), now=end + 5 * MINUTE + 30)

    assert [(slot.start_minute, slot.end_minute) for slot in slots] == [(0, 35)]
    check_slots(slots, end + 5 * MINUTE + 30)


def test_slots_of_one_venue_that_touch_become_one_and_the_longest_three_stay():
    keys = [bytes([n]) * 32 for n in range(5)]
    touching = limit_to_upload([Slot(7, keys[0], 0, 10), Slot(7, keys[0], 10, 30)])
    crowded = limit_to_upload([Slot(7, key, 0, 10 + n) for n, key in enumerate(keys)])

    assert touching == (Slot(7, keys[0], 0, 30),)
    assert sorted(slot.end_minute for slot in crowded) == [12, 13, 14]


def test_of_too_many_slots_the_latest_stay():
    slots = limit_to_upload(Slot(hour, bytes(32), 0, 10) for hour in range(100))

    assert [slot.hour for slot in slots] == list(range(20, 100))
