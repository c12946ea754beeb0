# SPDX-License-Identifier: Apache-2.0
"""Fit the figures of the virtual air to the measured human-to-human data and write src/bluezone/radio/air/figures.json.

    .venv/bin/python tools/fit_rssi.py ../shared/data/rssi/rss_HumanHuman

The recordings stay where they are; only the fitted figures are part of this repository.
Source: pc-ng/rss_HumanHuman (MIT), P. C. Ng, P. Spachos, K. N. Plataniotis, arXiv 2005.13754.

What is fitted, for each carriage pair:
- quantiles of the raw RSSI at each distance, averaged over the two receivers (their phones differ);
- the slope of the mean over the logarithm of the distance, used beyond the last measured distance;
- where the variance comes from, out of the autocorrelation of the normal scores over the `elapsed` column.
  The receivers dwelt 5 s on each of the three advertising channels, so the autocorrelation comes back after
  15 s: what comes back is a level that belongs to the channel, what dies within seconds is motion, and what
  is gone at once differs from packet to packet.
"""

import csv
import json
import re
import statistics
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

CARRIAGES = {
    "hand-hand": "HandHand",
    "hand-pocket": "HandPocket",
    "hand-backpack": "HandBackpack",
    "pocket-pocket": "PocketPocket",
    "pocket-backpack": "PocketBackpack",
    "backpack-backpack": "BackpackBackpack",
}
PROBABILITIES = [0.0, 0.005, 0.01, 0.02, 0.03, *[round(p / 20, 2) for p in range(1, 20)], 0.97, 0.98, 0.99, 0.995, 1.0]
DWELL_SECONDS = 5.0  # one channel of three at a time, seen in the recordings: levels repeat every 15 s
LAG_STEP_SECONDS = 0.25
LAGS = 260  # 65 s: the recordings are one to two minutes long
FEWEST_ROWS = 200  # a shorter recording says nothing about seconds
OUTPUT = Path(__file__).parents[1] / "src" / "bluezone" / "radio" / "air" / "figures.json"

Session = np.ndarray  # shape (n, 2): seconds elapsed, RSSI in dBm, in order of time
Sessions = dict[tuple[int, str], Session]


def read_sessions(folder: Path) -> Sessions:
    """Read one carriage's recordings: (distance in cm, receiving phone) -> session; both files of its split."""
    rows: dict[tuple[int, str], list[tuple[float, float]]] = defaultdict(list)
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                key = (round(float(row["dist"])), row["device"])
                rows[key].append((float(row["elapsed"]), float(row["rss"])))
    return {key: np.array(sorted(values)) for key, values in sorted(rows.items())}


def quantiles_by_distance(sessions: Sessions) -> dict[str, list[float]]:
    """Average the receivers' quantile functions, so that a phone with more rows or less gain does not decide alone.

    Where only some of them recorded, these are first moved by what they differ from all elsewhere: of the two phones
    of the recordings with a backpack one reads 14 dB more, and at some distances it is the only one.
    """
    by_distance: dict[int, dict[str, np.ndarray]] = defaultdict(dict)
    for (centimetres, phone), session in sessions.items():
        by_distance[centimetres][phone] = np.quantile(session[:, 1], PROBABILITIES)
    most = max(len(functions) for functions in by_distance.values())
    of_all = [functions for functions in by_distance.values() if len(functions) == most]
    more = {
        phone: float(np.median([functions[phone].mean() - np.mean(list(functions.values())) for functions in of_all]))
        for phone in of_all[0]
    }
    averaged = {}
    for centimetres, functions in sorted(by_distance.items()):
        moved = 0.0 if len(functions) == most else np.mean([more[phone] for phone in functions])
        quantiles = np.mean(list(functions.values()), axis=0) - moved
        averaged[f"{centimetres / 100:g}"] = [round(float(q), 1) for q in quantiles]
    return averaged


def slope_db_per_decade(sessions: Sessions) -> float:
    """Least squares of the mean RSSI over log10(distance), receivers apart, slopes averaged."""
    slopes = []
    for phone in {phone for _, phone in sessions}:
        points = [(np.log10(cm / 100), s[:, 1].mean()) for (cm, p), s in sessions.items() if p == phone]
        slopes.append(np.polyfit(*np.array(points).T, 1)[0])
    return float(np.mean(slopes))


def normal_scores(values: np.ndarray) -> np.ndarray:
    """Replace values by the standard normal quantiles of their mid-ranks; ties share one."""
    order = np.sort(values)
    low, high = np.searchsorted(order, values, "left"), np.searchsorted(order, values, "right")
    normal = statistics.NormalDist()
    table = {p: normal.inv_cdf(p) for p in set((low + high) / (2 * len(values)))}
    return np.array([table[p] for p in (low + high) / (2 * len(values))])


def autocorrelation(sessions: Sessions) -> np.ndarray:
    """Mean autocorrelation of normal scores by lag (LAGS bins of LAG_STEP_SECONDS), NaN where nothing was measured."""
    curves = []
    for session in sessions.values():
        seconds, scores = session[:, 0], normal_scores(session[:, 1])
        if len(seconds) < FEWEST_ROWS or np.median(np.diff(seconds)) <= 0:
            continue  # some recordings carry times rounded to 100 s
        scores = (scores - scores.mean()) / scores.std()
        lag = np.floor((seconds[None, :] - seconds[:, None]) / LAG_STEP_SECONDS).astype(int)
        chosen = (np.triu(np.ones_like(lag), 1) > 0) & (lag < LAGS)
        sums = np.bincount(lag[chosen], (scores[None, :] * scores[:, None])[chosen], LAGS)
        counts = np.bincount(lag[chosen], minlength=LAGS)
        curves.append(np.where(counts >= 50, sums / np.maximum(counts, 1), np.nan))
    return np.nanmean(curves, axis=0)


def same_channel(lag_seconds: np.ndarray) -> np.ndarray:
    """Probability that two packets `lag_seconds` apart were heard on the same channel, the receiver dwelling 5 s."""
    phase = lag_seconds % (3 * DWELL_SECONDS)
    distance = np.minimum(phase, 3 * DWELL_SECONDS - phase)
    return np.clip(1 - distance / DWELL_SECONDS, 0, 1)


def shares(curve: np.ndarray) -> dict[str, float]:
    """Split the variance: channel level, motion (exponential, shorter than the dwell), packet to packet.

    Least squares over a grid of the two time constants. In a session the mean of the three levels has
    been taken out, so the level's part swings between +1 and -1/2; the true share is larger (c = 3o / (2 + o)).
    """
    lags = (np.arange(LAGS) + 0.5) * LAG_STEP_SECONDS
    known = np.isfinite(curve)
    best: tuple[float, float, float, float, float] | None = None
    for motion_seconds in np.arange(0.3, 8.01, 0.1):
        for level_seconds in (15, 20, 30, 45, 60, 90, 120, 180, 300, 600):
            level = (3 * same_channel(lags) - 1) / 2 * np.exp(-lags / level_seconds)
            columns = np.stack([np.exp(-lags / motion_seconds), level], axis=1)[known]
            weights, *_ = np.linalg.lstsq(columns, curve[known], rcond=None)
            error = float(((columns @ weights - curve[known]) ** 2).mean())
            if best is None or error < best[0]:
                best = (error, float(weights[0]), float(weights[1]), float(motion_seconds), float(level_seconds))
    assert best is not None
    error, motion, observed, motion_seconds, level_seconds = best
    level_share = 3 * observed / (2 + observed)
    motion_share = min(motion, 1 - observed) * (1 - level_share / 3)
    return {
        "level_share": round(level_share, 3),
        "level_seconds": level_seconds,
        "motion_share": round(motion_share, 3),
        "motion_seconds": round(motion_seconds, 1),
        "packet_share": round(1 - level_share - motion_share, 3),
        "fit_error_rms": round(error**0.5, 3),
    }


def one_list_a_line(text: str) -> str:
    """Keep each list of numbers on one line, so that a change of the fit can be read in a diff."""
    return re.sub(r"\[[^\[\]]*\]", lambda found: " ".join(found.group().split()), text)


def main(folder: Path) -> None:
    """Fit every carriage below `folder`, print what was found and write the figures."""
    figures: dict[str, object] = {
        "source": "pc-ng/rss_HumanHuman (MIT), arXiv 2005.13754; fitted by tools/fit_rssi.py",
        "probabilities": PROBABILITIES,
        "carriages": {},
    }
    carriages: dict[str, object] = {}
    for carriage, name in CARRIAGES.items():
        sessions = read_sessions(folder / name)
        curve = autocorrelation(sessions)
        carriages[carriage] = {
            "rows": sum(len(session) for session in sessions.values()),
            "slope_db_per_decade": round(slope_db_per_decade(sessions), 1),
            **shares(curve),
            "quantiles_dbm": quantiles_by_distance(sessions),
        }
        print(carriage, {k: v for k, v in carriages[carriage].items() if k != "quantiles_dbm"})
        print(
            "  autocorrelation at 0.1, 1.1, 3.1, 7.6, 15, 30, 45, 60 s:",
            [round(float(curve[int(s / LAG_STEP_SECONDS)]), 2) for s in (0.1, 1.1, 3.1, 7.6, 15, 30, 45, 60)],
        )
    figures["carriages"] = carriages
    OUTPUT.write_text(one_list_a_line(json.dumps(figures, indent=1)) + "\n")
    print(f"wrote {OUTPUT.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
