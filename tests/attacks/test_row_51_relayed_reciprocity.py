# SPDX-License-Identifier: Apache-2.0
"""Row 51, residual: a relay in real time that carries everything both ways is a meeting; one that carries one way
makes no second direction."""

import pytest
from tests.builders.handset import city_with_phones, hear_frames, publish_reports, report_patient

from bluezone.radio.interface import Burst, Sighting


@pytest.mark.long
@pytest.mark.parametrize("both_ways", [False, True])
def test_row_51_only_a_relay_that_carries_both_ways_makes_a_second_direction(tmp_path, both_ways):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, victim = phones.new("patient"), phones.new("victim")
        burst = 1
        for _ in range(24):
            mine, theirs = victim.encounters.payload(), patient.encounters.payload()
            heard = []
            if both_ways:
                boot = patient.clock.boot_seconds()
                patient.encounters.burst_started(Burst(burst, boot, 30.0))
                patient.encounters.heard(Sighting(mine[:16], mine[16:], -70, burst, boot))
                heard = [(mine[:16], -70)]
            frame = patient.encounters.reciprocity_frame(burst, heard)
            burst = hear_frames(victim, theirs, 0.5, first_burst=burst, rssi_dbm=-70, frames=[frame], world=world)
        victim.encounters.flush()
        report_patient(patient, server)
        publish_reports(server, world)
        victim.check()

        told = {
            one.reciprocal_attenuation_db is not None
            for window in victim.risk.exposures.all()
            for one in window.scan_instances
        }
        assert told == {both_ways}
