# SPDX-License-Identifier: Apache-2.0
"""Row 23: who takes a phone wants to know where its owner was."""

import pytest
from tests.builders.handset import city_with_phones
from tests.builders.keyserver import HOUR, NOON

from bluezone.handset.store import KEY_FILE, STORE_FILE
from bluezone.keyserver.venues.registrar import VenueDescription

PHO = VenueDescription("Quan pho Bac Ho", "To 5, phuong Song Cau")


@pytest.fixture
def visited(tmp_path):
    """A phone with a remembered stay, an unremembered one and a warning, its venue, its server and the world."""
    with city_with_phones(tmp_path) as (server, phones, world):
        venue = server.key_server.registrar.register_venue("dk-1", PHO)
        phone = phones.new("phone")
        phone.check()
        for remember in (True, False):
            visit = phone.stays.check_in(venue.link, remember=remember)
            world.pass_by(20 * 60)
            phone.stays.check_out(visit.id)
        server.key_server.venue_alerts.publish_alert(venue.link, NOON, NOON + 1800)
        world.pass_by(HOUR)
        server.key_server.tick()
        phone.check()
        yield phone, venue, server, world


def dump(phone):
    return b"".join(path.read_bytes() for path in phone.store.folder.glob(f"{STORE_FILE}*"))


@pytest.mark.long
def test_row_23_the_store_holds_no_text_of_a_venue_and_nothing_made_of_its_code(visited):
    phone, venue, _, _ = visited
    keys = [key for _, _, _, keys in phone.stays.matchable_stays(phone.time.now()) for key in keys.values()]
    disk = dump(phone)

    assert keys
    assert phone.risk.warnings()[0].label == PHO.name, "the owner reads it; the disk does not"
    for told in (PHO.name, PHO.address, venue.fingerprint, venue.sha256, venue.link.split("#")[1]):
        assert told.encode() not in disk
    for secret in (venue.venue.to_bytes(), venue.venue.seed, *keys):
        assert secret not in disk
        assert secret.hex().encode() not in disk


def test_row_23_even_opened_the_store_has_no_code_and_the_name_only_where_the_owner_wanted_it(visited):
    phone, venue, _, _ = visited
    remembered, other = [contents for _, _, contents in phone.store.rows("visits")]

    assert PHO.name.encode() in remembered
    assert PHO.name.encode() not in other
    for contents in (remembered, other):
        for told in (PHO.address, venue.sha256, venue.venue.seed.hex(), venue.link.split("#")[1]):
            assert told.encode() not in contents


@pytest.mark.long
def test_row_23_after_fifteen_days_there_is_nothing_without_any_network(visited):
    phone, _, server, world = visited
    server.down = True
    world.pass_by(15 * 86_400)
    phone.purge()

    assert phone.stays.all() == []
    assert list(phone.store.rows("visits")) == list(phone.store.rows("venue_overlaps")) == []


@pytest.mark.long
def test_row_23_erasing_destroys_the_key_first_and_leaves_no_file(visited, tmp_path):
    phone, _, _, _ = visited
    folder = phone.store.folder
    phone.erase()

    assert not (folder / KEY_FILE).exists()
    assert not list(folder.glob(f"{STORE_FILE}*"))
    phone.close = lambda: None
