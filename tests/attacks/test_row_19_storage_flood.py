# SPDX-License-Identifier: Apache-2.0
"""Row 19: a flood of random identifiers neither fills the phone nor drowns a person who stayed."""

import random

import pytest
from tests.builders.handset import city_with_phones, publish_reports, report_patient

from bluezone.radio.interface import Burst, Sighting

BURSTS = 30
PER_BURST = 100_000 // 20


@pytest.mark.long
def test_row_19_a_contact_of_15_minutes_still_scores_amid_100000_identifiers_in_ten_minutes(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, victim = phones.new("patient"), phones.new("victim")
        rng, person = random.Random(19), patient.encounters.payload()
        for number in range(BURSTS):
            boot = victim.clock.boot_seconds()
            victim.encounters.burst_started(Burst(number, boot, 30.0))
            if number == 12:
                person = patient.encounters.payload()
            for _ in range(PER_BURST if number < 20 else 0):
                victim.encounters.heard(Sighting(rng.randbytes(16), rng.randbytes(4), -65, number, boot))
            victim.encounters.heard(Sighting(person[:16], person[16:], -76, number, boot + 2))
            world.pass_by(30)
        victim.encounters.flush()
        assert victim.store.page_bytes() < 1_000_000
        report_patient(patient, server)
        publish_reports(server, world)

        assessment = victim.check()
        assert assessment.level == "high"
        assert assessment.days[0].minutes == 15
