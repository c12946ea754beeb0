# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.upload.payload import (
    KeysRefused,
    Slot,
    UploadKey,
    check_keys,
    check_slots,
    commitment,
    days_since_onset,
    decode_slots,
    encode_keys,
    infectious_level,
)

TODAY = 18_500
NOW = TODAY * 86_400 + 12 * 3600


def key_of(day: int, level: int = 2) -> UploadKey:
    return UploadKey(hashlib.sha256(str(day).encode()).digest()[:16], day * 144, 144, level)


def slot_of(hours_ago: int, start: int = 10, end: int = 50, seed: int = 0) -> Slot:
    return Slot(NOW // 3600 - hours_ago, bytes([seed]) * 32, start, end)


GOOD_KEYS = tuple(key_of(TODAY - age, 2 if age < 6 else 1) for age in range(14, -1, -1))


def test_published_commitments_are_reproduced(vectors):
    for case in json.loads((vectors / "presence.json").read_text())["ours_v1"]["upload_commit"]:
        keys = [
            UploadKey(bytes.fromhex(key["key_hex"]), key["rolling_start"], key["period"], key["level"])
            for key in case["keys"]
        ]
        slots = decode_slots(bytes.fromhex("".join(case["slots_hex"])))

        assert encode_keys(keys)[2:].hex() == case["encoded_keys_hex"]
        assert commitment(bytes.fromhex(case["salt_hex"]), keys, slots).hex() == case["M_hex"]


def test_the_order_of_keys_and_slots_does_not_change_the_commitment():
    slots = [slot_of(2), slot_of(3, seed=1), slot_of(3, seed=2)]

    assert commitment(bytes(32), GOOD_KEYS, slots) == commitment(bytes(32), GOOD_KEYS[::-1], slots[::-1])


def test_anything_else_changes_the_commitment():
    slots = (slot_of(2),)
    others = [
        commitment(b"\1" + bytes(31), GOOD_KEYS, slots),
        commitment(bytes(32), GOOD_KEYS[1:], slots),
        commitment(bytes(32), (replace(GOOD_KEYS[0], level=2), *GOOD_KEYS[1:]), slots),
        commitment(bytes(32), GOOD_KEYS, ()),
        commitment(bytes(32), GOOD_KEYS, (slot_of(2, end=51),)),
    ]

    assert len({commitment(bytes(32), GOOD_KEYS, slots), *others}) == 6


def test_the_infectious_window_runs_from_four_days_before_to_nine_after_the_onset():
    levels = {distance: infectious_level(TODAY + distance, TODAY) for distance in range(-6, 12)}

    assert [distance for distance, level in levels.items() if level == 2] == [-2, -1, 0, 1, 2, 3]
    assert [distance for distance, level in levels.items() if level == 1] == [-4, -3, 4, 5, 6, 7, 8, 9]
    assert [distance for distance, level in levels.items() if level is None] == [-6, -5, 10, 11]


def test_a_level_is_published_as_a_distance_that_hides_the_onset():
    assert (days_since_onset(2), days_since_onset(1)) == (0, 7)


def test_fifteen_keys_of_fifteen_days_are_taken():
    check_keys(GOOD_KEYS, TODAY)
    check_keys((), TODAY)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param((key_of(TODAY + 1),), id="of tomorrow"),
        pytest.param((key_of(TODAY - 15),), id="fifteen days old"),
        pytest.param((replace(key_of(TODAY), period=143),), id="with a short period"),
        pytest.param((replace(key_of(TODAY), start=TODAY * 144 + 1),), id="that starts within a day"),
        pytest.param((replace(key_of(TODAY), level=0),), id="of level 0"),
        pytest.param((replace(key_of(TODAY), level=3),), id="of level 3"),
        pytest.param((key_of(TODAY), key_of(TODAY)), id="twice"),
        pytest.param((key_of(TODAY), replace(key_of(TODAY), key=bytes(16))), id="two of one day"),
        pytest.param((key_of(TODAY), replace(key_of(TODAY + 1), key=key_of(TODAY).key)), id="one for two days"),
        pytest.param((replace(key_of(TODAY - 1), key=key_of(TODAY).key), key_of(TODAY)), id="one for two good days"),
        pytest.param((key_of(TODAY), key_of(TODAY - 1)), id="unsorted"),
        pytest.param(tuple(key_of(TODAY - age) for age in range(6, -1, -1)), id="seven of high level"),
        pytest.param((*GOOD_KEYS, key_of(TODAY)), id="sixteen"),
    ],
)
def test_keys_out_of_bounds_are_refused(keys):
    with pytest.raises(KeysRefused) as refused:
        check_keys(keys, TODAY)
    assert refused.value.code == "keys_refused"


@given(st.lists(st.builds(UploadKey, st.binary(min_size=16, max_size=16), st.integers(0, 2**32 - 1) |
       st.integers(TODAY - 20, TODAY + 5).map(lambda day: day * 144), st.just(144) | st.integers(0, 2**16 - 1),
       st.integers(0, 255) | st.integers(1, 2)), max_size=20))  # fmt: skip
def test_whatever_keys_pass_keep_every_bound(keys):
    try:
        check_keys(keys, TODAY)
    except KeysRefused:
        return
    days = [key.start // 144 for key in keys]
    assert days == sorted(set(days))
    assert all(TODAY - 14 <= day <= TODAY for day in days)
    assert {(key.period, key.start % 144) for key in keys} <= {(144, 0)}
    assert {key.level for key in keys} <= {1, 2}
    assert sum(key.level == 2 for key in keys) <= 6


def test_eighty_ended_slots_are_taken():
    slots = [slot_of(hours, seed=seed) for hours in range(30, 0, -1) for seed in range(3)]

    check_slots(slots[:80], NOW)
    check_slots([slot_of(0, end=60)], NOW + 3600)


@pytest.mark.parametrize(
    "slots",
    [
        pytest.param([slot_of(0, 0, 10)], id="not ended"),
        pytest.param([slot_of(-30)], id="of the future"),
        pytest.param([slot_of(2, 20, 20)], id="empty"),
        pytest.param([slot_of(2, 30, 20)], id="backwards"),
        pytest.param([slot_of(2, 30, 61)], id="longer than the hour"),
        pytest.param([slot_of(2, seed=seed) for seed in range(4)], id="four in an hour"),
        pytest.param([slot_of(1), slot_of(2)], id="unsorted"),
        pytest.param([slot_of(1), slot_of(1)], id="twice"),
        pytest.param([slot_of(hours) for hours in range(81, 0, -1)], id="eighty-one"),
    ],
)
def test_slots_out_of_bounds_are_refused(slots):
    with pytest.raises(KeysRefused):
        check_slots(slots, NOW)


@pytest.mark.parametrize(
    "make",
    [
        lambda: UploadKey(bytes(15), 0, 144, 1),
        lambda: UploadKey(bytes(16), 2**32, 144, 1),
        lambda: UploadKey(bytes(16), 0, -1, 1),
        lambda: UploadKey(bytes(16), 0, 144, 256),
        lambda: Slot(0, bytes(31), 0, 1),
        lambda: Slot(-1, bytes(32), 0, 1),
        lambda: Slot(0, bytes(32), 0, 256),
    ],
)
def test_what_cannot_be_encoded_is_refused(make):
    with pytest.raises(KeysRefused):
        make()


def test_secrets_are_not_printed():
    assert "xkxkxk" not in repr(UploadKey(b"xk" * 8, 0, 144, 1))
    assert "xkxkxk" not in repr(Slot(0, b"xk" * 16, 0, 1))
