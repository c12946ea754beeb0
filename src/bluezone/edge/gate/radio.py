# SPDX-License-Identifier: Apache-2.0
"""The gate's radio: sends the current challenge, hears the answers of phones, and drops everything else unread.

Source: docs/protocol.md section 7.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import suppress

from bluezone.edge.gate.check import GateCheck
from bluezone.protocol.gate.passes import PHONE_FRAME_LENGTH, decode_phone_frame, encode_gate_frame
from bluezone.radio.beacon import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, private_address
from bluezone.radio.frames import DEFAULT_UUID, advertisement, plausible_rssi, service_data
from bluezone.radio.interface import Radio, RadioFailed
from bluezone.refusal import Refused

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
