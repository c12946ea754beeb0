# SPDX-License-Identifier: Apache-2.0
"""Row 13: following a handset because its address and its identifier do not change at the same time."""

import asyncio
import itertools
import random

import pytest
from tests.radio.handsets import running

from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.simulatedtime import run_simulated


async def advertisements(over_hci: bool, hours: int) -> tuple[dict[int, list[tuple[float, bytes, bytes]]], list[int]]:
    """Log of all a scanner hears of two handsets in so many hours, by handset, and how often each rotated."""
    loop = asyncio.get_running_loop()
    air = VirtualAir(Scene(default=Pair(1.0)), random.Random(13))
    log: dict[int, list[tuple[float, bytes, bytes]]] = {1: [], 2: []}
    scanner = air.station("scanner")
    scanner.on_heard = lambda heard, _rssi: log[int.from_bytes(heard.data[11:13], "big")].append(
        (loop.time(), heard.address, heard.data)
    )
    scanner.start_scanning(0.1, 0.1)
    make = air.radio if over_hci else air.light_radio
    async with running(make("one"), make("other"), duty="saver") as handsets:
        await asyncio.sleep(hours * 3600)
    return log, [handset.payload.turns for handset in handsets]


RUNS = [
    pytest.param(False, 12, id="light, half a day"),
    pytest.param(False, 24, id="light", marks=pytest.mark.slow),
    pytest.param(True, 24, id="bumble", marks=pytest.mark.slow),
]


@pytest.mark.long
@pytest.mark.parametrize(("over_hci", "hours"), RUNS)
def test_row_13_all_day_every_change_of_address_is_a_change_of_identifier_and_none_overlaps(over_hci, hours):
    log, rotations = run_simulated(advertisements(over_hci, hours))

    for handset, packets in log.items():
        pairs = list(dict.fromkeys((address, data) for _, address, data in packets))
        assert len(pairs) == rotations[handset - 1]
        assert len({address for address, _ in pairs}) == len({data for _, data in pairs}) == len(pairs), "0 overlaps"
        changes = [now for before, now in itertools.pairwise(packets) if before[1:] != now[1:]]
        assert len(changes) == len(pairs) - 1, "an address or identifier that was left never comes back"
        lives = [later[0] - earlier[0] for earlier, later in itertools.pairwise(changes)]
        assert all(599 <= life <= 1201 for life in lives)
        assert 3 * hours <= len(pairs) <= 6 * hours
        assert len({round(life) for life in lives}) > 20, "the moments must not be a clock by which to follow"
