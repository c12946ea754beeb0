# SPDX-License-Identifier: Apache-2.0
"""Row 48: somebody records reciprocity frames to learn who was near whom; before and after a key is published."""

import pytest
from tests.builders.handset import city_with_phones, meet_both_ways, publish_reports, report_patient

from bluezone.protocol.exports.files import read_export
from bluezone.protocol.identifiers import rolling_proximity_identifier
from bluezone.protocol.reciprocity import ENTRIES_AT, ENTRY_LENGTH, open_reciprocity_frame, reciprocity_key


def entries(frame):
    return [frame[at : at + ENTRY_LENGTH] for at in range(ENTRIES_AT, len(frame), ENTRY_LENGTH)]


def test_row_48_before_publication_frames_say_nothing_whatever_else_was_recorded(tmp_path):
    """One neighbour, heard the same all the time, and none: nobody without the key sees a difference."""
    with city_with_phones(tmp_path) as (_, phones, world):
        sender, other = phones.new("sender"), phones.new("other")
        frames = meet_both_ways(other, sender, 10, world=world)
        mine, neighbour = sender.encounters.payload()[:16], other.encounters.payload()[:16]
        alone = [sender.encounters.reciprocity_frame(burst, []) for burst in range(1000, 1020)]

    for public in (mine, neighbour, bytes(16)):  # what an observer could try as a key
        assert all(
            open_reciprocity_frame(reciprocity_key(public), mine, frame, [neighbour]) is None for frame in frames
        )
    seen = [entry for frame in frames + alone for entry in entries(frame)]
    assert len(set(seen)) == len(seen), "the same neighbour at the same level never looks the same twice"
    assert {len(frame) for frame in frames + alone} == {23}
    nonces = [frame[5:7] for frame in frames]
    assert len(set(nonces)) == len(nonces)


@pytest.mark.long
def test_row_48_is_residual_afterwards_who_recorded_both_phones_reads_how_a_patient_heard_the_other(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, other = phones.new("patient"), phones.new("other")
        at, heard = world.now, other.encounters.payload()[:16]
        correction = patient.encounters.receiver.correction_db
        of_patient = meet_both_ways(other, patient, 10, told_dbm=-71, world=world)
        world.now = at
        of_other = meet_both_ways(patient, other, 10, told_dbm=-66, world=world)
        report_patient(patient, server)
        publish_reports(server, world)
        patient.check()
        path = next(path for path, _ in server.requests if path.endswith(".zip"))
        keys = read_export((server.key_server.data_dir / "exports" / path.rsplit("/", 1)[1]).read_bytes()).columns

    read, closed = [], []
    for row in range(len(keys)):
        key = keys.key(row)
        sender = rolling_proximity_identifier(key, int(at // 600))
        read += [open_reciprocity_frame(reciprocity_key(key), sender, frame, [heard]) for frame in of_patient]
        closed += [open_reciprocity_frame(reciprocity_key(key), sender, frame, [sender]) for frame in of_other]
    assert [level for level in read if level is not None] == [-71 + correction] * len(of_patient)
    assert set(closed) == {None}, "of those who did not report nothing is ever read"
