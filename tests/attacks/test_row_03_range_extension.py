# SPDX-License-Identifier: Apache-2.0
"""Row 3: an antenna that reaches far sends many identifiers, stronger than any person nearby could."""

import asyncio
import random

import pytest
from tests.radio.handsets import running

from bluezone.radio.air import Advertisement, Pair, Scene, VirtualAir
from bluezone.radio.frames import contact_advertisement
from bluezone.radio.simulatedtime import run_simulated


async def amplified(rssi_dbm: int) -> int:
    """Send 500 identifiers within a minute to a listening handset over HCI; returns how many it was told of."""
    air = VirtualAir(Scene(default=Pair(1.0)), random.Random(3))
    attacker = random.Random(33)
    async with running(air.radio("victim"), duty="mains") as (victim,):
        await asyncio.sleep(2)
        for _ in range(500):
            frame = contact_advertisement(attacker.randbytes(20))
            assert air.inject("victim", Advertisement(attacker.randbytes(6), frame), rssi_dbm)
            await asyncio.sleep(60 / 500)
        return len(victim.diary.sightings)


@pytest.mark.parametrize("rssi_dbm", [-10, -19, 0, 127])
def test_row_03_identifiers_too_strong_for_a_person_nearby_never_reach_the_encounter_log(rssi_dbm):
    assert run_simulated(amplified(rssi_dbm)) == 0


def test_row_03_is_residual_an_attacker_who_mimics_a_person_is_heard_and_left_to_the_cap_per_minute():
    assert run_simulated(amplified(-60)) >= 490
