# SPDX-License-Identifier: Apache-2.0
"""Row 31: Bluetooth off, not scanning, or the app killed. Such a phone cannot answer, so it is never proven to run."""

import asyncio
import os
import random

import pytest
from tests.radio.handsets import running
from tests.radio.test_gateanswer import ALL, AT_THE_GATE, gate_on

from bluezone.edge.gate.check import Finding
from bluezone.protocol.gate.passes import BluetoothState, PassA, pass_text
from bluezone.radio.air import VirtualAir
from bluezone.radio.simulatedtime import run_simulated


class Deaf:
    """A radio that advertises and never scans, as under a system that forbids it."""

    def __init__(self, radio):
        self._radio = radio

    def __getattr__(self, name):
        return getattr(self._radio, name)

    async def start_scanning(self, interval_ms, window_ms, on_report):
        """Say yes and hear nothing."""

    async def stop_scanning(self):
        """Nothing to stop."""


async def judged(wrap, kill=False, state=ALL):
    air = VirtualAir(AT_THE_GATE, random.Random(1))
    async with gate_on(air) as check:
        session = os.urandom(16)
        async with running(wrap(air.light_radio("phone"))) as (phone,):
            if not kill:
                phone.beacon.show_pass(session)
                await asyncio.sleep(60)
        if kill:
            await asyncio.sleep(60)
        return check.judge(pass_text(PassA(state, 1, session)))


@pytest.mark.parametrize(
    ("wrap", "kill", "state", "finding"),
    [
        (Deaf, False, ALL, Finding.NOT_HEARD),
        (lambda radio: radio, True, ALL, Finding.NOT_HEARD),
        (lambda radio: radio, True, BluetoothState(0), Finding.BLUETOOTH_OFF),
        (lambda radio: radio, False, ALL, Finding.PROVEN),
    ],
    ids=["not scanning", "killed", "off", "running"],
)
def test_only_a_phone_that_sends_and_hears_is_proven(wrap, kill, state, finding):
    assert run_simulated(judged(wrap, kill, state)) is finding
