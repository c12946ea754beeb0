# SPDX-License-Identifier: Apache-2.0
"""Row 25: a static code that others read is a key to somebody's movements (LucaTrack, PC-Covid). Here none is."""

import re
from pathlib import Path

import yaml
from django.urls import get_resolver
from tests.builders.handset import city_with_phones
from tests.builders.venue import qr_text, signed_venue

from bluezone.keyserver import http
from bluezone.keyserver.venues.registrar import VenueDescription
from bluezone.protocol.venues.codes import read_venue_link

REPOSITORY = Path(__file__).parents[2]
ABOUT_VISITS = re.compile(r"visit|check-?in|diary|history|stay|lượt|nhat-ky", re.IGNORECASE)


def public_routes():
    """Every address of the public origin: the anonymous API's, from its description, and the pages'."""
    told = yaml.safe_load((REPOSITORY / "docs" / "reference" / "openapi.yaml").read_text())["paths"]
    pages = [str(pattern.pattern) for pattern in get_resolver("bluezone.web.urls_public").url_patterns]
    return [*told, *pages]


def test_row_25_no_route_of_the_public_origin_takes_or_gives_visits():
    assert "/v1/venues/index.json" in public_routes()
    assert [route for route in public_routes() if ABOUT_VISITS.search(route)] == []
    assert not [path.pattern for _, path, _ in http.ROUTES if ABOUT_VISITS.search(path.pattern)]


def test_row_25_the_text_of_a_code_says_a_venue_and_nobody():
    one, other = signed_venue(), signed_venue()

    assert qr_text(one) == qr_text(other), "every guest reads the same"
    assert set(vars(read_venue_link(qr_text(one)))) == {
        "type", "stay_minutes", "name", "address", "seed", "kid", "valid_from", "valid_to", "temporary", "signed",
        "signature",
    }  # fmt: skip


def test_row_25_a_stay_leaves_no_trace_on_the_server(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        venue = server.key_server.registrar.register_venue("dk-1", VenueDescription("Quán phở", "Tổ 5"))
        phone = phones.new("phone")
        phone.check()
        server.requests.clear()
        before = stored(server.key_server)
        visit = phone.stays.check_in(venue.link, remember=True)
        world.pass_by(1800)
        phone.stays.check_out(visit.id)
        phone.stays.remove(visit.id)

        assert server.requests == []
        assert stored(server.key_server) == before


def stored(key_server):
    tables = key_server.keys_store.read("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name: key_server.keys_store.read(f"SELECT * FROM {name}") for (name,) in tables if name != "noise"}
