# SPDX-License-Identifier: Apache-2.0
"""Row 11, residual: one who met only one person learns who it was; nothing told narrows it further than the day.

The page itself is held to the same in tests/browser/test_face_rows.py.
"""

import json
import re

import pytest
from tests.builders.drawn import remove_random_words
from tests.builders.handset import city_with_phones, meet_phone, publish_reports, report_patient

from bluezone.handset.page.api import LocalPage


@pytest.mark.long
@pytest.mark.parametrize("language", ["vi", "en"])
def test_row_11_the_local_api_holds_no_time_of_day_strength_or_identifier_of_a_contact(tmp_path, language):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, near = phones.new("patient"), phones.new("near")
        near.check()
        world.pass_by(3 * 3600)
        met_at, frame = near.time.local(world.now), patient.encounters.payload()
        meet_phone(near, patient, 25, world=world, rssi_dbm=-77)
        report_patient(patient, server)
        publish_reports(server, world)
        world.pass_by(3 * 3600)
        near.check()

        api = LocalPage(near).api
        api.changing["setLanguage"]({"code": language})
        (warning,) = near.risk.warnings()
        assert api.reading["state"]()["warnings"][0]["minutesBand"] == "15-30"
        everything = {name: call() for name, call in api.reading.items()}
        texts = json.dumps([str(warning.day), warning.level, warning.band, warning.certainty, dict(warning.texts)])
        for told in (texts, json.dumps(everything)):
            assert "-77" not in remove_random_words(told)
            assert f"{met_at:%H:%M}" not in told
            assert not re.search(r"\b\d{1,2}:\d{2}\b", told)
            assert frame[:16].hex() not in told
        moments = [value for value in numbers_in(everything) if abs(value - met_at.timestamp()) < 2 * 3600]
        assert moments == []


def numbers_in(value):
    """Every number anywhere in a JSON value."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for one in value for number in numbers_in(one)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []
