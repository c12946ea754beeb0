# SPDX-License-Identifier: Apache-2.0
"""Row 63: codes that anybody makes: a code for each guest, codes that last, names that mislead, floods of them."""

import pytest
from tests.builders.handset import city_with_phones
from tests.builders.keyserver import HOUR, call
from tests.builders.venue import link_of_payload

from bluezone.handset.venues.event_codes import EventInvalid, EventsFull
from bluezone.keyserver.venues.alerts import AlertRefused
from bluezone.protocol.venues.codes import InvalidVenue, VenueExpired, read_code_link
from bluezone.protocol.venues.items import slot_key, venue_key

MINUTE, DAY = 60, 86_400


@pytest.fixture
def city(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        host, guest = (phones.new(name) for name in ("host", "guest"))
        for phone in (host, guest):
            phone.check()
        yield server, host, guest, world


def a_wedding(host, world, minutes=240, name="Đám cưới Hà & Minh"):
    return host.events.make_event(name, int(world.now), minutes)


def test_row_63_a_code_for_each_guest_shows_other_characters_than_the_hosts(city):
    _, host, guest, world = city
    one, other = (a_wedding(host, world) for _ in range(2))

    assert guest.stays.read_poster(one.link).fingerprint == one.fingerprint != other.fingerprint
    assert guest.stays.read_poster(one.link).event, "the guest is told that the city did not sign it"
    assert guest.stays.check_in(other.link, remember=True).fingerprint == other.fingerprint


def test_row_63_no_code_lasts_longer_than_a_day_or_is_made_for_far_ahead(city):
    _, host, guest, world = city
    now = int(world.now)
    for begin, minutes in ((now, 1441), (now, 14), (now - 2 * HOUR, 60), (now + 61 * DAY, 60)):
        with pytest.raises(EventInvalid):
            host.events.make_event("Lớp 12A1", begin, minutes)
    event = a_wedding(host, world, 1440)
    world.pass_by(DAY)
    with pytest.raises(VenueExpired):
        guest.stays.check_in(event.link, remember=True)


def test_row_63_a_stay_ends_with_the_event_and_keeps_no_key_of_a_later_hour(city):
    _, host, guest, world = city
    event = a_wedding(host, world, 120)
    world.pass_by(HOUR)
    visit = guest.stays.check_in(event.link, remember=True)

    assert visit.planned_out_at == event.end
    world.pass_by(DAY)
    (match,) = guest.stays.matchable_stays(world.now)
    assert match[2] == event.end
    assert max(match[3]) * HOUR <= event.end + 40 * MINUTE


@pytest.mark.parametrize("name", ["Gọi 0912 345 678 ngay", "xem https://gia.vn", "Lớp\u202e1", " ", "ở" * 27])
def test_row_63_a_name_carries_no_number_to_call_no_address_and_nothing_unseen(city, name):
    _, host, guest, world = city
    with pytest.raises(EventInvalid):
        a_wedding(host, world, name=name)
    assert host.events.all() == []
    # Nor does a phone take such a name from a code that another program made.
    good = read_code_link(a_wedding(host, world).link).to_bytes()
    written = name.encode()
    with pytest.raises(InvalidVenue):
        guest.stays.read_poster(link_of_payload(good[:23] + bytes([len(written)]) + written))


def test_row_63_making_codes_sends_nothing_and_a_phone_keeps_twenty(city):
    server, host, _, world = city
    server.down = True
    for _ in range(20):
        a_wedding(host, world)
    with pytest.raises(EventsFull):
        a_wedding(host, world)
    server.down = False

    assert server.key_server.keys_store.read("SELECT * FROM venue_code") == []
    world.pass_by(16 * DAY)
    host.check()
    assert host.events.all() == []
    assert host.store.get("events") in (None, []), "not only out of sight"


def test_row_63_without_a_health_workers_code_an_event_warns_nobody(city):
    server, host, guest, world = city
    event = a_wedding(host, world)
    guest.stays.check_in(event.link, remember=True)
    world.pass_by(3 * HOUR)
    server.key_server.tick()
    guest.check()

    assert guest.risk.warnings() == []
    assert server.key_server.keys_store.read("SELECT * FROM waiting_item") == []


def test_row_63_a_health_worker_warns_only_for_the_hours_of_the_event(city):
    server, host, guest, world = city
    event = a_wedding(host, world, 120)
    guest.stays.check_in(event.link, remember=True)
    world.pass_by(3 * HOUR)
    alerts = server.key_server.venue_alerts
    for start, end in ((event.begin - 60, event.end), (event.begin, event.end + 60)):
        with pytest.raises(AlertRefused):
            alerts.publish_alert(event.link, start, end)

    told = alerts.publish_alert(event.link, event.begin, event.end)
    world.pass_by(HOUR)
    server.key_server.tick()
    guest.check()

    assert (told.name, told.fingerprint) == (event.name, event.fingerprint)
    (warning,) = guest.risk.warnings()
    assert (warning.kind, warning.label) == ("venue", "Đám cưới Hà & Minh")


def test_row_63_the_packages_do_not_tell_an_event_from_a_venue(city):
    server, host, _, world = city
    event = a_wedding(host, world, 120)
    world.pass_by(3 * HOUR)
    server.key_server.venue_alerts.publish_alert(event.link, event.begin, event.end)
    rows = server.key_server.keys_store.read("SELECT tag, nonce, sealed FROM waiting_item")

    assert {tuple(len(part) for part in row) for row in rows} == {(16, 12, 24)}
    code = read_code_link(event.link)
    hour = slot_key(venue_key(code.to_bytes()), event.begin // HOUR)
    assert not any(hour in bytes(part) or code.seed in bytes(part) for row in rows for part in row)
    assert call(server.key_server, "GET", "/v1/venues/index.json").status == 200
