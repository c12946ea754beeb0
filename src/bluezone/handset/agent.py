# SPDX-License-Identifier: Apache-2.0
"""`bluezone handset run`: the phone as a running process.

Bluetooth, flush, purge, polling, reports, random packets, local page; stops cleanly on SIGTERM, SIGINT or erasure.
"""

import asyncio
import contextlib
import logging
import random
import signal
import threading
from collections.abc import Callable

from bluezone.handset.page.api import LocalPage
from bluezone.handset.phone import Handset
from bluezone.handset.venues import SHOWN_SECONDS
from bluezone.radio.beacon import Beacon
from bluezone.radio.frames import DEFAULT_UUID
from bluezone.radio.interface import PROFILES, DutyProfile, Radio
from bluezone.refusal import Refused

FLUSH_SECONDS = 2.5
PURGE_SECONDS = 3600.0
ERRAND_SECONDS = 15.0
FIRST_RETRY_SECONDS = 60.0
LONGEST_RETRY_SECONDS = 1800.0
DEFAULT_POLL_SECONDS = 14_400
# Phones that were switched on together must not poll together.
POLL_JITTER = 0.25

logger = logging.getLogger(__name__)


class Agent:
    """Runs one phone until cancelled.

    radio: opened by the beacon. duty: how often to listen. rng: source of rotation times, addresses and jitter.
    """

    def __init__(self, handset: Handset, radio: Radio, duty: DutyProfile, rng: random.Random, uuid: int) -> None:
        self.handset = handset
        self._rng = rng
        self._radio = radio
        self._model = ""
        encounters = handset.encounters
        self.beacon = Beacon(
            radio, self._payload, encounters, duty, handset.clock.boot_seconds, rng, uuid, reciprocity=encounters
        )
        self.next_check: float | None = None

    def _payload(self) -> bytes:
        # A radio says its model once it is open, and the first payload is asked for then.
        if self._model != self._radio.model:
            self._model = self._radio.model
            self.handset.encounters.use_radio(self._model)
        return self.handset.encounters.payload()

    async def run(self) -> None:
        """Do everything at once, until cancelled; what was heard is flushed at the end."""
        loop = asyncio.get_running_loop()

        def rotate_soon() -> None:
            loop.call_soon_threadsafe(self.beacon.rotate_soon)

        def answer_gates(session: bytes | None) -> None:
            loop.call_soon_threadsafe(self._answer_gates, session)

        self.handset.report.on_rekeyed = rotate_soon
        self.handset.passes.on_session = answer_gates
        self.handset.passes.answered = lambda: self.beacon.gate_answered
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.beacon.run())
                tasks.create_task(self._flush())
                tasks.create_task(self._every(PURGE_SECONDS, self.handset.purge))
                tasks.create_task(self._every(ERRAND_SECONDS, self.handset.go_on, self._until_errand))
                tasks.create_task(self._poll())
        finally:
            self.handset.report.on_rekeyed = lambda: None
            self.handset.passes.on_session = lambda _session: None
            self.handset.passes.answered = lambda: False

    def _answer_gates(self, session: bytes | None) -> None:
        if session is None:
            self.beacon.hide_pass()
        else:
            self.beacon.show_pass(session)
            asyncio.get_running_loop().call_later(SHOWN_SECONDS, self.handset.passes.hide, session)

    async def _flush(self) -> None:
        """Store what was heard, well within the five seconds that may be lost in a kill."""
        while True:
            self._note_radio()
            # The page tells of a full disk or a locked store; what was heard waits in memory for the next flush.
            with contextlib.suppress(Refused):
                self.handset.encounters.flush()
            await asyncio.sleep(FLUSH_SECONDS)

    def _note_radio(self) -> None:
        beacon = self.beacon
        since = None if beacon.off_code is None else beacon.off_since_boot_seconds
        self.handset.encounters.note_radio(
            beacon.last_sent_boot_seconds, beacon.last_heard_boot_seconds, beacon.off_code, since
        )

    def _until_errand(self) -> float:
        # A rhythm of 15 seconds in the traffic would distinguish a rehearsal's second call from an owner's.
        due = self.handset.next_errand()
        return ERRAND_SECONDS if due is None else min(ERRAND_SECONDS, max(1.0, due - self.handset.time.now()))

    async def _every(
        self, seconds: float, work: Callable[[], object], pause_after: Callable[[], float] | None = None
    ) -> None:
        """Do some work again and again beside the radio; after a refusal it is tried again later.

        seconds: until the next time. pause_after: gives that pause after each success, instead of `seconds`.
        """
        pause = seconds
        while True:
            try:
                await asyncio.to_thread(work)
                # This reads the store too, which another program may have locked meanwhile.
                pause = await asyncio.to_thread(pause_after) if pause_after else seconds
            except Refused as refused:
                logger.info("put off: %s", refused.code)
                pause = min(2 * pause, LONGEST_RETRY_SECONDS)
            await asyncio.sleep(pause)

    async def _poll(self) -> None:
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                await asyncio.to_thread(self.handset.check)
            except Refused as refused:
                logger.warning("not checked: %s", refused.code)
                wait, pause = pause, min(2 * pause, self._poll_seconds())
            else:
                wait, pause = self._poll_seconds(), FIRST_RETRY_SECONDS
            wait *= self._rng.uniform(1 - POLL_JITTER, 1 + POLL_JITTER)
            self.next_check = self.handset.time.now() + wait
            await asyncio.sleep(wait)

    def _poll_seconds(self) -> float:
        config = None
        # Called after a refused check, perhaps because the store cannot be read.
        with contextlib.suppress(Refused):
            config = self.handset.city.current
        return float(config.poll_seconds if config else DEFAULT_POLL_SECONDS)


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
