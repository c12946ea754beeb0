# SPDX-License-Identifier: Apache-2.0
"""Row 10: future-dated, old, duplicate or odd keys. The bounds of docs/protocol.md section 4, as a property."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.upload import KeysRefused, UploadKey, check_keys

TODAY = 20782
MIDNIGHT = TODAY * 144

good_days = st.lists(st.integers(0, 14), unique=True, max_size=15).map(sorted)
key_bytes = st.binary(min_size=16, max_size=16)


@st.composite
def acceptable(draw):
    """Keys within every bound, oldest first."""
    ages = sorted(draw(good_days), reverse=True)
    secrets = draw(st.lists(key_bytes, min_size=len(ages), max_size=len(ages), unique=True))
    high = draw(st.integers(0, min(6, len(ages))))
    return [
        UploadKey(secret, MIDNIGHT - 144 * age, 144, 2 if number < high else 1)
        for number, (age, secret) in enumerate(zip(ages, secrets, strict=True))
    ]


@given(keys=acceptable())
def test_keys_within_the_bounds_are_taken(keys):
    check_keys(keys, TODAY)


def changed(keys, number, **changes):
    fields = {name: getattr(keys[number], name) for name in ("key", "start", "period", "level")}
    return [*keys[:number], UploadKey(**{**fields, **changes}), *keys[number + 1 :]]


@given(keys=acceptable().filter(bool), number=st.integers(0, 14), data=st.data())
def test_one_key_out_of_bounds_refuses_them_all(keys, number, data):
    number %= len(keys)
    start = keys[number].start
    spoiled = data.draw(
        st.sampled_from(
            [
                changed(keys, number, start=MIDNIGHT + 144),
                changed(keys, number, start=MIDNIGHT - 15 * 144),
                changed(keys, number, start=start + data.draw(st.integers(1, 143))),
                changed(keys, number, start=2**32 - 1),
                changed(keys, number, period=data.draw(st.integers(0, 65535).filter(lambda n: n != 144))),
                changed(keys, number, level=data.draw(st.sampled_from([0, 3, 255]))),
                [*keys, keys[number]],
                [UploadKey(bytes(16), MIDNIGHT, 144, 1), *keys, UploadKey(bytes(16), MIDNIGHT, 144, 1)],
            ]
        )
    )

    with pytest.raises(KeysRefused):
        check_keys(spoiled, TODAY)


@given(keys=acceptable().filter(lambda keys: len(keys) > 1), order=st.randoms())
def test_another_order_is_refused(keys, order):
    shuffled = list(keys)
    order.shuffle(shuffled)
    if shuffled == keys:
        return

    with pytest.raises(KeysRefused):
        check_keys(shuffled, TODAY)


@given(ages=st.lists(st.integers(0, 14), unique=True, min_size=7, max_size=15))
def test_more_than_six_high_days_are_refused(ages):
    keys = [
        UploadKey(bytes([n]) * 16, MIDNIGHT - 144 * age, 144, 2) for n, age in enumerate(sorted(ages, reverse=True))
    ]

    with pytest.raises(KeysRefused):
        check_keys(keys, TODAY)
