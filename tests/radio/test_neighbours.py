# SPDX-License-Identifier: Apache-2.0
"""Whom reciprocity frames are for: the nearest in every four, all others in a few bursts, nobody in a crowd."""

import random

import pytest

from bluezone.radio.beacon import MOST_IN_SIGHT, NEAREST, Neighbours


def name(number):
    return number.to_bytes(16, "big")


def after_a_burst(count, seed=1):
    """`count` neighbours, the first one the nearest."""
    neighbours = Neighbours(random.Random(seed))
    for number in range(count):
        neighbours.heard(name(number), -40 - number)
    neighbours.burst_over(7)
    return neighbours


def dealt(neighbours, turns):
    return [[int.from_bytes(who, "big") for who, _ in neighbours.next_four()] for _ in range(turns)]


def test_a_level_is_the_mean_of_the_burst_s_frames_and_the_strongest_comes_first():
    neighbours = Neighbours(random.Random(1))
    for who, level in ((1, -70), (2, -50), (1, -75), (1, -74)):
        neighbours.heard(name(who), level)
    assert neighbours.next_four() == [], "the burst is not over"
    neighbours.burst_over(3)

    assert neighbours.next_four() == [(name(2), -50), (name(1), -73)]
    assert neighbours.burst == 3
    assert not neighbours.more_than_fit


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_up_to_four_are_in_every_frame(count):
    assert dealt(after_a_burst(count), 5) == [list(range(count))] * 5


@pytest.mark.parametrize("count", [5, 6, 8, 9, 10, 12, 40, MOST_IN_SIGHT])
def test_the_nearest_eight_are_in_any_four_frames_and_everyone_within_the_half_minute(count):
    neighbours = after_a_burst(count)
    frames = dealt(neighbours, 60)

    assert neighbours.more_than_fit
    assert all(len(set(frame)) == len(frame) == 4 for frame in frames)
    for first in range(20):
        four = {who for frame in frames[first : first + 4] for who in frame}
        assert four >= set(range(min(count, NEAREST)))
    turns = max(4, (count - NEAREST + 1) // 2)
    assert {who for frame in frames[:turns] for who in frame} == set(range(count))


def test_the_order_of_the_far_ones_is_drawn_anew_after_each_burst():
    orders = {tuple(map(tuple, dealt(after_a_burst(40, seed), 16))) for seed in range(20)}

    assert len(orders) == 20


def test_above_a_hundred_in_sight_nobody_is_told_and_a_flood_takes_no_memory():
    assert dealt(after_a_burst(MOST_IN_SIGHT + 1), 1) == [[]]
    flooded = after_a_burst(5000)
    assert flooded.next_four() == []
    flooded.heard(name(1), -60)
    flooded.burst_over(8)
    assert dealt(flooded, 1) == [[1]]


def test_what_was_heard_before_is_forgotten_with_the_next_burst_and_when_the_radio_was_off():
    neighbours = after_a_burst(3)
    neighbours.burst_over(8)
    assert neighbours.next_four() == []
    again = after_a_burst(3)
    again.forget()
    assert again.next_four() == []
