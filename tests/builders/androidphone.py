# SPDX-License-Identifier: Apache-2.0
"""A double of an Android phone for the Python part of the service: key store, notices, clocks, and a radio."""

import asyncio
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tests.builders.handset import PhoneClock

from bluezone.handset.android.cityfile import CityFile
from bluezone.handset.android.device import KeystoreKeyLost, KeystoreUnavailable
from bluezone.handset.android.notices import Notice
from bluezone.handset.android.service import PhoneService
from bluezone.handset.android.setup import Setup
from bluezone.handset.page.api import Spoken
from bluezone.radio.frames import contact_advertisement
from bluezone.radio.interface import OnReport

PATIENCE_SECONDS = 300.0


@dataclass
class Keystore:
    """Android's key store, in a file, so that it survives the process. busy: whether it does not answer."""

    file: Path
    busy: bool = False

    def create(self) -> None:
        self._answer()
        self.file.write_bytes(AESGCM.generate_key(256))

    def encrypt(self, plain: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher().encrypt(nonce, plain, None)

    def decrypt(self, sealed: bytes) -> bytes:
        try:
            return self._cipher().decrypt(sealed[:12], sealed[12:], None)
        except (InvalidTag, ValueError) as error:
            raise KeystoreKeyLost("tag mismatch") from error

    def delete(self) -> None:
        self._answer()
        self.file.unlink(missing_ok=True)

    def _cipher(self) -> AESGCM:
        self._answer()
        if not self.file.exists():
            raise KeystoreKeyLost("no such alias")
        return AESGCM(self.file.read_bytes())

    def _answer(self) -> None:
        if self.busy:
            raise KeystoreUnavailable("ProviderException")


class FedRadio:
    """A radio that hears what a test feeds it."""

    model = "android:double"
    lost = False
    longest_advertising_seconds = None

    def __init__(self) -> None:
        self._on_report: OnReport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.listening = threading.Event()

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def set_address(self, address: bytes) -> None: ...

    async def start_advertising(self, data: bytes, interval_ms: int) -> None: ...

    async def stop_advertising(self) -> None: ...

    async def start_scanning(self, interval_ms: int, window_ms: int, on_report: OnReport) -> None:
        self._on_report = on_report
        self._loop = asyncio.get_running_loop()
        self.listening.set()

    async def stop_scanning(self) -> None:
        self.listening.clear()

    def hear(self, payload: bytes) -> None:
        """Pass one contact frame to the service, on the thread on which it listens."""
        assert self.listening.wait(PATIENCE_SECONDS)
        assert self._loop is not None
        assert self._on_report is not None
        self._loop.call_soon_threadsafe(self._on_report, b"\x01" * 6, contact_advertisement(payload), -60)


@dataclass
class Awake:
    """The processor. seconds: for which it is requested to stay awake, 0 without a request. alarm: when it wakes up."""

    seconds: float = 0.0
    alarm: float | None = None
    holds: int = 0

    def hold(self, seconds: float) -> None:
        self.seconds = seconds
        self.holds += 1

    def release(self) -> None:
        self.seconds = 0.0

    def wake_at(self, boot_seconds: float) -> None:
        self.alarm = boot_seconds

    def cancel(self) -> None:
        self.seconds = 0.0
        self.alarm = None


@dataclass
class Voice:
    """Text to speech. outcome: of the next reading; None if it reads until `stop` is called."""

    outcome: Spoken | None = "ended"
    read: list[tuple[str, list[str]]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    def speak(self, language: str, pieces: list[str]) -> Spoken:
        self.stopped.clear()
        self.read.append((language, pieces))
        if self.outcome is None:
            assert self.stopped.wait(PATIENCE_SECONDS)
        return self.outcome or "stopped"

    def stop(self) -> None:
        self.stopped.set()


@dataclass
class Device:
    """The phone. running, news: every notice that it has shown, in order. over: whether the service has to end."""

    keystore: Keystore
    phone_clock: PhoneClock
    running: list[Notice] = field(default_factory=list)
    news: list[Notice] = field(default_factory=list)
    over: bool = False
    fed: FedRadio = field(default_factory=FedRadio)
    wake_lock: Awake = field(default_factory=Awake)
    voice: Voice = field(default_factory=Voice)

    def radio(self) -> FedRadio:
        return self.fed

    def clock(self) -> PhoneClock:
        return self.phone_clock

    def show_running(self, notice: Notice) -> None:
        self.running.append(notice)

    def show_news(self, notice: Notice) -> None:
        self.news.append(notice)

    def end_service(self) -> None:
        self.over = True


@dataclass
class AndroidPhone:
    """An installed app: its folder, its key store, and the city for which it was built. Android starts `process`."""

    folder: Path
    keystore: Keystore
    clock: PhoneClock
    city: CityFile
    processes: list[PhoneService] = field(default_factory=list)

    def process(self, **options: Any) -> tuple[PhoneService, Device, Setup]:
        """A new process of the app, with nothing started."""
        device = Device(self.keystore, self.clock)
        setup = Setup(self.folder)
        seconds = {"retry_seconds": 0.05, "look_seconds": 0.05, **options}
        tracing = PhoneService(self.folder, lambda: self.city, setup, device, **seconds)
        self.processes.append(tracing)
        return tracing, device, setup


def wait_for(condition: Callable[[], Any]) -> Any:
    """Wait until a condition returns a value other than None and False, and return it; fails after PATIENCE_SECONDS."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_SECONDS / 0.02)):
        if (value := condition()) is not None and value is not False:
            return value
        pause.wait(0.02)
    raise AssertionError("the condition did not become true")
