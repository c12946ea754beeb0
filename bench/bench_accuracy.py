# SPDX-License-Identifier: Apache-2.0
"""How well a phone tells near from far, on a collection of recordings: docs/accuracy.md.

The real phone code lives through the collection: sealed encounter log, matching with published keys, windows, and the
profile `covid-19`. Beside it stand simpler rules on the same five minutes. The figure is the area under the curve of
five-minute windows within 2 m; its baseline is the mean attenuation of the same windows.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench.accuracy import baselines
from bench.accuracy.figures import auc, calibration_error, found_at, share, with_interval
from bench.accuracy.phones import WINDOW_SECONDS, Meeting, live_through
from bench.accuracy.recordings import Collection, read_collection
from bench.accuracy.vehicles import judge_rides
from numpy.typing import NDArray

from bluezone.protocol.risk.assessment import load_profile

SHIPPED = Path(__file__).parent / "accuracy" / "drawn"
DISTANCES_M = (1.5, 2.0)
NEAR_MINUTES = 10.0
TRADE = tuple(round(0.20 + 0.05 * step, 2) for step in range(14))  # other bounds of a high level, for docs/risk.md

Floats = NDArray[np.float64]
Progress = Callable[[str], None]


def run(progress: Progress, recordings: Path | None = None) -> dict[str, Any]:
    """Judge a collection; where none is given, the small drawn one that ships, and composed rides in a bus."""
    collection = read_collection(recordings or SHIPPED)
    profile = load_profile("covid-19")
    kind = "SYNTHETIC, nobody measured it" if collection.synthetic else "recorded"
    progress(f"{collection.name} ({kind}): {len(collection.phones)} phones. Source: {collection.source}")
    meetings = list(live_through(collection, profile, reciprocity=False))
    with_reciprocity = list(live_through(collection, profile, reciprocity=True))
    windows = judge_windows(collection, meetings, with_reciprocity, progress)
    progress("one direction")
    told = judge_meetings(collection, meetings, progress)
    progress("both directions (reciprocity frames)")
    told_both = judge_meetings(collection, with_reciprocity, progress)
    rides = judge_rides(progress) if recordings is None else []
    ours, mean = windows["auc_2m"]["nearness"], windows["auc_2m"]["mean attenuation"]
    return {
        "name": f"five-minute windows within 2 m, {collection.name}" + (" (synthetic)" if collection.synthetic else ""),
        "value": ours[0],
        "unit": "area under the curve",
        "baseline": mean[0],
        "ratio": round(ours[0] / mean[0], 3) if mean[0] else 0.0,
        "synthetic": collection.synthetic,
        "windows": windows,
        "meetings": told,
        "meetings_both_directions": told_both,
        "rides": rides,
    }


def judge_windows(
    collection: Collection, meetings: list[Meeting], with_reciprocity: list[Meeting], progress: Progress
) -> dict[str, Any]:
    """Area under the curve, and share found at 10 % false, for each rule and distance."""
    judged_both = {
        (meeting.phone, meeting.case, part.at): part.near for meeting in with_reciprocity for part in meeting.slices
    }
    rules: dict[str, list[float]] = {"nearness": [], "mean attenuation": [], "weighted minutes": [], "smoother": []}
    by_place: dict[tuple[str, str, float], float] = {}
    ones, others, metres, keys = [], [], [], []
    for meeting in meetings:
        for part in meeting.slices:
            distance = _median_distance(collection, meeting, part.at)
            if distance is None or not part.attenuations_db:
                continue
            ones.append(meeting.phone)
            others.append(meeting.case)
            metres.append(distance)
            keys.append((meeting.phone, meeting.case, part.at))
            rules["nearness"].append(part.near)
            rules["mean attenuation"].append(-baselines.mean_attenuation(part))
            rules["weighted minutes"].append(baselines.weighted_minutes(part))
            rules["smoother"].append(baselines.smoothed_risk(part))
            by_place[keys[-1]] = baselines.mean_attenuation(part)
    both = [by_place.get((case, phone, at)) for phone, case, at in keys]
    known = np.array([one is not None for one in both])
    result: dict[str, Any] = {"windows": len(keys), "heard_both_ways": int(known.sum())}
    for distance_m in DISTANCES_M:
        near = np.array(metres) <= distance_m
        figures, finds = {}, {}
        for name, one_way in rules.items():
            figures[name], finds[name] = _curve(np.array(one_way), near, ones, others)
        if known.any():
            scores_both = np.array([judged_both[key] for key in keys])
            averaged = np.array([-(by_place[key] + (other or 0)) / 2 for key, other in zip(keys, both, strict=True)])
            sides = [[side for side, kept in zip(part, known, strict=True) if kept] for part in (ones, others)]
            for name, scores in (("nearness", scores_both), ("mean attenuation", averaged)):
                both_ways = f"{name}, both directions"
                figures[both_ways], finds[both_ways] = _curve(scores[known], near[known], *sides)
        result[f"auc_{distance_m:g}m"], result[f"tpr_at_fpr_10_{distance_m:g}m"] = figures, finds
        progress(f"windows of 5 minutes, within {distance_m:g} m: {int(near.sum())} of {len(near)}")
        for name, figure in figures.items():
            progress(f"  {name:34} AUC {_shown(figure)}   TPR at FPR 10 % {_shown(finds[name])}")
    return result


def judge_meetings(collection: Collection, meetings: list[Meeting], progress: Progress) -> dict[str, Any]:
    """Levels, minutes and certainty of whole meetings against the minutes truly within 2 m."""
    rows = [
        (meeting, minutes)
        for meeting in meetings
        if meeting.day is not None
        and (minutes := collection.minutes_within(meeting.phone, meeting.case, 2.0)) is not None
    ]
    ones, others = [meeting.phone for meeting, _ in rows], [meeting.case for meeting, _ in rows]
    true_minutes = np.array([minutes for _, minutes in rows])
    near, brief, one = true_minutes >= NEAR_MINUTES, true_minutes < 1, np.ones(len(rows))
    days = [meeting.day for meeting, _ in rows if meeting.day is not None]
    chances, doses = np.array([day.chance for day in days]), np.array([day.score for day in days])
    levels = np.array([day.level for day in days])
    certainties = np.array([day.certainty for day in days])
    ranges = np.array([day.near for day in days]).reshape(-1, 2)
    rng = np.random.default_rng(1)

    def interval(figure: Callable[[Floats], float]) -> list[float]:
        return [round(part, 3) for part in with_interval(figure, ones, others, rng)]

    result: dict[str, Any] = {
        "meetings": len(rows), "near_10_minutes": int(near.sum()),
        "auc": interval(lambda w: auc(doses, near, w)),
        "tpr_at_fpr_15": interval(lambda w: found_at(doses, near, w, 0.15)),
    }  # fmt: skip

    def part_of(mask: NDArray[np.bool_], among: NDArray[np.bool_]) -> list[float]:
        return interval(lambda w: share(mask, among, w))

    for level, told in (("low or high", levels != "none"), ("high", levels == "high")):
        result[level] = {
            "tpr": part_of(told, near),
            "fpr": part_of(told, ~near),
            "of_under_a_minute": part_of(told, brief),
            "precision": part_of(near, told),
        }
    model = load_profile("covid-19").nearness
    assert model is not None
    firm = (certainties != "unclear") & (doses >= model.high_dose)
    result["trade"] = [
        {
            "high_chance": chance,
            "tpr": round(share(firm & (chances >= chance), near, one), 3),
            "fpr": round(share(firm & (chances >= chance), ~near, one), 3),
            "of_under_a_minute": round(share(firm & (chances >= chance), brief, one), 3),
        }
        for chance in TRADE
    ]
    expected = np.array([day.score / load_profile("covid-19").factor(1, 2) for day in days])
    inside = (true_minutes >= ranges[:, 0]) & (true_minutes <= ranges[:, 1])
    warned = levels != "none"
    result["minutes"] = {
        "median_bias": round(float(np.median(expected - true_minutes)), 2) if len(rows) else None,
        "inside_the_range": part_of(inside, one > 0),
        "mean_width": round(float((ranges[:, 1] - ranges[:, 0]).mean()), 1) if len(rows) else None,
    }
    result["certainty"] = {
        "calibration_error": interval(lambda w: calibration_error(chances, near, w)),
        "unclear_of_warned": part_of(certainties == "unclear", warned),
        **{
            word: {
                "given": int((certainties == word).sum()),
                "truly_near": part_of(near, certainties == word),
                "of_the_near": part_of(certainties == word, near),
            }
            for word in ("sure", "likely", "unlikely", "unclear")
        },
    }
    _say_meetings(result, progress)
    return result


def _say_meetings(result: dict[str, Any], progress: Progress) -> None:
    progress(f"meetings: {result['meetings']}, with 10 minutes within 2 m: {result['near_10_minutes']}")
    progress(f"  dose: AUC {_shown(result['auc'])}   TPR at FPR 15 % {_shown(result['tpr_at_fpr_15'])}")
    for level in ("low or high", "high"):
        rates = "   ".join(f"{name} {_shown(figure)}" for name, figure in result[level].items())
        progress(f"  {level}: {rates}")
    trade = ", ".join(f"{row['high_chance']}: {row['tpr']}/{row['fpr']}" for row in result["trade"])
    progress(f"  high from another chance, found/false: {trade}")
    minutes, certainty = result["minutes"], result["certainty"]
    progress(
        f"  minutes near: median bias {minutes['median_bias']}, mean width {minutes['mean_width']}, "
        f"inside the range {_shown(minutes['inside_the_range'])}"
    )
    progress(
        f"  chance stated: calibration error {_shown(certainty['calibration_error'])}, "
        f"unclear of the warned {_shown(certainty['unclear_of_warned'])}"
    )
    for word in ("sure", "likely", "unlikely", "unclear"):
        told = certainty[word]
        progress(
            f"  {word:9} {told['given']:5} times, right in {_shown(told['truly_near'])}, "
            f"said of {_shown(told['of_the_near'])} of the near"
        )


def _median_distance(collection: Collection, meeting: Meeting, at: float) -> float | None:
    moments = np.arange(at - WINDOW_SECONDS / 2 + 5, at + WINDOW_SECONDS / 2, 10)
    known = [
        metres
        for moment in moments
        if (metres := collection.distance_m(meeting.phone, meeting.case, float(moment))) is not None
    ]
    return float(np.median(known)) if known else None


def _curve(
    scores: Floats, near: NDArray[np.bool_], ones: list[str], others: list[str]
) -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(1)
    area = with_interval(lambda w: auc(scores, near, w), ones, others, rng)
    rng = np.random.default_rng(1)
    found = with_interval(lambda w: found_at(scores, near, w, 0.10), ones, others, rng)
    return [round(part, 3) for part in area], [round(part, 3) for part in found]


def _shown(figure: list[float]) -> str:
    value, low, high = figure
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"
