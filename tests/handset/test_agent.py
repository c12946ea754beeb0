# SPDX-License-Identifier: Apache-2.0
"""Two agents on one virtual air, as the program runs them."""

import asyncio
import random

from tests.builders.handset import PhoneClock

from bluezone.handset.agent import Agent
from bluezone.handset.overview import overview
from bluezone.radio.air import Pair, Scene, VirtualAir
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


def test_two_agents_hear_each_other_check_and_say_that_they_run(phones, world):
    pair = [phones.new("one", PhoneClock(world, world.now - 60)), phones.new("two", PhoneClock(world, world.now - 60))]
    asyncio.run(together(pair, 3.5))
    for phone in pair:
        seen = overview(phone)
        assert seen.bluetooth == "running"
        assert seen.state == "A"
        assert seen.checked_at == world.now
        assert sum(phone.encounters_per_day().values()) == 1
