# SPDX-License-Identifier: Apache-2.0
"""Row 24: a poster that is not the city's. 10,000 changed codes: none crashes, none checks in."""

import json
import random

import pytest
from tests.builders.handset import city_with_phones
from tests.builders.venue import HOST, TRUSTED, link_of_payload, qr_text, signed_venue

from bluezone.keyserver.venues.registrar import VenueDescription
from bluezone.protocol.venues.codes import InvalidVenue, VenueForeign, read_venue_link, verify_venue_signature
from bluezone.refusal import Refused

MUTATIONS = 10_000


def mutated(payload, rng):
    """Some bytes changed, removed, added, moved or taken from elsewhere."""
    data = bytearray(payload)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        place = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0 and place < len(data):
            data[place] ^= 1 << rng.randrange(8)
        elif kind == 1 and place < len(data):
            data[place] = rng.randrange(256)
        elif kind == 2:
            del data[place : place + rng.randrange(1, 20)]
        elif kind == 3:
            data[place:place] = rng.randbytes(rng.randrange(1, 20))
        elif kind == 4:
            data = data[:place]
        else:
            other = rng.randrange(len(data) + 1)
            data[place:place] = data[other : other + 10]
    return bytes(data)


@pytest.mark.long
def test_row_24_of_ten_thousand_changed_codes_none_crashes_and_none_verifies():
    rng = random.Random(24)
    real = signed_venue(valid_from=1, valid_to=2**31).to_bytes()
    seen = {"unchanged": 0, "invalid": 0, "foreign": 0}
    for _ in range(MUTATIONS):
        payload = mutated(real, rng)
        if payload == real:
            seen["unchanged"] += 1
            continue
        try:
            verify_venue_signature(read_venue_link(link_of_payload(payload)), TRUSTED)
        except InvalidVenue:
            seen["invalid"] += 1
        except VenueForeign:
            seen["foreign"] += 1
        else:
            pytest.fail(f"verified: {payload.hex()}")

    assert seen["foreign"] > 1000
    assert seen["invalid"] > 1000


def test_row_24_of_ten_thousand_changed_texts_none_crashes_and_none_verifies():
    rng = random.Random(42)
    real = qr_text(signed_venue())
    for _ in range(MUTATIONS):
        text = mutated(real.encode(), rng).decode("utf-8", errors="surrogateescape")
        try:
            venue = read_venue_link(text)
            verify_venue_signature(venue, TRUSTED)
        except (InvalidVenue, VenueForeign):
            continue
        # The address before the code may be another; the code may not.
        assert text.strip().endswith(real.split("#")[1]), text


def test_row_24_a_phone_checks_in_nowhere_with_a_changed_code_and_opens_no_address(tmp_path, monkeypatch):
    import webbrowser

    monkeypatch.setattr(webbrowser, "open", lambda *_: pytest.fail("an address was opened"))
    rng = random.Random(7)
    with city_with_phones(tmp_path) as (server, phones, _):
        phone = phones.new("phone")
        phone.check()
        good = server.key_server.registrar.register_venue("dk-1", VenueDescription("Quán phở", "Tổ 5"))
        server.requests.clear()
        for _ in range(300):
            payload = mutated(good.venue.to_bytes(), rng)
            if payload != good.venue.to_bytes():
                with pytest.raises(Refused):
                    phone.stays.check_in(link_of_payload(payload), remember=True)
        assert phone.stays.all() == []
        assert phone.stays.check_in(good.link.replace(server.key_server.city.public_host, HOST), remember=True)

        assert server.requests == [], "reading a code asks nobody"


def test_row_24_what_is_shown_before_check_in_comes_from_the_signed_bytes(vectors):
    case = json.loads((vectors / "presence.json").read_bytes())["ours_v1"]["venue"]
    venue = read_venue_link(case["url"])

    assert venue.to_bytes().hex() == case["payload_hex"]
    assert venue.name.encode().hex() in case["payload_hex"]
