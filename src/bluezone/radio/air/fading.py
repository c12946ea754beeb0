# SPDX-License-Identifier: Apache-2.0
"""Fading of a link over time and advertising channel, as normal scores.

The same few lines serve one packet at a time (`noise` returns a float) and many runs at once (`noise`
returns an array), so that what is measured over 600 runs is what the virtual air does.
"""

import math
from array import array
from collections.abc import Callable, MutableSequence
from functools import cache
from typing import Any

from bluezone.radio.air.figures import Correlation

Score = Any  # a float, or an array of one value per run
CHANNELS = 3  # advertising channels 37, 38 and 39

# Standard normal values that are forgotten exponentially: each value, then the second at which it was last asked for,
# not a number before the first time. Three for the levels of the channels between two places, the same in both
# directions, then one for the motion of each direction. One flat array a pair, because the links of a crowd are visited
# in no order that a processor could foresee, and every object more is one more place to fetch.
Drifts = MutableSequence[Any]
DIRECTIONS = 2


def start_levels(noise: Callable[[], Score]) -> Drifts:
    """The drifts of a pair, of which the channels' levels are drawn; a direction's motion is drawn with its Fading."""
    drifts = [part for _ in range(CHANNELS) for part in (noise(), math.nan)] + [math.nan] * 2 * DIRECTIONS
    return array("d", drifts) if isinstance(drifts[0], float) else drifts


class Fading:
    """Fading of one direction of a link.

    drifts:     of `start_levels`, one and the same for both directions.
    direction:  0 or 1.
    noise:      standard normal, a float or an array of one value per run.
    """

    __slots__ = ("_constants", "_drifts", "_motion", "_noise")

    def __init__(self, correlation: Correlation, drifts: Drifts, direction: int, noise: Callable[[], Score]) -> None:
        self._constants = _constants(correlation)
        self._drifts = drifts
        self._motion = 2 * (CHANNELS + direction)
        self._noise = noise
        drifts[self._motion], drifts[self._motion + 1] = noise(), math.nan

    def score(self, now: float, channel: int) -> Score:
        """Normal score of a packet heard at `now` (seconds), not before the last one, on `channel` (0..2)."""
        level_share, level_seconds, motion_share, motion_seconds, packet_share = self._constants
        noise, drifts, level, motion = self._noise, self._drifts, 2 * channel, self._motion
        if now > (asked := drifts[level + 1]):
            kept = math.exp((asked - now) / level_seconds)
            drifts[level] = kept * drifts[level] + math.sqrt(1 - kept * kept) * noise()
        drifts[level + 1] = now
        if now > (asked := drifts[motion + 1]):
            kept = math.exp((asked - now) / motion_seconds)
            drifts[motion] = kept * drifts[motion] + math.sqrt(1 - kept * kept) * noise()
        drifts[motion + 1] = now
        return level_share * drifts[level] + motion_share * drifts[motion] + packet_share * noise()


@cache
def _constants(correlation: Correlation) -> tuple[float, float, float, float, float]:
    """Weights of level, motion and packet, the first two with their seconds. All links of a carriage share them."""
    shares = (correlation.level_share, correlation.motion_share, max(correlation.packet_share, 0.0))
    level, motion, packet = (math.sqrt(share) for share in shares)
    return level, correlation.level_seconds, motion, correlation.motion_seconds, packet
