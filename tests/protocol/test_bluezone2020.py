# SPDX-License-Identifier: Apache-2.0
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import REPOSITORY

from bluezone.protocol.bluezone2020 import (
    IPHONE_SERVICE_UUID,
    MILLISECONDS_PER_DAY,
    InvalidBluezone2020,
    bluezone_day,
    build_advertisement,
    daily_key,
    identifier_changed,
    identifier_of,
    is_iphone_advertisement,
    read_identifier,
)

VECTORS = json.loads((REPOSITORY / "tests" / "vectors" / "bluezone2020.json").read_text())
IDENTIFIER = bytes.fromhex("92716F092DD01FDFFB99954E")


def day_of_case(case):
    given = case["in"]
    return bluezone_day(
        bytes.fromhex(given["base_id"]), given["base_created_ms"], given["now_ms"], given["max_sub_keys"]
    )


def names(cases):
    return [case["name"] for case in cases]


@pytest.mark.parametrize("case", VECTORS["derive"], ids=names(VECTORS["derive"]))
def test_the_original_apps_day_is_derived(case):
    day = day_of_case(case)

    assert day.daily_key.hex().upper() == case["daily_key"]
    assert day.sub_key_0.hex().upper() == case["sub_key_0"]
    assert [identifier.hex().upper() for identifier in day.identifiers] == case["ids"]
    assert list(day.starts_ms) == case["id_start_ms"]
    assert (day.index, day.identifier.hex().upper()) == (case["index"], case["id_first_call"])


def test_the_identifiers_captured_from_a_real_phone_are_derived():
    capture = VECTORS["real_device_capture"]
    for phone in (capture, capture["second_phone"]):
        for row in phone["own_ids"]:
            day = bluezone_day(bytes.fromhex(phone["base_id"]), phone["time"] * 1000, row["timestamp_ms"])
            assert (day.index, day.identifier.hex().upper()) == (row["index"], row["blid"])


def test_a_sub_key_of_another_length_gives_zeros_as_in_the_original():
    for case in VECTORS["convert"]:
        assert identifier_of(bytes.fromhex(case["sub_key"])).hex().upper() == case["id"]


def test_change_is_told_as_the_original_tells_it():
    for case in VECTORS["id_changed"]:
        assert identifier_changed(case["t0"], case["t1"]) == case["changed"]


def test_where_the_original_has_no_identifier_we_refuse():
    non_divisor, single, before_base = VECTORS["quirks"]
    day = day_of_case(non_divisor)

    assert (day.index, [i.hex().upper() for i in day.identifiers]) == (7, non_divisor["ids"])
    with pytest.raises(InvalidBluezone2020) as refusal:
        day.identifier  # noqa: B018  the reading is what is refused
    assert refusal.value.code == "bluezone2020_invalid"
    with pytest.raises(InvalidBluezone2020):
        day_of_case(single)
    assert day_of_case(before_base).identifier.hex().upper() == before_base["id_first_call"]


def test_what_no_phone_had_is_refused():
    for base, created_ms, at_ms, slots in [
        (bytes(31), 0, 0, 96),
        (bytes(32), 0, 0, 0),
        (bytes(32), 0, 0, 1441),
        (bytes(32), 0, 10**18, 96),
    ]:
        with pytest.raises(InvalidBluezone2020):
            bluezone_day(base, created_ms, at_ms, slots)


def test_whoever_has_one_days_key_has_all_later_ones():
    first = daily_key(bytes(32), 5)

    assert daily_key(first, 9) == daily_key(bytes(32), 14)


@given(st.integers(0, 2**42), st.integers(0, 2**42))
def test_the_clock_before_the_base_key_gives_the_base_key(created_ms, at_ms):
    day = bluezone_day(bytes(32), max(created_ms, at_ms), min(created_ms, at_ms))

    assert day.daily_key == bytes(32)
    assert day.starts_ms[0] // MILLISECONDS_PER_DAY == min(created_ms, at_ms) // MILLISECONDS_PER_DAY


def test_a_frame_is_the_23_bytes_the_original_sent():
    assert build_advertisement(IDENTIFIER).hex() == "02011a" + "0303564e" + "0fffb522" + IDENTIFIER.hex()
    assert read_identifier(build_advertisement(IDENTIFIER)) == IDENTIFIER
    assert read_identifier(build_advertisement(IDENTIFIER), as_iphone=True) == IDENTIFIER


@pytest.mark.parametrize(
    ("frame", "android", "iphone"),
    [
        ("0303564e" + "0effb522" + "00" * 11, False, False),
        ("0303564e" + "10ffb522" + "00" * 13, False, False),
        ("0303564e" + "0fff4c00" + "00" * 12, False, True),
        ("03036ffd" + "0fffb522" + "00" * 12, False, True),
        ("0fffb522" + "00" * 12, False, True),
        ("0503564e6ffd" + "0fffb522" + "00" * 12, True, True),
        ("05026ffd564e" + "0fffb522" + "00" * 12, True, True),
        ("0303564e" + "0fffb522" + "00" * 11, False, False),
        ("0303564e" + "00" + "0fffb522" + "00" * 12, False, False),
        ("", False, False),
    ],
)
def test_each_version_takes_what_the_original_took(frame, android, iphone):
    data = bytes.fromhex(frame)

    assert (read_identifier(data) is not None) == android
    assert (read_identifier(data, as_iphone=True) is not None) == iphone


def test_an_iphones_frame_says_that_its_identifier_must_be_read():
    uuid = bytes.fromhex(IPHONE_SERVICE_UUID.replace("-", ""))[::-1]
    frame = bytes((2, 1, 6, 17, 7)) + uuid

    assert is_iphone_advertisement(frame)
    assert read_identifier(frame, as_iphone=True) is None
    assert not is_iphone_advertisement(build_advertisement(IDENTIFIER))


def test_only_an_identifier_can_be_sent():
    with pytest.raises(InvalidBluezone2020):
        build_advertisement(bytes(16))


@given(st.binary(max_size=40))
def test_any_frame_is_read_without_a_fault(frame):
    for as_iphone in (False, True):
        identifier = read_identifier(frame, as_iphone=as_iphone)
        assert identifier is None or len(identifier) == 12
    is_iphone_advertisement(frame)
