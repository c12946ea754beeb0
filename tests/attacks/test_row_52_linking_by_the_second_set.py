# SPDX-License-Identifier: Apache-2.0
"""Row 52: following a phone over its rotation by the set that sends reciprocity frames."""

import asyncio
import itertools
import random

import pytest
from tests.radio.handsets import running

from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.frames import parse_contact, parse_reciprocity
from bluezone.radio.simulatedtime import run_simulated

HOURS = 3


async def advertisements(over_hci):
    """(time, address, first bytes of the identifier, whether it is a reciprocity frame) of all that one phone sends."""
    loop = asyncio.get_running_loop()
    air = VirtualAir(Scene(default=Pair(1.0)), random.Random(52))
    log = []

    def on_heard(heard, _rssi):
        frame = parse_reciprocity(heard.data)
        name = frame[1:5] if frame else parse_contact(heard.data)[:4]
        if name[:2] == b"\x00\x01":
            log.append((loop.time(), heard.address, name, frame is not None))

    scanner = air.station("scanner")
    scanner.on_heard = on_heard
    scanner.start_scanning(0.1, 0.1)
    make = air.radio if over_hci else air.light_radio
    async with running(make("one"), make("other"), tell=True) as (one, _):
        await asyncio.sleep(HOURS * 3600)
        return log, one.payload.turns


@pytest.mark.long
@pytest.mark.parametrize("over_hci", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_row_52_a_frame_names_the_identifier_beside_it_and_no_address_and_no_frame_outlives_it(over_hci):
    log, rotations = run_simulated(advertisements(over_hci))

    names = list(dict.fromkeys(name for _, _, name, _ in log))
    assert len(names) == rotations > 2 * HOURS
    lives = {name: [at for at, _, its, _ in log if its == name] for name in names}
    for earlier, later in itertools.pairwise(names):
        assert max(lives[earlier]) < min(lives[later]), "both sets have stopped before either starts again"
    of_address = {}
    for _, address, name, second in log:
        assert of_address.setdefault(address, (name, second)) == (name, second)
    assert len(of_address) == 2 * rotations, "each set has an address of its own, new each time"
