# SPDX-License-Identifier: Apache-2.0
"""Row 11, residual: one who met only one person learns who it was; nothing shown narrows it further than the day."""

import json
import re

import pytest
from tests.builders.handset import a_city, meet, published, reported

from bluezone.handset.page.home import home
from bluezone.handset.page.words import Words


@pytest.mark.parametrize("language", ["vi", "en"])
def test_row_11_page_and_local_api_hold_no_time_of_day_strength_or_identifier_of_a_contact(tmp_path, language):
    with a_city(tmp_path) as (server, phones, world):
        patient, near = phones.new("patient"), phones.new("near")
        met_at, frame = near.local(world.now), patient.payload()
        meet(near, patient, 25, world=world, rssi_dbm=-77)
        reported(patient, server)
        published(server, world)
        world.pass_by(3 * 3600)
        near.check()

        (warning,) = near.warnings()
        shown = json.dumps([str(warning.day), warning.level, warning.band, warning.certainty, dict(warning.texts)])
        whole_page = home(near, Words.of(language), "/", None)
        exposure = re.search(r'<section class="card state.*?</section>', whole_page, re.DOTALL)[0]
        exposure += re.search(r'<section class="card warning.*?</section>', whole_page, re.DOTALL)[0]
        checked = f"{near.local(near.store.get('checked_at')):%H:%M}"
        for told in (shown, exposure.replace(checked, "")):
            assert "-77" not in told
            assert f"{met_at:%H:%M}" not in told
            assert not re.search(r"\b\d{1,2}:\d{2}\b", told)
            assert frame[:16].hex() not in told
        assert re.search(r"15\u2060?[–-]\u2060?30", exposure)
        assert "25 " not in exposure.replace("25 November", "").replace("25/11", "")
