# SPDX-License-Identifier: Apache-2.0
"""A whole plan of a million people, 180 days and six options, made up as large as it is: 10 minutes for 5 seeds.

`bluezone bench million 40` runs 40 seeds, for which 80 minutes are allowed.
"""

import resource
import time
from collections.abc import Callable
from typing import Any

from bluezone.planning.people import Ward
from bluezone.planning.plan import AS_IT_IS, Inputs, Planner, answer_of

PEOPLE, DAYS, RUNNING, CORES = 1_000_000, 180, 0.6, 2
SIZES = (5,)
OPTIONS = 6
SECONDS_A_SEED = 120.0


def run(progress: Callable[[str], None], seeds: int = SIZES[0]) -> dict[str, Any]:
    """Run it on two cores. seeds: 3 or more."""
    wards = tuple(Ward(f"ward {number}", PEOPLE // 20, RUNNING) for number in range(20))
    inputs = Inputs(wards, PEOPLE // 2000, 0.1, days=DAYS, seeds=seeds)
    before, before_cpu = time.perf_counter(), time.process_time()
    planner = Planner(inputs, most=PEOPLE)
    planner.options = planner.options[:OPTIONS]
    done = 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        progress(f"{done} of {seeds * OPTIONS} epidemics, {time.perf_counter() - before:.0f} s")

    found = {(seed, option): totals for seed, option, totals in planner.run(told, workers=CORES)}
    seconds, cpu_seconds = time.perf_counter() - before, time.process_time() - before_cpu
    answer = answer_of(found, [option.name for option in planner.options])
    attacks = sorted(found[seed, AS_IT_IS]["infections"] / PEOPLE for seed in range(1, seeds + 1))
    value = round(cpu_seconds / CORES, 1)
    return {
        "name": f"a plan of {PEOPLE:,} people, {DAYS} days, {seeds} seeds, {OPTIONS} options, by processor time",
        "value": value,
        "unit": "s",
        "baseline": SECONDS_A_SEED * seeds,
        "ratio": round(value / (SECONDS_A_SEED * seeds), 3),
        "wall_seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "attack": [round(attack, 3) for attack in attacks],
        "bytes_a_person": round(planner.people.bytes_a_person, 1),
        "peak_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "told_apart": [row.option for row in answer.rows if row.change["infections"].is_told_apart],
    }
