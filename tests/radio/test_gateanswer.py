# SPDX-License-Identifier: Apache-2.0
"""A phone and a gate on the virtual air, over bumble's HCI and over light radios, in simulated time."""

import asyncio
import contextlib
import itertools
import os
import random

import pytest
from tests.radio.handsets import running

from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.edge.gate.main import GateRadio
from bluezone.protocol.gate.passes import BluetoothState, PassA, encode_gate_frame, pass_text
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.station import Advertisement
from bluezone.radio.frames import advertisement, contact_advertisement, service_data
from bluezone.radio.simulatedtime import run_simulated

AT_THE_GATE = Scene(default=Pair(0.5))
FAR = Scene(default=Pair(8.0))
ALL = BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING | BluetoothState.HEARD


@contextlib.asynccontextmanager
async def gate_on(air, over_hci=False, name="gate"):
    clock = asyncio.get_running_loop().time
    check = GateCheck(name[:4].encode(), tuple, clock, clock)
    radio = GateRadio(air.radio(name) if over_hci else air.light_radio(name), check, random.Random(9))
    task = asyncio.create_task(radio.run())
    try:
        yield check
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def radio_of(air, over_hci):
    return air.radio("phone") if over_hci else air.light_radio("phone")


@pytest.mark.parametrize("over_hci", [True, False], ids=["hci", "light"])
def test_a_running_phone_that_shows_its_pass_is_proven_within_two_seconds(over_hci):
    async def main():
        air = VirtualAir(AT_THE_GATE, random.Random(1))
        async with gate_on(air, over_hci) as check, running(radio_of(air, over_hci)) as (phone,):
            await asyncio.sleep(20)
            session = os.urandom(16)
            before = check.judge(pass_text(PassA(ALL, 1, session)))
            phone.beacon.show_pass(session)
            await asyncio.sleep(2)
            return before, check.judge(pass_text(PassA(ALL, 1, session))), phone.beacon.gate_answered

    assert run_simulated(main()) == (Finding.NOT_HEARD, Finding.PROVEN, True)


def test_the_answer_is_renewed_within_a_second_of_a_new_challenge():
    async def main():
        air = VirtualAir(AT_THE_GATE, random.Random(1))
        loop, heard = asyncio.get_running_loop(), {}
        witness = air.station("witness")

        def note(packet, _rssi):
            for length in (13, 17):
                if (data := service_data(packet.data, length)) is not None:
                    heard.setdefault((length, data), loop.time())

        witness.on_heard = note
        witness.start_scanning(0.1, 0.1)
        async with gate_on(air), running(radio_of(air, False)) as (phone,):
            await asyncio.sleep(5)
            phone.beacon.show_pass(os.urandom(16))
            await asyncio.sleep(100)
        return heard

    heard = run_simulated(main())
    asked = [moment for (length, _), moment in heard.items() if length == 13]
    answered = [moment for (length, _), moment in heard.items() if length == 17]

    assert len(asked) == len(answered) == 4
    assert all(answer - question <= 1.0 for question, answer in zip(asked[1:], answered[1:], strict=True))


def test_a_phone_at_the_gate_is_silent_for_contacts_and_fresh_before_and_after():
    async def main():
        air = VirtualAir(AT_THE_GATE, random.Random(1))
        log, witness = [], air.station("witness")
        witness.on_heard = lambda packet, _rssi: log.append((packet.address, packet.data))
        witness.start_scanning(0.1, 0.1)
        async with gate_on(air), running(radio_of(air, False)) as (phone,):
            await asyncio.sleep(10)
            phone.beacon.show_pass(os.urandom(16))
            await asyncio.sleep(40)
            phone.beacon.hide_pass()
            await asyncio.sleep(10)
        return log

    log = run_simulated(main())
    kinds = {}
    for address, data in log:
        kind = next((length for length in (20, 17) if service_data(data, length) is not None), None)
        if kind:
            kinds.setdefault(address, set()).add((kind, data))
    order = [kind for kind, _ in itertools.groupby(len_of(kinds))]

    assert all(len(frames) == 1 for frames in kinds.values()), "an address never carries two payloads"
    assert order == [20, 17, 20]


def len_of(kinds):
    return [next(iter(frames))[0] for frames in kinds.values()]


def test_a_phone_with_bluetooth_off_is_never_proven():
    async def main():
        air = VirtualAir(AT_THE_GATE, random.Random(1))
        async with gate_on(air) as check:
            await asyncio.sleep(40)
            return check.judge(pass_text(PassA(BluetoothState(0), 1, os.urandom(16))))

    assert run_simulated(main()) is Finding.BLUETOOTH_OFF


def test_a_phone_far_away_is_not_proven():
    async def main():
        air = VirtualAir(FAR, random.Random(1))
        async with gate_on(air) as check, running(radio_of(air, False)) as (phone,):
            session = os.urandom(16)
            phone.beacon.show_pass(session)
            await asyncio.sleep(40)
            return check.judge(pass_text(PassA(ALL, 1, session)))

    assert run_simulated(main()) is Finding.NOT_HEARD


def test_a_recording_of_an_answer_proves_nothing_later():
    async def main():
        air = VirtualAir(AT_THE_GATE, random.Random(1))
        session, recorded = os.urandom(16), []
        witness = air.station("witness")
        witness.on_heard = lambda packet, _rssi: recorded.append(packet) if service_data(packet.data, 17) else None
        witness.start_scanning(0.1, 0.1)
        async with gate_on(air) as check:
            async with running(radio_of(air, False)) as (phone,):
                phone.beacon.show_pass(session)
                await asyncio.sleep(5)
            await asyncio.sleep(61)
            replayed = air.inject("gate", Advertisement(bytes(6), recorded[-1].data), -50)
            return replayed, check.judge(pass_text(PassA(ALL, 1, session)))

    assert run_simulated(main()) == (True, Finding.NOT_HEARD)


def test_a_phone_that_shows_no_pass_ignores_a_gate():
    async def main():
        air = VirtualAir(AT_THE_GATE, random.Random(1))
        log, witness = [], air.station("witness")
        witness.on_heard = lambda packet, _rssi: log.append(packet.data)
        witness.start_scanning(0.1, 0.1)
        async with gate_on(air), running(radio_of(air, False), duty="mains") as (phone,):
            await asyncio.sleep(60)
            return log, phone.diary.sightings

    log, sightings = run_simulated(main())

    assert not [data for data in log if service_data(data, 17) is not None]
    assert sightings == []


def test_the_gate_drops_contact_frames_and_everything_else_unread():
    async def main():
        air = VirtualAir(AT_THE_GATE, random.Random(1))
        async with gate_on(air) as check:
            await asyncio.sleep(1)
            for data in (contact_advertisement(bytes(20)), advertisement(bytes(17)), b"", bytes(31), os.urandom(40)):
                air.inject("gate", Advertisement(bytes(6), data), -50)
            frame = advertisement(encode_gate_frame(check.challenges().air))
            air.inject("gate", Advertisement(bytes(6), frame), -50)
            return dict(check._heard)

    assert run_simulated(main()) == {}
