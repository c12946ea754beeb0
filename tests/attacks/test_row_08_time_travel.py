# SPDX-License-Identifier: Apache-2.0
"""Row 8: the victim's clock is set back and a key that is already published is replayed (eprint 2020/1393)."""

import pytest
from tests.builders.handset import (
    PhoneClock,
    city_with_phones,
    hear_frames,
    meet_phone,
    publish_reports,
    report_patient,
)

from bluezone.protocol.signed.envelope import CHAIN_START

TWO_DAYS = 2 * 86_400


@pytest.mark.long
def test_row_08_a_published_key_replayed_at_a_phone_whose_clock_was_set_back_warns_nobody(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient = phones.new("patient")
        clock = PhoneClock(world, world.now - 86_400)
        victim = phones.new("victim", clock)
        victim.check()
        recorded = patient.encounters.payload()
        sent_out_at = world.now
        report_patient(patient, server)
        publish_reports(server, world)
        victim.check()

        clock.wall_error = sent_out_at - world.now
        hear_frames(victim, recorded, 25, world=world)
        clock.wall_error = 0.0
        publish_reports(server, world)
        assert victim.check().days == ()


@pytest.mark.long
def test_row_08_even_a_phone_that_takes_the_false_time_for_true_knows_the_file_was_there_before(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient = phones.new("patient")
        clock = PhoneClock(world, world.now - 86_400)
        victim = phones.new("victim", clock)
        recorded, sent_out_at = patient.encounters.payload(), world.now
        report_patient(patient, server)
        publish_reports(server, world)
        victim.check()

        # Not possible from outside: the phone's own offset is moved, as if every rule about clocks had failed.
        victim.time.source.offset_seconds -= world.now - sent_out_at
        victim.time.source.floor_seconds = 0
        hear_frames(victim, recorded, 25, world=world)
        victim.time.source.offset_seconds = world.now - clock.booted_at
        victim.encounters.flush()
        publish_reports(server, world)
        # It even reads the old files once more, as after a gap in the lists.
        victim.store.put("exports", {**victim.store.get("exports"), "number": 0, "chain": CHAIN_START.hex()})
        assert victim.check().days == ()


@pytest.mark.long
def test_row_08_without_a_change_of_the_clock_the_same_key_warns(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, near = phones.new("patient"), phones.new("near")
        near.check()
        meet_phone(near, patient, 25, world=world)
        report_patient(patient, server)
        publish_reports(server, world)

        assert near.check().level == "high"
