# SPDX-License-Identifier: Apache-2.0
"""Measure how often a phone says "high", by distance and length of a meeting: `tools/warning_curve.py RECORDINGS`.

Prints src/bluezone/planning/data/warning.toml. Meetings of one distance and length are composed of the recordings as
in bench/accuracy/converters.py, and the real phone code lives through them; "high" is also counted for other bounds.
"""

import argparse
import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.accuracy.converters import PERIOD_SECONDS, composed
from bench.accuracy.phones import live_through

from bluezone.protocol.risk.assessment import load_profile

DISTANCES_M = ((0.3, 1), (1, 2), (2, 4), (4, 12))
MINUTES = ((5, 10), (10, 25), (25, 60), (60, 120))
BOUNDS = ("0.30", "0.45", "0.60")
PART = 10


def measure(folder: Path, meetings: int, seed: int) -> dict[str, list[list[float]]]:
    """The share called high of `meetings` (each of two directions) in each cell, by bound."""
    profile = load_profile("covid-19")
    model = profile.nearness
    assert model is not None
    found = {bound: [[0.0] * 4 for _ in DISTANCES_M] for bound in BOUNDS}
    for row, metres in enumerate(DISTANCES_M):
        for column, minutes in enumerate(MINUTES):

            def one_leg(rng: np.random.Generator, metres=metres, minutes=minutes) -> list[tuple[float, float]]:
                seconds = math.exp(rng.uniform(*np.log(minutes))) * 60
                return [
                    (max(round(seconds / PERIOD_SECONDS), 2) * PERIOD_SECONDS, math.exp(rng.uniform(*np.log(metres))))
                ]

            # Small collections, since each phone is judged against every other one of its collection.
            days = [
                meeting.day
                for part in range(meetings // PART)
                for meeting in live_through(
                    composed(folder, meetings=PART, seed=(seed, row, column, part), legs=one_leg),
                    profile,
                    reciprocity=True,
                )
                if meeting.phone[:-1] == meeting.case[:-1]
            ]
            for bound in BOUNDS:
                high = [
                    day is not None
                    and day.certainty != "unclear"
                    and day.score >= model.high_dose
                    and day.chance >= float(bound)
                    for day in days
                ]
                found[bound][row][column] = round(float(np.mean(high)), 3)
            print(metres, minutes, len(days), found["0.45"][row][column], file=sys.stderr, flush=True)
    return found


def main() -> None:
    """See the module's text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--meetings", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    found = measure(asked.recordings, asked.meetings, asked.seed)
    print("# SPDX-License-Identifier: Apache-2.0")
    print("# Written by tools/warning_curve.py. The chance that a phone says high of a meeting with a case: a row each")
    print("# for 0.3-1, 1-2, 2-4 and 4-12 m, a column each for 5-10, 10-25, 25-60 and 60-120 minutes.")
    print(f"meetings = {2 * asked.meetings}")
    print(
        'source = "meetings composed of pc-ng/rss_HumanHuman (synthetic: nobody measured these meetings), '
        "both directions, judged by the phone's own code; docs/accuracy.md\""
    )
    print("\n[high]")
    for bound, table in found.items():
        print(f'"{bound}" = {table}')


if __name__ == "__main__":
    main()
