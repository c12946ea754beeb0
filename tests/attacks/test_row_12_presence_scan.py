# SPDX-License-Identifier: Apache-2.0
"""Row 12: somebody scans homes. Residual: that a phone is there can be heard; nothing says which or whose."""

import asyncio
import os
import random

import pytest
from tests.radio.handsets import Diary

from bluezone.protocol.identifiers import Metadata, crypt_metadata, rolling_proximity_identifier
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.station import ADV_NONCONN_IND
from bluezone.radio.beacon import Beacon
from bluezone.radio.frames import contact_advertisement
from bluezone.radio.interface import PROFILES
from bluezone.radio.simulatedtime import run_simulated

HOURS = 6


def payload_of(key: bytes):
    """What a handset really sends: identifier of the moment and encrypted metadata, the metadata never changing."""

    def payload() -> bytes:
        interval = 2_700_000 + int(asyncio.get_running_loop().time()) // 600
        identifier = rolling_proximity_identifier(key, interval)
        return identifier + crypt_metadata(key, identifier, Metadata(-18, 3).to_bytes())

    return payload


async def capture() -> dict[str, list[tuple[bytes, bytes, int]]]:
    """Log, per handset over bumble's stack, everything a scanner hears next to it, each kind of packet once."""
    loop = asyncio.get_running_loop()
    logs: dict[str, list[tuple[bytes, bytes, int]]] = {}
    tasks = []
    for number, name in enumerate(("one", "other")):
        air = VirtualAir(Scene(default=Pair(1.0)), random.Random(12))
        heard = logs[name] = []
        scanner = air.station("scanner")
        scanner.on_heard = lambda packet, _rssi, heard=heard: heard.append((packet.address, packet.data, packet.kind))
        scanner.start_scanning(0.1, 0.1)
        beacon = Beacon(
            air.radio(name), payload_of(os.urandom(16)), Diary(), PROFILES["saver"], loop.time, random.Random(number)
        )
        tasks.append(asyncio.create_task(beacon.run()))
    await asyncio.sleep(HOURS * 3600)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return {name: list(dict.fromkeys(log)) for name, log in logs.items()}


@pytest.mark.long
def test_row_12_a_scanner_hears_the_service_uuid_and_rotating_bytes_and_nothing_else():
    logs = run_simulated(capture())

    prefix = contact_advertisement(bytes(20))[:11]
    for packets in logs.values():
        assert len(packets) >= HOURS * 3
        assert {kind for _, _, kind in packets} == {ADV_NONCONN_IND}, "nothing to connect to, nothing to ask for a name"
        assert {data[:11] for _, data, _ in packets} == {prefix}
        assert {len(data) for _, data, _ in packets} == {31}
        assert {address[0] >> 6 for address, _, _ in packets} == {0}, "non-resolvable private"
        for place in range(11, 31):
            assert len({data[place] for _, data, _ in packets}) > 1, f"byte {place} never changes"

    seen = {data[11:] for packets in logs.values() for _, data, _ in packets}
    assert len(seen) == sum(len(packets) for packets in logs.values()), "no two handsets or times share a byte string"
