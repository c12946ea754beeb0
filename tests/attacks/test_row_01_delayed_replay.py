# SPDX-License-Identifier: Apache-2.0
"""Row 1: identifiers heard in one place and sent out again elsewhere, 45 minutes later; on virtual air."""

import asyncio
import contextlib
import random

import pytest
from tests.builders.handset import AirWorld, city_with_phones, publish_reports, report_patient

from bluezone.protocol.exports.files import read_export
from bluezone.protocol.matching import SightingIndex
from bluezone.radio.air import Advertisement, Pair, Scene, VirtualAir
from bluezone.radio.beacon import Beacon
from bluezone.radio.interface import PROFILES

MINUTES = 25
FAR = Pair(distance_m=200.0, walls=3)


async def replay(patient, victim, delay_seconds: float, heard: list[bytes]) -> None:
    """Record what the patient sends at one place and send it out beside the victim, `delay_seconds` later."""
    scene = Scene({("patient", "thief"): Pair(1.0)}, default=FAR)
    air = VirtualAir(scene, random.Random(1), origin_seconds=asyncio.get_running_loop().time())
    loop = asyncio.get_running_loop()
    thief = air.radio("thief")
    await thief.open()

    def on_report(address: bytes, data: bytes, _rssi_dbm: int) -> None:
        loop.call_later(delay_seconds, air.inject, "victim", Advertisement(address, data), -70)
        heard.append(data[-20:])

    await thief.start_scanning(500, 500, on_report)
    tasks = [
        asyncio.create_task(
            Beacon(
                air.radio(name),
                phone.encounters.payload,
                phone.encounters,
                PROFILES["default"],
                phone.clock.boot_seconds,
                rng,
            ).run()
        )
        for name, phone, rng in (("patient", patient, random.Random(2)), ("victim", victim, random.Random(3)))
    ]
    await asyncio.sleep(MINUTES * 60)
    await thief.stop_scanning()
    await asyncio.sleep(delay_seconds)
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.mark.long
@pytest.mark.parametrize(("delay_minutes", "level"), [(45, "none"), (0, "high")])
def test_row_01_a_replay_after_45_minutes_is_stored_and_scores_nothing_but_one_at_once_warns(
    tmp_path, delay_minutes, level
):
    world = AirWorld()
    with city_with_phones(tmp_path, world) as (server, phones, _):
        patient, victim = phones.new("patient"), phones.new("victim")
        started, heard = world.now, []
        world.live(replay(patient, victim, delay_minutes * 60.0, heard))
        victim.encounters.flush()
        assert sum(victim.encounters.identifiers_per_day().values()) >= 2
        report_patient(patient, server)
        publish_reports(server, world)

        assessment = victim.check()
        assert assessment.level == level
        if delay_minutes:
            assert assessment.days == ()
            path = next(path for path, _ in server.requests if path.endswith(".zip"))
            found = compatible_match(server, path, heard[0], started + delay_minutes * 60)
            assert found, "the same replay is found by the compatible match of the command line"


def compatible_match(server, path, frame, heard_at) -> bool:
    data = (server.key_server.data_dir / "exports" / path.rsplit("/", 1)[1]).read_bytes()
    index = SightingIndex(frame[:16], [heard_at])
    return len(index.match(read_export(data).columns)) > 0
