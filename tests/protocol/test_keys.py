# SPDX-License-Identifier: Apache-2.0
import pytest

from bluezone.protocol.keys import InvalidKey, TemporaryExposureKey, new_key

DAY = 20781


def test_a_new_key_covers_exactly_its_utc_day():
    key = new_key(DAY, random_bytes=lambda count: bytes(range(count)))

    assert key.key == bytes(range(16))
    assert (key.start, key.period, key.end, key.day) == (DAY * 144, 144, (DAY + 1) * 144, DAY)


def test_two_new_keys_have_nothing_in_common():
    assert new_key(DAY).key != new_key(DAY).key


def test_a_key_is_not_shown_where_it_might_be_logged():
    key = new_key(DAY, random_bytes=lambda count: b"s" * count)

    assert "ssss" not in repr(key)


@pytest.mark.parametrize(
    ("key", "start", "period"),
    [(bytes(15), 0, 144), (bytes(17), 0, 144), (bytes(16), -1, 144), (bytes(16), 0, 0), (bytes(16), 0, 145)],
)
def test_what_no_key_can_be_is_refused(key, start, period):
    with pytest.raises(InvalidKey) as refusal:
        TemporaryExposureKey(key, start, period)

    assert refusal.value.code == "key_invalid"
