# SPDX-License-Identifier: Apache-2.0
"""Row 53: a flood of identifiers or frames is to silence reciprocity, or to fill the log with it."""

import random

import pytest
from tests.builders.handset import PhoneClock, World, pages

from bluezone.handset import Handset
from bluezone.handset.encounters.log import PAGE_RECIPROCITY
from bluezone.radio.beacon import MOST_IN_SIGHT, Neighbours
from bluezone.radio.interface import Burst, Sighting


def test_row_53_is_residual_above_a_hundred_in_sight_nobody_is_told_and_below_it_again():
    neighbours, rng = Neighbours(random.Random(53)), random.Random(5)
    for flood, told in ((10_000, False), (MOST_IN_SIGHT - 1, True)):
        neighbours.heard(b"friend".ljust(16), -60)
        for _ in range(flood):
            neighbours.heard(rng.randbytes(16), -40)
        neighbours.burst_over(1)
        everybody = {who for _ in range(60) for who, _ in neighbours.next_four()}
        assert (b"friend".ljust(16) in everybody) == told


@pytest.mark.long
def test_row_53_a_flood_of_frames_takes_its_share_of_the_log_and_neither_sightings_nor_near_neighbours(tmp_path):
    world, rng = World(), random.Random(53)
    phone = Handset.open(tmp_path, "http://127.0.0.1:9", PhoneClock(world, world.now), rng)
    friend, strangers = rng.randbytes(16), [rng.randbytes(16) for _ in range(150)]
    for number in range(19):
        boot = number * 30.0
        phone.encounters.burst_started(Burst(number, boot, 30.0))
        for identifier in (*strangers, friend):
            level = -50 if identifier is friend else -70
            phone.encounters.heard(Sighting(identifier, bytes(4), level, number, boot))
            for _ in range(10):
                phone.encounters.heard_reciprocity(b"\x03" + identifier[:4] + rng.randbytes(18))
            phone.encounters.heard_reciprocity(rng.randbytes(23))
        world.pass_by(30)
    (page,) = pages(phone)
    phone.close()

    kept = {heard.identifier: [len(burst.reciprocity) for burst in heard.bursts] for heard in page.heard.values()}
    assert len(kept) == 151
    assert all(count >= 1 for count in kept[friend]), "the nearest keeps a frame of every burst"
    assert sum(map(sum, kept.values())) <= PAGE_RECIPROCITY
    assert len(page.to_bytes()) < 22 * PAGE_RECIPROCITY + 151 * 19 * 20
