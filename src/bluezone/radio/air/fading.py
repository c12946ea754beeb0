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

# Standard normal values that are forgotten exponentially, one a channel: each value, then the second at which it was
# last asked for, not a number before the first time. In one flat array, because the links of a crowd are visited in no
# order that a processor could foresee, and every object more is one more place to fetch.
Levels = MutableSequence[Any]


def start_levels(noise: Callable[[], Score]) -> Levels:
    """Level of each advertising channel between two places; the same in both directions."""
    levels = [part for _ in range(CHANNELS) for part in (noise(), math.nan)]
    return array("d", levels) if isinstance(levels[0], float) else levels


class Fading:
    """Fading of one direction of a link.

    levels:  shared with the other direction.
    noise:   standard normal, a float or an array of one value per run.
    """

    __slots__ = ("_asked", "_constants", "_levels", "_motion", "_noise")

    def __init__(self, correlation: Correlation, levels: Levels, noise: Callable[[], Score]) -> None:
        self._constants = _constants(correlation)
        self._levels = levels
        self._motion: Score = noise()
        self._asked = math.nan
        self._noise = noise

    def score(self, now: float, channel: int) -> Score:
        """Normal score of a packet heard at `now` (seconds), not before the last one, on `channel` (0..2)."""
        level_share, level_seconds, motion_share, motion_seconds, packet_share = self._constants
        noise, levels, place = self._noise, self._levels, 2 * channel
        if now > (asked := levels[place + 1]):
            kept = math.exp((asked - now) / level_seconds)
            levels[place] = kept * levels[place] + math.sqrt(1 - kept * kept) * noise()
        levels[place + 1] = now
        if now > self._asked:
            kept = math.exp((self._asked - now) / motion_seconds)
            self._motion = kept * self._motion + math.sqrt(1 - kept * kept) * noise()
        self._asked = now
        return level_share * levels[place] + motion_share * self._motion + packet_share * noise()


@cache
def _constants(correlation: Correlation) -> tuple[float, float, float, float, float]:
    """Weights of level, motion and packet, the first two with their seconds. All links of a carriage share them."""
    shares = (correlation.level_share, correlation.motion_share, max(correlation.packet_share, 0.0))
    level, motion, packet = (math.sqrt(share) for share in shares)
    return level, correlation.level_seconds, motion, correlation.motion_seconds, packet
