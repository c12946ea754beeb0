# SPDX-License-Identifier: Apache-2.0
"""Runs the phone inside the Android service: opens it, shows notices, and starts it again after any failure.

The agent's loop has a separate thread. Android may kill the process at any instant: sightings are on disk within five
seconds, and a pending report continues at the next start (docs/handset.md).
"""

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bluezone.handset.agent import Agent
from bluezone.handset.android.cityfile import CityFile
from bluezone.handset.android.device import Device, KeystoreSealing
from bluezone.handset.android.notices import (
    news_notice,
    running_notice,
    stopped_notice,
    waiting_notice,
)
from bluezone.handset.android.power import WakeTime
from bluezone.handset.android.screens import ERASABLE_PROBLEMS
from bluezone.handset.android.setup import Setup
from bluezone.handset.clocks import boot_id_of
from bluezone.handset.overview import build_overview
from bluezone.handset.page.api import LocalPage
from bluezone.handset.page.shapes import warnings_of
from bluezone.handset.phone import Handset
from bluezone.handset.store import HandsetDiskFull, HandsetMissing, erase_folder
from bluezone.protocol.languages import LANGUAGES
from bluezone.radio.frames import DEFAULT_UUID
from bluezone.radio.interface import PROFILES
from bluezone.refusal import Refused

PHONE_FOLDER = "handset"
CHECK_SECONDS = 10.0
RETRY_SECONDS = 60.0
ACCOUNT_SECONDS = 3600.0
NOTIFIED = "notified"
FAULT = "fault"

logger = logging.getLogger(__name__)


class PhoneService:
    """Keeps one phone alive from `start` to `stop`. Every method may be called from any thread.

    folder:    the app's own folder, which is not backed up.
    city:      reads the city for which the app was built; may raise a refusal.
    url:       address of the phone's page with its token, None without a page.
    problem:   code of the problem because of which the phone does not run, None if it runs.
    power:     keeps the processor awake for the phone's tasks, and counts the time.
    on_change: called, from any thread, when url or problem has changed.
    """

    def __init__(
        self, folder: Path, city: Callable[[], CityFile], setup: Setup, device: Device, *,
        retry_seconds: float = RETRY_SECONDS, look_seconds: float = CHECK_SECONDS,
    ) -> None:  # fmt: skip
        self._phone = folder / PHONE_FOLDER
        self._city = city
        self._setup = setup
        self._device = device
        self._clock = device.clock()
        self._sealing = KeystoreSealing(device.keystore)
        self.power = WakeTime(device.wake_lock, self._clock.boot_seconds)
        self._retry_seconds = retry_seconds
        self._look_seconds = look_seconds
        self._thread: threading.Thread | None = None
        self._noted = False
        self._lock = threading.RLock()
        self._again = threading.Event()
        self._over = threading.Event()
        self._interrupt: Callable[[], None] = lambda: None
        self._look_again: Callable[[], None] = lambda: None
        self.on_change: Callable[[], None] = lambda: None
        self.url: str | None = None
        self.problem: str | None = None

    @property
    def running(self) -> bool:
        """Whether the thread has started and not ended, even if a problem keeps the phone from running."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Run the phone from now on, unless it runs already."""
        with self._lock:
            if self.running:
                return
            self._over.clear()
            self._noted = False
            self._thread = threading.Thread(target=self._live, name="bluezone-tracing", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop cleanly; afterwards all sightings are on disk."""
        self._over.set()
        self._wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        # If the disk is full, the next start assumes that Android killed the service, and shows a needless hint.
        with contextlib.suppress(HandsetDiskFull):
            self._setup.note_stop()

    def erase_and_restart(self) -> None:
        """Erase a store that can no longer be read, and start as a new phone; do nothing for other problems."""
        if self.problem not in ERASABLE_PROBLEMS:
            return
        with contextlib.suppress(HandsetMissing):
            erase_folder(self._phone, self._sealing)
        self._wake()

    def on_alarm(self) -> None:
        """Do the work that is due; called when Android's alarm has woken the processor."""
        self.power.note_alarm()
        self._again.set()
        self._look_again()

    def _wake(self) -> None:
        self._again.set()
        self._interrupt()

    def _live(self) -> None:
        while not self._over.is_set():
            self._again.clear()
            try:
                self._device.show_running(waiting_notice(self._setup.answers.language))
                self._note_start()
                forgotten = asyncio.run(self._run())
            except Refused as refused:
                self._stopped(refused.code)
            except Exception as fault:  # the phone is started again after any fault
                # Only its type is logged: its message may hold personal data.
                logger.error("the phone ended with %s", type(fault).__name__)
                self._stopped(FAULT)
            else:
                if forgotten:
                    self.power.release_all()
                    self._forgotten()
                    return
                continue
            if self.problem not in ERASABLE_PROBLEMS:
                self.power.wake_at(self._clock.boot_seconds() + self._retry_seconds)
            self._again.wait(None if self.problem in ERASABLE_PROBLEMS else self._retry_seconds)
        self.power.release_all()
        self._set(None, None)

    def _note_start(self) -> None:
        """Note once that the service started, as soon as the disk has room for it."""
        if not self._noted:
            self._setup.note_start(boot_id_of(self._clock))
            self._noted = True

    def _stopped(self, code: str) -> None:
        self._device.show_running(stopped_notice(self._setup.answers.language))
        self._set(None, code)

    def _forgotten(self) -> None:
        """Return to a new installation after an erasure: nothing runs until the owner agrees again."""
        self._setup.reset()
        self._device.end_service()
        self._set(None, None)

    def _set(self, url: str | None, problem: str | None) -> None:
        self.url = url
        self.problem = problem
        self.on_change()

    def _open(self, radio_model: str) -> Handset:
        city = self._city()
        handset = Handset.open(
            self._phone, city.server, self._clock, radio_model=radio_model, trust=city.trust, sealing=self._sealing
        )
        try:
            # The owner has agreed on the app's first screen, which has the same words as the page's.
            with handset.store.transaction():
                if handset.store.get("started_at") is None:
                    handset.store.put("started_at", handset.time.now())
                    handset.store.put("language", self._setup.answers.language)
        except BaseException:
            handset.close()
            raise
        return handset

    async def _run(self) -> bool:
        """Open and run the phone until a stop, a refusal or its erasure; return whether the owner erased it."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        radio = self._device.radio()
        handset = self._open(radio.model)
        agent = Agent(handset, radio, PROFILES["pocket"], random.SystemRandom(), DEFAULT_UUID, self.power)

        def soon(work: Callable[[], object]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop may have ended before
                loop.call_soon_threadsafe(work)

        def interrupt() -> None:
            soon(ended.set)

        page = LocalPage(handset, 0, lambda: agent.next_check, interrupt, voice=self._device.voice)
        page.start()
        self._interrupt = interrupt
        self._look_again = lambda: soon(agent.resume)
        try:
            if not self._over.is_set():
                self._set(page.url, None)
                await self._until(ended, agent.run(), self._update_notices(agent), self._log_usage(agent))
        except Exception:
            # After the owner erased the store, tasks that still use it fail.
            if not handset.is_erased:
                raise
        finally:
            self._interrupt = lambda: None
            self._look_again = lambda: None
            self._device.voice.stop()
            page.stop()
            handset.close()
        return handset.is_erased

    async def _until(self, ended: asyncio.Event, *works: Coroutine[Any, Any, None]) -> None:
        """Run the works until `ended` is set; if one of them fails, its error is raised."""
        waiting = asyncio.ensure_future(ended.wait())
        tasks = [asyncio.ensure_future(work) for work in works]
        done, unfinished = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        for task in done - {waiting}:
            task.result()

    async def _update_notices(self, agent: Agent) -> None:
        """Keep the notices up to date."""
        while True:
            await agent.sleep(self._look_seconds)
            await asyncio.to_thread(self._show_notices, agent.handset)

    async def _log_usage(self, agent: Agent) -> None:
        """Log every hour, in Android's log, how long the processor was awake and the radio listened."""
        while True:
            await agent.sleep(ACCOUNT_SECONDS)
            logger.info(
                "since the start: %.0f s kept awake, %.0f s listened",
                self.power.awake_seconds, agent.beacon.listened_seconds,
            )  # fmt: skip

    def _show_notices(self, handset: Handset) -> None:
        try:
            chosen = str(handset.store.get("language", "vi"))
            # The notices exist in two languages; for any other choice they are in English.
            language = chosen if chosen in LANGUAGES else "en"
            if language != self._setup.answers.language:
                self._setup.update(language=language)
            self._device.show_running(
                running_notice(build_overview(handset), handset.time.now(), handset.time.local, language)
            )
            unread = {warning["id"] for warning in warnings_of(handset, language) if not warning["read"]}
            unread |= {message.id for message in handset.pages.messages(language) if not message.read}
            notified = set(handset.store.get(NOTIFIED, []))
            if unread - notified:
                self._device.show_news(news_notice(language))
                handset.store.put(NOTIFIED, sorted(unread))
            elif notified - unread:
                handset.store.put(NOTIFIED, sorted(unread))
        except Refused as refused:
            logger.info("notices put off: %s", refused.code)
