# SPDX-License-Identifier: Apache-2.0
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import REPOSITORY

from bluezone.protocol.f0list import (
    F0Case,
    InvalidF0List,
    case_slots,
    find_cases,
    read_f0_list,
)

VECTORS = json.loads((REPOSITORY / "tests" / "vectors" / "bluezone2020.json").read_text())["match"]
TEXT = json.dumps(VECTORS[0]["in"]["f0"]).encode()


def log(case):
    return [(bytes.fromhex(row["blid_contact"]), row["timestamp_ms"]) for row in case["in"]["rows"]]


def matched(case, **mode):
    cases = read_f0_list(json.dumps(case["in"]["f0"]).encode())
    return find_cases(cases, log(case), **mode)


def named(part):
    (case,) = [case for case in VECTORS if part in case["name"]]
    return case


@pytest.mark.parametrize("case", VECTORS, ids=[case["name"] for case in VECTORS])
def test_it_matches_what_the_original_matches(case):
    matches = matched(case)
    entries = case["in"]["f0"]["data"]

    assert bool(matches) == case["is_contact"]
    assert [entries[match.case_row]["daily_key"] for match in matches] == case["matched_daily_keys"]


@pytest.mark.parametrize("case", VECTORS, ids=[case["name"] for case in VECTORS])
def test_it_looks_for_the_slots_the_original_looks_for(case):
    slots = [slot for f0 in read_f0_list(json.dumps(case["in"]["f0"]).encode()) for slot in case_slots(f0)]
    if not case["is_contact"]:
        assert len(slots) == case["isTrace_calls_isContactF"]
    for sample in case.get("windows_sample", ()):
        slot = slots[sample["i"]]
        assert (slot.identifier.hex().upper(), slot.start_ms, slot.end_ms) == (
            sample["id"],
            sample["start_ms"],
            sample["end_ms"],
        )


def test_a_late_frame_is_missed_as_by_the_original_and_found_when_tolerant():
    late = named("1ms-after-window")

    assert not matched(late)
    assert [match.sighting_row for match in matched(late, tolerant=True)] == [0]


def test_tolerance_ends_after_the_longest_advertising_period():
    case = named("1ms-after-window")
    row = case["in"]["rows"][0]
    f0 = read_f0_list(json.dumps(case["in"]["f0"]).encode())
    end_ms = row["timestamp_ms"] - 1
    identifier = bytes.fromhex(row["blid_contact"])

    assert find_cases(f0, [(identifier, end_ms + 150_000)], tolerant=True)
    assert not find_cases(f0, [(identifier, end_ms + 150_001)], tolerant=True)
    assert not matched(named("1ms-before-window"), tolerant=True)


def test_a_time_logged_in_seconds_is_understood_when_tolerant():
    case = named("inside-window")
    seconds = [(identifier, time // 1000) for identifier, time in log(case)]
    f0 = read_f0_list(TEXT)

    assert not find_cases(f0, seconds)
    assert find_cases(f0, seconds, tolerant=True)


def test_a_replay_is_not_tolerated():
    assert not matched(named("replay"), tolerant=True)


def test_every_sighting_of_a_case_is_named():
    case = named("inside-window")
    (row,) = log(case)

    assert [match.sighting_row for match in find_cases(read_f0_list(TEXT), [row, (bytes(12), row[1]), row])] == [0, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"daily_key": "xyz"},
        {"daily_key": None},
        {"time_start": "1596844800"},
        {"time_end": -1},
        {"max": 1},
        {"max": 10**9},
        {"time_end": 2**52},
    ],
)
def test_what_is_no_list_of_cases_is_refused(change):
    entry = json.loads(TEXT)["data"][0] | change
    with pytest.raises(InvalidF0List) as refusal:
        read_f0_list(json.dumps({"data": [entry]}).encode())

    assert refusal.value.code == "f0_list_invalid"


@pytest.mark.long
def test_a_list_that_would_take_hours_is_refused():
    entry = json.loads(TEXT)["data"][0]
    with pytest.raises(InvalidF0List):
        read_f0_list(json.dumps({"data": [entry] * 7000}).encode())


def test_a_case_that_ends_before_it_begins_has_no_slot():
    assert list(case_slots(F0Case(bytes(32), 1596844800, 1596844799, 96))) == []


@given(st.integers(0, len(TEXT) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_a_damaged_list_is_read_or_refused_and_nothing_else(position, replacement, removed):
    with suppress(InvalidF0List):
        read_f0_list(TEXT[:position] + replacement + TEXT[position + removed :])
