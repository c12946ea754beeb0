# SPDX-License-Identifier: Apache-2.0
"""Row 39: false network time, sleep, a machine without a clock: row 8's replay never warns, a genuine contact does."""

import pytest
from tests.builders.handset import (
    PhoneClock,
    city_with_phones,
    hear_frames,
    meet_phone,
    publish_reports,
    report_patient,
)

YEARS = 50 * 365.25 * 86_400


def no_clock(clock, phone):
    """A Pi: the wall clock starts in 1976 and is set right by the network before the first signed file."""
    clock.wall_error = -YEARS
    yield
    clock.wall_error = 0.0
    yield


def never_a_clock(clock, phone):
    """A Pi without network time: the wall clock stays 50 years behind."""
    clock.wall_error = -YEARS
    yield
    yield


def false_network_time(clock, phone):
    """Network time says it is three days later than it is, all along."""
    clock.wall_error = 3 * 86_400
    yield
    yield


SOURCES = [no_clock, never_a_clock, false_network_time]


@pytest.mark.long
@pytest.mark.parametrize("source", SOURCES)
def test_row_39_a_genuine_contact_is_warned_of(tmp_path, source):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient = phones.new("patient")
        clock = PhoneClock(world, world.now - 600)
        steps = source(clock, None)
        next(steps)
        near = phones.new("near", clock)
        meet_phone(near, patient, 25, world=world)
        next(steps)
        server.key_server.tick()
        near.check()
        report_patient(patient, server)
        publish_reports(server, world)

        assert near.check().level == "high"


@pytest.mark.long
@pytest.mark.parametrize("source", SOURCES)
def test_row_39_the_replay_of_row_8_warns_nobody(tmp_path, source):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient = phones.new("patient")
        clock = PhoneClock(world, world.now - 600)
        victim = phones.new("victim", clock)
        recorded, sent_out_at = patient.encounters.payload(), world.now
        victim.check()
        report_patient(patient, server)
        publish_reports(server, world)
        victim.check()
        steps = source(clock, victim)
        next(steps)
        clock.wall_error += sent_out_at - world.now
        hear_frames(victim, recorded, 25, world=world)
        victim.encounters.flush()
        next(steps)
        publish_reports(server, world)
        assert victim.check().days == ()


@pytest.mark.long
def test_row_39_sleep_does_not_stop_the_clock_that_counts(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, near = phones.new("patient"), phones.new("near")
        near.check()
        world.pass_by(9 * 3600)
        meet_phone(near, patient, 25, world=world)
        report_patient(patient, server)
        publish_reports(server, world)
        assert near.check().level == "high"


@pytest.mark.long
def test_row_39_after_a_restart_with_a_clock_that_went_back_sightings_wait_for_a_signed_file(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, clock = phones.new("patient"), PhoneClock(world, world.now - 600)
        near = phones.new("near", clock)
        near.check()
        near.close()
        phones.made.remove(near)
        world.pass_by(600)
        clock.restart("boot-2", wall_error=-YEARS)
        near = phones.new("near", clock)
        meet_phone(near, patient, 25, world=world)
        assert near.time.source.offset_seconds is None
        world.pass_by(3600)
        server.key_server.tick()
        near.check()
        report_patient(patient, server)
        publish_reports(server, world)
        assert near.check().level == "high"


@pytest.mark.long
def test_row_39_what_was_heard_by_a_start_that_ended_before_the_first_signed_file_has_no_time_and_is_not_scored(
    tmp_path,
):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, clock = phones.new("patient"), PhoneClock(world, world.now - 600)
        near = phones.new("near", clock)
        meet_phone(near, patient, 25, world=world)
        near.close()
        phones.made.remove(near)
        clock.restart("boot-2")
        near = phones.new("near", clock)
        server.key_server.tick()
        near.check()
        report_patient(patient, server)
        publish_reports(server, world)
        assert near.check().days == ()


@pytest.mark.long
def test_row_39_a_restart_under_a_clock_set_back_makes_no_replay_count(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, clock = phones.new("patient"), PhoneClock(world, world.now - 600)
        victim = phones.new("victim", clock)
        recorded, sent_out_at = patient.encounters.payload(), world.now
        victim.check()
        report_patient(patient, server)
        publish_reports(server, world)
        victim.check()
        victim.close()
        phones.made.remove(victim)
        clock.restart("boot-2", wall_error=sent_out_at - world.now)
        victim = phones.new("victim", clock)
        hear_frames(victim, recorded, 25, world=world)
        victim.encounters.flush()
        publish_reports(server, world)
        assert victim.check().days == ()
