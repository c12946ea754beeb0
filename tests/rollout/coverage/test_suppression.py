# SPDX-License-Identifier: Apache-2.0
"""Numbers under 5 stay unknown also to a reader who subtracts."""

import itertools

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bluezone.rollout.coverage.suppression import SMALLEST_SHOWN, deduce_bounds, suppressed_sums


def table(**values):
    """A city of parts; its sum is worked out."""
    return {"city": list(values)}, {**values, "city": sum(values.values())}


def suppressed(**values):
    return suppressed_sums(*table(**values), "city")


def test_large_numbers_and_zeros_are_all_shown():
    assert suppressed(a=5, b=0, c=900) == set()


def test_one_small_number_takes_the_next_larger_with_it():
    assert suppressed(a=3, b=40, c=20) == {"a", "c"}


def test_two_ones_would_be_known_by_their_sum_so_a_third_goes_too():
    assert suppressed(a=1, b=1, c=30, d=50) == {"a", "b", "c"}


def test_two_that_could_be_anything_are_enough():
    assert suppressed(a=4, b=4, c=30) == {"a", "b"}


def test_a_small_number_alone_takes_the_sum_with_it():
    assert suppressed(a=3) == {"a", "city"}
    assert suppressed(a=3, b=0) == {"a", "city"}


def test_a_sum_hidden_below_is_hidden_above_and_takes_another_ward_with_it():
    parts = {"city": ["north", "south", "east"], "north": ["n1"], "south": ["s1", "s2"], "east": ["e1", "e2"]}
    values = {"city": 103, "north": 3, "n1": 3, "south": 40, "s1": 10, "s2": 30, "east": 60, "e1": 30, "e2": 30}

    found = suppressed_sums(parts, values, "city")

    assert {"north", "n1", "south"} <= found
    assert found & {"s1", "s2"}, "the rows of a suppressed ward do not give its sum"
    assert not found & {"city", "east", "e1", "e2"}


def ranges(parts, values, hidden_parts, above_shown):
    """What a reader works out of suppressed parts: the smallest and largest value each can have."""
    if not above_shown:
        return {}
    rest = sum(values[part] for part in hidden_parts)
    return {part: (1, rest - (len(hidden_parts) - 1)) for part in hidden_parts}


def known_small(parts, values, suppressed):
    """The suppressed numbers that a reader of all tables knows to be under 5: each way to fill the gaps is tried.

    The reader knows what is shown, that sums are sums, and that nothing suppressed is 0; a gap is tried from 1 to 9.
    """
    leaves = sorted(key for key in values if key not in parts and key in suppressed)
    known = {key: value for key, value in values.items() if key not in suppressed}
    could = {}
    for filled in itertools.product(range(1, 10), repeat=len(leaves)):
        guess = {
            **{key: value for key, value in values.items() if key not in parts},
            **dict(zip(leaves, filled, strict=True)),
        }
        for above in reversed(parts):
            guess[above] = sum(guess[part] for part in parts[above])
        if all(guess[key] == value for key, value in known.items()):
            for key in suppressed:
                could.setdefault(key, set()).add(guess[key])
    return {key for key, ways in could.items() if max(ways) < SMALLEST_SHOWN}


def tree(wards):
    """A city of wards of agencies, its sums worked out."""
    parts, values = {"city": []}, {"city": 0}
    for number, agencies in enumerate(wards):
        parts["city"].append(f"w{number}")
        parts[f"w{number}"] = [f"w{number}a{n}" for n in range(len(agencies))]
        values[f"w{number}"] = sum(agencies)
        values["city"] += sum(agencies)
        values |= {f"w{number}a{n}": value for n, value in enumerate(agencies)}
    return parts, values


def test_two_hidden_wards_of_a_known_sum_do_not_tell_on_the_agencies_under_them():
    # Each ward is suppressed for another one's sake; 30 and 40 are shown, the wards' sum is 73 with two gaps: 1 and 2.
    parts, values = tree([[30, 1], [40, 2]])
    suppressed = {"w0", "w0a1", "w1", "w1a1"}
    assert known_small(parts, values, suppressed) == {"w0a1", "w1a1"}

    assert known_small(parts, values, suppressed_sums(parts, values, "city")) == set()


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5, 6, 20]), min_size=1, max_size=3), min_size=1, max_size=3))
def test_no_reader_of_every_table_at_once_learns_a_small_number(wards):
    parts, values = tree(wards)
    found = suppressed_sums(parts, values, "city")
    assume(len([key for key in found if key not in parts]) <= 5)

    assert known_small(parts, values, found) == set()


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=8), min_size=1, max_size=8))
def test_what_is_hidden_leaves_every_small_number_a_way_to_be_five_or_more(wards):
    parts, values = tree(wards)
    found = suppressed_sums(parts, values, "city")
    bounds = deduce_bounds(parts, values, "city", found)

    assert all(low <= values[key] <= high for key, (low, high) in bounds.items())
    assert all(bounds[key][1] >= SMALLEST_SHOWN for key in found)


@pytest.mark.long
@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=6), min_size=1, max_size=6))
def test_no_reader_who_subtracts_learns_a_small_number(wards):
    parts, values = {"city": []}, {"city": 0}
    for number, agencies in enumerate(wards):
        parts["city"].append(f"w{number}")
        parts[f"w{number}"] = [f"w{number}a{n}" for n in range(len(agencies))]
        values[f"w{number}"] = sum(agencies)
        values["city"] += sum(agencies)
        values |= {f"w{number}a{n}": value for n, value in enumerate(agencies)}
    found = suppressed_sums(parts, values, "city")

    assert {key for key, value in values.items() if 0 < value < SMALLEST_SHOWN} <= found
    for above, below in parts.items():
        kept = [part for part in below if part in found]
        for low, high in ranges(parts, values, kept, above not in found).values():
            assert low < SMALLEST_SHOWN <= high, "a suppressed number could still be 5 or more, or less"
        if above in found and values[above]:
            assert kept, "a suppressed sum cannot be added up again"
