# SPDX-License-Identifier: Apache-2.0
"""The agent as a process: opens the radio, prints the page's address, stops whole on SIGTERM, SIGINT or erasure."""

import asyncio
import contextlib
import random
import signal
import threading
from collections.abc import Callable

from bluezone.handset.agent import Agent
from bluezone.handset.page.server import LocalPage
from bluezone.handset.phone import Handset
from bluezone.radio.frames import DEFAULT_UUID
from bluezone.radio.interface import PROFILES

LOOK_SECONDS = 0.5


def run_agent(
    handset: Handset, radio: str, duty: str, uuid: int | None, port: int | None, say: Callable[[str], None]
) -> None:
    """Run a phone until the process is told to stop, or its owner erases everything on the page.

    radio: as `open_radio` reads it. duty: name of a duty profile. uuid: None for the default.
    port: of the local page, 0 for a free one, None for no page. say: where the address is printed.
    Raises InvalidRadio.
    """
    # Here, so that a handset whose radio is not bumble's (Android) need not have bumble.
    from bluezone.radio.adapters import open_radio

    agent = Agent(
        handset, open_radio(radio), PROFILES[duty], random.SystemRandom(), DEFAULT_UUID if uuid is None else uuid
    )
    erased = threading.Event()
    page = None if port is None else LocalPage(handset, port, lambda: agent.next_check, erased.set)
    if page is not None:
        page.start()
        say(f"ready {page.url}")
    else:
        say("ready")
    try:
        asyncio.run(_until_told_to_stop(agent, erased))
    except ExceptionGroup:
        # Work that was under way finds the store gone once the owner has erased it.
        if not handset.forgotten:
            raise
    finally:
        if page is not None:
            page.stop()


async def _until_told_to_stop(agent: Agent, erased: threading.Event) -> None:
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(agent.run())
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    watching = asyncio.create_task(_watch(erased, running))
    with contextlib.suppress(asyncio.CancelledError):
        await running
    watching.cancel()


async def _watch(erased: threading.Event, running: asyncio.Task[None]) -> None:
    while not erased.is_set():
        await asyncio.sleep(LOOK_SECONDS)
    running.cancel()
