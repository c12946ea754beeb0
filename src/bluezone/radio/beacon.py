# SPDX-License-Identifier: Apache-2.0
"""Sends and listens for a handset: address and payload change in one step, and listening goes in bursts.

Source: docs/protocol.md section 2.

Whom a radio heard in its last burst, and which four of them the next reciprocity frame is for.

A neighbour listens for four seconds of thirty or sixty and hears about four frames then. So two places of each frame go
round the nearest eight, who matter most: everyone of them is in any four frames. The other two places go round the
rest in an order drawn anew after each burst; in a fixed one, two phones with the same rhythm could miss each other for
ever. Source: docs/protocol.md section 2, "Reciprocity frame".
"""

import asyncio
import contextlib
import itertools
import logging
import math
import random
from collections.abc import Callable, Iterator
from functools import lru_cache

from bluezone.protocol.reciprocity import ENTRIES, NeighbourLevel
from bluezone.radio.frames import (
    DEFAULT_UUID,
    contact_advertisement,
    parse_contact,
    parse_reciprocity,
    plausible_rssi,
    reciprocity_advertisement,
)
from bluezone.radio.gateanswer import GateAnswer
from bluezone.radio.interface import (
    ADDRESS_LENGTH,
    LONGEST_BURST_GAP_SECONDS,
    AdvertisingRefused,
    AlwaysAwake,
    Burst,
    DutyProfile,
    Listener,
    Power,
    Radio,
    RadioFailed,
    Reciprocity,
    Sighting,
)
from bluezone.refusal import Refused

# With more in sight nobody is told anything: a frame would be for four of them, and the air is full.
MOST_IN_SIGHT = 100
NEAREST = 8
PLACES_FOR_NEAREST = 2


class Neighbours:
    """Collects what a burst hears, and deals out the last burst's.

    burst: number of the burst that is dealt out.
    """

    def __init__(self, rng: random.Random) -> None:
        self.burst = 0
        self._rng = rng
        self.forget()

    def forget(self) -> None:
        """Nobody is in sight, for instance because the radio was off."""
        self._sums: dict[bytes, int] = {}
        self._counts: dict[bytes, int] = {}
        self._in_sight = 0
        self._turns: Iterator[list[NeighbourLevel]] = iter(())

    def heard(self, identifier: bytes, rssi_dbm: int) -> None:
        """Note one contact frame of the burst that runs."""
        if identifier in self._sums:
            self._sums[identifier] += rssi_dbm
            self._counts[identifier] += 1
        elif len(self._sums) <= MOST_IN_SIGHT:
            self._sums[identifier] = rssi_dbm
            self._counts[identifier] = 1

    def burst_over(self, number: int) -> None:
        """Deal out from now on what burst `number` heard, each neighbour with the mean of its frames, rounded."""
        levels = [(name, math.floor(total / self._counts[name] + 0.5)) for name, total in self._sums.items()]
        self.burst, self._sums, self._counts, self._in_sight = number, {}, {}, len(levels)
        ranked = sorted(levels, key=lambda level: level[1], reverse=True)
        rest = ranked[NEAREST:]
        self._rng.shuffle(rest)
        self._turns = _turns(ranked[:NEAREST], rest)

    @property
    def more_than_fit(self) -> bool:
        """Whether one frame is not enough for all in sight."""
        return self._in_sight > ENTRIES

    def next_four(self) -> list[NeighbourLevel]:
        """Whom the next frame is for, strongest first; empty if nobody is in sight, or too many are."""
        if not 0 < self._in_sight <= MOST_IN_SIGHT:
            return []
        return sorted(next(self._turns), key=lambda level: level[1], reverse=True)


def _turns(nearest: list[NeighbourLevel], rest: list[NeighbourLevel]) -> Iterator[list[NeighbourLevel]]:
    """Four at a time, without an end; never one twice in a frame."""
    if len(nearest) + len(rest) <= ENTRIES:
        yield from itertools.repeat(nearest)
    near, far = itertools.cycle(nearest), itertools.cycle(rest)
    for_rest = min(len(rest), ENTRIES - PLACES_FOR_NEAREST)
    while True:
        yield [*itertools.islice(near, ENTRIES - for_rest), *itertools.islice(far, for_rest)]


SHORTEST_ROTATION_SECONDS = 600.0
LONGEST_ROTATION_SECONDS = 1200.0
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
# An adapter that stops by itself after a time is given its next payload this long before.
BEFORE_SILENCE_SECONDS = 5.0
RECIPROCITY_INTERVAL_MS = 1000
# A burst takes 4.6 s of it. A radio that hangs may not keep the processor awake for longer: all day it makes 2 hours.
AWAKE_SECONDS = 5.2
_POWER = "radio"

logger = logging.getLogger(__name__)


def private_address(rng: random.Random) -> bytes:
    """Draw a non-resolvable private address, 6 bytes, most significant first.

    The two highest bits are 0 and the others neither all 0 nor all 1 (Core Specification Vol 6, Part B, 1.3.2.2).
    """
    return rng.randrange(1, 2**46 - 1).to_bytes(ADDRESS_LENGTH, "big")


class Beacon:
    """Keeps a radio advertising the current payload and listening in bursts, whatever the adapter does.

    radio:       adapter; opened here, and again with growing pauses whenever it fails.
    payload:     the 20 bytes of identifier and encrypted metadata of this moment; asked once per rotation.
    listener:    told of each burst and each valid contact frame.
    duty:        how often to listen.
    boot_clock:  seconds since start-up on a clock that runs through sleep.
    rng:         source of addresses and rotation times; a SystemRandom on a real handset.
    uuid:        16-bit service UUID.
    reciprocity: writes the frames that tell neighbours how they were heard, and is told of theirs; None for neither.
    power:       keeps the processor awake while there is something to do; between bursts it may sleep.
    """

    def __init__(
        self,
        radio: Radio,
        payload: Callable[[], bytes],
        listener: Listener,
        duty: DutyProfile,
        boot_clock: Callable[[], float],
        rng: random.Random,
        uuid: int = DEFAULT_UUID,
        reciprocity: Reciprocity | None = None,
        power: Power | None = None,
    ) -> None:
        self.duty = duty
        self.last_sent_boot_seconds: float | None = None
        self.last_heard_boot_seconds: float | None = None
        self.off_since_boot_seconds: float | None = None
        self.off_reason: str | None = None
        self.off_code: str | None = None
        self.listened_seconds = 0.0
        self._radio = radio
        self._payload = payload
        self._listener = listener
        self._boot_clock = boot_clock
        self._rng = rng
        self._uuid = uuid
        self._reciprocity = reciprocity
        self._power = power or AlwaysAwake()
        self._tells = reciprocity is not None
        self._neighbours = Neighbours(rng)
        self._speaking = self._telling = False
        self._listening_since: float | None = None
        self._tell_due = self._tell_until = math.inf
        self._burst = 0
        self._burst_boot_seconds: float | None = None
        self._rotation_due = 0.0
        self._pause = FIRST_RETRY_SECONDS
        self._session: bytes | None = None
        self._gate: GateAnswer | None = None
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Advertise and listen until cancelled; never ends by itself."""
        self.off_since_boot_seconds = self._boot_clock()
        # Bursts are seconds apart, so numbers that start here are never met again until the next boot.
        self._burst = int(self.off_since_boot_seconds)
        try:
            while True:
                self._power.hold(_POWER, AWAKE_SECONDS)
                try:
                    await self._radio.open()
                    self._telling = False
                    while True:
                        self._neighbours.forget()
                        await self._speak()
                        await self._bursts()
                        await self._at_the_gate()
                except Refused as error:
                    self._went_off(error)
                with contextlib.suppress(RadioFailed):
                    await self._radio.close()
                self._count_listening()
                self._rest(self._boot_clock() + self._pause)
                await self._wait(self._pause)
                self._pause = min(2 * self._pause, LONGEST_RETRY_SECONDS)
        finally:
            self._power.release(_POWER)
            with contextlib.suppress(RadioFailed):
                await self._radio.close()

    def rotate_soon(self) -> None:
        """Change address and payload now, for instance because today's key was given away."""
        self._rotation_due = self._boot_clock()
        self._woken.set()

    def look_again(self) -> None:
        """The processor has slept: look at the clock, by which something may be due."""
        self._woken.set()

    def show_pass(self, session: bytes) -> None:
        """Stop contact advertising and answer gates with this pass's 16 bytes until `hide_pass`.

        Sightings and bursts are not reported meanwhile: the phone listens for gates only.
        """
        self._session = session
        self._woken.set()

    def hide_pass(self) -> None:
        """Advertise to contacts again, under a fresh address."""
        self._session = None
        self._woken.set()

    @property
    def gate_answered(self) -> bool:
        """True while a pass is shown and a gate's challenge has been answered."""
        return self._gate is not None and self._gate.answered is not None

    @property
    def _scanning(self) -> bool:
        return self._listening_since is not None

    def _count_listening(self) -> None:
        """It no longer listens; `listened_seconds` has the time that it did."""
        if self._listening_since is not None:
            self.listened_seconds += self._boot_clock() - self._listening_since
            self._listening_since = None

    def _went_off(self, error: Refused) -> None:
        reason = str(error)
        if reason != self.off_reason:  # once, not at every new attempt
            logger.warning("radio off: %s", reason)
        self.off_reason, self.off_code = reason, error.code
        if self.off_since_boot_seconds is None:
            self.off_since_boot_seconds = self._boot_clock()

    async def _rotate(self) -> None:
        """Stop sending and listening, change addresses and payload, then start again.

        Neither set is started before both have stopped: a set that outlived the other would link what follows to it.
        """
        scanning = self._scanning
        await self._stop_listening()
        await self._stop_telling()
        await self._radio.stop_advertising()
        await self._speak()
        await self._tell()
        if scanning:
            await self._listen()

    async def _speak(self) -> None:
        """Advertise the current payload under a fresh address; where that is refused, listen and try again later."""
        await self._radio.set_address(private_address(self._rng))
        data = contact_advertisement(self._payload(), self._uuid)
        try:
            await self._radio.start_advertising(data, self.duty.advertising_interval_ms)
        except AdvertisingRefused as refused:
            self._speaking = False
            self._rotation_due = self._boot_clock() + LONGEST_RETRY_SECONDS
            self._went_off(refused)
            return
        self._speaking = True
        now = self._boot_clock()
        self.last_sent_boot_seconds = now
        silent = self._radio.longest_advertising_seconds
        longest = LONGEST_ROTATION_SECONDS if silent is None else silent - BEFORE_SILENCE_SECONDS
        self._rotation_due = now + self._rng.uniform(
            min(SHORTEST_ROTATION_SECONDS, longest), min(LONGEST_ROTATION_SECONDS, longest)
        )

    async def _tell(self) -> None:
        """Tell the next neighbours how they were heard, in the second set; a radio that has none is not asked again."""
        self._tell_due, now = math.inf, self._boot_clock()
        if self._reciprocity is None or not self._tells:
            return
        # After a sleep what the last burst heard is too old to be told.
        heard = self._neighbours.next_four() if self._speaking and now < self._tell_until else []
        frame = self._reciprocity.reciprocity_frame(self._neighbours.burst, heard) if heard else None
        if frame is None:
            await self._stop_telling()
            return
        data = reciprocity_advertisement(frame, self._uuid)
        try:
            if self._telling:
                await self._radio.change_second_set(data)
            else:
                await self._radio.start_second_set(private_address(self._rng), data, RECIPROCITY_INTERVAL_MS)
        except AdvertisingRefused as refused:
            logger.info("no reciprocity: %s", refused)
            await self._stop_telling()
            self._tells = False
            return
        self._telling = True
        if self._neighbours.more_than_fit:
            self._tell_due = now + RECIPROCITY_INTERVAL_MS / 1000

    async def _stop_telling(self) -> None:
        self._tell_due = math.inf
        if self._telling:
            await self._radio.stop_second_set()
            self._telling = False

    async def _listen(self) -> None:
        await self._radio.start_scanning(self.duty.scan_interval_ms, self.duty.scan_window_ms, self._on_report)
        self._listening_since = self._boot_clock()
        if self._speaking:
            self.off_since_boot_seconds = self.off_reason = self.off_code = None

    async def _stop_listening(self) -> None:
        if self._scanning:
            await self._radio.stop_scanning()
            self._count_listening()

    async def _at_the_gate(self) -> None:
        """Stop sending and listening, and answer gates while a pass is shown; a new pass starts a new answer."""
        self._power.hold(_POWER, AWAKE_SECONDS)
        await self._stop_listening()
        await self._stop_telling()
        await self._radio.stop_advertising()
        while (session := self._session) is not None:
            self._gate = GateAnswer(
                self._radio, session, lambda: private_address(self._rng), self._boot_clock, self._uuid
            )
            answering = asyncio.create_task(self._gate.run())
            try:
                while self._session == session and not answering.done():
                    self._woken.clear()
                    waiting = asyncio.create_task(self._woken.wait())
                    await asyncio.wait({answering, waiting}, return_when=asyncio.FIRST_COMPLETED)
                    waiting.cancel()
                if answering.done():
                    await answering
            finally:
                answering.cancel()
                with contextlib.suppress(asyncio.CancelledError, RadioFailed):
                    await answering
                self._gate = None
            self.last_sent_boot_seconds = self._boot_clock()

    async def _bursts(self) -> None:
        """Listen in bursts until a pass is to be shown."""
        start = self._boot_clock()
        while self._session is None:
            self._power.hold(_POWER, AWAKE_SECONDS)
            self._announce_burst()
            if not self._scanning:
                await self._listen()
            await self._until(start + self.duty.burst_seconds)
            self._pause = FIRST_RETRY_SECONDS  # only now, because a scan that was accepted can still fail
            self._neighbours.burst_over(self._burst)
            self._tell_due = self._boot_clock()
            self._tell_until = self._tell_due + 2 * self.duty.period_seconds
            if not self.duty.continuous and self._session is None:
                await self._stop_listening()
                await self._until(start + self.duty.period_seconds, asleep=True)
            start = max(start + self.duty.period_seconds, self._boot_clock())

    def _announce_burst(self) -> None:
        now = self._boot_clock()
        gap = self.duty.period_seconds
        if self._burst_boot_seconds is not None:
            gap = min(now - self._burst_boot_seconds, LONGEST_BURST_GAP_SECONDS)
        self._burst += 1
        self._burst_boot_seconds = now
        self._listener.burst_started(Burst(self._burst, now, gap))

    async def _until(self, end: float, *, asleep: bool = False) -> None:
        """Wait on the boot clock, rotating when due; a wait ends late after sleep, and early only for a pass.

        asleep: the processor may sleep meanwhile. Neighbours are then told something new only while it is awake.
        """
        while True:
            if self._radio.lost:
                raise RadioFailed("the adapter is gone")
            if self._session is not None:
                return
            now = self._boot_clock()
            if now >= self._rotation_due:
                self._power.hold(_POWER, AWAKE_SECONDS)
                await self._rotate()
                continue
            if now >= self._tell_due:
                await self._tell()
                continue
            if self._speaking:
                self.last_sent_boot_seconds = now
            if now >= end:
                return
            if asleep:
                self._rest(min(end, self._rotation_due))
            await self._wait(min(end, self._rotation_due, self._tell_due) - now)

    def _rest(self, until: float) -> None:
        """The processor may sleep until this moment of the boot clock."""
        self._power.wake_at(until)
        self._power.release(_POWER)

    async def _wait(self, seconds: float) -> None:
        self._woken.clear()
        # Not wait_for: on Python 3.11 it forgets to be cancelled in the moment in which what it waits for comes.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    def _on_report(self, _address: bytes, data: bytes, rssi_dbm: int) -> None:
        if not plausible_rssi(rssi_dbm):
            return
        contact = _contact(data, self._uuid)
        if contact is None:
            frame = None if self._reciprocity is None else parse_reciprocity(data, self._uuid)
            if frame is not None and self._reciprocity is not None:
                self._reciprocity.heard_reciprocity(frame)
            return
        identifier, metadata = contact
        self._neighbours.heard(identifier, rssi_dbm)
        now = self._boot_clock()
        self.last_heard_boot_seconds = now
        self._listener.heard(Sighting(identifier, metadata, rssi_dbm, self._burst, now))


# The same frame is heard again and again, and in a simulated crowd by everybody at once.
@lru_cache(maxsize=8)
def _contact(data: bytes, uuid: int) -> tuple[bytes, bytes] | None:
    """Identifier and metadata of a contact frame."""
    service_data = parse_contact(data, uuid)
    return None if service_data is None else (service_data[:16], service_data[16:])
