# SPDX-License-Identifier: Apache-2.0
"""Check-in, check-out, diary, warnings and reports of venues, on a phone with a real server."""

import dataclasses
import random
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from tests.builders.handset import meet_phone, publish_reports, remove_random_keys
from tests.builders.keyserver import HOUR, NOON
from tests.builders.venue import qr_text, signed_venue

from bluezone.handset import Handset
from bluezone.handset.city.histories import MAX_PACKAGE_BYTES, FileUntrusted
from bluezone.handset.report.report import NothingToReport
from bluezone.handset.store import STORE_FILE
from bluezone.handset.venues.stays import StayMissing, VenueConfigMissing
from bluezone.keyserver.venues.registrar import VenueDescription
from bluezone.protocol.signed.envelope import fingerprint, open_signed, sign_payload
from bluezone.protocol.signed.index import IndexHistoryDiffers, IndexRolledBack, decode_index, encode_index
from bluezone.protocol.upload import UPLOAD_SIZE
from bluezone.protocol.venues.codes import InvalidVenue, VenueExpired, VenueForeign, VenueNotYet, VenueRevoked
from bluezone.refusal import Refused

PHO = VenueDescription("Quán phở Bắc Hồ", "Tổ 5, phường Sông Cầu", type=4)
MINUTE = 60


@pytest.fixture
def venue(server):
    """A registered venue."""
    return server.key_server.registrar.register_venue("dk-1", PHO)


@pytest.fixture
def phone(phones):
    """A phone that has fetched the config."""
    made = phones.new("phone")
    made.check()
    return made


def a_code(server, klass="confirmed", onset=NOON):
    day = datetime.fromtimestamp(onset, UTC).date()
    return server.key_server.codes.issue_code(klass, day).code


def stay(phone, venue, minutes, world, *, remember=False):
    """A visit that ends by hand after so many minutes."""
    visit = phone.stays.check_in(venue.link, remember=remember)
    world.pass_by(minutes * MINUTE)
    return phone.stays.check_out(visit.id)


def packaged(server, world):
    """An hour passes, and the server publishes."""
    world.pass_by(HOUR)
    server.key_server.tick()


def listing(server, **changes):
    """What a server answers that signs an index of venues with its oldest entry changed."""
    key = server.key_server.secrets.signing_key

    def lie(path, body):
        if path != "/v1/venues/index.json":
            return body
        public = key.public_key().public_bytes_raw()
        index = decode_index(open_signed("venues", body, {fingerprint(public): public}))
        other = dataclasses.replace(index.entries[0], **changes)
        return sign_payload(
            "venues", encode_index(dataclasses.replace(index, entries=(other, *index.entries[1:]))), key
        )

    return lie


def test_a_poster_says_where_one_is_before_anything_is_kept(phone, venue):
    seen = phone.stays.read_poster(venue.link)

    assert (seen.name, seen.address, seen.type, seen.stay_minutes) == (PHO.name, PHO.address, 4, 60)
    assert (seen.fingerprint, seen.valid_to, seen.temporary) == (venue.fingerprint, 0, False)
    assert phone.stays.all() == []


def test_check_in_needs_no_network(phone, venue, server):
    server.down = True

    assert phone.stays.check_in(venue.link, remember=True).label == PHO.name


def test_a_stay_ends_by_itself_after_the_usual_time(phone, venue, world):
    begun = phone.stays.check_in(venue.link, remember=True)
    world.pass_by(59 * MINUTE)
    assert phone.stays.all()[0].out_at is None
    world.pass_by(5 * HOUR)

    (over,) = phone.stays.all()
    assert (over.in_at, over.out_at, over.planned_out_at) == (begun.in_at, begun.in_at + HOUR, begun.in_at + HOUR)
    assert over.can_send
    assert phone.stays.check_out(over.id) == over


def test_a_poster_scanned_again_during_the_stay_changes_nothing(phone, venue, world):
    first = phone.stays.check_in(venue.link, remember=True)
    world.pass_by(MINUTE)

    assert phone.stays.check_in(venue.link, remember=False) == first
    assert len(phone.stays.all()) == 1


def test_only_the_hours_that_matter_are_kept_and_fewer_after_check_out(phone, venue, world):
    begun = phone.stays.check_in(venue.link, remember=False)
    first_hour = int(begun.in_at) // HOUR
    ((_, _, _, keys),) = phone.stays.matchable_stays(world.now)
    assert sorted(keys) == [first_hour, first_hour + 1]  # 12:00 to 13:40
    world.pass_by(10 * MINUTE)
    phone.stays.check_out(begun.id)

    ((_, _, _, keys),) = phone.stays.matchable_stays(world.now)
    assert sorted(keys) == [first_hour]  # 12:00 to 12:50


def test_nothing_of_the_code_but_the_fingerprint_is_kept_where_the_name_is_not_wanted(phone, venue):
    phone.stays.check_in(venue.link, remember=False)
    contents = b"".join(contents for _, _, contents in phone.store.rows("visits"))

    assert phone.stays.all()[0].label is None
    for part in (PHO.name, PHO.address, venue.sha256, venue.venue.seed.hex(), venue.link.split("#")[1]):
        assert part.encode() not in contents
        assert part.encode("unicode_escape") not in contents


def test_a_removed_stay_is_gone_and_its_number_is_not_given_again(phone, venue):
    visit = phone.stays.check_in(venue.link, remember=True)
    phone.stays.remove(visit.id)

    assert phone.stays.all() == []
    assert phone.stays.check_in(venue.link, remember=True).id != visit.id
    for act in (phone.stays.remove, phone.stays.check_out):
        with pytest.raises(StayMissing):
            act(visit.id)


def test_each_way_in_which_a_code_is_not_good_has_its_own_refusal(phone, server, world, venue):
    event = dataclasses.replace(PHO, valid_from=NOON + HOUR, valid_to=NOON + 2 * HOUR, temporary=True)
    later = server.key_server.registrar.register_venue("dk-2", event)
    for text, refusal in (
        ("https://example.com/", InvalidVenue),
        (qr_text(signed_venue()), VenueForeign),
        (later.link, VenueNotYet),
    ):
        with pytest.raises(refusal):
            phone.stays.check_in(text, remember=True)
    world.pass_by(2 * HOUR)
    with pytest.raises(VenueExpired):
        phone.stays.check_in(later.link, remember=True)
    server.key_server.registrar.revoke_venue("dk-1")
    server.key_server.tick()
    phone.check()
    with pytest.raises(VenueRevoked):
        phone.stays.check_in(venue.link, remember=True)
    assert phone.stays.all() == []


def test_a_phone_that_knows_no_city_says_so(phones, venue):
    with pytest.raises(VenueConfigMissing):
        phones.new("new").stays.check_in(venue.link, remember=True)


@pytest.mark.long
def test_a_guest_of_the_same_hours_is_warned_with_day_band_and_certainty(phones, phone, venue, server, world):
    patient, other = phones.new("patient"), phones.new("other")
    patient.check()
    other.check()
    mine = phone.stays.check_in(venue.link, remember=True)
    theirs = patient.stays.check_in(venue.link, remember=False)
    world.pass_by(25 * MINUTE)
    phone.stays.check_out(mine.id)
    patient.stays.check_out(theirs.id)
    draft = patient.report.prepare_draft(a_code(server))
    patient.report.submit_report(draft, [], [theirs.id], consent=True)
    packaged(server, world)
    phone.check()
    other.check()

    (warning,) = phone.risk.warnings()
    assert (warning.kind, warning.level, warning.band, warning.certainty) == ("venue", "high", "15-30", "likely")
    assert (warning.label, warning.day) == (PHO.name, phone.time.local(NOON).date())
    assert "nơi bạn đã quét mã" in warning.texts["vi"]["lead"]
    assert warning.texts["en"]["step_1"] == patient.city.current.texts["en"]["step_1"]
    assert phone.risk.level() == "high"
    assert (other.risk.level(), other.risk.warnings()) == ("none", [])


@pytest.mark.long
def test_who_left_before_the_case_came_is_not_warned_and_who_came_in_the_stale_air_is(
    phones, phone, venue, server, world
):
    patient, late = phones.new("patient"), phones.new("late")
    patient.check()
    late.check()
    stay(phone, venue, 20, world)
    world.pass_by(10 * MINUTE)
    theirs = stay(patient, venue, 30, world)
    stay(late, venue, 25, world)
    draft = patient.report.prepare_draft(a_code(server))
    patient.report.submit_report(draft, [], [theirs.id], consent=True)
    packaged(server, world)
    phone.check()
    late.check()

    assert phone.risk.warnings() == []
    # The case was there from 12:30 to 13:00, and its air until 13:30.
    assert [(warning.level, warning.band) for warning in late.risk.warnings()] == [("high", "15-30")]


def test_the_owner_who_reported_a_visit_is_not_warned_of_it(phone, venue, server, world):
    visit = stay(phone, venue, 40, world)
    draft = phone.report.prepare_draft(a_code(server))
    phone.report.submit_report(draft, [], [visit.id], consent=True)
    packaged(server, world)
    phone.check()

    assert phone.risk.warnings() == []
    assert not phone.stays.all()[0].can_send


def test_only_the_chosen_visits_are_sent_and_the_preview_shows_their_very_bytes(phone, venue, server, world):
    first = stay(phone, venue, 20, world)
    world.pass_by(2 * HOUR)
    second = stay(phone, venue, 20, world)
    draft = phone.report.prepare_draft(a_code(server))
    assert [visit.id for visit in draft.stays] == [first.id, second.id]
    preview = phone.report.preview(draft, [], [second.id])
    bodies = []
    real = phone.report._calls.upload
    phone.report._calls.upload = lambda request: bodies.append(request) or real(request)
    phone.report.submit_report(draft, [], [second.id], consent=True)

    (request,) = bodies
    assert request.keys == ()
    assert [slot.to_bytes().hex() for slot in request.slots] == [item.hex for item in preview.items]
    assert [item.kind for item in preview.items] == ["slot"]
    assert preview.bytes == UPLOAD_SIZE
    assert [visit.can_send for visit in phone.stays.all()] == [True, False]
    assert phone.sent_log.all()[-1].slots == 1


def test_a_stay_that_ended_is_sent_to_its_end_and_one_that_lasts_to_this_moment(phone, venue, world):
    over = stay(phone, venue, 20, world)
    world.pass_by(2 * HOUR)
    lasting = phone.stays.check_in(venue.link, remember=False)
    world.pass_by(20 * MINUTE)

    def sent(visit, ahead):
        return sum(slot.end_minute - slot.start_minute for slot in phone.stays.slots_of(visit.id, world.now + ahead))

    assert sent(over, 0) == sent(over, 15 * MINUTE) < 60
    assert sent(lasting, 15 * MINUTE) > sent(lasting, 0) > 0


@pytest.mark.parametrize("minutes", [2, 9, 20])
def test_who_is_still_at_a_place_can_report_it(phone, venue, server, world, minutes):
    remove_random_keys(server)
    phone.stays.check_in(venue.link, remember=True)
    world.pass_by(minutes * MINUTE)
    draft = phone.report.prepare_draft(a_code(server))
    assert [(visit.can_send, visit.out_at) for visit in draft.stays] == [(True, world.now)]
    phone.report.submit_report(draft, [], [visit.id for visit in draft.stays], consent=True)

    assert phone.report.pending is None
    assert len(server.key_server.keys_store.read("SELECT * FROM waiting_item")) == 1
    assert not phone.stays.all()[0].can_send


def test_a_stay_that_was_shorter_than_ten_minutes_is_not_reported(phone, venue, server, world):
    stay(phone, venue, 9, world)

    assert [visit.can_send for visit in phone.stays.reportable_stays(world.now)] == [False]


def test_keys_and_visits_go_in_one_report(phone, venue, server, world):
    remove_random_keys(server)
    visit = stay(phone, venue, 20, world)
    phone.encounters.payload()
    draft = phone.report.prepare_draft(a_code(server))
    preview = phone.report.preview(draft, None, [visit.id])
    outcome = phone.report.submit_report(draft, None, [visit.id], consent=True)

    assert outcome.state == "sent"
    assert [item.kind for item in preview.items] == ["key", "slot"]
    assert len(server.key_server.keys_store.read("SELECT * FROM waiting_item")) == 1
    assert len(server.key_server.keys_store.read("SELECT * FROM waiting_key")) == 1


def test_without_a_choice_no_visit_is_sent(phone, venue, server, world):
    remove_random_keys(server)
    visit = stay(phone, venue, 20, world)
    phone.encounters.payload()
    draft = phone.report.prepare_draft(a_code(server))
    with pytest.raises(StayMissing):
        phone.report.submit_report(draft, None, [visit.id, 1], consent=True)
    phone.report.submit_report(draft, None, consent=True)

    assert len(server.key_server.keys_store.read("SELECT * FROM waiting_key")) == 1
    assert server.key_server.keys_store.read("SELECT * FROM waiting_item") == []
    assert phone.stays.all()[0].can_send


def test_a_visit_that_was_not_offered_cannot_be_sent(phone, venue, server, world):
    stay(phone, venue, 20, world)
    draft = phone.report.prepare_draft(a_code(server))
    world.pass_by(2 * HOUR)
    later = stay(phone, venue, 20, world)
    with pytest.raises(StayMissing):
        phone.report.submit_report(draft, [], [later.id], consent=True)
    with pytest.raises(StayMissing):
        phone.report.preview(draft, [], [later.id])

    assert phone.report.pending is None


def test_short_open_and_old_visits_are_not_offered(phone, venue, server, world):
    stay(phone, venue, 9, world)
    stay(phone, venue, 30, world)
    world.pass_by(6 * 86_400)
    phone.check()
    phone.stays.check_in(venue.link, remember=False)
    phone.encounters.payload()
    draft = phone.report.prepare_draft(a_code(server, onset=world.now))

    assert draft.stays == ()
    with pytest.raises(NothingToReport):
        phone.report.submit_report(draft, [], [], consent=True)


def test_a_report_with_visits_survives_a_kill_before_the_upload(phones, phone, venue, server, world):
    visit = stay(phone, venue, 20, world)
    draft = phone.report.prepare_draft(a_code(server))
    server.tamper = lambda path, body: b"" if path == "/v1/upload" else body
    with pytest.raises(Refused):
        phone.report.submit_report(draft, [], [visit.id], consent=True)
    phone.close()
    phones.made.remove(phone)
    server.tamper = lambda path, body: body
    again = phones.new("phone", phone.clock)
    again.make_due_calls()

    assert again.report.pending is None
    assert len(server.key_server.keys_store.read("SELECT * FROM waiting_item")) == 1
    assert not again.stays.all()[0].can_send


def test_an_alert_of_the_health_authority_warns_without_any_report(phone, venue, server, world):
    stay(phone, venue, 45, world, remember=True)
    server.key_server.venue_alerts.publish_alert(venue.link, NOON, NOON + HOUR // 2)
    packaged(server, world)
    phone.check()

    assert [(warning.kind, warning.band) for warning in phone.risk.warnings()] == [("venue", "15-30")]


@pytest.mark.long
def test_stays_and_what_was_found_are_gone_after_fourteen_days(phone, venue, server, world):
    stay(phone, venue, 45, world, remember=True)
    server.key_server.venue_alerts.publish_alert(venue.link, NOON, NOON + HOUR // 2)
    packaged(server, world)
    phone.check()
    world.pass_by(15 * 86_400)
    server.key_server.tick()
    phone.check()

    assert phone.stays.all() == []
    assert phone.risk.warnings() == []
    assert list(phone.store.rows("venue_overlaps")) == []


def test_erasing_takes_the_visits_along(phone, venue, phones):
    phone.stays.check_in(venue.link, remember=True)
    folder = phone.store.folder
    phone.erase()
    phones.made.remove(phone)

    assert not (folder / STORE_FILE).exists()


def test_looking_at_a_running_phone_writes_nothing(phone, venue, phones, world, server):
    phone.stays.check_in(venue.link, remember=True)
    phone.encounters.flush()
    world.pass_by(3 * HOUR)
    looking = Handset.open(phone.store.folder, server.url, phone.clock, random.Random(1), "virtual", reading=True)
    before = (phone.store.folder / STORE_FILE).read_bytes()
    assert looking.stays.all()[0].out_at is not None
    assert looking.risk.warnings() == []
    looking.close()

    assert (phone.store.folder / STORE_FILE).read_bytes() == before


@pytest.mark.long
def test_a_changed_package_and_an_index_led_aside_are_refused_and_what_was_found_stays(phone, venue, server, world):
    stay(phone, venue, 45, world, remember=True)
    server.key_server.venue_alerts.publish_alert(venue.link, NOON, NOON + HOUR // 2)
    packaged(server, world)
    phone.check()
    kept, warned = phone.venue_packages.position, phone.risk.warnings()
    served_before = (server.key_server.data_dir / "venues" / "index.json").read_bytes()
    server.key_server.venue_alerts.publish_alert(venue.link, NOON, NOON + HOUR // 2)
    packaged(server, world)

    server.tamper = lambda path, body: bytes([body[0] ^ 1]) + body[1:] if path.endswith(".bin") else body
    with pytest.raises(FileUntrusted):
        phone.check()
    server.tamper = lambda path, body: body[:-52] if path.endswith(".bin") else body
    with pytest.raises(FileUntrusted):
        phone.check()
    server.tamper = lambda path, body: body
    phone.check()
    server.tamper = lambda path, body: served_before if path == "/v1/venues/index.json" else body
    with pytest.raises(IndexRolledBack):
        phone.check()
    assert phone.venue_packages.position.number == kept.number + 1
    assert [warning.day for warning in phone.risk.warnings()] == [warning.day for warning in warned]


@pytest.mark.long
def test_an_index_with_another_past_is_refused(phone, server, world):
    packaged(server, world)
    server.key_server.venue_alerts.publish_alert(
        server.key_server.registrar.register_venue("dk-9", PHO).link, NOON, NOON + 1800
    )
    packaged(server, world)
    phone.check()
    server.tamper = listing(server, sha256="0" * 64)
    with pytest.raises(IndexHistoryDiffers):
        phone.check()


def test_a_package_that_is_listed_as_larger_than_any_may_be_is_not_even_fetched(phone, server, world, venue):
    world.pass_by(HOUR)
    server.key_server.venue_alerts.publish_alert(venue.link, NOON, NOON + 1800)
    packaged(server, world)
    server.tamper = listing(server, size=MAX_PACKAGE_BYTES + 1)

    with pytest.raises(FileUntrusted):
        phone.check()
    assert not [path for path, _ in server.requests if path.endswith(".bin")]


@pytest.mark.long
def test_a_new_phone_fetches_the_newest_packages_only_and_one_that_was_away_all_it_missed(phones, server, world, venue):
    for _ in range(9):
        server.key_server.venue_alerts.publish_alert(venue.link, NOON - 2 * HOUR, NOON - HOUR)
        packaged(server, world)
    server.requests.clear()
    phone = phones.new("late")
    phone.check()
    assert len([path for path, _ in server.requests if path.endswith(".bin")]) == 2
    for _ in range(5):
        server.key_server.venue_alerts.publish_alert(venue.link, NOON - 2 * HOUR, NOON - HOUR)
        packaged(server, world)
    server.requests.clear()
    phone.check()

    assert len([path for path, _ in server.requests if path.endswith(".bin")]) == 5


def test_a_phone_of_before_there_were_venues_opens_and_checks_in(phones, server, venue, tmp_path):
    phone = phones.new("old")
    phone.check()
    phone.close()
    phones.made.remove(phone)
    with sqlite3.connect(phone.store.folder / STORE_FILE) as connection:
        connection.executescript("DROP TABLE visits; DROP TABLE venue_overlaps; PRAGMA user_version = 1;")
    connection.close()
    again = phones.new("old")

    assert again.stays.check_in(venue.link, remember=True).label == PHO.name


@pytest.mark.long
def test_contact_and_venue_of_one_day_are_told_apart(phones, phone, venue, server, world):
    patient = phones.new("patient")
    patient.check()
    mine, theirs = phone.stays.check_in(venue.link, remember=True), patient.stays.check_in(venue.link, remember=False)
    meet_phone(phone, patient, 25, world=world)
    phone.stays.check_out(mine.id)
    patient.stays.check_out(theirs.id)
    draft = patient.report.prepare_draft(a_code(server))
    patient.report.submit_report(draft, None, [theirs.id], consent=True)
    publish_reports(server, world)
    phone.check()

    assert [(warning.kind, warning.id) for warning in phone.risk.warnings()] == [
        ("near", f"near-{phone.time.local(NOON).date()}"),
        ("venue", f"venue-{phone.time.local(NOON).date()}"),
    ]
    assert phone.time.today() - phone.risk.warnings()[0].day <= timedelta(days=2)
