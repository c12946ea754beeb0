# SPDX-License-Identifier: Apache-2.0
"""Fading of a link over time and advertising channel, as normal scores.

The same few lines serve one packet at a time (`noise` returns a float) and many runs at once (`noise`
returns an array), so that what is measured over 600 runs is what the virtual air does.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from bluezone.radio.air.figures import Correlation

Score = Any  # a float, or an array of one value per run
CHANNELS = 3  # advertising channels 37, 38 and 39


class Drift:
    """A standard normal value that is forgotten exponentially."""

    __slots__ = ("_at", "_noise", "_seconds", "_value")

    def __init__(self, seconds: float, noise: Callable[[], Score]) -> None:
        self._seconds = seconds
        self._noise = noise
        self._value: Score = noise()
        self._at: float | None = None

    def at(self, now: float) -> Score:
        """Value at `now`, seconds, not before the last call."""
        if self._at is not None and now > self._at:
            kept = math.exp((self._at - now) / self._seconds)
            self._value = kept * self._value + math.sqrt(1 - kept * kept) * self._noise()
        self._at = now
        return self._value


class Levels:
    """Level of each advertising channel between two places; the same in both directions."""

    __slots__ = ("channels",)

    def __init__(self, correlation: Correlation, noise: Callable[[], Score]) -> None:
        self.channels = tuple(Drift(correlation.level_seconds, noise) for _ in range(CHANNELS))


class Fading:
    """Fading of one direction of a link.

    levels:  shared with the other direction.
    noise:   standard normal, a float or an array of one value per run.
    """

    __slots__ = ("_drift", "_levels", "_noise", "_weights")

    def __init__(self, correlation: Correlation, levels: Levels, noise: Callable[[], Score]) -> None:
        self._weights = _weights(correlation)
        self._levels = levels
        self._drift = Drift(correlation.motion_seconds, noise)
        self._noise = noise

    def score(self, now: float, channel: int) -> Score:
        """Normal score of a packet heard at `now` (seconds) on `channel` (0..2)."""
        level, motion, packet = self._weights
        return level * self._levels.channels[channel].at(now) + motion * self._drift.at(now) + packet * self._noise()


@cache
def _weights(correlation: Correlation) -> tuple[float, float, float]:
    """Of level, motion and packet. All links of a carriage share them: what a link touches at each packet is little."""
    shares = (correlation.level_share, correlation.motion_share, max(correlation.packet_share, 0.0))
    level, motion, packet = (math.sqrt(share) for share in shares)
    return level, motion, packet
