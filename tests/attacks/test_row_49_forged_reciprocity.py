# SPDX-License-Identifier: Apache-2.0
"""Row 49: a forged entry is to make two phones nearer than they were; each of a frame's four is right once in 2**24."""

import random

import pytest
from tests.builders.handset import BURST_SECONDS, city_with_phones, hear_frames, publish_reports, report_patient

from bluezone.protocol.reciprocity import MAC_LENGTH, open_reciprocity_frame, reciprocity_key

FRAMES = 20_000


@pytest.mark.long
def test_row_49_of_eighty_thousand_forged_entries_none_opens():
    """Expected of them: 0.005, whoever they are for."""
    rng = random.Random(49)
    key, sender, neighbour = reciprocity_key(rng.randbytes(16)), rng.randbytes(16), rng.randbytes(16)
    forged = (b"\x03" + sender[:4] + rng.randbytes(18) for _ in range(FRAMES))

    assert MAC_LENGTH == 3
    assert all(open_reciprocity_frame(key, sender, frame, [neighbour]) is None for frame in forged)


@pytest.mark.long
def test_row_49_a_forger_beside_a_patient_adds_no_second_direction(tmp_path):
    """It copies the patient's first four bytes and even its true frames with other entries."""
    rng = random.Random(49)
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, victim = phones.new("patient"), phones.new("victim")
        payload, burst = patient.encounters.payload(), 1
        for _ in range(20):
            true = patient.encounters.reciprocity_frame(burst, [(victim.encounters.payload()[:16], -76)])
            forged = [true[:7] + rng.randbytes(16), true[:5] + rng.randbytes(2) + true[7:], true[:8] + bytes(15)]
            burst = hear_frames(victim, payload, BURST_SECONDS / 60, first_burst=burst, frames=forged, world=world)
        report_patient(patient, server)
        publish_reports(server, world)
        victim.check()

        (window,) = victim.risk.exposures.all()
        assert {one.reciprocal_attenuation_db for one in window.scan_instances} == {None}
        assert len(window.scan_instances) == 20, "the meeting itself counts"
