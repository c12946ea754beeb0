# SPDX-License-Identifier: Apache-2.0
"""Runs inside the guest: two virtual controllers behind /dev/vhci, the real kernel, our adapter on its HCI sockets."""

import asyncio
import json
import os
import random
import sys
import threading
import time
from typing import Any

from bumble.transport import open_transport
from tests.radio import contract

from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.edge.gate.main import GateRadio
from bluezone.protocol.gate.passes import BluetoothState, PassA, pass_text
from bluezone.radio.adapters import open_radio
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.controller import AirController
from bluezone.radio.beacon import Beacon
from bluezone.radio.frames import contact_advertisement, service_data
from bluezone.radio.interface import PROFILES, Burst, Sighting

NAMES = ("hci0", "hci1")
HEARING_SECONDS = 120.0


class Neighbour:
    """Keeps what one handset heard, and the payload it sends."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.rotations = 0
        self.sightings: list[Sighting] = []

    def payload(self) -> bytes:
        self.rotations += 1
        return bytes([self.number, self.rotations]) * 8 + b"meta"

    def burst_started(self, burst: Burst) -> None:
        pass

    def heard(self, sighting: Sighting) -> None:
        self.sightings.append(sighting)

    def identifiers(self) -> set[bytes]:
        return {sighting.identifier16 for sighting in self.sightings}


async def attach_controllers(ready: threading.Event, sent: list[tuple[bytes, bytes, int]]) -> None:
    """Give the kernel two controllers and serve them; in a thread, because the kernel's calls block."""
    # Half a metre, as at a gate, which takes answers from -70 dBm on.
    air = VirtualAir(Scene(default=Pair(0.5)), random.Random(1))
    for name in NAMES:
        transport = await open_transport("vhci")
        controller = AirController(air.station(name))
        controller.set_packet_sink(transport.sink)
        transport.source.set_packet_sink(controller)
    witness = air.station("witness")
    witness.on_heard = lambda heard, _rssi: sent.append((heard.address, heard.data, heard.kind))
    witness.start_scanning(0.1, 0.1)
    ready.set()
    await asyncio.get_running_loop().create_future()


async def until(condition: Any, what: str) -> None:
    """Wait for the guest, which is slow, and name what did not come."""
    end = time.monotonic() + HEARING_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {HEARING_SECONDS:.0f} s")
        await asyncio.sleep(0.1)


async def meet(sent: list[tuple[bytes, bytes, int]]) -> dict[str, Any]:
    """Two beacons on the kernel's adapters hear each other, rotate, and hear each other again."""
    neighbours = [Neighbour(number) for number in (1, 2)]
    radios = [open_radio(f"hci-socket:{number}") for number in range(len(NAMES))]
    beacons = [
        Beacon(radio, neighbour.payload, neighbour, PROFILES["mains"], time.monotonic, random.SystemRandom())
        for radio, neighbour in zip(radios, neighbours, strict=True)
    ]
    tasks = [asyncio.create_task(beacon.run()) for beacon in beacons]
    await until(lambda: all(len(n.sightings) >= 5 for n in neighbours), "hearing each other")
    for beacon in beacons:
        beacon.rotate_soon()
    await until(lambda: all(len(n.identifiers()) == 2 for n in neighbours), "hearing the rotated identifiers")
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    pairs = {(address, data) for address, data, _ in sent}
    assert {kind for _, _, kind in sent} == {3}, "only ADV_NONCONN_IND may be sent"
    assert len({address for address, _ in pairs}) == len({data for _, data in pairs}) == len(pairs) == 4
    assert all(address[0] >> 6 == 0 for address, _ in pairs), "addresses must be non-resolvable private"
    expected = {contact_advertisement(bytes([n, turn]) * 8 + b"meta") for n in (1, 2) for turn in (1, 2)}
    assert {data for _, data in pairs} == expected
    return {
        "sightings": [len(n.sightings) for n in neighbours],
        "identifiers": [len(n.identifiers()) for n in neighbours],
        "on_air": [f"{address.hex()} {data.hex()}" for address, data in sorted(pairs)],
        "adapter": [radio.model for radio in radios],
    }


async def keep_the_contract(sent: list[tuple[bytes, bytes, int]]) -> dict[str, Any]:
    """The checks that every other radio passes in tests/radio/test_contract.py, on the kernel's adapters."""
    for check in contract.CHECKS:
        sent.clear()
        radios = [open_radio(f"hci-socket:{number}") for number in range(len(NAMES))]
        await contract.run(check, contract.Place(*radios, sent=sent, patience_seconds=HEARING_SECONDS))
    return {"contract": [check.__name__ for check in contract.CHECKS]}


async def pass_the_gate(sent: list[tuple[bytes, bytes, int]]) -> dict[str, Any]:
    """One adapter is a gate, the other a phone that shows a pass: not proven before, proven while it answers."""
    check = GateCheck(b"gate", tuple, time.monotonic, time.time)
    gate = GateRadio(open_radio("hci-socket:0"), check, random.SystemRandom())
    phone = Neighbour(3)
    beacon = Beacon(
        open_radio("hci-socket:1"), phone.payload, phone, PROFILES["mains"], time.monotonic, random.SystemRandom()
    )
    tasks = [asyncio.create_task(gate.run()), asyncio.create_task(beacon.run())]
    await until(lambda: gate.off_reason is None and beacon.off_reason is None, "both adapters working")
    session = os.urandom(16)
    shown = pass_text(PassA(BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING, 1, session))
    before = check.judge(shown)
    began = len(sent)
    beacon.show_pass(session)
    await until(lambda: check.judge(shown) is Finding.PROVEN, "the gate hearing the answer")
    beacon.hide_pass()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    answers = {data for _, data, _ in sent[began:] if service_data(data, 17) is not None}
    assert before is Finding.NOT_HEARD, "nothing may be proven before the phone has answered"
    assert answers, "the answer must have been on the air"
    assert {kind for _, _, kind in sent} == {3}, "only ADV_NONCONN_IND may be sent"
    return {"gate": "proven", "answers": len(answers)}


def say(line: str) -> None:
    """Write a line to the guest's console, where run.sh looks for it."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    sent: list[tuple[bytes, bytes, int]] = []
    ready = threading.Event()
    threading.Thread(target=lambda: asyncio.run(attach_controllers(ready, sent)), daemon=True).start()
    if not ready.wait(60):
        say("failed: no /dev/vhci")
        return 1
    try:
        evidence = asyncio.run(meet(sent)) | asyncio.run(pass_the_gate(sent)) | asyncio.run(keep_the_contract(sent))
    except Exception as error:
        say(f"failed: {type(error).__name__}: {error}")
        return 1
    say("evidence " + json.dumps(evidence))
    return 0


if __name__ == "__main__":
    sys.exit(main())
