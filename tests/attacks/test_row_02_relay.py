# SPDX-License-Identifier: Apache-2.0
"""Row 2, residual: frames relayed in real time are as good as a meeting; duration bounds what a relay can do."""

import pytest
from tests.builders.handset import city_with_phones, meet_phone, publish_reports, report_patient


@pytest.mark.long
@pytest.mark.parametrize(("minutes", "level"), [(9, "none"), (25, "high")])
def test_row_02_a_relay_of_9_minutes_never_warns_and_one_of_25_does(tmp_path, minutes, level):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, victim = phones.new("patient"), phones.new("victim")
        meet_phone(victim, patient, minutes, rssi_dbm=-40, world=world)
        report_patient(patient, server)
        publish_reports(server, world)

        assert victim.check().level == level
