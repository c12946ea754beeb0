# SPDX-License-Identifier: Apache-2.0
"""A phone that follows another city beside its own, and another maker's server of Exposure Notification."""

import io
import struct
import threading
import zipfile
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.builders.handset import World, city_with_phones, hear_frames, meet_phone, report_patient
from tests.builders.keyserver import DAY, HOUR
from tests.builders.neighbours import NAMES, meet_abroad, publish, two_cities

from bluezone.handset.city.neighbours import NeighbourUnknown
from bluezone.handset.exposure import venue_overlaps
from bluezone.keyserver.venues.registrar import VenueDescription
from bluezone.protocol.identifiers import Metadata, crypt_metadata, rolling_proximity_identifier
from bluezone.protocol.intervals import interval_at
from bluezone.protocol.venues.codes import VenueForeign, VenueRevoked


def test_a_traveller_who_met_a_patient_of_the_other_city_is_warned_by_following_it(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, others, world):
        traveller, at_home = meet_abroad(phones, others, there, world)
        publish(world, here, there)
        before = len(there.requests)

        assert traveller.check().level == at_home.check().level == "none"
        assert len(there.requests) == before, "nobody follows it yet, so nobody asks it"

        (known,) = traveller.neighbours.all()
        assert (known.is_followed, known.neighbour.name["vi"]) == (False, "Bình An")
        traveller.neighbours.follow(known.neighbour.id)
        assert traveller.check().level == "high"
        asked = [path for path, _ in there.requests[before:]]
        assert asked[:2] == ["/v1/config", "/v1/exports/index.json"]
        venues = asked.index("/v1/venues/index.json")
        assert all(path.startswith("/v1/exports/") for path in asked[1:venues])
        assert all(path.startswith("/v1/venues/") for path in asked[venues:])
        (known,) = traveller.neighbours.all()
        assert (known.problem, known.checked_at) == (None, traveller.time.now())

        before = len(there.requests)
        assert at_home.check().level == "none"
        assert len(there.requests) == before, "who stays at home fetches nothing more"
        traveller.check()
        indexes = ["/v1/config", "/v1/exports/index.json", "/v1/venues/index.json"]
        assert [path for path, _ in there.requests[before:]] == indexes


def test_where_the_city_wants_it_every_phone_follows_the_other(tmp_path):
    with two_cities(tmp_path, everybody=1) as (here, phones, there, others, world):
        traveller, at_home = meet_abroad(phones, others, there, world)
        publish(world, here, there)

        there.requests.clear()
        assert traveller.check().level == "high"
        of_one = list(there.requests)
        there.requests.clear()
        assert at_home.check().level == "none"
        assert there.requests == of_one, "what is asked says nothing of who was there"


def test_a_neighbour_that_is_away_or_lies_holds_nothing_up_and_is_caught_up_with(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, others, world):
        traveller, _ = meet_abroad(phones, others, there, world)
        (known,) = traveller.neighbours.all()
        traveller.neighbours.follow(known.neighbour.id)
        native = phones.new("native")
        native.check()
        meet_phone(traveller, native, 30, rssi_dbm=-74, world=world)
        report_patient(native, here)
        publish(world, here, there)

        there.down = True
        assert traveller.check().level == "high", "by its own city"
        assert traveller.neighbours.all()[0].problem == "server_answer_refused"
        assert len(traveller.risk.exposures.all()) == 1
        there.down, there.tamper = False, lambda path, body: body[:-1] + b"x" if path.endswith(".zip") else body
        traveller.check()
        assert traveller.neighbours.all()[0].problem == "file_untrusted"
        assert len(traveller.risk.exposures.all()) == 1
        there.tamper = lambda path, body: body
        traveller.check()
        traveller.check()
        assert traveller.neighbours.all()[0].problem is None
        assert len(traveller.risk.exposures.all()) == 2, "each once"


def a_stay(phone, link):
    return phone.stays.check_in(link, remember=True)


def packages_that_name(here, world, venue, phone, cases=1):
    """The city's packages after cases that were at a venue for 12 minutes half an hour ago, as a phone took them."""
    begins = int(phone.time.now() - HOUR / 2)
    for _ in range(cases):
        here.key_server.venue_alerts.publish_alert(venue.link, begins, begins + HOUR // 5)
    world.pass_by(HOUR)
    here.key_server.tick()
    packages = []
    here.tamper = lambda path, body: packages.append(body) or body if path.endswith(".bin") else body
    phone.check()
    return packages


def test_whoever_follows_the_other_city_checks_in_at_its_places_and_is_warned_by_its_packages(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, others, world):
        pho = there.key_server.registrar.register_venue("dk-1", VenueDescription("Quán phở", "Tổ 5", type=4))
        closed = there.key_server.registrar.register_venue("dk-2", VenueDescription("Quán cũ", "Tổ 6", type=4))
        there.key_server.registrar.revoke_venue("dk-2")
        traveller, patient = phones.new("traveller"), others.new("patient")
        for phone in (traveller, patient):
            phone.check()
        with pytest.raises(VenueForeign):
            a_stay(traveller, pho.link)
        (known,) = traveller.neighbours.all()
        traveller.neighbours.follow(known.neighbour.id)
        world.pass_by(HOUR)
        there.key_server.tick()
        traveller.check()
        with pytest.raises(VenueRevoked):
            a_stay(traveller, closed.link)

        mine, theirs = a_stay(traveller, pho.link), a_stay(patient, pho.link)
        world.pass_by(HOUR / 2)
        traveller.stays.check_out(mine.id)
        patient.stays.check_out(theirs.id)
        code = there.key_server.codes.issue_code("confirmed", patient.time.today()).code
        patient.report.submit_report(patient.report.prepare_draft(code), [], [theirs.id], consent=True)
        publish(world, here, there)
        traveller.check()

        (warning,) = traveller.risk.warnings()
        assert (warning.kind, warning.level, warning.label) == ("venue", "high", "Quán phở")
        assert warning.neighbours == (known.neighbour.id,)
        traveller.neighbours.forget(known.neighbour.id)
        assert [one.kind for one in traveller.risk.warnings()] == ["venue"], "what was found stays"
        with pytest.raises(VenueForeign):
            a_stay(traveller, pho.link)


def test_a_stay_that_two_cities_name_counts_once(tmp_path):
    with two_cities(tmp_path) as (here, phones, _, _, world):
        venue = here.key_server.registrar.register_venue("dk-1", VenueDescription("Quán phở", "Tổ 5", type=4))
        phone = phones.new("phone")
        phone.check()
        visit = a_stay(phone, venue.link)
        world.pass_by(HOUR / 2)
        phone.stays.check_out(visit.id)
        packages = packages_that_name(here, world, venue, phone)

        (before,) = phone.risk.warnings()
        assert (before.band, before.neighbours) == ("10-15", ())
        for package in packages:
            phone.venue_packages.match(package, "0123456789abcdef")
        assert phone.risk.warnings() == [before]


def test_two_cases_at_one_time_count_twice_and_a_neighbours_flood_is_cut_off(tmp_path, monkeypatch):
    with two_cities(tmp_path) as (here, phones, _, _, world):
        venue = here.key_server.registrar.register_venue("dk-1", VenueDescription("Quán phở", "Tổ 5", type=4))
        phone, flooded = phones.new("phone"), phones.new("flooded")
        stays = []
        for one in (phone, flooded):
            one.check()
            stays.append(a_stay(one, venue.link))
        world.pass_by(HOUR / 2)
        for one, stay in zip((phone, flooded), stays, strict=True):
            one.stays.check_out(stay.id)
        packages = packages_that_name(here, world, venue, phone, cases=2)
        monkeypatch.setattr(venue_overlaps, "MOST_OVERLAPS", 1)
        for package in packages:
            flooded.venue_packages.match(package, "0123456789abcdef")

        assert [day.minutes for day in phone.risk.venue_days()] == [24]
        assert [day.minutes for day in flooded.risk.venue_days()] == [12]


def test_a_server_with_another_key_than_the_own_city_names_is_not_believed(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, others, world):
        traveller, _ = meet_abroad(phones, others, there, world)
        traveller.neighbours.follow(traveller.neighbours.all()[0].neighbour.id)
        publish(world, here, there)
        # The own city's answers, properly signed by it, at the neighbour's address.
        there.key_server, kept = here.key_server, there.key_server
        try:
            assert traveller.check().level == "none"
        finally:
            there.key_server = kept

        assert traveller.neighbours.all()[0].problem == "signature_untrusted"


def test_two_weeks_after_the_return_nothing_is_fetched_or_kept_of_the_neighbour(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, _, world):
        phone = phones.new("phone")
        phone.check()
        (known,) = phone.neighbours.all()
        phone.neighbours.follow(known.neighbour.id)
        phone.check()
        phone.neighbours.leave(known.neighbour.id)
        world.pass_by(13 * DAY)
        publish(world)
        assert phone.neighbours.all()[0].is_followed is False
        for server in (here, there):
            server.key_server.tick()
        there.requests.clear()
        phone.check()

        assert there.requests == []
        assert kept_of_neighbours(phone) == []
        with pytest.raises(NeighbourUnknown):
            phone.neighbours.follow("0123456789abcdef")


def kept_of_neighbours(phone):
    with phone.store.transaction() as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM state")]
    return [name for name in names if name.startswith("neighbour")]


def test_whoever_stops_following_keeps_nothing_of_the_neighbour_but_their_warning(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, others, world):
        traveller, _ = meet_abroad(phones, others, there, world)
        (known,) = traveller.neighbours.all()
        traveller.neighbours.follow(known.neighbour.id)
        publish(world, here, there)
        assert traveller.check().level == "high"
        (warning,) = traveller.risk.warnings()
        assert warning.neighbours == (known.neighbour.id,), "and of whose list it is"
        assert kept_of_neighbours(traveller)

        traveller.neighbours.forget(known.neighbour.id)
        assert kept_of_neighbours(traveller) == []
        there.requests.clear()
        assert traveller.check().level == "high"
        assert there.requests == []
        assert (traveller.neighbours.all()[0].is_followed, kept_of_neighbours(traveller)) == (False, [])
        with pytest.raises(NeighbourUnknown):
            traveller.neighbours.forget("0123456789abcdef")


def test_a_neighbour_forgotten_while_its_files_come_leaves_nothing_behind(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, others, world):
        traveller, _ = meet_abroad(phones, others, there, world)
        (known,) = traveller.neighbours.all()
        traveller.neighbours.follow(known.neighbour.id)
        publish(world, here, there)
        forgetting = threading.Thread(target=traveller.neighbours.forget, args=(known.neighbour.id,))

        def slow(path, body):
            if path.endswith(".zip") and not forgetting.ident:
                forgetting.start()
                while traveller.neighbours.all()[0].is_followed:
                    forgetting.join(0.01)
            return body

        there.tamper = slow
        assert traveller.check().level == "none", "the file that was on its way is not taken in"
        forgetting.join()
        assert kept_of_neighbours(traveller) == []


def test_a_case_that_the_own_city_names_too_is_said_to_be_of_its_list(tmp_path):
    with two_cities(tmp_path) as (here, phones, there, _, world):
        phone, patient = phones.new("phone"), phones.new("patient")
        for one in (phone, patient):
            one.check()
        (known,) = phone.neighbours.all()
        phone.neighbours.follow(known.neighbour.id)
        meet_phone(phone, patient, 30, world=world)
        report_patient(patient, here)
        publish(world, here, there)
        assert phone.check().level == "high"
        (warning,) = phone.risk.warnings()
        assert warning.neighbours == ()
        windows = phone.risk.exposures.all()
        phone.risk.exposures.add_windows(windows, again=True, neighbour_id=known.neighbour.id)
        assert phone.risk.exposures.all() == windows, "handed on by another, it counts once"


# Another maker's server: written here from docs/exposure-notification.md, section 2, without this program's writer.


def _varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _bytes(number, value):
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _number(number, value):
    return _varint(number << 3) + _varint(value)


def exported(private, keys, end):
    """An export zip. keys: (key, first interval, number of intervals). end: Unix seconds."""
    info = _bytes(3, b"v1") + _bytes(4, b"440") + _bytes(5, b"1.2.840.10045.4.3.2")
    message = struct.pack("<BQBQ", 1 << 3 | 1, end - HOUR if end else 0, 2 << 3 | 1, end)
    message += _bytes(3, b"VN") + _number(4, 1) + _number(5, 1) + _bytes(6, info)
    for key, start, period in keys:
        told = _bytes(1, key) + _number(2, 4) + _number(3, start) + _number(4, period) + _number(5, 1) + _number(6, 0)
        message += _bytes(7, told)
    content = b"EK Export v1    " + message
    signature = private.sign(content, ec.ECDSA(hashes.SHA256()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("export.bin", content)
        one = _bytes(1, info) + _number(2, 1) + _number(3, 1) + _bytes(4, signature)
        file.writestr("export.sig", _bytes(1, one))
    return packed.getvalue()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format, *args):
        pass


@contextmanager
def other_maker(files):
    """A server that lists and gives files by name. Yields its address and what was asked."""
    asked = []

    def application(environ, start_response):
        path = environ["PATH_INFO"]
        asked.append(path)
        listed = "\n".join(name for name in files).encode()
        body = listed if path == "/exports/index.txt" else files.get(path.lstrip("/"))
        start_response("200 OK" if body is not None else "404 Not Found", [("Content-Length", str(len(body or b"")))])
        return [body or b""]

    httpd = make_server("127.0.0.1", 0, application, handler_class=_Quiet)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_port}", asked
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def test_a_phone_takes_in_the_export_files_of_another_maker_s_server(tmp_path):
    files, world, key = {}, World(), bytes(range(16))
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with other_maker(files) as (address, asked):
        named = {**NAMES, "address": address, "index": "/exports/index.txt", "export_key": pem}
        with city_with_phones(tmp_path, world, neighbours=[named]) as (here, phones, _):
            phone, at_home = phones.new("phone"), phones.new("at home")
            for one in (phone, at_home):
                one.check()
            interval = interval_at(world.now)
            for place in range(3):
                identifier = rolling_proximity_identifier(key, interval + place)
                metadata = crypt_metadata(key, identifier, Metadata(-25, 3).to_bytes())
                hear_frames(phone, identifier + metadata, 10, first_burst=1 + 20 * place, world=world)
            phone.encounters.flush()
            phone.neighbours.follow(phone.neighbours.all()[0].neighbour.id)
            publish(world, here)
            end = int(world.now) // HOUR * HOUR
            # Its key rolled twice that day, as other makers' do.
            files["exports/1.zip"] = exported(private, [(bytes(16), interval - 100, 97), (key, interval - 3, 40)], end)

            assert phone.check().level == "high"
            assert at_home.check().level == "none"
            phone.check()
            assert asked.count("/exports/1.zip") == 1
            assert asked.count("/exports/index.txt") == 2

            files["exports/2.zip"] = exported(ec.generate_private_key(ec.SECP256R1()), [(key, interval - 3, 40)], end)
            phone.check()
            assert phone.neighbours.all()[0].problem == "file_untrusted"
            files["exports/2.zip"] = exported(private, [(key, interval - 3, 40)], 0)
            phone.check()
            assert phone.neighbours.all()[0].problem == "file_untrusted"
            files["exports/2.zip"] = exported(private, [(key, interval - 3, 40)], end)
            phone.check()
            assert phone.neighbours.all()[0].problem is None
            assert len(phone.risk.exposures.all()) == 1, "what two files say counts once"
