# SPDX-License-Identifier: Apache-2.0
"""`bluezone handset run`: the phone as a running process.

It runs Bluetooth, flush, purge, polling, reports, random packets and the local page, and stops cleanly on SIGTERM,
SIGINT or erasure.
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
from bluezone.handset.retries import DEFAULT_POLL_SECONDS, FIRST_RETRY_SECONDS, next_pause, with_jitter
from bluezone.handset.venues.gatepasses import SHOWN_SECONDS
from bluezone.radio.beacon import Beacon
from bluezone.radio.frames import DEFAULT_UUID
from bluezone.radio.interface import PROFILES, AlwaysAwake, DutyProfile, Power, Radio
from bluezone.refusal import Refused

FLUSH_SECONDS = 2.5
PURGE_SECONDS = 3600.0
CALL_SECONDS = 15.0
# How long a call to the server may keep the processor awake: longer than the client waits for an answer.
CALL_AWAKE_SECONDS = 60.0
# How long `resume` keeps the processor awake, so that each task can check the clock and keep it awake if necessary.
RESUME_AWAKE_SECONDS = 0.5

logger = logging.getLogger(__name__)

ERASURE_CHECK_SECONDS = 0.5


class _StoreBeforeSleep:
    """A Power that stores the new sightings before it lets the processor sleep."""

    def __init__(self, power: Power, store: Callable[[], None]) -> None:
        self.hold = power.hold
        self.wake_at = power.wake_at
        self._power = power
        self._store = store

    def release(self, name: str) -> None:
        self._store()
        self._power.release(name)


class Agent:
    """Runs one phone until cancelled.

    radio: opened by the beacon.
    duty:  how often to listen.
    rng:   source of rotation times, addresses and jitter.
    power: for a phone with a processor that sleeps; code that wakes the processor must call `resume`. Only the radio
           sets a time to wake; other work that is due waits until the processor is awake.
    """

    def __init__(
        self, handset: Handset, radio: Radio, duty: DutyProfile, rng: random.Random, uuid: int,
        power: Power | None = None,
    ) -> None:  # fmt: skip
        self.handset = handset
        self._rng = rng
        self._radio = radio
        self._model = ""
        self._power = power or AlwaysAwake()
        self._woken = asyncio.Event()
        encounters = handset.encounters
        self.beacon = Beacon(
            radio, self._payload, encounters, duty, handset.clock.boot_seconds, rng, uuid, encounters,
            _StoreBeforeSleep(self._power, self._store),
        )  # fmt: skip
        self.next_check: float | None = None

    def resume(self) -> None:
        """Continue after the processor slept; called on the agent's loop."""
        self._power.hold("look", RESUME_AWAKE_SECONDS)
        asyncio.get_running_loop().call_later(RESUME_AWAKE_SECONDS, self._power.release, "look")
        self.beacon.look_again()
        # This wakes all tasks that sleep now. Tasks that begin to sleep later wait for the new event.
        woken = self._woken
        self._woken = asyncio.Event()
        woken.set()

    async def sleep(self, seconds: float) -> None:
        """Sleep for some seconds of the boot clock, which, unlike the loop's clock, runs while the processor sleeps."""
        loop = asyncio.get_running_loop()
        boot = self.handset.clock.boot_seconds
        loop_end = loop.time() + seconds
        boot_end = boot() + seconds
        while loop.time() < loop_end and boot() < boot_end:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(loop_end):
                    await self._woken.wait()

    def _payload(self) -> bytes:
        # The model is known only after the beacon has opened the radio, and then the beacon calls this.
        if self._model != self._radio.model:
            self._model = self._radio.model
            self.handset.encounters.use_radio(self._model)
        return self.handset.encounters.payload()

    async def run(self) -> None:
        """Run all tasks concurrently until cancelled."""
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
                tasks.create_task(self._every(CALL_SECONDS, self.handset.make_due_calls, self._until_errand))
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
        """Store new sightings every 2.5 s: a kill of the process may lose at most those of five seconds."""
        while True:
            self._store()
            await asyncio.sleep(FLUSH_SECONDS)

    def _store(self) -> None:
        self._note_radio()
        # The page reports a full disk or a locked store; the sightings wait in memory for the next flush.
        with contextlib.suppress(Refused):
            self.handset.encounters.flush()

    def _note_radio(self) -> None:
        beacon = self.beacon
        since = None if beacon.off_code is None else beacon.off_since_boot_seconds
        self.handset.encounters.note_radio(
            beacon.last_sent_boot_seconds, beacon.last_heard_boot_seconds, beacon.off_code, since
        )

    def _until_errand(self) -> float:
        # A rehearsal's second call must come as soon as a report's, or an observer could distinguish the two.
        due = self.handset.next_call_at()
        if due is None:
            return CALL_SECONDS
        return min(CALL_SECONDS, max(1.0, due - self.handset.time.now()))

    async def _every(
        self, seconds: float, work: Callable[[], object], pause_after: Callable[[], float] | None = None
    ) -> None:
        """Repeat some work for ever; after each refusal, wait twice as long as before, up to half an hour.

        seconds:     pause after a success.
        pause_after: returns the pause after a success, instead of `seconds`.
        """
        pause = seconds
        while True:
            try:
                await self._run_awake(work)
                # `pause_after` reads the store and is refused if another program has locked it.
                pause = await asyncio.to_thread(pause_after) if pause_after else seconds
            except Refused as refused:
                logger.info("put off: %s", refused.code)
                pause = next_pause(pause)
            await self.sleep(pause)

    async def _run_awake(self, work: Callable[[], object]) -> None:
        """Run `work` on another thread and keep the processor awake until it ends."""
        name = f"errand {id(work)}"
        self._power.hold(name, CALL_AWAKE_SECONDS)
        try:
            await asyncio.to_thread(work)
        finally:
            self._power.release(name)

    async def _poll(self) -> None:
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                await self._run_awake(self.handset.check)
            except Refused as refused:
                logger.warning("not checked: %s", refused.code)
                wait = pause
                pause = next_pause(pause, self._poll_seconds())
            else:
                wait = self._poll_seconds()
                pause = FIRST_RETRY_SECONDS
            wait = with_jitter(wait, self._rng)
            self.next_check = self.handset.time.now() + wait
            await self.sleep(wait)

    def _poll_seconds(self) -> float:
        config = None
        # If the store cannot be read, the default applies.
        with contextlib.suppress(Refused):
            config = self.handset.city.current
        return float(config.poll_seconds if config else DEFAULT_POLL_SECONDS)


def run_agent(
    handset: Handset, radio: str, duty: str, uuid: int | None, port: int | None, say: Callable[[str], None]
) -> None:
    """Run a phone until the process gets a signal to stop, or the owner erases everything on the page.

    radio: name of a radio, for `open_radio`.
    duty:  name of a duty profile.
    uuid:  16-bit UUID of the Bluetooth service, None for the default.
    port:  of the local page, 0 for a free port, None for no page.
    say:   prints a line for the person or program that started the phone, with the page's address.
    Raises InvalidRadio.
    """
    # Imported here, because Android has another radio and no bumble.
    from bluezone.radio.adapters import open_radio

    agent = Agent(
        handset, open_radio(radio), PROFILES[duty], random.SystemRandom(), DEFAULT_UUID if uuid is None else uuid
    )
    erased = threading.Event()
    page: LocalPage | None = None
    if port is None:
        say("ready")
    else:
        page = LocalPage(handset, port, lambda: agent.next_check, erased.set)
        page.start()
        say(f"ready {page.url}")
    try:
        asyncio.run(_run_until_stopped(agent, erased))
    except ExceptionGroup:
        # After the owner erased the store, tasks that still use it fail.
        if not handset.is_erased:
            raise
    finally:
        if page is not None:
            page.stop()


async def _run_until_stopped(agent: Agent, erased: threading.Event) -> None:
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
        await asyncio.sleep(ERASURE_CHECK_SECONDS)
    running.cancel()
