# SPDX-License-Identifier: Apache-2.0
"""Runs of Covasim, in an environment of its own that has it; each prints one line of JSON.

python bench/covasim_run.py          how fast, with testing and tracing
python bench/covasim_run.py curve    its base curve without measures, and what a model set up alike needs to know
"""

import json
import sys
import time
from typing import Any

import covasim as cv  # type: ignore[import-not-found,unused-ignore]
import numpy as np

PEOPLE, DAYS, FIRST = 50_000, 180, 25
CURVE_PEOPLE, CURVE_DAYS, CURVE_FIRST, EARLY_DAYS = 40_000, 120, 200, 20


def speed(seed: int) -> dict[str, float]:
    """Run once; person-days a second of processor time, and the share infected."""
    sim = cv.Sim(
        pop_size=PEOPLE, pop_type="hybrid", n_days=DAYS, pop_infected=FIRST, rand_seed=seed, verbose=0,
        interventions=[
            cv.test_prob(symp_prob=0.1, asymp_prob=0.0, test_delay=3),
            cv.contact_tracing(trace_probs={"h": 0.6, "s": 0.36, "w": 0.36, "c": 0.1}, trace_time=1),
        ],
    )  # fmt: skip
    sim.initialize()
    before = time.process_time()
    sim.run()
    seconds = time.process_time() - before
    return {
        "person_days_per_second": round(PEOPLE * DAYS / seconds),
        "attack": float(sim.results["cum_infections"][-1]) / PEOPLE,
    }


def curve(seed: int) -> dict[str, Any]:
    """The base curve of the random network: infected by day; how many early cases infect, and after how long."""
    sim = cv.Sim(
        pop_size=CURVE_PEOPLE,
        pop_type="random",
        n_days=CURVE_DAYS,
        pop_infected=CURVE_FIRST,
        rand_seed=seed,
        verbose=0,
        use_waning=False,
    )
    sim.run()
    log = [(row["source"], row["target"], row["date"]) for row in sim.people.infection_log]
    infected_on = {target: date for _source, target, date in log}
    early = {person for person, date in infected_on.items() if date <= EARLY_DAYS}
    waits = [date - infected_on[source] for source, _target, date in log if source in early]
    return {
        "people": CURVE_PEOPLE,
        "days": CURVE_DAYS,
        "first": CURVE_FIRST,
        "cumulative": [float(value) / CURVE_PEOPLE for value in sim.results["cum_infections"]],
        "reproduction": len(waits) / len(early),
        "generation_mean_days": float(np.mean(waits)),
        "generation_sd_days": float(np.std(waits)),
    }


def main() -> None:
    """The second of two runs counts for speed: the first one compiles."""
    if sys.argv[1:] == ["curve"]:
        print(json.dumps({"version": cv.__version__, **curve(1)}))
    else:
        speed(1)
        print(json.dumps({"version": cv.__version__, **speed(2)}))


if __name__ == "__main__":
    main()
