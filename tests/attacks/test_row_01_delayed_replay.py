# SPDX-License-Identifier: Apache-2.0
"""Row 1: identifiers heard in one place and sent out again elsewhere, 45 minutes later."""

import numpy as np
from tests.builders.handset import a_city, hear, published, reported

from bluezone.protocol.exportfile import read_export
from bluezone.protocol.matching import SightingIndex, within_two_hours


def test_row_01_a_replay_after_45_minutes_is_stored_and_scores_nothing_on_a_handset(tmp_path):
    with a_city(tmp_path) as (server, phones, world):
        patient, victim = phones.new("patient"), phones.new("victim")
        recorded = patient.payload()
        world.pass_by(45 * 60)
        heard_at = world.now
        hear(victim, recorded, 25, world=world)
        assert victim.encounters_per_day() != {}
        reported(patient, server)
        published(server, world)

        assert victim.check().days == ()
        name = next(path for path, _ in server.requests if path.endswith(".zip"))
        found = _compatible_match(server, name, recorded, heard_at)
        assert found, "the same replay is found by the compatible match of the command line"


def test_row_01_the_same_frames_in_time_do_warn(tmp_path):
    with a_city(tmp_path) as (server, phones, world):
        patient, victim = phones.new("patient"), phones.new("victim")
        hear(victim, patient.payload(), 20, world=world)
        reported(patient, server)
        published(server, world)

        assert victim.check().level == "high"


def _compatible_match(server, path, frame, heard_at) -> bool:
    data = (server.key_server.data_dir / "exports" / path.rsplit("/", 1)[1]).read_bytes()
    matches = SightingIndex(np.frombuffer(frame[:16], dtype=np.uint8).reshape(1, 16)).find(read_export(data).columns)
    return bool(len(matches)) and bool(within_two_hours(matches.intervals, [heard_at]).all())
