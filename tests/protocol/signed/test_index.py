# SPDX-License-Identifier: Apache-2.0
import hashlib
import json
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.signed.envelope import CHAIN_START, extend_chain
from bluezone.protocol.signed.index import (
    Index,
    IndexEntry,
    IndexGap,
    IndexHistoryDiffers,
    IndexRolledBack,
    InvalidIndex,
    chain_value,
    decode_index,
    encode_index,
    follow_index,
)


def file_hash(number):
    return hashlib.sha256(b"file %d" % number).digest()


def chain(number):
    value = CHAIN_START
    for file in range(1, number + 1):
        value = extend_chain(value, file_hash(file))
    return value


def index(first, last, **changes):
    entries = tuple(
        IndexEntry(number, f"{number}-{file_hash(number).hex()[:16]}.zip", file_hash(number).hex(), 1000 + number)
        for number in range(first, last + 1)
    )
    return replace(Index("exports", last, 1795478400, "0" * 64, chain(first - 1).hex(), entries), **changes)


def numbers(entries):
    return [entry.number for entry in entries]


@given(st.integers(1, 20), st.integers(0, 20))
def test_what_was_written_is_read(first, length):
    written = index(first, first + length - 1)

    assert decode_index(encode_index(written)) == written


def test_a_phone_fetches_what_it_has_not_got():
    assert numbers(follow_index(index(1, 5), 0, CHAIN_START)) == [1, 2, 3, 4, 5]
    assert numbers(follow_index(index(1, 5), 3, chain(3))) == [4, 5]
    assert numbers(follow_index(index(3, 5), 2, chain(2))) == [3, 4, 5]
    assert follow_index(index(3, 5), 5, chain(5)) == []


def test_before_the_first_file_there_is_nothing_to_fetch():
    assert follow_index(decode_index(encode_index(index(1, 0))), 0, CHAIN_START) == []


def test_a_city_without_files_for_two_weeks_is_still_followed():
    empty = decode_index(encode_index(index(8, 7)))

    assert follow_index(empty, 7, chain(7)) == []
    with pytest.raises(IndexGap):
        follow_index(empty, 6, chain(6))


def test_a_first_install_takes_whatever_is_listed():
    assert numbers(follow_index(index(9, 11), 0, CHAIN_START)) == [9, 10, 11]


def test_a_phone_that_was_away_too_long_is_told_to_start_anew():
    with pytest.raises(IndexGap) as refusal:
        follow_index(index(9, 11), 7, chain(7))

    assert refusal.value.code == "index_gap"


def test_an_index_that_went_back_is_refused():
    with pytest.raises(IndexRolledBack):
        follow_index(index(1, 4), 5, chain(5))


@given(st.integers(1, 8), st.integers(1, 8))
def test_an_index_that_lists_another_file_under_a_known_number_is_refused(held, exchanged):
    whole = index(1, 8)
    entries = list(whole.entries)
    entries[exchanged - 1] = replace(entries[exchanged - 1], sha256=file_hash(99).hex())
    other = replace(whole, entries=tuple(entries))

    if exchanged <= held:
        with pytest.raises(IndexHistoryDiffers):
            follow_index(other, held, chain(held))
    else:
        assert numbers(follow_index(other, held, chain(held))) == list(range(held + 1, 9))


def test_the_chain_can_be_computed_from_any_entry_on():
    assert chain_value(index(4, 9), 3) == chain(3)
    assert chain_value(index(4, 9), 9) == chain(9)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "config"},
        {"number": 6},
        {"chain_before": chain(1).hex()},
        {"config_sha256": "0"},
        {"entries": index(1, 5).entries[::-1]},
        {"entries": index(1, 5).entries[:2] + index(1, 5).entries[3:]},
        {"entries": (replace(index(1, 1).entries[0], name="../1.zip"),), "number": 1},
        {"entries": (replace(index(1, 1).entries[0], size=0),), "number": 1},
        {"entries": index(1, 5).entries, "number": 4},
    ],
)
def test_an_index_that_contradicts_itself_is_refused(changes):
    with pytest.raises(InvalidIndex) as refusal:
        decode_index(encode_index(index(1, 5, **changes)))

    assert refusal.value.code == "index_invalid"


PAYLOAD = encode_index(index(2, 4))


@given(st.integers(0, len(PAYLOAD) - 1), st.binary(max_size=4), st.integers(0, 4))
def test_a_damaged_index_is_read_or_refused_and_nothing_else(position, replacement, removed):
    with suppress(InvalidIndex):
        decode_index(PAYLOAD[:position] + replacement + PAYLOAD[position + removed :])


def test_unknown_members_are_passed_over():
    members = json.loads(PAYLOAD) | {"revoked": []}

    assert decode_index(json.dumps(members).encode()) == index(2, 4)


def test_an_index_of_venues_says_what_is_revoked_and_how_many_codes_are_in_force():
    told = index(1, 2, kind="venues", revoked=("0" * 64,), registered=7)

    assert decode_index(encode_index(told)) == told


def test_an_index_of_exports_has_no_word_of_venues():
    assert b"revoked" not in encode_index(index(1, 2))


@pytest.mark.parametrize("missing", ["revoked", "registered"])
def test_an_index_of_venues_without_its_members_is_refused(missing):
    members = json.loads(encode_index(index(1, 2, kind="venues")))
    del members[missing]

    with pytest.raises(InvalidIndex):
        decode_index(json.dumps(members).encode())
