# SPDX-License-Identifier: Apache-2.0
"""The registrar, and the health authority's alert."""

import dataclasses

import pytest
from tests.builders.keyserver import DAY, HOUR, NOON
from tests.builders.venue import qr_text, signed_venue

from bluezone.keyserver.publication.series import VENUE_PACKAGES
from bluezone.keyserver.venues.alerts import AlertRefused
from bluezone.keyserver.venues.registrar import (
    RegistrationInvalid,
    VenueDescription,
    VenueNotRegistered,
    VenueRegistered,
    count_valid,
    list_revoked,
)
from bluezone.protocol.venues.codes import InvalidVenue, VenueForeign, read_venue_link, verify_venue_signature
from bluezone.protocol.venues.items import index_items, open_records, slot_key, split_package, venue_key

PHO = VenueDescription("Quán phở Bắc Hồ", "Tổ 5, phường Sông Cầu", type=4)


def test_a_code_is_signed_by_the_key_that_the_config_lists(server):
    code = server.registrar.register_venue("dk-1", PHO)
    venue = read_venue_link(code.link)

    verify_venue_signature(venue, {1: server.secrets.venue_key.public_key().public_bytes_raw()})
    assert (venue.name, venue.address, venue.type, venue.stay_minutes) == (PHO.name, PHO.address, 4, 60)
    assert code.link.startswith(f"http://{server.city.public_host}/v#")
    assert server.registrar.valid_code("dk-1") == code.sha256


def test_only_the_hash_is_kept(server):
    code = server.registrar.register_venue("dk-1", PHO)

    ((sha256, registration, valid_to, revoked),) = server.keys_store.read("SELECT * FROM venue_code")
    assert (bytes(sha256).hex(), registration, valid_to, revoked) == (code.sha256, "dk-1", 0, 0)


@pytest.mark.long
def test_a_second_code_for_a_venue_is_refused_until_the_first_is_revoked(server):
    first = server.registrar.register_venue("dk-1", PHO)
    with pytest.raises(VenueRegistered):
        server.registrar.register_venue("dk-1", PHO)
    server.registrar.revoke_venue("dk-1")
    second = server.registrar.register_venue("dk-1", PHO)
    server.tick()

    assert first.fingerprint != second.fingerprint
    assert server.indexes.read_index(VENUE_PACKAGES).revoked == (first.sha256,)
    assert server.indexes.read_index(VENUE_PACKAGES).registered == 1


def test_a_code_is_revoked_by_its_text_too(server):
    code = server.registrar.register_venue("dk-1", PHO)
    server.registrar.revoke_code(code.link)

    assert server.registrar.valid_code("dk-1") is None
    with pytest.raises(VenueNotRegistered):
        server.registrar.revoke_code(code.link)
    with pytest.raises(VenueNotRegistered):
        server.registrar.revoke_venue("dk-2")
    with pytest.raises(VenueForeign):
        server.registrar.revoke_code(qr_text(signed_venue()))


@pytest.mark.long
def test_a_code_that_has_ended_makes_room_and_is_forgotten(server, clock):
    event = dataclasses.replace(PHO, valid_to=NOON + HOUR, temporary=True)
    server.registrar.register_venue("dk-1", event)
    assert count_valid(server.keys_store, clock.now) == 1
    clock.pass_by(HOUR)
    assert count_valid(server.keys_store, clock.now) == 0
    assert server.registrar.valid_code("dk-1") is None
    again = server.registrar.register_venue("dk-1", dataclasses.replace(PHO, valid_to=NOON + 3 * HOUR))
    server.registrar.revoke_venue("dk-1")
    assert list_revoked(server.keys_store, clock.now) == (again.sha256,)
    clock.pass_by(2 * HOUR)
    server.tick()

    assert server.keys_store.read("SELECT * FROM venue_code") == []
    assert server.indexes.read_index(VENUE_PACKAGES).revoked == ()


@pytest.mark.parametrize("registration", ["", " ", "x" * 101])
def test_a_registration_must_name_something(server, registration):
    with pytest.raises(RegistrationInvalid):
        server.registrar.register_venue(registration, PHO)


@pytest.mark.parametrize("change", [{"name": ""}, {"name": "a\nb"}, {"type": 13}, {"stay_minutes": 0}])
def test_what_no_code_may_say_is_refused_before_anything_is_kept(server, change):
    with pytest.raises(InvalidVenue):
        server.registrar.register_venue("dk-1", dataclasses.replace(PHO, **change))

    assert server.registrar.valid_code("dk-1") is None


def test_an_alert_warns_for_the_hours_that_were_entered(server, clock):
    server.tick()
    code = server.registrar.register_venue("dk-1", PHO)
    start, end = NOON - 26 * HOUR - 600, NOON - 24 * HOUR - 900
    told = server.venue_alerts.publish_alert(code.link, start, end)
    clock.pass_by(HOUR)
    server.tick()

    assert (told.name, told.fingerprint, told.hours) == (PHO.name, code.fingerprint, 3)
    entry = server.indexes.read_index(VENUE_PACKAGES).entries[-1]
    items = index_items(split_package((server.data_dir / "venues" / entry.name).read_bytes()))
    key = venue_key(code.venue.to_bytes())
    keys = {hour: slot_key(key, hour) for hour in range((NOON - 30 * HOUR) // HOUR, NOON // HOUR)}
    records = open_records(keys, items)
    assert (records[0].start, records[-1].end) == (start, end)
    assert {record.level for record in records} == {2}
    assert sum(record.end - record.start for record in records) == end - start


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOON - HOUR, NOON - HOUR),
        (NOON - HOUR, NOON - HOUR + 59),
        (NOON - HOUR, NOON + 60),
        (NOON - 25 * HOUR, NOON - 60),
        (NOON - 15 * DAY, NOON - 15 * DAY + HOUR),
    ],
)
def test_hours_that_cannot_be_are_refused(server, start, end):
    code = server.registrar.register_venue("dk-1", PHO)
    with pytest.raises(AlertRefused):
        server.venue_alerts.publish_alert(code.link, start, end)

    assert server.keys_store.read("SELECT * FROM waiting_item") == []


def test_an_alert_for_another_citys_poster_is_refused(server):
    with pytest.raises(VenueForeign):
        server.venue_alerts.publish_alert(qr_text(signed_venue()), NOON - 2 * HOUR, NOON - HOUR)
    with pytest.raises(VenueForeign):
        server.venue_alerts.check_alert(qr_text(signed_venue()), NOON - 2 * HOUR, NOON - HOUR)


@pytest.mark.parametrize(
    ("start", "end", "taken"),
    [
        (-60, 0, True),
        (-59, 0, False),
        (-DAY, 0, True),
        (-DAY - 60, 0, False),
        (-60, 1, False),
        (-14 * DAY, -14 * DAY + 60, True),
        (-14 * DAY - 1, -14 * DAY + 60, False),
        (-3600, -7200, False),
    ],
)
def test_hours_are_taken_up_to_their_bounds(server, clock, start, end, taken):
    code, now = server.registrar.register_venue("dk-1", PHO), int(clock())
    try:
        server.venue_alerts.check_alert(code.link, now + start, now + end)
    except AlertRefused:
        assert not taken
    else:
        assert taken
