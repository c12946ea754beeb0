# SPDX-License-Identifier: Apache-2.0
"""How strong a packet arrives, by distance, walls and carriage: fitted figures, and interpolation between them.

Up to 5 m: quantiles measured between two people's phones. Beyond 5 m and through walls: a model, see
`rssi_curve`. The figures are fitted by tools/fit_rssi.py, which names their source.
"""

import bisect
import json
import math
import statistics
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import numpy as np

from bluezone.refusal import Refused

WALL_DB = 15.0  # model: one inner wall; nothing measured here
NEAREST_M = 0.2
FARTHEST_M = 100_000.0  # stands for infinity
RECEIVER_FLOOR_DBM = -116  # the weakest packet in the recordings
_SCORE_LIMIT = 4.0
_SCORES_A_UNIT = 32
_LAST_PLACE = int(2 * _SCORE_LIMIT * _SCORES_A_UNIT)
_DISTANCE_STEP_M = 0.05


class UnknownCarriage(Refused):
    """No measurements exist for this carriage."""

    code = "carriage_unknown"


@dataclass(frozen=True)
class Correlation:
    """Where the variance of a link's normal scores comes from; the three shares add to 1.

    level:   belongs to the advertising channel, forgotten with time constant level_seconds.
    motion:  common to the channels, forgotten with time constant motion_seconds.
    packet:  new with every packet.
    """

    level_share: float
    level_seconds: float
    motion_share: float
    motion_seconds: float

    @property
    def packet_share(self) -> float:
        """What neither the channel nor motion explains."""
        return 1.0 - self.level_share - self.motion_share


@dataclass(frozen=True)
class Curve:
    """RSSI in dBm over normal scores -4..4 in steps of 1/32, for one distance, wall count and carriage."""

    dbm: np.ndarray
    _rounded: list[int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_rounded", [int(value) for value in np.rint(self.dbm)])

    @property
    def strongest_dbm(self) -> float:
        """Strength of the strongest packet possible; a link on which even that is inaudible is not simulated."""
        return float(self.dbm[-1])

    def at(self, score: float) -> int:
        """RSSI of one packet whose fading has this normal score."""
        place = int((score + _SCORE_LIMIT) * _SCORES_A_UNIT)
        return self._rounded[place if 0 <= place <= _LAST_PLACE else 0 if place < 0 else _LAST_PLACE]

    def at_many(self, scores: np.ndarray) -> np.ndarray:
        """RSSI of many packets at once; the same as `at` of each."""
        place = ((np.clip(scores, -_SCORE_LIMIT, _SCORE_LIMIT) + _SCORE_LIMIT) * _SCORES_A_UNIT).astype(int)
        rounded: np.ndarray = np.rint(self.dbm[place])
        return rounded


def carriages() -> tuple[str, ...]:
    """Carriages that were measured, such as "hand-pocket"; the order of the two ends does not matter."""
    return tuple(_figures()["carriages"])


def canonical_carriage(carriage: str) -> str:
    """Return the name under which the figures know a carriage. Raises UnknownCarriage."""
    known = _figures()["carriages"]
    for name in (carriage, "-".join(reversed(carriage.split("-")))):
        if name in known:
            return name
    raise UnknownCarriage(f"carriage {carriage!r} was not measured, expected one of {', '.join(known)}")


@cache
def correlation(carriage: str) -> Correlation:
    """Correlation fitted to the recordings of a carriage."""
    fitted = _figures()["carriages"][canonical_carriage(carriage)]
    return Correlation(fitted["level_share"], fitted["level_seconds"], fitted["motion_share"], fitted["motion_seconds"])


@cache
def mean_rssi_dbm(carriage: str) -> dict[float, float]:
    """The mean of a carriage's recordings at each distance at which there is one, metres."""
    quantiles = _figures()["carriages"][canonical_carriage(carriage)]["quantiles_dbm"]
    return {float(m): float(np.trapezoid(values, _figures()["probabilities"])) for m, values in quantiles.items()}


def rssi_curve(distance_m: float, walls: int, carriage: str) -> Curve:
    """Curve of one link.

    distance_m:  metres, rounded to 5 cm; under 0.2 m counts as 0.2 m, infinity is allowed.
    Between measured distances the quantiles are interpolated over log(distance). Beyond the last one
    they are shifted by the hand-hand slope, the only one not bent by the receivers' floor (bodies
    add a loss of their own, which the last distance already holds); 15 dB more for each wall.
    """
    steps = round(min(max(distance_m, NEAREST_M), FARTHEST_M) / _DISTANCE_STEP_M)
    return _curve(steps, walls, canonical_carriage(carriage))


@lru_cache(maxsize=4096)
def _curve(steps: int, walls: int, carriage: str) -> Curve:
    distance_m = steps * _DISTANCE_STEP_M
    figures = _figures()
    measured = {float(m): np.array(q) for m, q in figures["carriages"][carriage]["quantiles_dbm"].items()}
    distances = sorted(measured)
    if distance_m >= distances[-1]:
        slope = figures["carriages"]["hand-hand"]["slope_db_per_decade"]
        quantiles = measured[distances[-1]] + slope * math.log10(distance_m / distances[-1])
    elif distance_m <= distances[0]:
        quantiles = measured[distances[0]]
    else:
        after = bisect.bisect_right(distances, distance_m)
        near, far = distances[after - 1], distances[after]
        share = math.log(distance_m / near) / math.log(far / near)
        quantiles = (1 - share) * measured[near] + share * measured[far]
    return Curve(np.interp(_score_probabilities(), figures["probabilities"], quantiles) - WALL_DB * walls)


@cache
def _score_probabilities() -> np.ndarray:
    normal = statistics.NormalDist()
    places = range(_LAST_PLACE + 1)
    return np.array([normal.cdf((place + 0.5) / _SCORES_A_UNIT - _SCORE_LIMIT) for place in places])


@cache
def _figures() -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((resources.files(__package__) / "figures.json").read_text())
    return figures
