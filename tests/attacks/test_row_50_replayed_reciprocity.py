# SPDX-License-Identifier: Apache-2.0
"""Row 50: true frames of a patient are sent out again later, or to somebody else, or beside another identifier."""

import pytest
from tests.builders.handset import city_with_phones, hear_frames, meet_both_ways, pages, publish_reports, report_patient


def second_directions(phone):
    return [one.reciprocal_attenuation_db for window in phone.risk.exposures.all() for one in window.scan_instances]


@pytest.mark.long
def test_row_50_frames_replayed_later_to_others_or_beside_others_open_nothing(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, told, bystander = phones.new("patient"), phones.new("told"), phones.new("bystander")
        first = patient.encounters.payload()
        frames = meet_both_ways(told, patient, 10, world=world)
        hear_frames(bystander, first, 5, frames=frames, world=world)
        world.pass_by(45 * 60)
        later = patient.encounters.payload()
        hear_frames(told, first, 5, first_burst=200, frames=frames, world=world)
        relabelled = [frame[:1] + later[:4] + frame[5:] for frame in frames]
        hear_frames(told, later, 5, first_burst=300, frames=frames + relabelled, world=world)
        for phone in (told, bystander):
            phone.encounters.flush()
        kept = [burst.reciprocity for page in pages(told) for heard in page.heard.values() for burst in heard.bursts]
        report_patient(patient, server)
        publish_reports(server, world)
        for phone in (told, bystander):
            phone.check()

        assert sum(map(len, kept)) > 200, "they are kept, since nobody can tell before publication"
        assert [level is not None for level in second_directions(told)] == [True] * 20 + [False] * 10
        assert set(second_directions(bystander)) == {None}, "an entry is for one phone only"


@pytest.mark.long
def test_row_50_is_residual_within_the_life_of_both_identifiers_a_frame_says_the_same_again(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, told = phones.new("patient"), phones.new("told")
        payload = patient.encounters.payload()
        near = patient.encounters.reciprocity_frame(1, [(told.encounters.payload()[:16], -60)])
        hear_frames(told, payload, 8, frames=[near], rssi_dbm=-90, world=world)
        told.encounters.flush()
        report_patient(patient, server)
        publish_reports(server, world)
        told.check()

        assert len(set(second_directions(told))) == 1
        (window,) = told.risk.exposures.all()
        assert window.scan_instances[0].typical_attenuation_db - second_directions(told)[0] > 12, (
            "and it is beyond what two directions may differ, so it is not believed"
        )
