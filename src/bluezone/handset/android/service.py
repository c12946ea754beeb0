# SPDX-License-Identifier: Apache-2.0
"""Runs the phone inside the Android service: opens it, shows notices, and starts it again after any failure.

The agent's loop has a thread of its own. The process may be killed at any instant: what was heard is on disk within
five seconds, and a report under way goes on at the next start, as on every handset (docs/handset.md).
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
    LANGUAGES,
    news_notice,
    running_notice,
    stopped_notice,
    waiting_notice,
)
from bluezone.handset.android.power import WakeTime
from bluezone.handset.android.screens import STARTS_ANEW
from bluezone.handset.android.setup import Setup
from bluezone.handset.clocks import boot_id_of
from bluezone.handset.overview import overview
from bluezone.handset.page.api import LocalPage
from bluezone.handset.page.shapes import warnings_of
from bluezone.handset.phone import Handset
from bluezone.handset.store import HandsetDiskFull, HandsetMissing, forget_folder
from bluezone.radio.frames import DEFAULT_UUID
from bluezone.radio.interface import PROFILES
from bluezone.refusal import Refused

PHONE_FOLDER = "handset"
LOOK_SECONDS = 10.0
RETRY_SECONDS = 60.0
ACCOUNT_SECONDS = 3600.0
NOTIFIED = "notified"
FAULT = "fault"

logger = logging.getLogger(__name__)


class Tracing:
    """Keeps one phone alive from `start` to `stop`. Every method may be called from any thread.

    folder:    the app's own, not backed up. city: reads which city the app was built for, and may refuse.
    url:       of the phone's page with its token, None while there is none.
    problem:   code of what keeps the phone from running, None while nothing does.
    power:     keeps the processor awake for the phone's work, and counts for how long.
    on_change: called, from any thread, when url or problem became another.
    """

    def __init__(
        self, folder: Path, city: Callable[[], CityFile], setup: Setup, device: Device, *,
        retry_seconds: float = RETRY_SECONDS, look_seconds: float = LOOK_SECONDS,
    ) -> None:  # fmt: skip
        self._phone = folder / PHONE_FOLDER
        self._city, self._setup, self._device = city, setup, device
        self._clock = device.clock()
        self._sealing = KeystoreSealing(device.keystore)
        self.power = WakeTime(device.awake, self._clock.boot_seconds)
        self._retry_seconds, self._look_seconds = retry_seconds, look_seconds
        self._thread: threading.Thread | None = None
        self._noted = False
        self._lock = threading.RLock()
        self._again, self._over = threading.Event(), threading.Event()
        self._interrupt: Callable[[], None] = lambda: None
        self._look_again: Callable[[], None] = lambda: None
        self.on_change: Callable[[], None] = lambda: None
        self.url: str | None = None
        self.problem: str | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended; the phone itself may be in trouble meanwhile (`problem`)."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Run the phone from now on; nothing happens if it runs already."""
        with self._lock:
            if self.running:
                return
            self._over.clear()
            self._noted = False
            self._thread = threading.Thread(target=self._live, name="bluezone-tracing", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop cleanly: what was heard is on disk afterwards."""
        self._over.set()
        self._wake()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        # Without room for it the next start believes that Android killed the service: the owner reads a hint too many.
        with contextlib.suppress(HandsetDiskFull):
            self._setup.ended()

    def start_anew(self) -> None:
        """Erase a store that cannot be read any more, and start as a new phone; does nothing for other problems."""
        if self.problem in STARTS_ANEW:
            with contextlib.suppress(HandsetMissing):
                forget_folder(self._phone, self._sealing)
            self._wake()

    def woken(self) -> None:
        """Android woke the processor, as it was asked to: whatever is due is done now."""
        self.power.woken()
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
            except Exception as fault:  # the phone is started again, whatever it was
                # Only its type is logged: its message may hold personal data.
                logger.error("the phone ended with %s", type(fault).__name__)
                self._stopped(FAULT)
            else:
                if forgotten:
                    self.power.end()
                    self._forgotten()
                    return
                continue
            if self.problem not in STARTS_ANEW:
                self.power.wake_at(self._clock.boot_seconds() + self._retry_seconds)
            self._again.wait(None if self.problem in STARTS_ANEW else self._retry_seconds)
        self.power.end()
        self._changed(None, None)

    def _note_start(self) -> None:
        """Note once that the service started, as soon as there is room for it."""
        if not self._noted:
            self._setup.started(boot_id_of(self._clock))
            self._noted = True

    def _stopped(self, code: str) -> None:
        self._device.show_running(stopped_notice(self._setup.answers.language))
        self._changed(None, code)

    def _forgotten(self) -> None:
        """The owner erased everything on the page: nothing runs until somebody agrees anew."""
        self._setup.forget()
        self._device.erased()
        self._changed(None, None)

    def _changed(self, url: str | None, problem: str | None) -> None:
        self.url, self.problem = url, problem
        self.on_change()

    def _opened(self, radio_model: str) -> Handset:
        city = self._city()
        handset = Handset.open(
            self._phone, city.server, self._clock, radio_model=radio_model, trust=city.trust, sealing=self._sealing
        )
        try:
            # Agreed to on the app's first screen, in the same words as the page's.
            with handset.store.transaction():
                if handset.store.get("started_at") is None:
                    handset.store.put("started_at", handset.time.now())
                    handset.store.put("language", self._setup.answers.language)
        except BaseException:
            handset.close()
            raise
        return handset

    async def _run(self) -> bool:
        """One opening of the phone, until told to stop, erased, or refused; whether its owner erased it."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        radio = self._device.radio()
        handset = self._opened(radio.model)
        agent = Agent(handset, radio, PROFILES["pocket"], random.SystemRandom(), DEFAULT_UUID, self.power)

        def soon(work: Callable[[], object]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop ended by itself meanwhile
                loop.call_soon_threadsafe(work)

        def interrupt() -> None:
            soon(ended.set)

        page = LocalPage(handset, 0, lambda: agent.next_check, interrupt, voice=self._device.voice)
        page.start()
        self._interrupt, self._look_again = interrupt, lambda: soon(agent.woken)
        try:
            if not self._over.is_set():
                self._changed(page.url, None)
                await self._until(ended, agent.run(), self._tell(agent), self._account(agent))
        except Exception:
            # Work that was under way finds the store gone once the owner has erased it.
            if not handset.forgotten:
                raise
        finally:
            self._interrupt = self._look_again = lambda: None
            self._device.voice.hush()
            page.stop()
            handset.close()
        return handset.forgotten

    async def _until(self, ended: asyncio.Event, *works: Coroutine[Any, Any, None]) -> None:
        """Run the works until `ended` is set; if one of them fails, its error is raised."""
        waiting = asyncio.ensure_future(ended.wait())
        tasks = [asyncio.ensure_future(work) for work in works]
        done, left = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done - {waiting}:
            task.result()

    async def _tell(self, agent: Agent) -> None:
        """Keep the notices up to date."""
        while True:
            await agent.sleep(self._look_seconds)
            await asyncio.to_thread(self._look, agent.handset)

    async def _account(self, agent: Agent) -> None:
        """Say every hour in Android's log what the battery was used for."""
        while True:
            await agent.sleep(ACCOUNT_SECONDS)
            logger.info(
                "since the start: %.0f s kept awake, %.0f s listened",
                self.power.held_seconds, agent.beacon.listened_seconds,
            )  # fmt: skip

    def _look(self, handset: Handset) -> None:
        try:
            chosen = str(handset.store.get("language", "vi"))
            # The notices outside the page have words in two languages; whoever chose another reads English.
            language = chosen if chosen in LANGUAGES else "en"
            if language != self._setup.answers.language:
                self._setup.note(language=language)
            self._device.show_running(
                running_notice(overview(handset), handset.time.now(), handset.time.local, language)
            )
            unread = {warning["id"] for warning in warnings_of(handset, language) if not warning["read"]}
            unread |= {message.id for message in handset.pages.messages(language) if not message.read}
            told = set(handset.store.get(NOTIFIED, []))
            if unread - told:
                self._device.show_news(news_notice(language))
                handset.store.put(NOTIFIED, sorted(unread))
            elif told - unread:
                handset.store.put(NOTIFIED, sorted(unread))
        except Refused as refused:
            logger.info("notices put off: %s", refused.code)
