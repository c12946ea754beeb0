# SPDX-License-Identifier: Apache-2.0
import dataclasses
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.venue import keys_of, signed_venue

from bluezone.protocol.venues.items import (
    ITEM_LENGTH,
    InvalidPackage,
    Record,
    open_item,
    seal_item,
    slot_key,
    split_package,
    venue_key,
)

HOUR = 443_644
KEY = slot_key(venue_key(signed_venue().to_bytes()), HOUR)
RECORD = Record(2, 10, 50, HOUR)


def sealed(record=RECORD, key=KEY):
    return seal_item(key, record, os.urandom(12))


def test_an_item_opens_for_its_hour_only():
    other_hour = slot_key(venue_key(signed_venue().to_bytes()), HOUR + 1)

    assert open_item(KEY, HOUR, sealed()) == RECORD
    assert open_item(other_hour, HOUR + 1, sealed()) is None
    assert open_item(KEY, HOUR + 1, sealed()) is None


def test_a_key_of_another_seed_opens_nothing():
    other = keys_of(signed_venue(seed=bytes(16)), HOUR * 3600, HOUR * 3600 + 60)

    assert open_item(other[HOUR], HOUR, sealed()) is None


@given(place=st.integers(0, ITEM_LENGTH - 1), flip=st.integers(1, 255))
def test_a_changed_item_does_not_open(place, flip):
    item = bytearray(sealed())
    item[place] ^= flip

    assert open_item(KEY, HOUR, bytes(item)) is None


@pytest.mark.parametrize("change", [{"level": 0}, {"level": 3}, {"start_minute": 50}, {"end_minute": 61}])
def test_what_a_record_cannot_mean_is_passed_over(change):
    assert open_item(KEY, HOUR, sealed(dataclasses.replace(RECORD, **change))) is None


def test_a_package_consists_of_whole_items():
    items = [sealed(), sealed()]

    assert list(split_package(b"".join(items))) == items
    for broken in (b"", items[0][:-1], items[0] + b"\0"):
        with pytest.raises(InvalidPackage):
            list(split_package(broken))
