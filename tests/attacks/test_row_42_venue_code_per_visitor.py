# SPDX-License-Identifier: Apache-2.0
"""Row 42: a venue that hands each visitor a code of their own would know them again."""

import json

import pytest
from tests.builders.handset import city_with_phones
from tests.builders.keyserver import call

from bluezone.keyserver.publication.series import VENUE_PACKAGES
from bluezone.keyserver.venues.registrar import VenueDescription, VenueRegistered
from bluezone.protocol.signed.envelope import fingerprint, open_signed
from bluezone.protocol.signed.index import decode_index
from bluezone.protocol.venues.codes import VenueForeign, sign_venue
from bluezone.protocol.venues.codes import venue_link as link_with

PHO = VenueDescription("Quán phở Bắc Hồ", "Tổ 5, phường Sông Cầu")


def test_row_42_a_second_code_for_a_venue_is_refused_and_signs_nothing(tmp_path):
    with city_with_phones(tmp_path) as (server, _, _):
        server.key_server.registrar.register_venue("dk-1", PHO)
        for _ in range(3):
            with pytest.raises(VenueRegistered):
                server.key_server.registrar.register_venue("dk-1", PHO)

        assert len(server.key_server.keys_store.read("SELECT * FROM venue_code")) == 1


def test_row_42_the_number_of_codes_in_force_is_public_and_signed(tmp_path):
    with city_with_phones(tmp_path) as (server, _, _):
        for number in range(3):
            server.key_server.registrar.register_venue(f"dk-{number}", PHO)
        server.key_server.registrar.revoke_venue("dk-0")
        server.key_server.tick()
        body = call(server.key_server, "GET", "/v1/venues/index.json").body
        public = server.key_server.secrets.signing_key.public_key().public_bytes_raw()
        index = decode_index(open_signed("venues", body, {fingerprint(public): public}))

        assert json.loads(body).keys() == {"payload", "kid", "sig"}
        assert index.registered == 2
        assert server.key_server.indexes.read_index(VENUE_PACKAGES) == index


def test_row_42_the_phone_shows_the_fingerprint_of_the_poster_and_another_code_shows_another(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone = phones.new("phone")
        phone.check()
        poster = server.key_server.registrar.register_venue("dk-1", PHO)
        other = server.key_server.registrar.register_venue("dk-2", PHO)

        assert phone.stays.read_poster(poster.link).fingerprint == poster.fingerprint
        assert phone.stays.read_poster(other.link).name == phone.stays.read_poster(poster.link).name
        assert phone.stays.read_poster(other.link).fingerprint != poster.fingerprint
        assert phone.stays.check_in(poster.link, remember=False).fingerprint == poster.fingerprint


def test_row_42_a_venue_cannot_make_codes_of_its_own(tmp_path):
    from tests.builders.venue import OTHER_KEY

    with city_with_phones(tmp_path) as (server, phones, _):
        phone = phones.new("phone")
        phone.check()
        poster = server.key_server.registrar.register_venue("dk-1", PHO)
        made = sign_venue(poster.venue, OTHER_KEY)

        with pytest.raises(VenueForeign):
            phone.stays.read_poster(link_with(made, "https://bluezone.example"))
