# SPDX-License-Identifier: Apache-2.0
import base64
import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.venue import CITY_KEY, HOST, KID, OTHER_KEY, TRUSTED, link_of_payload, qr_text, signed_venue

from bluezone.protocol.venues.codes import (
    InvalidVenue,
    Venue,
    VenueExpired,
    VenueForeign,
    VenueNotYet,
    VenueRevoked,
    check_validity,
    parse_venue,
    read_venue_link,
    sign_venue,
    venue_fingerprint,
    venue_link,
    venue_sha256,
    verify_venue_signature,
)

# Precomposed letters only, so that every text is in NFC.
texts = st.text(alphabet="aăâbcdđeêghôơưẩặừ 123,.-", max_size=20)


@given(
    kind=st.integers(0, 12),
    stay=st.integers(1, 1440),
    name=texts.filter(str.strip),
    address=texts,
    seed=st.binary(min_size=16, max_size=16),
    begins=st.integers(0, 2**31),
    lasts=st.integers(1, 2**31 - 1) | st.none(),
    temporary=st.booleans(),
)
def test_a_signed_code_comes_back_from_its_link(kind, stay, name, address, seed, begins, lasts, temporary):
    ends = begins + lasts if lasts else 0
    plain = Venue(kind, stay, name, address, seed, KID, begins, ends, temporary)
    venue = sign_venue(plain, CITY_KEY)

    read = read_venue_link(venue_link(venue, f"https://{HOST}"))

    assert read == venue
    verify_venue_signature(read, TRUSTED)


def test_the_fingerprint_of_the_vector_is_the_one_the_documentation_names(vectors):
    case = json.loads((vectors / "presence.json").read_bytes())["ours_v1"]["venue"]

    assert venue_fingerprint(read_venue_link(case["url"])) == "WTJ281"


@pytest.mark.parametrize(
    "change",
    [
        {"type": 13},
        {"stay_minutes": 0},
        {"stay_minutes": 1441},
        {"type": -1},
        {"valid_from": -1},
        {"valid_from": 2**32},
        {"valid_to": -1},
        {"valid_to": 2**32},
        {"valid_from": 10, "valid_to": 10},
        {"name": ""},
        {"name": " "},
        {"name": "a" * 81},
        {"name": "ở" * 27},
        {"address": "a" * 101},
        {"name": "Qua\u0301n pho"},
        {"name": "Quán\u202ephở"},
        {"name": "Quán\u200bphở"},
        {"name": "Quán\nphở"},
        {"seed": bytes(15)},
        {"signature": bytes(63)},
        {"kid": -1},
        {"kid": 256},
        {"name": "\ud800"},
    ],
)
def test_what_no_code_may_say_is_refused(change):
    with pytest.raises(InvalidVenue):
        dataclasses.replace(signed_venue(), **change)


def _patched(offset, value):
    payload = bytearray(signed_venue().to_bytes())
    payload[offset] = value
    return bytes(payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        signed_venue().to_bytes()[:-1],
        signed_venue().to_bytes() + b"\0",
        _patched(0, 2),
        _patched(1, 13),
        _patched(2, 3),
        _patched(2, 0x81),
        _patched(29, 255),
        _patched(30, 0xFF),
    ],
)
def test_bytes_that_are_no_code_are_refused(payload):
    with pytest.raises(InvalidVenue):
        read_venue_link(link_of_payload(payload) if payload else f"https://{HOST}/v#")


def test_a_code_that_a_server_without_tls_gave_out_is_read():
    venue = signed_venue()

    assert read_venue_link(venue_link(venue, "http://192.168.1.5:8000")) == venue


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        qr_text(signed_venue()).replace("https", "ftp"),
        qr_text(signed_venue()).replace("/v#", "/w#"),
        qr_text(signed_venue()).replace("/v#", "/v?x#"),
        qr_text(signed_venue()).replace("https://", "https://u:p@"),
        qr_text(signed_venue()) + "=",
        qr_text(signed_venue()) + "A",
        qr_text(signed_venue()) + " A",
        "https://" + "a" * 2000,
        "javascript:alert(1)//v#AAAA",
    ],
)
def test_texts_that_are_no_address_of_a_code_are_refused(text):
    with pytest.raises(InvalidVenue):
        read_venue_link(text)


def test_the_last_letter_of_a_link_has_one_spelling_only():
    venue = next(venue for length in (4, 5, 6) if len((venue := signed_venue(name="a" * length)).to_bytes()) % 3)
    link = qr_text(venue)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    payload = link.split("#")[1]
    same = [
        letter
        for letter in letters
        if base64.urlsafe_b64decode(payload[:-1] + letter + "=" * (-len(payload) % 4)) == venue.to_bytes()
    ]

    assert len(same) in (4, 16)
    for letter in set(same) - {link[-1]}:
        with pytest.raises(InvalidVenue):
            read_venue_link(link[:-1] + letter)
    assert read_venue_link(link) == venue


def test_a_code_of_another_city_an_unsigned_and_a_changed_one_are_refused_alike():
    foreign = sign_venue(signed_venue(), OTHER_KEY)
    renamed = dataclasses.replace(signed_venue(), name="Quán phở Bắc Hà")
    unsigned = dataclasses.replace(signed_venue(), signed=False)
    unsigned_but_sealed = dataclasses.replace(
        unsigned, signature=CITY_KEY.sign(b"BZ-VENUE-SIG-v1" + unsigned.unsigned_bytes())
    )

    for venue in (foreign, renamed, unsigned, unsigned_but_sealed, signed_venue(kid=9)):
        with pytest.raises(VenueForeign):
            verify_venue_signature(venue, TRUSTED)


def test_a_code_counts_from_its_first_minute_until_before_its_last():
    venue = signed_venue(valid_from=100, valid_to=200)

    with pytest.raises(VenueNotYet):
        check_validity(venue, (), 100 * 60 - 1)
    check_validity(venue, (), 100 * 60)
    check_validity(venue, (), 200 * 60 - 1)
    with pytest.raises(VenueExpired):
        check_validity(venue, (), 200 * 60)


def test_a_revoked_code_is_refused():
    with pytest.raises(VenueRevoked):
        check_validity(signed_venue(), {venue_sha256(signed_venue()).hex()}, 0)


@given(data=st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    try:
        venue = parse_venue(data)
    except InvalidVenue:
        return
    assert venue.to_bytes() == data


@pytest.mark.parametrize(
    "change",
    [
        {"type": 0, "kid": 0, "stay_minutes": 1},
        {"type": 12, "kid": 255, "stay_minutes": 1440},
        {"valid_from": 2**32 - 2, "valid_to": 2**32 - 1},
        {"valid_to": 1},
        {"name": "a" * 80, "address": "a" * 100},
        {"address": ""},
    ],
)
def test_a_code_may_say_what_is_just_within_its_bounds(change):
    venue = signed_venue(**change)

    assert read_venue_link(venue_link(venue, f"https://{HOST}")) == venue
