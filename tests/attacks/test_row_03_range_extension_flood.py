# SPDX-License-Identifier: Apache-2.0
"""Row 3, the handset's half: however many identifiers an antenna sends, 500 a minute are stored, and it is marked."""

import random

import pytest
from tests.builders.handset import PhoneClock, World, pages

from bluezone.handset import Handset
from bluezone.handset.overview import build_overview
from bluezone.radio.interface import Burst, Sighting


@pytest.mark.long
def test_row_03_of_2000_identifiers_a_minute_500_are_stored_and_the_phone_says_that_it_was_flooded(tmp_path):
    world, rng = World(), random.Random(3)
    phone = Handset.open(tmp_path, "http://127.0.0.1:9", PhoneClock(world, world.now), rng)
    for minute in range(3):
        boot = minute * 60.0
        phone.encounters.burst_started(Burst(minute, boot, 30.0))
        for _ in range(2000):
            phone.encounters.heard(Sighting(rng.randbytes(16), rng.randbytes(4), -60, minute, boot))
        world.pass_by(60)
        phone.encounters.flush()

    assert sum(len(page.heard) for page in pages(phone)) == 1500
    assert build_overview(phone).refused_identifiers == 4500
    phone.close()
