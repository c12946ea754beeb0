# SPDX-License-Identifier: Apache-2.0
"""`bluezone gate run` as a process: radio, page and exchange with the office; stops cleanly on SIGTERM or SIGINT.

The gate's radio: sends the current challenge, hears the answers of phones, and drops everything else unread.

Source: docs/protocol.md section 7.
"""

import asyncio
import contextlib
import errno
import json
import logging
import random
import secrets
import shutil
import signal
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluezone import __version__
from bluezone.edge.appliance.ticket import CODE_IS_GONE, Waiting
from bluezone.edge.gate import page as gate_page
from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.box import ANY_ADDRESS, PORT, Box, BoxServer, box_text, own_address
from bluezone.edge.gate.check import GateCheck
from bluezone.edge.gate.city import GateCity, GateSync, OfficeRefused, this_boot
from bluezone.edge.gate.desk import GateDesk
from bluezone.edge.gate.practice import KEPT_DAYS, Practice, furnish
from bluezone.localpage import HOST, Changing, LocalPage, PageKey, Reading, ServedFile, draw_key
from bluezone.protocol.gate.passes import PHONE_FRAME_LENGTH, decode_phone_frame, encode_gate_frame
from bluezone.radio.adapters import open_radio
from bluezone.radio.beacon import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, private_address
from bluezone.radio.frames import DEFAULT_UUID, advertisement, plausible_rssi, service_data
from bluezone.radio.interface import Radio, RadioFailed
from bluezone.refusal import Refused
from bluezone.servicemanager import ServiceManager

SCAN_MS = 100
ADVERTISING_MS = 100
# How long a lost adapter may go unnoticed.
LOOK_SECONDS = 1.0

logger = logging.getLogger(__name__)


class GateRadio:
    """Keeps a radio working for the gate, whatever the adapter does.

    check:     whose challenges are sent and who is told of answers.
    off_reason: why the radio is silent, None while it works; the page says it, because without it nothing is proven.
    """

    def __init__(
        self,
        radio: Radio,
        check: GateCheck,
        rng: random.Random,
        uuid: int = DEFAULT_UUID,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.off_reason: str | None = "starting"
        self._radio = radio
        self._check = check
        self._rng = rng
        self._uuid = uuid
        self._changed = changed

    async def run(self) -> None:
        """Advertise and listen until cancelled; never ends by itself."""
        pause = FIRST_RETRY_SECONDS
        try:
            while True:
                try:
                    await self._radio.open()
                    await self._work()
                except Refused as refused:
                    pause = FIRST_RETRY_SECONDS if self.off_reason is None else min(2 * pause, LONGEST_RETRY_SECONDS)
                    if self.off_reason != str(refused):
                        logger.warning("gate radio off: %s", refused)
                    self._say(str(refused))
                with suppress(RadioFailed):
                    await self._radio.close()
                await asyncio.sleep(pause)
        finally:
            with suppress(RadioFailed):
                await self._radio.close()

    async def _work(self) -> None:
        speaking = False
        while True:
            challenges = self._check.challenges()
            if speaking:
                await self._radio.stop_scanning()
                await self._radio.stop_advertising()
            await self._radio.set_address(private_address(self._rng))
            frame = advertisement(encode_gate_frame(challenges.air), self._uuid)
            await self._radio.start_advertising(frame, ADVERTISING_MS)
            await self._radio.start_scanning(SCAN_MS, SCAN_MS, self._on_report)
            speaking = True
            self._say(None)
            while self._check.challenges().air == challenges.air:
                if self._radio.lost:
                    raise RadioFailed("the adapter is gone")
                await asyncio.sleep(min(LOOK_SECONDS, self._check.challenges().seconds_left))

    def _say(self, reason: str | None) -> None:
        if reason != self.off_reason:
            self.off_reason = reason
            self._changed()

    def _on_report(self, _address: bytes, data: bytes, rssi_dbm: int) -> None:
        frame = service_data(data, PHONE_FRAME_LENGTH, self._uuid)
        answer = None if frame is None else decode_phone_frame(frame)
        if answer is not None and plausible_rssi(rssi_dbm):
            self._check.heard(answer, rssi_dbm)


class GatePortTaken(Refused):
    """Another program of this machine listens where the gate is to: its page, or the box for the tablets beside it."""

    code = "gate_port_taken"


SYNC_SECONDS = 60.0
# A gate that lost its network asks again soon at first, then every ten minutes.
LONGEST_SYNC_SECONDS = 600.0
SETTLE_SECONDS = 5.0
BOOK_NAME = "gate.sqlite3"


@dataclass(frozen=True)
class GatePlan:
    """How a gate is to run. trust, code: needed once. radio: as `open_radio` reads it, None for a gate without one.

    ticket: where trust and code come from, for a machine without a screen. box: the address to listen on for the
    tablets beside it (box.py), None for a gate that is no box.
    """

    folder: Path
    server: str
    trust: str | None
    code: str | None
    radio: str | None
    port: int
    uuid: int
    box: str | None = None
    ticket: Waiting | None = None


def run_gate(plan: GatePlan, files: Mapping[str, ServedFile], say: Callable[[str], None]) -> None:
    """Run a gate until the process is told to stop.

    Raises GateTrustInvalid, GateBookUnusable, GatePortTaken, InvalidRadio. Once the gate is enrolled, it runs without
    reaching the office.
    """
    plan.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    clock: list[Callable[[], float]] = [time.time]
    book = GateBook(plan.folder / BOOK_NAME, lambda: clock[0]())
    try:
        city = GateCity(book, time.time, this_boot(), tls=not plan.server.startswith("http://"))
        clock[0] = city.now
        city.pin(plan.trust)
        sync = GateSync(plan.server, lambda: book.get("token"), book, city)
        _enrol(plan, book, sync)
        with contextlib.suppress(Refused):
            sync.run()
        _run(plan, book, city, sync, files, say)
    finally:
        book.close()


def _enrol(plan: GatePlan, book: GateBook, sync: GateSync) -> None:
    if plan.code is None:
        return
    try:
        book.put("token", sync.enrol(plan.code))
    except OfficeRefused as refused:
        if plan.ticket is None or refused.reason != CODE_IS_GONE:
            raise
        plan.ticket.refused()
        # The power may have gone between the token and the end of its ticket.
        if not book.get("token"):
            raise
    else:
        if plan.ticket is not None:
            plan.ticket.used()


def run_practice(plan: GatePlan, files: Mapping[str, ServedFile], say: Callable[[str], None]) -> None:
    """Run a practice gate until the process is told to stop; server, trust and code of the plan are not used.

    Raises PracticeFolderUsed, GateBookUnusable, GatePortTaken, InvalidRadio.
    """
    plan.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    book = GateBook(plan.folder / BOOK_NAME, time.time, KEPT_DAYS, reports=False)
    try:
        furnish(book)
        practice = Practice()
        check = GateCheck(secrets.token_bytes(4), practice.week_keys, time.monotonic, time.time)
        radio = GateRadio(open_radio(plan.radio), check, random.SystemRandom(), plan.uuid) if plan.radio else None
        desk = GateDesk(
            book, GateCity(book, time.time), check, lambda: radio.off_reason if radio else None, training=True
        )
        page = _open_page(book, files, gate_page.reading(desk), gate_page.practising(desk, practice), plan.port)
        page.start()
        say(f"ready {page.url}")
        try:
            asyncio.run(_until_told_to_stop([_settle(desk), _forget(desk)], radio))
        finally:
            page.stop()
    finally:
        book.close()


def _run(
    plan: GatePlan,
    book: GateBook,
    city: GateCity,
    sync: GateSync,
    files: Mapping[str, ServedFile],
    say: Callable[[str], None],
) -> None:
    number = bytes.fromhex(_gate_number(book))
    check = GateCheck(number, city.week_keys, time.monotonic, city.now)
    radio = GateRadio(open_radio(plan.radio), check, random.SystemRandom(), plan.uuid) if plan.radio else None

    def off() -> str | None:
        return radio.off_reason if radio else "no_radio"

    desk = GateDesk(book, city, check, off, box_text=lambda: _box_text(plan, book))
    changing = gate_page.changing(desk, lambda: _send(desk, sync), sync.help_later)
    sync.health = lambda: _health(plan, book, off())
    beside = _open_box(Box(check, lambda: _sharing_key(book), off), plan.box) if plan.box else None
    page = _open_page(book, files, gate_page.reading(desk), changing, plan.port)
    page.start()
    if beside is not None:
        say(f"box on port {PORT}, code {_box_text(plan, book) or 'not before the first contact with the office'}")
    say(f"ready {page.url}")
    try:
        asyncio.run(_until_told_to_stop([_sync(desk, sync), _settle(desk)], radio))
    finally:
        page.stop()
        if beside is not None:
            beside.stop()


def _sharing_key(book: GateBook) -> bytes | None:
    """What devices of this gate know each other by, as the office told it last."""
    return bytes.fromhex(json.loads(book.get("gate") or "{}").get("sharing_key", "")) or None


def _box_host(plan: GatePlan) -> str | None:
    """Where tablets reach this box; None for no box, and without a network."""
    return own_address(plan.server) if plan.box == ANY_ADDRESS else plan.box


def _box_text(plan: GatePlan, book: GateBook) -> str | None:
    """The code by which tablets join this box; None for no box, and before it knows its key and its address."""
    key, host = _sharing_key(book), _box_host(plan)
    return box_text(key, _gate_number(book), host) if key and host else None


def _health(plan: GatePlan, book: GateBook, radio_off: str | None) -> dict[str, Any]:
    """What the office is told of this machine; nothing that was counted."""
    return {
        "version": __version__,
        "radio_off": radio_off,
        "free_mb": shutil.disk_usage(plan.folder).free // 1_000_000,
        "undated": book.undated(),
        "box": _box_host(plan),
    }


def _open_page(
    book: GateBook, files: Mapping[str, ServedFile], reading: Reading, changing: Changing, port: int
) -> LocalPage:
    """The page at the address that it had before, so that its tablet finds it after a power cut. port: 0 is any."""
    kept = json.loads(book.get("page") or "{}")
    key = PageKey(kept["token"], kept["path"]) if kept else draw_key()
    try:
        page = LocalPage(files, reading, changing, port or kept.get("port", 0), key=key)
    except OSError as error:
        if port:
            raise _taken(port, HOST, error, "choose another with --port", "choose another with --port") from None
        # Another program took it meanwhile.
        page = LocalPage(files, reading, changing, key=key)
    book.put("page", json.dumps({**key._asdict(), "port": page.port}))
    return page


def _open_box(box: Box, host: str) -> BoxServer:
    try:
        return BoxServer(box, host)
    except OSError as error:
        elsewhere = "run the box on another machine: tablets know this port only"
        raise _taken(PORT, host, error, elsewhere, "choose an address of this machine, or none") from None


def _taken(port: int, host: str, error: OSError, if_held: str, otherwise: str) -> Refused:
    if error.errno == errno.EADDRINUSE:
        held = f"port {port} is held by another program, perhaps a second gate"
        return GatePortTaken(f"{held}: end that one, or {if_held}")
    return GatePortTaken(f"port {port} cannot be listened on at {host} ({error.strerror}): {otherwise}")


def _gate_number(book: GateBook) -> str:
    """The gate id of the office's answer; before the first, one of its own, so that the gate can begin at once."""
    told = json.loads(book.get("gate") or "{}").get("number")
    if isinstance(told, str) and len(told) == 8:
        return told
    own = book.get("own_number") or secrets.token_hex(4)
    book.put("own_number", own)
    return own


async def _until_told_to_stop(duties: Iterable[Coroutine[Any, Any, None]], radio: GateRadio | None) -> None:
    loop = asyncio.get_running_loop()
    manager = ServiceManager()
    work = [asyncio.create_task(duty) for duty in (*duties, _beat(manager))]
    if radio is not None:
        work.append(asyncio.create_task(radio.run()))
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    stopping = asyncio.create_task(stopped.wait())
    manager.ready()
    await asyncio.wait([stopping, *work], return_when=asyncio.FIRST_COMPLETED)
    manager.stopping()
    for task in work:
        task.cancel()
    for task in work:
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _beat(manager: ServiceManager) -> None:
    """Say that the gate is alive: page and radio wait for the same loop."""
    while True:
        manager.alive()
        await asyncio.sleep(manager.beat_seconds or SYNC_SECONDS)


async def _sync(desk: GateDesk, sync: GateSync) -> None:
    pause = SYNC_SECONDS
    while True:
        try:
            await asyncio.to_thread(_send, desk, sync)
        except Refused:
            logger.info("not sent: %s", desk.sync_problem)
            pause = min(2 * pause, LONGEST_SYNC_SECONDS)
        else:
            pause = SYNC_SECONDS
        await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - so that 200 gates do not speak at once


def _send(desk: GateDesk, sync: GateSync) -> None:
    """Send to the office, and tell the desk how that went."""
    try:
        sync.run()
    except Refused as refused:
        desk.sync_problem = refused.reason or refused.code if isinstance(refused, OfficeRefused) else refused.code
        raise
    desk.sync_problem, desk.synced_at = None, desk.city.now()
    # The tablet may have been assigned to another gate meanwhile.
    desk.check.gate_id = bytes.fromhex(_gate_number(desk.book))


async def _settle(desk: GateDesk) -> None:
    """Add passages to their counters when their ten seconds are over, even if nobody uses the page."""
    while True:
        with contextlib.suppress(Refused):
            desk.book.settle()
        await asyncio.sleep(SETTLE_SECONDS)


async def _forget(desk: GateDesk) -> None:
    """Forget old practice counters, once an hour; a real gate forgets whenever it reports to the office."""
    while True:
        with contextlib.suppress(Refused):
            desk.book.purge()
        await asyncio.sleep(3_600)
