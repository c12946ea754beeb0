# SPDX-License-Identifier: Apache-2.0
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.builders.protocol import make_export

from bluezone.protocol.exports.files import read_export
from bluezone.protocol.identifiers import rolling_proximity_identifier, rolling_proximity_identifiers
from bluezone.protocol.kernel import CHOICE_VARIABLE, PROCESSORS
from bluezone.protocol.keys import DiagnosisKey, InvalidKey, TemporaryExposureKey
from bluezone.protocol.matching import ON_HANDSET, SightingIndex, is_within_tolerance

START = 20781 * 144
RNG = random.Random(7)


@pytest.fixture(params=("python", *PROCESSORS), autouse=True)
def way(request, monkeypatch):
    """Every test runs in Python and with each processor of the native matcher that this machine has."""
    monkeypatch.setenv(CHOICE_VARIABLE, request.param)
    return request.param


def index(*identifiers):
    return SightingIndex(b"".join(identifiers))


def random_keys(count, period=144):
    return [TemporaryExposureKey(RNG.randbytes(16), START, period) for _ in range(count)]


def test_a_heard_identifier_leads_to_its_key_and_interval():
    keys = random_keys(3)
    heard = rolling_proximity_identifier(keys[1].key, START + 77)

    assert index(bytes(16), heard).match(keys) == [(1, START + 77, 1)]


def test_every_sighting_of_one_identifier_is_found():
    (key,) = random_keys(1)
    heard = [rolling_proximity_identifier(key.key, START + i) for i in (5, 9, 5, 5)]

    assert index(*heard).match([key]) == [(0, START + 5, 0), (0, START + 5, 2), (0, START + 5, 3), (0, START + 9, 1)]


def test_an_identifier_that_differs_in_one_bit_anywhere_is_not_found():
    (key,) = random_keys(1)
    heard = rolling_proximity_identifier(key.key, START)
    near = [(int.from_bytes(heard, "big") ^ 1 << bit).to_bytes(16, "big") for bit in range(128)]

    assert index(*near).match([key]) == []
    assert index(*near, heard).match([key]) == [(0, START, 128)]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_it_finds_what_a_plain_loop_finds(data):
    periods = data.draw(st.lists(st.integers(1, 144), min_size=1, max_size=6))
    keys = [TemporaryExposureKey(RNG.randbytes(16), START + 7 * i, period) for i, period in enumerate(periods)]
    everything = [heard for key in keys for heard in rolling_proximity_identifiers(key.key, key.start, 144)]
    chosen = data.draw(st.lists(st.integers(0, len(everything) - 1), max_size=40))
    sightings = [everything[row] for row in chosen]

    expected = [
        (row, key.start + i, at)
        for row, key in enumerate(keys)
        for i, identifier in enumerate(rolling_proximity_identifiers(key.key, key.start, key.period))
        for at, heard in enumerate(sightings)
        if identifier == heard
    ]
    assert index(*sightings).match(keys) == expected


def test_keys_of_an_export_are_found_without_making_objects_of_them():
    read = read_export(make_export(count=265))
    row = 259
    key = read.keys[row]
    sightings = index(rolling_proximity_identifier(key.key, key.start + 143))

    assert sightings.match(read.columns) == sightings.match(read.keys) == [(row, key.start + 143, 0)]


@pytest.mark.parametrize(("start", "period"), [(-1, 144), (START, 0), (START, -5), (2**32 - 1, 144), (2**33, 1)])
def test_a_key_out_of_range_makes_no_identifier_and_spoils_nothing(start, period):
    (key,) = random_keys(1)
    odd = DiagnosisKey(RNG.randbytes(16), start, period)
    heard = rolling_proximity_identifier(key.key, START + 1)

    assert index(heard).match([odd, key]) == [(1, START + 1, 0)]


def test_a_key_makes_only_the_identifiers_of_its_period():
    (key,) = random_keys(1)
    heard = index(*(rolling_proximity_identifier(key.key, START + i) for i in (9, 10)))

    assert heard.match([DiagnosisKey(key.key, START, 10)]) == [(0, START + 9, 0)]


def test_a_period_longer_than_a_day_is_a_day():
    (key,) = random_keys(1)
    heard = index(*(rolling_proximity_identifier(key.key, START + i) for i in (143, 144)))

    assert heard.match([DiagnosisKey(key.key, START, 1440)]) == [(0, START + 143, 0)]


def test_without_sightings_or_keys_there_is_no_match():
    assert index().match(random_keys(2)) == []
    assert index(bytes(16)).match([]) == []


def test_bytes_that_are_no_whole_identifiers_are_refused():
    with pytest.raises(InvalidKey):
        SightingIndex(bytes(2 * 16 - 1))
    for width in (12, 18):
        with pytest.raises(InvalidKey):
            SightingIndex(bytes(2 * width), width=width)


def test_what_stands_behind_an_identifier_is_passed_over():
    (key,) = random_keys(1)
    heard = [rolling_proximity_identifier(key.key, START + i) + RNG.randbytes(4) for i in (3, 4)]

    assert SightingIndex(b"".join(heard), width=20).match([key]) == [(0, START + 3, 0), (0, START + 4, 1)]


def test_a_phones_own_sighting_counts_from_one_interval_before_to_two_after():
    times = [(START + offset) * 600 for offset in (-1, 3)]

    heard_at = [times[0] - 0.5, times[0], times[1] - 0.5, times[1]]
    assert [is_within_tolerance(START, at) for at in heard_at] == [False, True, True, False]


def test_with_times_only_sightings_that_are_late_by_as_much_as_allowed_are_found():
    (key,) = random_keys(1)
    heard = rolling_proximity_identifier(key.key, START + 20)
    offsets = [-2, -1, 0, 2, 3]
    identifiers = heard * len(offsets)
    times = [(START + 20 + offset) * 600 + 599.5 for offset in offsets]

    assert SightingIndex(identifiers, times, ON_HANDSET).match([key]) == [
        (0, START + 20, 1),
        (0, START + 20, 2),
        (0, START + 20, 3),
    ]
    assert len(SightingIndex(identifiers, times).match([key])) == len(offsets)


@pytest.mark.parametrize("odd", [-(2**62), -(2**40), 0, 2**40, 2**62])
def test_a_sighting_of_an_absurd_time_spoils_nothing(odd):
    (key,) = random_keys(1)
    heard = rolling_proximity_identifier(key.key, START + 20)
    identifiers = heard * 2

    assert SightingIndex(identifiers, [odd, (START + 20) * 600]).match([key]) == [(0, START + 20, 1)]


def test_times_of_another_number_than_the_identifiers_are_refused():
    with pytest.raises(InvalidKey):
        SightingIndex(bytes(32), [1.0])
