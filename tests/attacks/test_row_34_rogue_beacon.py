# SPDX-License-Identifier: Apache-2.0
"""Row 34: a beacon that calls itself a gate. A phone in a pocket is silent to it; a shown pass tells chance only."""

import asyncio
import os
import random

from tests.radio.handsets import running
from tests.radio.test_gateanswer import AT_THE_GATE, gate_on

from bluezone.radio.air import VirtualAir
from bluezone.radio.frames import service_data
from bluezone.radio.simulatedtime import run_simulated


def heard_beside(rogue_seconds, show):
    """Every answer and identifier that a rogue beacon's owner could record."""

    async def main():
        air = VirtualAir(AT_THE_GATE, random.Random(1))
        log, witness = [], air.station("witness")
        witness.on_heard = lambda packet, _rssi: log.append((packet.address, packet.data))
        witness.start_scanning(0.1, 0.1)
        async with gate_on(air, name="rogue"), running(air.light_radio("phone"), duty="mains") as (phone,):
            for session in show:
                phone.beacon.show_pass(session)
                await asyncio.sleep(5)
            if show:
                phone.beacon.hide_pass()
            await asyncio.sleep(rogue_seconds)
        return log

    return run_simulated(main())


def test_a_phone_whose_owner_shows_no_pass_ignores_it():
    assert not [data for _, data in heard_beside(120, []) if service_data(data, 17) is not None]


def test_two_passes_at_one_beacon_share_neither_address_nor_answer_nor_identifier():
    log = heard_beside(5, [os.urandom(16), os.urandom(16)])
    answers = {(address, data[-16:]) for address, data in log if service_data(data, 17) is not None}
    contacts = {(address, data[11:27]) for address, data in log if service_data(data, 20) is not None}

    assert len({address for address, _ in answers}) == len({answer for _, answer in answers}) == len(answers) >= 2
    assert not {address for address, _ in answers} & {address for address, _ in contacts}
    assert not {answer for _, answer in answers} & {identifier for _, identifier in contacts}
