# SPDX-License-Identifier: Apache-2.0
"""What a phone hears of a meeting: packets of its scan bursts, drawn from the virtual air's figures.

Each direction is drawn from the meeting and the two phones alone. So whoever asks gets the same packets, and nothing
has to be kept.
"""

import math
import random
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bluezone.protocol.risk.assessment import load_profile
from bluezone.radio.air.fading import CHANNELS
from bluezone.radio.air.figures import Correlation, correlation, mean_rssi_dbm, rssi_curve
from bluezone.radio.air.station import ADVERTISING_DELAY_SECONDS
from bluezone.radio.calibration import HAND_TO_HAND_1M_DB, calibration
from bluezone.radio.frames import STRONGEST_RSSI_DBM, WEAKEST_RSSI_DBM
from bluezone.radio.interface import PROFILES
from bluezone.twin.meetings import CARRIAGES, START, Meeting

# How phones differ from what is known of them, as in the meetings that the warning curve was measured with (docs/
# accuracy.md): one offset for a meeting, one for each direction of it.
PAIR_DB, DIRECTION_DB = 3.5, 5.2
DUTY = PROFILES["default"]
_IN_A_BURST: Final = math.ceil(DUTY.burst_seconds * 1000 / DUTY.advertising_interval_ms) + 1


class Packet(NamedTuple):
    """One packet that a phone heard. at: Unix seconds; burst: number of its scan burst, which began at `began`."""

    at: float
    burst: int
    began: float
    sender: int
    rssi_dbm: int


def carriage(person: int, seed: int) -> str:
    """How a person carries the phone."""
    return _drawn(seed, "carriage", person).choice(CARRIAGES)


def heard(receiver: int, meeting: Meeting, seed: int) -> Iterator[Packet]:
    """The packets of a meeting that one of the two hears, in order of time."""
    sender = meeting.other if receiver == meeting.one else meeting.one
    drawn = np.random.default_rng(_digest(seed, "meeting", meeting.number, receiver, sender))
    how = f"{carriage(meeting.one, seed)}-{carriage(meeting.other, seed)}"
    interval = DUTY.advertising_interval_ms / 1000
    phase = _drawn(seed, "phase", receiver).uniform(0, DUTY.period_seconds)
    first = int((meeting.begins - START - phase) // DUTY.period_seconds) + 1
    behind = math.ceil((meeting.ends - START - phase) / DUTY.period_seconds)
    numbers = np.arange(first, max(behind, first))
    begins = START + phase + numbers * DUTY.period_seconds
    # A row of packets for each burst, more than fit, of which those within the burst and the meeting are kept.
    steps = interval + drawn.uniform(0, ADVERTISING_DELAY_SECONDS, (len(numbers), _IN_A_BURST))
    steps[:, 0] = drawn.uniform(0, interval, len(numbers))
    seconds = np.cumsum(steps, axis=1)
    row, place = np.nonzero((seconds < DUTY.burst_seconds) & (begins[:, None] + seconds < meeting.ends))
    within = seconds[row, place]
    at = begins[row] + within
    channels = (within / (DUTY.scan_interval_ms / 1000)).astype(int) % CHANNELS
    offset = _drawn(seed, "pair", meeting.number).gauss(0, PAIR_DB) + drawn.normal(0, DIRECTION_DB) - above_zero_db(how)
    measured = rssi_curve(meeting.metres, 0, how).at_many(scores(correlation(how), at, channels, drawn))
    levels = np.rint(measured + offset).astype(int)
    audible = (levels >= WEAKEST_RSSI_DBM) & (levels <= STRONGEST_RSSI_DBM)
    columns = (column[audible].tolist() for column in (at, numbers[row], begins[row], levels))
    for moment, number, began, rssi_dbm in zip(*columns, strict=True):
        yield Packet(moment, number, began, sender, rssi_dbm)


@cache
def above_zero_db(how: str) -> float:
    """By how many dB the recordings of a way of carrying are stronger than two phones of our zero.

    Each was made with one pair of phones, those with a backpack mostly with another one, of which one reads 14 dB more
    than the other. So how strong they are says more of the phones than of how they were carried; the meetings that the
    warning curve was measured with are moved in the same way (bench/accuracy/converters.py).
    """
    model = load_profile("covid-19").nearness
    assert model is not None
    power = calibration("virtual").effective_power_dbm
    at_1m = [
        power - mean - (model.attenuation_db(metres) - model.at_1m_db) for metres, mean in mean_rssi_dbm(how).items()
    ]
    return HAND_TO_HAND_1M_DB - sum(at_1m) / len(at_1m)


def scores(
    fitted: Correlation, at: NDArray[np.float64], channels: NDArray[Any], drawn: np.random.Generator
) -> NDArray[np.float64]:
    """Normal scores of packets of one direction, as Fading has them, for many packets at once.

    at: seconds, in order; channels: of each, 0..2.
    """
    level = np.empty(len(at))
    for channel in range(CHANNELS):
        of_channel = channels == channel
        level[of_channel] = _drift(at[of_channel], fitted.level_seconds, drawn)
    motion, packet = _drift(at, fitted.motion_seconds, drawn), drawn.standard_normal(len(at))
    shares = np.sqrt([fitted.level_share, fitted.motion_share, max(fitted.packet_share, 0.0)])
    found: NDArray[np.float64] = shares[0] * level + shares[1] * motion + shares[2] * packet
    return found


def _drift(at: NDArray[np.float64], seconds: float, drawn: np.random.Generator) -> NDArray[np.float64]:
    """A standard normal value that is forgotten exponentially, at moments in order."""
    kept = np.exp(-np.diff(at, prepend=-math.inf) / seconds)
    new = np.sqrt(1 - kept**2) * drawn.standard_normal(len(at))
    value, values = 0.0, []
    for share, part in zip(kept.tolist(), new.tolist(), strict=True):
        value = share * value + part
        values.append(value)
    return np.array(values)


def _digest(seed: int, *what: object) -> int:
    return int.from_bytes(blake2b(repr((seed, *what)).encode(), digest_size=16).digest())


def _drawn(seed: int, *what: object) -> random.Random:
    return random.Random(_digest(seed, *what))  # noqa: S311 - repeatable
