# SPDX-License-Identifier: Apache-2.0
"""The code of an event: strict, bounded in time, without a number to call."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.venue import HOST, link_of_payload, qr_text, signed_venue

from bluezone.protocol.venues.codes import (
    Event,
    InvalidVenue,
    VenueExpired,
    VenueNotYet,
    check_validity,
    parse_event,
    read_code_link,
    read_venue_link,
    venue_link,
)

WEDDING = Event("Đám cưới Hà & Minh", 26_619_000, 240, bytes(range(16)))


@given(
    name=st.sampled_from(["Lớp 12A1, 28/11/2026", "Họp tổ 5", "a" * 80, "1234 5678"]),
    begin=st.integers(0, 2**32 - 1441), minutes=st.integers(15, 1440), seed=st.binary(min_size=16, max_size=16),
)  # fmt: skip
def test_an_event_comes_back_from_its_link(name, begin, minutes, seed):
    event = Event(name, begin, minutes, seed)

    assert read_code_link(venue_link(event, f"https://{HOST}")) == event
    assert len(event.to_bytes()) <= 104


def test_a_venues_link_is_still_a_venues_and_a_reader_of_venues_alone_refuses_an_event():
    assert read_code_link(qr_text(signed_venue())) == signed_venue()
    with pytest.raises(InvalidVenue):
        read_venue_link(venue_link(WEDDING, f"https://{HOST}"))


@given(place=st.integers(0, 46), change=st.integers(1, 255))
def test_a_changed_byte_is_another_event_or_none(place, change):
    payload = bytearray(WEDDING.to_bytes())
    payload[place] ^= change
    try:
        read = read_code_link(link_of_payload(bytes(payload)))
    except InvalidVenue:
        return
    assert read != WEDDING


@pytest.mark.parametrize(
    "change",
    [
        {"minutes": 14}, {"minutes": 1441}, {"begin": -1}, {"begin": 2**32 - 240}, {"seed": bytes(15)},
        {"name": ""}, {"name": "  "}, {"name": "ở" * 27}, {"name": "Lớp\u200b1"}, {"name": "Ha\u0300"},
        {"name": "Gọi 0912 345 678"}, {"name": "(+84) 912-345-67"}, {"name": "xem http://a"}, {"name": "WWW.a.vn"},
    ],
)  # fmt: skip
def test_what_no_event_may_say_is_refused(change):
    with pytest.raises(InvalidVenue):
        dataclasses.replace(WEDDING, **change)


def test_nobody_checks_in_before_it_begins_or_after_it_has_ended():
    begin, end = 60 * WEDDING.valid_from, 60 * WEDDING.valid_to
    check_validity(WEDDING, (), begin)
    check_validity(WEDDING, (), end - 1)
    with pytest.raises(VenueNotYet):
        check_validity(WEDDING, (), begin - 1)
    with pytest.raises(VenueExpired):
        check_validity(WEDDING, (), end)


def test_bytes_of_another_version_are_no_event():
    with pytest.raises(InvalidVenue):
        parse_event(b"\x01" + WEDDING.to_bytes()[1:])
    with pytest.raises(InvalidVenue):
        parse_event(b"\x02")
