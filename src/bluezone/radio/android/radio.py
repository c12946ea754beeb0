# SPDX-License-Identifier: Apache-2.0
"""interface.Radio on the Bluetooth of an Android phone.

Android takes five starts of a scan in 30 s from one app and silently ignores the next, so starts are counted here.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bluezone.radio.android.advertisement import LONGEST_ADVERTISING_SECONDS, service_advertisement, trimmed
from bluezone.radio.android.bridge import phone_of
from bluezone.radio.android.refusals import BluetoothOff, ScanRefused
from bluezone.radio.frames import DEFAULT_UUID
from bluezone.radio.interface import AdvertisingRefused, OnReport, RadioFailed

if TYPE_CHECKING:
    from android.content import Context

    from bluezone.radio.android.platform import AdapterListener, AdvertisingListener, Heard, Phone, ScanListener


WINDOW_SECONDS = 30.0
STARTS = 4
# The system's clock and ours do not read the same moment.
MARGIN_SECONDS = 0.5


class ScanStarts:
    """Counts starts on a clock in seconds that the caller gives."""

    def __init__(self) -> None:
        self._started: deque[float] = deque(maxlen=STARTS)

    def wait_seconds(self, now: float) -> float:
        """How long until the next start is allowed, 0 if it is now."""
        if len(self._started) < STARTS:
            return 0.0
        return max(0.0, self._started[0] + WINDOW_SECONDS + MARGIN_SECONDS - now)

    def started(self, now: float) -> None:
        """Note a start."""
        self._started.append(now)

    def refused(self, now: float) -> None:
        """Note that the system refused a start: none is allowed for a whole window from now."""
        self._started.extend([now] * STARTS)


COMMAND_SECONDS = 5.0
# A scan that Android accepts is answered by nothing, one that it refuses by a code soon after.
REFUSAL_SECONDS = 0.2
FLUSH_SECONDS = 1.0
BATCH_MS = 5_000
# A result that waited longer while the processor slept belongs to another burst than the one that runs now.
STALE_NANOSECONDS = 10_000_000_000

FIRST, SECOND = 0, 1  # the advertising sets
ADVERTISED = 0
ADVERTISING_STATUS = {
    1: "data too large",
    2: "too many advertisers",
    3: "already started",
    4: "internal error",
    5: "feature unsupported",
}
TOO_FREQUENTLY = 6
SCAN_STATUS = {
    1: "already started",
    2: "application registration failed",
    3: "internal error",
    4: "feature unsupported",
    5: "out of hardware resources",
    TOO_FREQUENTLY: "scanning too frequently",
}


def _ignore(_address: bytes, _data: bytes, _rssi_dbm: int) -> None:
    """Drop reports that arrive while nobody scans."""


class _AdvertisingSet:
    """One set that was asked for: what Android has said of it so far."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.started: asyncio.Future[int] = loop.create_future()
        self.stopped: asyncio.Future[None] = loop.create_future()
        self.changed: asyncio.Future[int] = loop.create_future()
        self.listener: AdvertisingListener | None = None

    def ended(self) -> None:
        """Android says that the set has stopped."""
        if not self.stopped.done():
            self.stopped.set_result(None)


class _Scan:
    """One scan that was asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.failure: asyncio.Future[int] = loop.create_future()
        self.listener: ScanListener | None = None
        self.batched = asyncio.Event()


class AndroidRadio:
    """Implements interface.Radio.

    context:  the android.content.Context of the service that runs the handset.
    uuid:     16-bit service UUID to hear; Android scans with a filter or not at all while the screen is dark.
    batch:    let the chip gather what it hears in a burst. Off, because chips keep as little as one packet of a
              neighbour then, and the score rests on the mean of a burst.
    Raises JavaMissing outside an Android app.
    """

    def __init__(self, context: "Context", uuid: int = DEFAULT_UUID, *, batch: bool = False) -> None:
        self._phone: Phone = phone_of(context)
        self._uuid = uuid
        self._batch = batch
        self._starts = ScanStarts()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watching: AdapterListener | None = None
        self._sets: dict[int, _AdvertisingSet] = {}
        # Asked for, no longer wanted, and not answered yet: kept for the answer, because Java holds listeners weakly.
        self._unwanted: set[_AdvertisingSet] = set()
        self._scan: _Scan | None = None
        self._on_report: OnReport = _ignore
        self._waiting: set[asyncio.Future[Any]] = set()
        self._lost = False

    @property
    def model(self) -> str:
        """Maker and model of the phone."""
        return self._phone.model()

    @property
    def lost(self) -> bool:
        """True once Bluetooth went off, the scan ended or the system stopped us; only `close` and `open` help."""
        return self._lost

    @property
    def longest_advertising_seconds(self) -> float:
        """The limit given to the system, so that an identifier ends even while this process sleeps or hangs."""
        return LONGEST_ADVERTISING_SECONDS

    async def open(self) -> None:
        """Check that nothing prevents sending and hearing, and watch Bluetooth. Raises the refusals of refusals.py."""
        self._phone.check()
        self._loop = asyncio.get_running_loop()
        self._lost = False
        self._watching = self._phone.watch(self._posted(self._went_off))

    async def close(self) -> None:
        """Stop sending and listening; nothing happens if it was never opened."""
        self._on_report = _ignore
        scan, self._scan = self._scan, None
        if scan is not None and scan.listener is not None:
            with suppress(RadioFailed):
                self._phone.stop_scan(scan.listener)
        if self._loop is not None:
            for place in (SECOND, FIRST):
                with suppress(RadioFailed):
                    await self._stop_set(place)
        watching, self._watching, self._loop = self._watching, None, None
        if watching is not None:
            with suppress(RadioFailed):
                self._phone.unwatch(watching)

    async def set_address(self, address: bytes) -> None:
        """Nothing to do: the address is the system's, and the next advertising set has a new one."""
        self._opened()

    async def start_advertising(self, data: bytes, interval_ms: int) -> None:
        """Advertise in a new set; the flags in `data` are left out. Raises AdvertisingRefused, RadioFailed."""
        await self._start_set(FIRST, data, interval_ms)

    async def stop_advertising(self) -> None:
        """Stop sending; returns when the system confirms it. Nothing happens if it was silent."""
        self._opened()
        await self._stop_set(FIRST)

    async def start_second_set(self, address: bytes, data: bytes, interval_ms: int) -> None:
        """Advertise in a further set, to which the system gives an address of its own. Raises AdvertisingRefused."""
        await self._start_set(SECOND, data, interval_ms)

    async def change_second_set(self, data: bytes) -> None:
        """Advertise other data under the same address. Raises AdvertisingRefused, RadioFailed."""
        loop, asked, frame = self._opened(), self._sets.get(SECOND), service_advertisement(data)
        if asked is None or asked.listener is None:
            raise AdvertisingRefused("Android has ended the second set")
        asked.changed = loop.create_future()
        self._phone.change_advertising(asked.listener, frame.uuid, frame.service_data)
        status = await self._answer(asked.changed, "change what is advertised")
        if status != ADVERTISED:
            raise AdvertisingRefused(f"Android does not change its data: {ADVERTISING_STATUS.get(status, status)}")

    async def stop_second_set(self) -> None:
        """Stop sending it; returns when the system confirms it."""
        self._opened()
        await self._stop_set(SECOND)

    async def start_scanning(self, interval_ms: int, window_ms: int, on_report: OnReport) -> None:
        """Listen all the time, at the system's own interval and window; delayed if there were too many starts."""
        loop = self._opened()
        if self._scan is None:
            if (wait := self._starts.wait_seconds(self._now())) > 0:
                await asyncio.sleep(wait)
                loop = self._opened()
            await self._start_scan(loop, on_report)
        self._on_report = on_report

    async def stop_scanning(self) -> None:
        """Report nothing more. A scan that could not be started again at once runs on, and its results are ignored."""
        self._opened()
        scan = self._scan
        if scan is not None and scan.listener is not None and self._batches():
            scan.batched.clear()
            self._phone.flush_scan(scan.listener)
            with suppress(TimeoutError):
                await asyncio.wait_for(scan.batched.wait(), FLUSH_SECONDS)
        self._on_report = _ignore
        if scan is None or scan.listener is None or self._starts.wait_seconds(self._now()) > 0:
            return
        self._scan = None
        self._phone.stop_scan(scan.listener)

    async def _start_scan(self, loop: asyncio.AbstractEventLoop, on_report: OnReport) -> None:
        asked = _Scan(loop)
        self._starts.started(self._now())
        self._scan, self._on_report = asked, on_report
        try:
            asked.listener = self._phone.start_scan(
                self._uuid,
                BATCH_MS if self._batches() else 0,
                self._posted(lambda heard: self._on_heard(asked, heard)),
                self._posted(lambda code: self._on_failed(asked, code)),
            )
        except RadioFailed:
            self._scan, self._on_report = None, _ignore
            raise
        done, _ = await asyncio.wait({asked.failure}, timeout=REFUSAL_SECONDS)
        if done:
            code = asked.failure.result()
            raise ScanRefused(f"Android does not scan: {SCAN_STATUS.get(code, code)}")

    async def _start_set(self, place: int, data: bytes, interval_ms: int) -> None:
        loop = self._opened()
        frame = service_advertisement(data)
        await self._stop_set(place)
        asked = _AdvertisingSet(loop)
        asked.listener = self._phone.start_advertising(
            frame.uuid,
            frame.service_data,
            interval_ms,
            self._posted(lambda status: self._on_started(asked, status)),
            self._posted(lambda status: self._on_changed(asked, status)),
            self._posted(lambda enabled: self._on_enabled(asked, enabled)),
            self._posted(asked.ended),
        )
        self._sets[place] = asked
        status = await self._answer(asked.started, "advertise")
        if status != ADVERTISED:
            self._sets.pop(place, None)
            raise AdvertisingRefused(f"Android does not advertise: {ADVERTISING_STATUS.get(status, status)}")

    async def _stop_set(self, place: int) -> None:
        asked = self._sets.get(place)
        # One that has not started yet cannot be stopped: Android forgets the wish. It is stopped when it starts.
        if asked is None or asked.listener is None or not asked.started.done():
            self._sets.pop(place, None)
            if asked is not None and asked.listener is not None:
                self._unwanted.add(asked)
            return
        self._phone.stop_advertising(asked.listener)  # if this is refused, the set is still ours to stop
        self._sets.pop(place, None)
        await self._answer(asked.stopped, "stop advertising")

    async def _answer(self, future: "asyncio.Future[Any]", what: str) -> Any:
        self._waiting.add(future)
        try:
            return await asyncio.wait_for(asyncio.shield(future), COMMAND_SECONDS)
        except TimeoutError as error:
            raise RadioFailed(f"Android did not {what} within {COMMAND_SECONDS:.0f} s") from error
        finally:
            self._waiting.discard(future)

    def _opened(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._lost:
            raise RadioFailed("the radio is not open")
        return self._loop

    def _now(self) -> float:
        return self._phone.boot_nanoseconds() / 1e9

    def _batches(self) -> bool:
        return self._batch and self._phone.can_batch()

    def _posted(self, callback: Callable[..., object]) -> Callable[..., None]:
        """Wrap one of our callbacks for another thread; it never raises into Java, even after the loop has ended."""
        loop = asyncio.get_running_loop()

        def post(*values: object) -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(callback, *values)

        return post

    def _on_started(self, asked: _AdvertisingSet, status: int) -> None:
        self._unwanted.discard(asked)
        if not asked.started.done():
            asked.started.set_result(status)
        if asked not in self._sets.values() and status == ADVERTISED and asked.listener is not None:
            with suppress(RadioFailed):  # nobody wants it any more
                self._phone.stop_advertising(asked.listener)

    def _on_changed(self, asked: _AdvertisingSet, status: int) -> None:
        if not asked.changed.done():
            asked.changed.set_result(status)

    def _on_enabled(self, asked: _AdvertisingSet, enabled: bool) -> None:
        if enabled:
            return
        if asked is self._sets.get(FIRST):
            self._lost = True
        elif asked is self._sets.get(SECOND):
            del self._sets[SECOND]  # without it the phone only tells its neighbours nothing

    def _on_heard(self, asked: _Scan, heard: "list[Heard]") -> None:
        asked.batched.set()
        now = self._phone.boot_nanoseconds()
        for address, record, rssi_dbm, nanoseconds in heard:
            if asked is self._scan and now - nanoseconds <= STALE_NANOSECONDS:
                self._on_report(address, trimmed(record), rssi_dbm)

    def _on_failed(self, asked: _Scan, code: int) -> None:
        if code == TOO_FREQUENTLY:
            self._starts.refused(self._now())
        if not asked.failure.done():
            asked.failure.set_result(code)
        if asked is self._scan:
            self._scan, self._lost = None, True

    def _went_off(self) -> None:
        """Bluetooth is off: the system has dropped sets and scans, and no request will be answered."""
        self._lost = True
        self._sets.clear()
        self._unwanted.clear()
        self._scan = None
        for future in list(self._waiting):
            if not future.done():
                future.set_exception(BluetoothOff("Bluetooth went off"))
