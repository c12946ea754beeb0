# SPDX-License-Identifier: Apache-2.0
"""Calibrates an adapter against another, 1 m apart, both in the hand. The procedure is in docs/radio.md."""

import asyncio
import contextlib
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from bluezone.radio.beacon import private_address
from bluezone.radio.calibration import HAND_TO_HAND_1M_DB, Calibration, calibration
from bluezone.radio.frames import contact_advertisement, parse_contact, plausible_rssi
from bluezone.radio.interface import PROFILES, Radio, RadioFailed
from bluezone.refusal import Refused

FEWEST_SIGHTINGS = 200
_DUTY = PROFILES["mains"]


class CalibrationFailed(Refused):
    """Nothing can be concluded: too little was heard, or the adapters are not suitable."""

    code = "calibration_failed"


@dataclass
class Heard:
    """The packets that one adapter heard from the other, RSSI in dBm."""

    rssi_dbm: list[int] = field(default_factory=list)

    @property
    def mean_dbm(self) -> float:
        """Mean of the sightings."""
        return statistics.fmean(self.rssi_dbm)


async def measure(
    adapter: Radio, reference: Radio, seconds: float, rng: random.Random, progress: Callable[[int, int], None]
) -> tuple[Heard, Heard]:
    """Let both adapters advertise and listen.

    progress:  told every second how many packets each has heard.
    Returns what `adapter` heard of `reference`, and the other way round.
    Raises RadioFailed, RadioUnavailable, and CalibrationFailed if fewer than 200 packets came either way.
    """
    at_adapter, at_reference = Heard(), Heard()
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        for radio in (adapter, reference):
            await radio.open()
            stack.push_async_callback(radio.close)
        payloads = {radio: rng.randbytes(20) for radio in (adapter, reference)}
        for radio, other, heard in ((adapter, reference, at_adapter), (reference, adapter, at_reference)):
            await radio.set_address(private_address(rng))
            await radio.start_advertising(contact_advertisement(payloads[radio]), _DUTY.advertising_interval_ms)
            await radio.start_scanning(_DUTY.scan_interval_ms, _DUTY.scan_window_ms, _collector(payloads[other], heard))
        end = loop.time() + seconds
        while (left := end - loop.time()) > 0:
            await asyncio.sleep(min(left, 1.0))
            if adapter.lost or reference.lost:
                raise RadioFailed("an adapter vanished while it was being calibrated")
            progress(len(at_adapter.rssi_dbm), len(at_reference.rssi_dbm))
    fewest = min(len(at_adapter.rssi_dbm), len(at_reference.rssi_dbm))
    if fewest < FEWEST_SIGHTINGS:
        raise CalibrationFailed(
            f"only {fewest} packets were heard one way, expected {FEWEST_SIGHTINGS}: "
            "hold both adapters in the hand, 1 m apart, and measure longer"
        )
    return at_adapter, at_reference


def _collector(payload: bytes, heard: Heard) -> Callable[[bytes, bytes, int], None]:
    def on_report(_address: bytes, data: bytes, rssi_dbm: int) -> None:
        if parse_contact(data) == payload and plausible_rssi(rssi_dbm):
            heard.rssi_dbm.append(rssi_dbm)

    return on_report


def against(reference_model: str, at_adapter: Heard, at_reference: Heard) -> Calibration:
    """Work out the adapter's calibration from a measurement hand to hand at 1 m.

    With a calibrated reference, power and correction follow apart: confidence 2. With an uncalibrated one
    (two of a kind) the receiver's correction is taken as 0 and the power from both directions: confidence 1.
    Raises InvalidCalibration when a value is beyond what any adapter does.
    """
    known = calibration(reference_model)
    if known.confidence:
        power = HAND_TO_HAND_1M_DB + at_reference.mean_dbm + known.receiver_correction_db
        correction = known.effective_power_dbm - HAND_TO_HAND_1M_DB - at_adapter.mean_dbm
        return Calibration(round(power), round(correction), 2)
    mean = statistics.fmean([at_adapter.mean_dbm, at_reference.mean_dbm])
    return Calibration(round(HAND_TO_HAND_1M_DB + mean), 0, 1)
