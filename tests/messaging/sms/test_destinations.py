# SPDX-License-Identifier: Apache-2.0
"""Numbers as people type them, and those that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.messaging.sms.destinations import DestinationInvalid, language_of, mask, read_destination


@pytest.mark.parametrize(
    ("typed", "number", "language"),
    [
        ("0912 345 678", "+84912345678", "vi"),
        ("(+84) 912-345-678", "+84912345678", "vi"),
        ("84 912 345 678", "+84912345678", "vi"),
        ("+84 0912 345 678", "+84912345678", "vi"),
        ("\u202a+84\u00a0912\u00a0345\u00a0678\u202c", "+84912345678", "vi"),
        ("0912.345.678\u200b", "+84912345678", "vi"),
        ("００８４ ９１２ ３４５ ６７８", "+84912345678", "vi"),
        ("+44 (0)7700 900123", "+447700900123", "en"),
        ("0044 7700 900123", "+447700900123", "en"),
        ("+1 (202) 555-0123", "+12025550123", "en"),
        ("+82 10-1234-5678", "+821012345678", "en"),
        ("+86 138 0013 8000", "+8613800138000", "en"),
        ("+856 20 5555 1234", "+8562055551234", "en"),
        ("+7 912 345-67-89", "+79123456789", "en"),
    ],
)
def test_a_number_is_read_as_it_is_typed_and_its_prefix_tells_the_language(typed, number, language):
    assert read_destination(typed) == number
    assert language_of(number) == language


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "0912 345 67", "0912 345 6789", "0209 3870 000", "115", "+84 209 387 0000", "+999 12345678",
     "+1 555 1234", "+210 555 1234", "+1234567890123456", "++84912345678", "+0 912 345 678", "912345678",
     "0912345678; DROP"],
)  # fmt: skip
def test_what_no_message_can_go_to_is_refused_without_repeating_it(typed):
    with pytest.raises(DestinationInvalid) as refused:
        read_destination(typed)

    assert not typed or typed not in refused.value.message


@given(st.text(max_size=30))
def test_any_text_is_a_number_in_e164_or_refused(text):
    try:
        number = read_destination(text)
    except DestinationInvalid:
        return
    assert number[0] == "+"
    assert number[1:].isascii()
    assert 7 <= len(number[1:]) <= 15
    assert read_destination(number) == number


def test_a_masked_number_shows_two_digits():
    assert mask("+84912345678") == "••••••••••78"
