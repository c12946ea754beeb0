# SPDX-License-Identifier: Apache-2.0
"""Row 2, residual: frames relayed in real time are as good as a meeting; duration bounds what a relay can do."""

import pytest
from tests.builders.handset import a_city, meet, published, reported


@pytest.mark.long
@pytest.mark.parametrize(("minutes", "level"), [(9, "none"), (25, "high")])
def test_row_02_a_relay_of_9_minutes_never_warns_and_one_of_25_does(tmp_path, minutes, level):
    with a_city(tmp_path) as (server, phones, world):
        patient, victim = phones.new("patient"), phones.new("victim")
        meet(victim, patient, minutes, rssi_dbm=-40, world=world)
        reported(patient, server)
        published(server, world)

        assert victim.check().level == level
