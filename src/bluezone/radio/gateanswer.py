# SPDX-License-Identifier: Apache-2.0
"""A phone at a gate: hears the gate's challenge, answers under a fresh address, and falls silent afterwards.

Runs only while the owner shows a pass, never by itself (docs/attacks.md row 34). Source: docs/protocol.md section 7.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from bluezone.protocol.gate.passes import (
    GATE_FRAME_LENGTH,
    Challenge,
    compute_response,
    decode_gate_frame,
    encode_phone_frame,
)
from bluezone.radio.frames import advertisement, plausible_rssi, service_data
from bluezone.radio.interface import Radio, RadioFailed

SCAN_MS = 100
ADVERTISING_MS = 100
# A gate that has not been heard for this long is given up for another one.
GATE_LOST_SECONDS = 3.0
# Another gate is answered before that only if it is clearly nearer.
NEARER_DB = 6


@dataclass
class _Heard:
    challenge: Challenge
    rssi_dbm: int
    boot_seconds: float


class GateAnswer:
    """Answers the nearest gate with R_g of one pass until `run` is cancelled.

    session:  k_sess of the pass that is shown, 16 bytes.
    address:  draws a fresh private address for each answer.
    """

    def __init__(
        self,
        radio: Radio,
        session: bytes,
        address: Callable[[], bytes],
        boot_clock: Callable[[], float],
        uuid: int,
    ) -> None:
        self._radio = radio
        self._session = session
        self._address = address
        self._boot_clock = boot_clock
        self._uuid = uuid
        self._nearest: _Heard | None = None
        self._answered: Challenge | None = None
        self._news = asyncio.Event()

    @property
    def answered(self) -> Challenge | None:
        """The challenge that was answered last, None while no gate was heard."""
        return self._answered

    async def run(self) -> None:
        """Scan all the time and answer each new challenge at once. Raises RadioFailed; the radio is left silent."""
        advertising = False
        await self._radio.set_address(self._address())
        await self._scan()
        try:
            while True:
                await self._changed()
                await self._radio.stop_scanning()
                if advertising:
                    await self._radio.stop_advertising()
                await self._radio.set_address(self._address())
                nearest = self._nearest
                assert nearest is not None
                answer = encode_phone_frame(compute_response(self._session, nearest.challenge.value))
                await self._radio.start_advertising(advertisement(answer, self._uuid), ADVERTISING_MS)
                advertising = True
                self._answered = nearest.challenge
                await self._scan()
        finally:
            with suppress(RadioFailed):
                await self._radio.stop_scanning()
            with suppress(RadioFailed):
                await self._radio.stop_advertising()

    async def _scan(self) -> None:
        await self._radio.start_scanning(SCAN_MS, SCAN_MS, self._on_report)

    async def _changed(self) -> None:
        while self._nearest is None or self._nearest.challenge == self._answered:
            if self._radio.lost:
                raise RadioFailed("the adapter is gone")
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), GATE_LOST_SECONDS)

    def _on_report(self, _address: bytes, data: bytes, rssi_dbm: int) -> None:
        frame = service_data(data, GATE_FRAME_LENGTH, self._uuid)
        challenge = None if frame is None else decode_gate_frame(frame)
        if challenge is None or not plausible_rssi(rssi_dbm):
            return
        now, held = self._boot_clock(), self._nearest
        other = held is not None and held.challenge.gate_id != challenge.gate_id
        fresh = held is not None and now - held.boot_seconds < GATE_LOST_SECONDS
        if held is not None and other and fresh and rssi_dbm < held.rssi_dbm + NEARER_DB:
            return
        self._nearest = _Heard(challenge, rssi_dbm, now)
        self._news.set()
