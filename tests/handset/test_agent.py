# SPDX-License-Identifier: Apache-2.0
"""Two agents on one virtual air, as the program runs them."""

import asyncio
import random

import pytest
from tests.builders.handset import PhoneClock

from bluezone.handset import Handset
from bluezone.handset.agent import Agent
from bluezone.handset.overview import build_overview
from bluezone.handset.retries import DEFAULT_POLL_SECONDS
from bluezone.handset.store import HandsetBusy
from bluezone.protocol.identifiers import Metadata
from bluezone.radio import calibration
from bluezone.radio.adapters import identify
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.air.controller import virtual_radio
from bluezone.radio.interface import PROFILES


async def together(phones, seconds: float) -> None:
    """Run an agent for each phone on one air, in real time."""
    air = VirtualAir(Scene(default=Pair(1.0)), random.Random(1), origin_seconds=asyncio.get_running_loop().time())
    agents = [
        Agent(phone, air.radio(f"phone {number}"), PROFILES["mains"], random.Random(number), 0x4E56)
        for number, phone in enumerate(phones)
    ]
    tasks = [asyncio.create_task(agent.run()) for agent in agents]
    await asyncio.sleep(seconds)
    assert agents[0].next_check is not None
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.long
def test_two_agents_hear_each_other_check_and_say_that_they_run(phones, world):
    pair = [phones.new("one", PhoneClock(world, world.now - 60)), phones.new("two", PhoneClock(world, world.now - 60))]
    asyncio.run(together(pair, 3.5))
    for phone in pair:
        seen = build_overview(phone)
        assert seen.bluetooth == "running"
        assert seen.state == "A"
        assert seen.checked_at == world.now
        assert sum(phone.encounters.identifiers_per_day().values()) == 1


def test_a_phone_sends_by_what_its_owner_measured_of_the_adapter_that_was_opened(phones, world, tmp_path, monkeypatch):
    monkeypatch.setenv(calibration.FILE_VARIABLE, str(tmp_path / "radio.json"))
    phone = phones.new("one", PhoneClock(world, world.now - 60))
    unknown = phone.encounters.payload()

    async def open_and_send():
        air = VirtualAir(Scene(), random.Random(1), origin_seconds=asyncio.get_running_loop().time())
        radio = virtual_radio(air, "one", model=None)
        calibration.write_own_calibration(await identify(radio), calibration.Calibration(-5, 3, 2))
        running = asyncio.create_task(Agent(phone, radio, PROFILES["mains"], random.Random(2), 0x4E56).run())
        while phone.encounters.payload() == unknown:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(open_and_send(), 20))

    # One key and one identifier, so the two metadata lie under the same keystream.
    shipped, measured = Metadata(-25, 3).to_bytes(), Metadata(-5, 2).to_bytes()
    differing = bytes(a ^ b for a, b in zip(shipped, measured, strict=True))
    assert bytes(a ^ b for a, b in zip(unknown[16:], phone.encounters.payload()[16:], strict=True)) == differing


def test_a_store_that_is_locked_between_two_errands_ends_no_work(phones):
    refusals = [HandsetBusy("locked for a moment"), HandsetBusy("and again")]

    def pause_after() -> float:
        if refusals:
            raise refusals.pop()
        return 0.01

    async def run():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        air = VirtualAir(Scene(), random.Random(1), origin_seconds=loop.time())
        agent = Agent(phones.new("one"), air.radio("one"), PROFILES["mains"], random.Random(2), 0x4E56)

        def work():
            if not refusals:
                loop.call_soon_threadsafe(done.set)

        working, waiting = (asyncio.create_task(one) for one in (agent._every(0.01, work, pause_after), done.wait()))
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        assert not working.done()
        working.cancel()
        await asyncio.gather(working, waiting, return_exceptions=True)

    asyncio.run(asyncio.wait_for(run(), 20))


def test_a_store_that_cannot_be_read_before_the_first_config_leaves_the_usual_pause(tmp_path):
    phone = Handset.open(tmp_path / "phone", "http://127.0.0.1:9")

    async def asked():
        air = VirtualAir(Scene(), random.Random(1), origin_seconds=asyncio.get_running_loop().time())
        agent = Agent(phone, air.radio("one"), PROFILES["mains"], random.Random(2), 0x4E56)
        phone.store.close()
        return agent._poll_seconds()

    assert asyncio.run(asked()) == DEFAULT_POLL_SECONDS
