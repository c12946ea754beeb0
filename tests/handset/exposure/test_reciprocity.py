# SPDX-License-Identifier: Apache-2.0
"""The whole phone: what a case's phone heard of this one is read once the case's key is published, and not before."""

import asyncio
import contextlib
import random

import pytest
from tests.builders.handset import AirWorld, city_with_phones, meet_both_ways, pages, publish_reports, report_patient

from bluezone.handset.encounters.encounters import Receiver
from bluezone.protocol.identifiers import rolling_proximity_identifier
from bluezone.protocol.risk.assessment import load_profile
from bluezone.protocol.risk.nearness import SegmentedEncounter
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.beacon import Beacon
from bluezone.radio.interface import PROFILES

MINUTES = 25


async def together(phones, *, minutes=MINUTES, distance_m=1.0, over_hci=False, seed=1):
    """Let phones be near each other, each with the radio of its name."""
    loop = asyncio.get_running_loop()
    air = VirtualAir(Scene(default=Pair(distance_m)), random.Random(seed), origin_seconds=loop.time())
    make = air.radio if over_hci else air.light_radio
    tasks = []
    for number, phone in enumerate(phones):
        encounters, clock = phone.encounters, phone.clock.boot_seconds
        rng = random.Random(f"{seed}/{number}")
        beacon = Beacon(
            make(str(number)), encounters.payload, encounters, PROFILES["default"], clock, rng, reciprocity=encounters
        )
        tasks.append(asyncio.create_task(beacon.run()))
        await asyncio.sleep(0.7)
    await asyncio.sleep(minutes * 60)
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    for phone in phones:
        phone.encounters.flush()


def windows(phone):
    return phone.risk.exposures.all()


def instances(phone):
    return [instance for window in windows(phone) for instance in window.scan_instances]


def frames_of(phone):
    return [
        (page, heard, burst, frame)
        for page in pages(phone)
        for heard in page.heard.values()
        for burst in heard.bursts
        for frame in burst.reciprocity
    ]


@pytest.mark.long
@pytest.mark.parametrize("over_hci", [False, True], ids=["light", "hci"])
def test_both_directions_of_a_meeting_are_known_once_the_key_is_published(tmp_path, over_hci):
    world = AirWorld()
    with city_with_phones(tmp_path, world) as (server, phones, _):
        patient, other = phones.new("patient"), phones.new("other")
        world.live(together([patient, other], over_hci=over_hci))
        assert frames_of(other), "frames are kept"
        report_patient(patient, server)
        publish_reports(server, world)
        other.check()

        known = [one for one in instances(other) if one.reciprocal_attenuation_db is not None]
        assert len(known) >= 0.9 * len(instances(other)) > 40
        differences = [one.reciprocal_attenuation_db - one.typical_attenuation_db for one in known]
        assert abs(sum(differences)) / len(differences) < 3, "the air is the same both ways, and so are the phones"
        assert other.risk.level() == "high"


@pytest.mark.long
def test_before_publication_the_phone_itself_reads_nothing_and_stores_no_level(tmp_path):
    world = AirWorld()
    with city_with_phones(tmp_path, world) as (server, phones, _):
        patient, other = phones.new("patient"), phones.new("other")
        world.live(together([patient, other], minutes=3))
        frames = frames_of(other)
        report_patient(other, server)
        publish_reports(server, world)
        patient.check()
        other.check()

        assert frames
        assert windows(other) == [], "the patient's key is not published, so nothing of its frames is open"
        assert {one.reciprocal_attenuation_db is not None for one in instances(patient)} == {True, False}, (
            "the first burst comes before anything was told"
        )


@pytest.mark.long
def test_frames_count_by_the_rules_of_their_sighting(tmp_path):
    """A clock that jumped takes the sighting and with it what the frame beside it says."""
    world = AirWorld()
    with city_with_phones(tmp_path, world) as (server, phones, _):
        patient, other = phones.new("patient"), phones.new("other")
        other.check()
        other.clock.wall_error = 900.0
        world.live(together([patient, other], minutes=12))
        assert frames_of(other)
        report_patient(patient, server)
        publish_reports(server, world)
        other.check()

        assert windows(other) == []


@pytest.mark.long
def test_without_the_keys_of_that_day_nothing_is_opened_and_the_meeting_counts_one_way(tmp_path):
    world = AirWorld()
    with city_with_phones(tmp_path, world) as (server, phones, _):
        patient, other = phones.new("patient"), phones.new("other")
        world.live(together([patient, other], minutes=12))
        for row, _, _ in other.store.rows("daily_keys"):
            other.store.remove("daily_keys", row)
        report_patient(patient, server)
        publish_reports(server, world)
        other.check()

        assert {one.reciprocal_attenuation_db for one in instances(other)} == {None}
        assert len(instances(other)) > 20


@pytest.mark.long
def test_a_key_that_was_given_away_still_opens_what_it_was_told(tmp_path):
    """Who reported too has other keys now; what was on the air under the old ones is still its own."""
    world = AirWorld()
    with city_with_phones(tmp_path, world) as (server, phones, _):
        patient, other = phones.new("patient"), phones.new("other")
        world.live(together([patient, other], minutes=12))
        for phone in (other, patient):
            report_patient(phone, server)
        publish_reports(server, world)
        other.check()

        assert sum(one.reciprocal_attenuation_db is not None for one in instances(other)) > 15


def test_a_city_that_turned_it_off_has_phones_that_send_and_keep_nothing(tmp_path):
    world = AirWorld()
    with city_with_phones(tmp_path, world, reciprocity=0) as (_, phones, _):
        one, other = phones.new("one"), phones.new("other")
        one.check()
        world.live(together([one, other], minutes=3))
        assert frames_of(one) == [], "one keeps nothing of what the other, which knows no config yet, tells"
        assert frames_of(other) == [], "and tells it nothing"
        assert one.encounters.identifiers_per_day()


def told(window):
    return {one.reciprocal_attenuation_db for one in window.scan_instances}


@pytest.mark.long
def test_a_lying_patient_moves_a_pair_by_six_decibels_at_most_through_the_whole_phone(tmp_path):
    """One listener for each lie, all around the patient; and one that heard it 6 dB nearer, told the same."""
    model, lies = load_profile("covid-19").nearness, range(-128, 128, 15)
    heard_dbm = -86
    with city_with_phones(tmp_path) as (server, phones, world):
        patient = phones.new("patient")
        begun, met = world.now, {}
        stories = {lie: (heard_dbm, lie) for lie in lies} | {"honest, 6 dB nearer": (heard_dbm + 6, heard_dbm + 6)}
        for name, (rssi_dbm, said) in stories.items():
            world.now = begun
            met[name] = phones.new(str(name))
            meet_both_ways(met[name], patient, 25, rssi_dbm=rssi_dbm, told_dbm=said, world=world)
        report_patient(patient, server)
        publish_reports(server, world)
        expected = {}
        for name, phone in met.items():
            phone.check()
            (window,) = windows(phone)
            assert None not in told(window), "every burst was told something"
            expected[name] = SegmentedEncounter(window, model).near_minutes().expected

        bound = expected.pop("honest, 6 dB nearer")
        assert max(expected.values()) <= bound + 1e-6
        assert max(expected.values()) > expected[lies[0]], "some lie does move it"
        assert len({round(minutes, 3) for minutes in expected.values()}) < 6, "most are not averaged at all"


@pytest.mark.long
def test_what_is_told_is_subtracted_from_the_power_that_was_sent_and_corrected_by_who_measured(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, other = phones.new("patient"), phones.new("other")
        power, correction = other.encounters.log.power_dbm, 4
        patient.encounters.receiver = Receiver(correction, 3)
        meet_both_ways(other, patient, 12, rssi_dbm=-80, told_dbm=-90, world=world)
        report_patient(patient, server)
        publish_reports(server, world)
        other.check()

        (window,) = windows(other)
        assert told(window) == {power + 90 - correction}
        assert {one.typical_attenuation_db for one in window.scan_instances} != told(window)


def test_only_what_may_have_been_on_the_air_is_tried_and_nothing_without_the_key_of_that_day(tmp_path):
    with city_with_phones(tmp_path) as (_, phones, world):
        phone = phones.new("phone")
        midnight = world.now - world.now % 86_400 + 86_400
        yesterday, today = (phone.encounters.keys.key_of_day(int(midnight // 86_400) + day).key for day in (-1, 0))
        around = phone.encounters.keys.identifiers().identifiers_near
        interval = int(midnight // 600)

        assert around(midnight + 650) == [
            rolling_proximity_identifier(yesterday if one < interval else today, one)
            for one in range(interval - 2, interval + 3)
        ]
        assert around(midnight - 5 * 86_400) == []
