# SPDX-License-Identifier: Apache-2.0
"""Rides in a bus with one case on board, composed: never measured.

People sit down on seats drawn at random, two on each side of an aisle, and stay there. What their phones hear follows
the profile's curve and scatter; each body shifts all that its phone sends and hears, each radio is off by as much as
the profile says of its confidence. The phone's own rule (`assess_exposure`) then judges them; log and matching are left
out.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluezone.protocol.keys import ReportType
from bluezone.protocol.risk.assessment import ExposureWindow, Profile, ScanInstance, assess_exposure, load_profile
from bluezone.protocol.risk.profile import HIGH, Nearness

Floats = NDArray[np.float64]
Progress = Callable[[str], None]

RIDES = 30
PEOPLE = (20, 40)
MINUTES = (30, 40)
PERIOD_SECONDS = 30.0
ROWS = 11
ROW_M = 0.75
COLUMNS_M = (0.0, 0.45, 1.15, 1.6)
NEAR_M = 2.0
CROWD = 5  # of the rule for trams as it was before the profile turned it off
RESAMPLES = 1_000
DAY = date(2020, 8, 6)


@dataclass(frozen=True)
class Air:
    """How a bus passes signals on. louder_db: by how much all is heard louder than the profile's curve has it.

    is_metal: whether walls give back what distance takes: the curve's far slope from the nearest seat on, and half of
    its scatter, since what arrives comes from all sides.
    """

    name: str
    is_metal: bool = False
    louder_db: float = 0.0

    def attenuation_db(self, metres: Floats, model: Nearness) -> Floats:
        """The mean attenuation at each distance."""
        curve = replace(model, slope_db=model.far_slope_db) if self.is_metal else model
        bend_db = model.attenuation_db(model.bend_m) - curve.attenuation_db(model.bend_m)
        levels = np.vectorize(curve.attenuation_db, otypes=[np.float64])(np.maximum(metres, model.nearest_m))
        return np.asarray(levels + bend_db - self.louder_db, dtype=np.float64)


AIRS = (Air("open"), Air("metal", is_metal=True), Air("metal, 6 dB louder", is_metal=True, louder_db=6.0))


@dataclass(frozen=True)
class Ride:
    """What the riders' phones make of the case. metres: of each rider from the case; windows: what each heard of it."""

    metres: Floats
    windows: tuple[ExposureWindow, ...]


def compose_ride(people: int, air: Air, confidence: int, number: int) -> Ride:
    """One ride of a case (the first person) and others, whose radios all have one confidence, 0..3.

    number: of the ride; the same one is the same ride again.
    """
    rng = np.random.default_rng((number, people, confidence))
    model = _read_model(load_profile("covid-19"))
    seats = rng.permutation(ROWS * len(COLUMNS_M))[:people]
    places = np.stack([np.array(COLUMNS_M)[seats % len(COLUMNS_M)], seats // len(COLUMNS_M) * ROW_M], axis=1)
    metres = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    bursts = int(rng.integers(MINUTES[0] * 60, MINUTES[1] * 60) // PERIOD_SECONDS)
    level = air.attenuation_db(metres, model) + _draw_shifts(rng, people, model, confidence)
    scatter = _draw_scatter(rng, people, bursts, model, 0.5 if air.is_metal else 1.0)
    heard = np.maximum(np.rint(level[:, :, None] + scatter), 0).astype(int)
    windows = tuple(_make_window(heard, rider, confidence) for rider in range(1, people))
    return Ride(metres[0, 1:], windows)


def _draw_shifts(rng: np.random.Generator, people: int, model: Nearness, confidence: int) -> Floats:
    """What each pair is off by for the whole ride, dB: listener by sender."""
    body = rng.normal(0, model.pair_db / np.sqrt(2), people)
    listening = body + rng.normal(0, model.calibration_db[confidence], people)
    sending = body + rng.normal(0, model.calibration_db[confidence], people)
    return np.asarray(listening[:, None] + sending[None] + rng.normal(0, model.direction_db, (people, people)))


def _draw_scatter(rng: np.random.Generator, people: int, bursts: int, model: Nearness, share: float) -> Floats:
    """What each burst is off by, dB: the drift of a segment, alike in both directions, and the burst's own part."""
    length = int(model.segment_seconds // PERIOD_SECONDS)
    drift = rng.normal(0, share * model.drift_db, (people, people, math.ceil(bursts / length)))
    drift = (drift + drift.transpose(1, 0, 2)) / np.sqrt(2)
    fast = rng.normal(0, share * model.burst_db, (people, people, bursts))
    return np.asarray(np.repeat(drift, length, axis=2)[:, :, :bursts] + fast)


def _make_window(heard: NDArray[np.int_], rider: int, confidence: int) -> ExposureWindow:
    """What a rider heard of the case, both directions, and who else was there. heard: dB, listener, sender, burst."""
    others = np.delete(heard[rider], [0, rider], axis=0)
    spreads = np.rint(others.std(axis=0)).astype(int).tolist()
    instances = tuple(
        ScanInstance(level, level, PERIOD_SECONDS, back, len(others), spread)
        for level, back, spread in zip(heard[rider, 0].tolist(), heard[0, rider].tolist(), spreads, strict=True)
    )
    return ExposureWindow(DAY, int(ReportType.CONFIRMED_TEST), HIGH, confidence, confidence, instances)


def judge_rides(progress: Progress, rides: int = RIDES) -> list[dict[str, Any]]:
    """False and true highs of rides, by air, people and rule, each with a 95 % interval from drawing rides again."""
    shipped = load_profile("covid-19")
    with_crowds = replace(shipped, nearness=replace(_read_model(shipped), crowd=CROWD))
    progress(f"rides in a bus with one case, {MINUTES[0]} to {MINUTES[1]} minutes, {rides} of each (SYNTHETIC)")
    rows = []
    for air, people in itertools.product(AIRS, PEOPLE):
        known = [compose_ride(people, air, 1, number) for number in range(rides)]
        unknown = [compose_ride(people, air, 0, number) for number in range(rides)]
        for rule, composed, profile in (
            ("models known, crowd rule", known, with_crowds),
            ("models known, no crowd rule", known, shipped),
            # Before, two unknown models were never high.
            ("models unknown", unknown, shipped),
        ):
            row = {"air": air.name, "people": people, "rule": rule, **_judge(composed, profile)}
            rows.append(row)
            progress(f"  {air.name:18} {people} people, {rule:27}: {_describe(row)}")
    return rows


def _judge(rides: list[Ride], profile: Profile) -> dict[str, Any]:
    counts = np.array([_count(ride, profile) for ride in rides], dtype=np.float64)
    drawn = np.random.default_rng(1).integers(0, len(rides), (RESAMPLES, len(rides)))
    sums = np.concatenate([counts.sum(axis=0)[None], counts[drawn].sum(axis=1)])
    figures = {
        "false_per_ride": sums[:, 0] / len(rides),
        "far_told_high": sums[:, 0] / sums[:, 1],
        "near_found": sums[:, 2] / sums[:, 3],
        "unclear": sums[:, 4] / (sums[:, 1] + sums[:, 3]),
    }
    return {
        name: [round(float(number), 3) for number in (values[0], *np.percentile(values[1:], [2.5, 97.5]))]
        for name, values in figures.items()
    }


def _count(ride: Ride, profile: Profile) -> tuple[int, ...]:
    """Far riders with a high level, far riders, near riders with a high level, near riders, and unclear ones."""
    days = [assess_exposure([window], profile, DAY).days[0] for window in ride.windows]
    near = ride.metres <= NEAR_M
    high = np.array([day.level == "high" for day in days])
    unclear = np.array([day.certainty == "unclear" for day in days])
    return tuple(int(mask.sum()) for mask in (high & ~near, ~near, high & near, near, unclear))


def _describe(row: dict[str, Any]) -> str:
    names = (("false_per_ride", "false high a ride"), ("far_told_high", "of the far"), ("near_found", "of the near"))
    parts = [f"{words} {row[name][0]:.2f} [{row[name][1]:.2f}, {row[name][2]:.2f}]" for name, words in names]
    return ", ".join([*parts, f"unclear {row['unclear'][0]:.2f}"])


def _read_model(profile: Profile) -> Nearness:
    assert profile.nearness is not None
    return profile.nearness
