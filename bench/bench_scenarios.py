# SPDX-License-Identifier: Apache-2.0
"""Who is warned after which meeting: many runs of an episode through the virtual air's model and the scoring.

Many runs are drawn at once (fading.py and figures.py with arrays instead of floats) and then scored one by
one by bluezone.protocol, as a handset would.
"""

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bluezone.protocol.keys import ReportType
from bluezone.protocol.risk.assessment import assess_exposure, load_profile
from bluezone.protocol.risk.windows import MatchedSighting, build_windows
from bluezone.radio.air.fading import CHANNELS, Fading, start_levels
from bluezone.radio.air.figures import Correlation, correlation, rssi_curve
from bluezone.radio.air.station import ADVERTISING_DELAY_SECONDS
from bluezone.radio.beacon import RECIPROCITY_INTERVAL_MS
from bluezone.radio.calibration import calibration
from bluezone.radio.frames import STRONGEST_RSSI_DBM, WEAKEST_RSSI_DBM
from bluezone.radio.interface import PROFILES, DutyProfile

RUNS = 600
BLOCKS = 12  # runs of one block share the moments of bursts and packets, not their strengths
NOON = 1_796_731_200  # 2026-12-08 12:00 UTC, far from midnight
WARNS_FROM = 0.95  # share of the runs of an obligatory meeting that must warn
NEVER = 1e12  # seconds after which nothing was forgotten

# What the recordings, a minute or two each, leave open: how long a channel's level lasts.
VARIANTS: dict[str, Callable[[Correlation], Correlation]] = {
    "fitted": lambda fitted: fitted,
    "level kept": lambda fitted: dataclasses.replace(fitted, level_seconds=NEVER),
    "no memory": lambda fitted: dataclasses.replace(fitted, level_share=0.0, motion_share=0.0),
    "all kept": lambda fitted: dataclasses.replace(
        fitted, level_share=0.0, motion_share=1 - fitted.packet_share, motion_seconds=NEVER
    ),
}


@dataclass(frozen=True)
class Episode:
    """A meeting of two handsets."""

    minutes: float
    distance_m: float
    carriage: str
    walls: int = 0
    duty: str = "default"
    loss: float = 0.0
    variant: str = "fitted"
    reciprocity: bool = False


@dataclass(frozen=True)
class Outcome:
    """Shares of the runs by level, and what their days say.

    heard: minutes, 10th to 90th percentile of the runs. inside: share of the runs whose range of minutes near holds
    the meeting's length. above: by how much the range's upper end exceeds the minutes heard at most, minutes.
    """

    levels: dict[str, float]
    heard: tuple[float, float]
    inside: float
    above: float


def run_episode(episode: Episode, runs: int = RUNS, seed: int = 1) -> Outcome:
    """Draw and score an episode `runs` times."""
    rng = np.random.default_rng(seed)
    profile, today = load_profile("covid-19"), datetime.fromtimestamp(NOON, UTC).date()
    levels: Counter[str] = Counter()
    minutes, inside, above = [], 0, 0.0
    for _ in range(BLOCKS):
        for sightings in _drawn(episode, runs // BLOCKS, rng):
            windows = build_windows(
                sightings,
                report_type=ReportType.CONFIRMED_TEST,
                days_since_onset=0,
                zone=UTC,
                profile=profile,
                own_confidence=calibration("virtual").confidence,
            )
            assessment = assess_exposure(windows, profile, today)
            levels[assessment.level] += 1
            heard = sum(instance.seconds_since_last_scan for w in windows for instance in w.scan_instances) / 60
            minutes.append(heard)
            for day in assessment.days:
                assert day.near is not None
                inside += day.near[0] <= episode.minutes <= day.near[1]
                above = max(above, day.near[1] - heard)
    total = sum(levels.values())
    low, high = np.percentile(minutes, [10, 90])
    return Outcome(
        {level: levels[level] / total for level in ("none", "low", "high")},
        (round(float(low), 1), round(float(high), 1)),
        inside / total,
        round(above, 2),
    )


def _drawn(episode: Episode, runs: int, rng: np.random.Generator) -> Iterator[list[MatchedSighting]]:
    """Draw one block; yields, for each run, one sighting per burst with the burst's typical attenuation.

    A burst's sightings have one mean, rounded as windows.py does, so passing it once loses nothing that the
    covid-19 profile looks at (tests/radio/test_scenarios.py compares with every packet passed).
    """
    duty = PROFILES[episode.duty]
    (starts, typical), *other_way = _heard(episode, duty, runs, rng, directions=1 + episode.reciprocity)
    told = _told(episode, duty, starts, *other_way[0], rng) if other_way else np.full_like(typical, np.nan)
    confidence = calibration("virtual").confidence
    for run in range(runs):
        yield [
            MatchedSighting(
                NOON + start,
                number,
                duty.period_seconds,
                int(db),
                confidence,
                int(back) if np.isfinite(back) else None,
            )
            for number, (start, db, back) in enumerate(zip(starts, typical[:, run], told[:, run], strict=True))
            if np.isfinite(db)
        ]


def burst_attenuations(
    episode: Episode, duty: DutyProfile, runs: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the bursts of many runs.

    Returns their starts in seconds, shape (bursts,), and the typical attenuation in dB, shape (bursts, runs),
    NaN where nothing was heard.
    """
    return _heard(episode, duty, runs, rng, directions=1)[0]


def _heard(
    episode: Episode, duty: DutyProfile, runs: int, rng: np.random.Generator, directions: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw one or both directions of a meeting, each as `burst_attenuations` gives it, on one and the same link."""

    def noise() -> np.ndarray:
        return rng.standard_normal(runs)

    assumed = VARIANTS[episode.variant](correlation(episode.carriage))
    drifts, end = start_levels(noise), episode.minutes * 60
    fading = [Fading(assumed, drifts, direction, noise) for direction in range(directions)]
    curve = rssi_curve(episode.distance_m, episode.walls, episode.carriage)
    power = calibration("virtual").effective_power_dbm
    starts = [np.arange(rng.uniform(0, duty.period_seconds), end, duty.period_seconds) for _ in range(directions)]
    totals = [np.zeros((len(bursts), runs)) for bursts in starts]
    counts = [np.zeros((len(bursts), runs)) for bursts in starts]
    moments = sorted(
        (start + seconds, direction, place, channel)
        for direction, bursts in enumerate(starts)
        for place, start in enumerate(bursts)
        for seconds, channel in packet_moments(duty, rng)
        if start + seconds < end
    )
    for now, direction, place, channel in moments:
        rssi = curve.at_many(fading[direction].score(now, channel))
        heard = (rssi >= WEAKEST_RSSI_DBM) & (rssi <= STRONGEST_RSSI_DBM) & (rng.random(runs) >= episode.loss)
        totals[direction][place] += np.where(heard, np.maximum(power - rssi, 0), 0)
        counts[direction][place] += heard
    with np.errstate(invalid="ignore"):
        return [
            (bursts, np.floor(total / count + 0.5)) for bursts, total, count in zip(starts, totals, counts, strict=True)
        ]


def _told(
    episode: Episode, duty: DutyProfile, starts: np.ndarray, their_starts: np.ndarray, theirs: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:  # fmt: skip
    """What the other phone's frames say in each burst: its own last burst's level, if one of the frames arrives."""
    ends = starts + duty.burst_seconds
    last = np.searchsorted(their_starts + duty.burst_seconds, ends, side="right") - 1
    told = np.where((last >= 0)[:, None], theirs[np.maximum(last, 0)], np.nan)
    frames = int(duty.burst_seconds * 1000 // RECIPROCITY_INTERVAL_MS)
    arrives = rng.random(told.shape) >= episode.loss**frames
    return np.where(arrives, told, np.nan)


def packet_moments(duty: DutyProfile, rng: np.random.Generator) -> Iterator[tuple[float, int]]:
    """Seconds into a burst, and channel, of each packet that falls into it."""
    interval = duty.advertising_interval_ms / 1000
    seconds = rng.uniform(0, interval)
    while seconds < duty.burst_seconds:
        yield seconds, int(seconds / (duty.scan_interval_ms / 1000)) % CHANNELS
        seconds += interval + rng.uniform(0, ADVERTISING_DELAY_SECONDS)


MUST_WARN = [
    Episode(25, 1.0, carriage, duty=duty, loss=loss, reciprocity=reciprocity)
    for reciprocity in (False, True)
    for carriage in ("hand-hand", "hand-pocket")
    for duty in PROFILES
    for loss in (0.0, 0.25, 0.5)
]
MUST_NOT_WARN = [
    Episode(minutes, distance_m, carriage, walls, loss=loss, reciprocity=reciprocity)
    for reciprocity in (False, True)
    for minutes, distance_m, carriage, walls in (
        (25, 10.0, "hand-hand", 1),
        (25, 10.0, "hand-pocket", 1),
        (9, 1.0, "hand-hand", 0),
        (9, 1.0, "hand-pocket", 0),
    )
    for loss in (0.0, 0.5)
]
HARDLY_WARNS = [
    Episode(25, 5.0, "pocket-pocket", loss=loss, reciprocity=reciprocity)
    for reciprocity in (False, True)
    for loss in (0.0, 0.5)
]
WEAK_SPOTS = [
    Episode(25, distance_m, carriage, variant=variant, reciprocity=reciprocity)
    for reciprocity in (False, True)
    for distance_m, carriage in ((5.0, "hand-hand"), (1.0, "pocket-pocket"), (1.0, "hand-pocket"), (2.0, "hand-hand"))
    for variant in VARIANTS
]


def is_right(expected: str, outcome: Outcome) -> bool:
    """Tell whether an obligatory scenario came out right; "hardly" allows 0.5 % low."""
    if expected == "warn":
        return outcome.levels["high"] >= WARNS_FROM
    return outcome.levels["high"] == 0.0 and outcome.levels["low"] <= (0.005 if expected == "hardly" else 0.0)


def run(progress: Callable[[str], None]) -> dict[str, Any]:
    """Run every scenario; the figure is how many of the obligatory ones came out right."""
    started = time.monotonic()
    obligatory = {"warn": MUST_WARN, "no warning": MUST_NOT_WARN, "hardly": HARDLY_WARNS}
    rows, right = [], 0
    for expected, episodes in {**obligatory, "weak spot": WEAK_SPOTS}.items():
        for episode in episodes:
            outcome = run_episode(episode)
            right += expected in obligatory and is_right(expected, outcome)
            rows.append({"expected": expected, **dataclasses.asdict(episode), **dataclasses.asdict(outcome)})
            levels = " ".join(f"{name} {100 * share:5.1f} %" for name, share in outcome.levels.items())
            progress(
                f"{expected:10} {episode.minutes:2} min {episode.distance_m:4} m {episode.walls} wall "
                f"{episode.carriage:13} {episode.duty:7} loss {episode.loss:4} {episode.variant:10} "
                f"{'both ways' if episode.reciprocity else 'one way':9}: "
                f"{levels}  {outcome.heard} min"
            )
    count = sum(map(len, obligatory.values()))
    return {
        "name": "scenarios",
        "value": right,
        "unit": f"obligatory scenarios right in {RUNS} runs each",
        "baseline": count,
        "ratio": round(right / count, 3),
        "seconds": round(time.monotonic() - started, 1),
        "scenarios": rows,
    }
