# SPDX-License-Identifier: Apache-2.0
"""How fast a plan's epidemics run: person-days a second on two cores, at the share infected that it says.

By the time of the processors, two at once: on a machine that others use, wall time says how busy they are. What is not
known has its middle value, and small sizes have more epidemics, so that sizes differ by their size alone. Then what it
is worth that options share their draws, while the epidemic grows and at the horizon, and how many seeds that takes; and
what 15 and 75 % use do, as Abueg et al. 2021 asked.

Beside it Covasim, where a Python that has it is named in BLUEZONE_COVASIM_PYTHON (docs/planning.md):
bench/covasim_run.py runs there. Its baseline is 10 million person-days a second.
"""

import json
import math
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluezone.planning.assumptions import read_assumptions
from bluezone.planning.people import Ward
from bluezone.planning.plan import AS_IT_IS, Inputs, Planner
from bluezone.planning.trial import Option

SIZES = (50_000, 10_000, 100_000, 1_000_000)
CORES, DAYS, RUNNING = 2, 180, 0.6
# So many people in all epidemics of a size together, at least.
ALIKE = 400_000
MARK = 10_000_000
PAIRED_PEOPLE, PAIRED_DAYS, PAIRED_SEEDS = 45_000, 120, 20
# Shares of use that Abueg et al. 2021 compared with nobody's (npj Digit. Med. 4:49), and what they counted.
USES, COUNTED = (0.15, 0.75), ("infections", "deaths")
# Two standard errors from 0, as one tells a difference from chance.
ERRORS = 2.0
COVASIM = Path(__file__).parent / "covasim_run.py"


def run(progress: Callable[[str], None], *sizes: int) -> dict[str, Any]:
    """Run each size once on each core. sizes: people; SIZES if not said."""
    rows = [measure(people) for people in sizes or SIZES]
    for row in rows:
        progress(
            f"{row['people']:>9,} people: {row['person_days_per_second'] / 1e6:.1f} M person-days/s on {CORES} cores, "
            f"attack {row['attack']:.1%}, {row['microseconds_an_infection']:.0f} us an infection, "
            f"{row['bytes_a_person']:.0f} bytes a person, "
            f"people made up in {row['people_seconds']} s, rules fitted in {row['fit_seconds']} s"
        )
    result = {
        "name": f"plan, {rows[0]['people']:,} people, {DAYS} days, {RUNNING:.0%} running",
        "value": rows[0]["person_days_per_second"],
        "unit": "person-days/s",
        "baseline": MARK,
        "ratio": round(rows[0]["person_days_per_second"] / MARK, 2),
        "sizes": rows,
        "pairing": [*measure_pairing(drawn=True), *measure_pairing(drawn=False)],
        "use": measure_use(),
    }
    for row in result["pairing"]:
        unknown = "drawn" if row["drawn"] else "fixed"
        progress(
            f"{row['option']}, {row['when']}, what is not known {unknown}: pairing divides the variance by "
            f"{row['factor']:,.0f}; {row['seeds']} seeds tell it from how it is, {row['seeds_apart']:,} without"
        )
    for row in result["use"]:
        told = ", ".join(f"{name} {low:+.0%} to {high:+.0%}" for name, (low, high) in row["change"].items())
        progress(f"{row['running']:.0%} of the residents run it, against nobody: {told}")
    python = os.environ.get("BLUEZONE_COVASIM_PYTHON")
    if python:
        ran = subprocess.run([python, COVASIM], capture_output=True, text=True, check=True)
        covasim = json.loads(ran.stdout.splitlines()[-1])
        progress(
            f"Covasim {covasim['version']}: {covasim['person_days_per_second'] / 1e6:.2f} M person-days/s, one core"
        )
        result["covasim"] = covasim
        ours, theirs = rows[0]["person_days_per_second"] / CORES, covasim["person_days_per_second"]
        result["covasim_ratio_on_one_core"] = round(ours / theirs, 1)
        # Our work follows infections, so with as many as Covasim has it is so many times more.
        result["covasim_ratio_at_its_attack"] = round(ours * rows[0]["attack"] / covasim["attack"] / theirs, 1)
        progress(
            f"ours: {result['covasim_ratio_on_one_core']} times that at an attack of {rows[0]['attack']:.0%}, "
            f"{result['covasim_ratio_at_its_attack']} times at Covasim's {covasim['attack']:.0%}"
        )
    return result


def measure_pairing(*, drawn: bool, people: int = PAIRED_PEOPLE, seeds: int = PAIRED_SEEDS) -> list[dict[str, Any]]:
    """What pairing is worth for the options nearest to how it is.

    drawn: whether each seed draws what is not known, as a plan does, or only the epidemic itself.
    factor: variance of the difference of infections of two seeds against that of one. seeds: after which the mean
    difference is ERRORS standard errors from 0, with pairs; seeds_apart: without.
    """
    inputs = Inputs((Ward("city", people, 0.3),), max(people // 2000, 5), 0.1, days=PAIRED_DAYS, seeds=seeds)
    known = read_assumptions()
    planner = Planner(inputs, known if drawn else known.with_values({each.name: each.value for each in known.unknown}))
    options = [option for option in planner.options if option.name in (AS_IT_IS, "drive", "gates")]

    def one_seed(seed: int) -> list[NDArray[np.floating[Any]]]:
        trial = planner.trial(seed)
        return [np.cumsum(trial.run(option).daily("infections")) for option in options]

    with ThreadPoolExecutor(CORES) as pool:
        courses = np.array(list(pool.map(one_seed, range(1, seeds + 1))))
    # While it grows in every seed: until the first has half of what it has in the end.
    growing = max(int(np.argmax(courses[:, 0] >= courses[:, 0, -1:] / 2, axis=1).min()), 1)
    rows = []
    for place, option in enumerate(options[1:], 1):
        for when, day in (("growing", growing), ("at the horizon", PAIRED_DAYS - 1)):
            ours, theirs = courses[:, place, day], courses[:, 0, day]
            paired = float(np.var(ours - theirs, ddof=1))
            apart = float(np.var(ours, ddof=1) + np.var(theirs, ddof=1))
            gap = float(np.mean(ours - theirs)) ** 2
            rows.append(
                {
                    "option": option.name,
                    "drawn": drawn,
                    "when": when,
                    "day": day,
                    "factor": round(apart / paired, 1),
                    "seeds": math.ceil(ERRORS**2 * paired / gap),
                    "seeds_apart": math.ceil(ERRORS**2 * apart / gap),
                }
            )
    return rows


def measure_use(people: int = PAIRED_PEOPLE, seeds: int = PAIRED_SEEDS) -> list[dict[str, Any]]:
    """What a share of the residents brings against nobody; changes are those of the 5th and the 95th of 100 seeds."""
    inputs = Inputs((Ward("city", people, 0.0),), max(people // 2000, 5), 0.1, days=DAYS, seeds=seeds)
    planner = Planner(inputs)
    options = [Option(f"{running:.0%}", running=[running]) for running in USES]

    def one_seed(seed: int) -> list[list[float]]:
        trial = planner.trial(seed)
        runs = [trial.run(option) for option in (planner.options[0], *options)]
        return [[run.total(name) for name in COUNTED] for run in runs]

    with ThreadPoolExecutor(CORES) as pool:
        found = np.array(list(pool.map(one_seed, range(1, seeds + 1))))
    change = found[:, 1:] / np.maximum(found[:, :1], 1) - 1
    return [
        {
            "running": running,
            "change": {
                name: np.quantile(change[:, place, column], [0.05, 0.95]).round(3).tolist()
                for column, name in enumerate(COUNTED)
            },
            "middle": {
                name: round(float(np.median(change[:, place, column])), 3) for column, name in enumerate(COUNTED)
            },
            "attack_without": np.quantile(found[:, 0, 0] / people, [0.05, 0.95]).round(3).tolist(),
        }
        for place, running in enumerate(USES)
    ]


def measure(people: int) -> dict[str, Any]:
    """Epidemics of a size, on each core at once, each of its own seed."""
    inputs = Inputs((Ward("city", people, RUNNING),), max(people // 2000, 5), 0.1, days=DAYS, seeds=3)
    before = time.perf_counter()
    known = read_assumptions()
    planner = Planner(inputs, known.with_values({each.name: each.value for each in known.unknown}), most=people)
    made = time.perf_counter()
    runs = max(CORES, ALIKE // people)
    trials = [planner.trial(seed) for seed in range(1, runs + 1)]
    fitted, before_cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(CORES) as pool:
        found = list(pool.map(lambda trial: planner.totals(trial, AS_IT_IS), trials))
    seconds, cpu_seconds = time.perf_counter() - fitted, time.process_time() - before_cpu
    infections = sum(each["infections"] for each in found)
    return {
        "people": people,
        "epidemics": runs,
        "infections": round(infections),
        "person_days_per_second": round(runs * people * DAYS / (cpu_seconds / CORES)),
        "microseconds_an_infection": round(1e6 * cpu_seconds / max(infections, 1), 1),
        "attack": round(infections / runs / people, 3),
        "bytes_a_person": round(planner.people.bytes_a_person, 1),
        "people_seconds": round(made - before, 2),
        "fit_seconds": round((fitted - made) / runs, 2),
        "cpu_seconds": round(cpu_seconds, 2),
        "wall_seconds": round(seconds, 2),
    }
