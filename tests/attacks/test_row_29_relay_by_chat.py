# SPDX-License-Identifier: Apache-2.0
"""Row 29: a code sent by chat. A phone's code needs its answer on the air of this gate; a browser's is residual."""

import asyncio
import os
import random

from tests.edge.gate.test_check import Gate, pass_b
from tests.radio.handsets import running
from tests.radio.test_gateanswer import ALL, AT_THE_GATE, gate_on

from bluezone.edge.gate.check import Finding
from bluezone.protocol.gate.passes import PassA, pass_text
from bluezone.radio.air import VirtualAir
from bluezone.radio.simulatedtime import run_simulated


def test_the_code_of_a_phone_that_is_on_another_air_is_refused():
    async def main():
        here, elsewhere = (VirtualAir(AT_THE_GATE, random.Random(seed)) for seed in (1, 2))
        async with gate_on(here) as check, gate_on(elsewhere), running(elsewhere.light_radio("phone")) as (phone,):
            session = os.urandom(16)
            phone.beacon.show_pass(session)
            await asyncio.sleep(20)
            return phone.beacon.gate_answered, check.judge(pass_text(PassA(ALL, 1, session)))

    assert run_simulated(main()) == (True, Finding.NOT_HEARD)


def test_residual_a_browsers_code_relayed_live_is_accepted_as_fresh_and_never_as_running():
    gate = Gate()

    assert gate.check.judge(pass_b(gate.screen())) is Finding.FRESH
