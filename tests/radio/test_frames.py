# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.radio.frames import (
    EXPOSURE_NOTIFICATION_UUID,
    FLAGS,
    contact_advertisement,
    parse_contact,
    parse_reciprocity,
    plausible_rssi,
    reciprocity_advertisement,
    service_data,
)

contents = st.binary(min_size=20, max_size=20)
uuids = st.integers(0, 0xFFFF)


def test_a_contact_frame_is_laid_out_to_the_byte():
    frame = contact_advertisement(bytes(range(20)))

    assert frame.hex() == "02011a" + "0303564e" + "1716564e" + bytes(range(20)).hex()
    assert len(frame) == 31
    assert contact_advertisement(bytes(20), EXPOSURE_NOTIFICATION_UUID)[3:7].hex() == "03036ffd"


@given(data=contents, uuid=uuids)
def test_what_is_sent_is_read_back(data, uuid):
    assert parse_contact(contact_advertisement(data, uuid), uuid) == data


@given(data=contents, uuid=uuids, other=uuids)
def test_a_frame_of_another_service_is_not_a_contact(data, uuid, other):
    expected = data if uuid == other else None

    assert parse_contact(contact_advertisement(data, uuid), other) == expected


@given(noise=st.binary(max_size=64))
def test_noise_is_never_taken_for_a_contact_unless_it_is_one_to_the_byte(noise):
    parsed = parse_contact(noise)

    assert parsed is None or noise in (contact_advertisement(parsed), contact_advertisement(parsed)[3:])


@given(data=contents, flags=st.binary(max_size=3))
def test_an_android_phone_sends_the_frame_without_flags_and_other_flags_are_nobodys(data, flags):
    frame = contact_advertisement(data)[3:]
    expected = data if flags in (b"", bytes.fromhex("02011a")) else None

    assert len(frame) == 28
    assert parse_contact(frame) == data
    assert parse_contact(flags + frame) == expected


@given(data=contents, place=st.integers(0, 10), flip=st.integers(1, 255))
def test_any_altered_byte_before_the_identifier_drops_the_frame(data, place, flip):
    frame = bytearray(contact_advertisement(data))
    frame[place] ^= flip

    assert parse_contact(bytes(frame)) is None


@given(data=contents, cut=st.integers(0, 30), tail=st.binary(min_size=1, max_size=8))
def test_a_frame_cut_short_or_with_something_after_it_is_dropped(data, cut, tail):
    for frame in (contact_advertisement(data), contact_advertisement(data)[3:]):
        assert parse_contact(frame[: min(cut, len(frame) - 1)]) is None
        assert parse_contact(frame + tail) is None


@given(data=st.binary(max_size=40).filter(lambda value: len(value) != 20))
def test_service_data_of_another_length_cannot_be_sent(data):
    with pytest.raises(ValueError, match="expected 20"):
        contact_advertisement(data)


@given(rest=st.binary(min_size=22, max_size=22), uuid=uuids)
def test_a_reciprocity_frame_fills_an_advertisement_without_flags_and_is_read_back(rest, uuid):
    frame = b"\x03" + rest
    data = reciprocity_advertisement(frame, uuid)

    assert len(data) == 31
    assert data[:1] + data[4:6] == bytes.fromhex("031a16")
    assert parse_reciprocity(data, uuid) == frame
    assert parse_reciprocity(FLAGS + data, uuid) is None
    assert parse_reciprocity(data[:-1], uuid) is None
    assert parse_reciprocity(reciprocity_advertisement(b"\x04" + rest, uuid), uuid) is None


@given(rest=st.binary(min_size=22, max_size=22))
def test_a_phone_that_knows_no_reciprocity_frames_drops_them_by_their_length_and_so_does_a_gate(rest):
    data = reciprocity_advertisement(b"\x03" + rest)

    assert parse_contact(data) is None
    assert all(service_data(data, length) is None for length in (13, 17, 20))


def test_a_reciprocity_frame_of_another_length_cannot_be_sent():
    with pytest.raises(ValueError, match="expected 23"):
        reciprocity_advertisement(bytes(22))


@pytest.mark.parametrize(
    ("rssi_dbm", "kept"),
    [(-110, True), (-20, True), (-70, True), (-111, False), (-19, False), (0, False), (127, False), (-128, False)],
)
def test_only_strengths_that_a_person_nearby_can_cause_are_kept(rssi_dbm, kept):
    assert plausible_rssi(rssi_dbm) is kept
