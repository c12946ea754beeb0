# SPDX-License-Identifier: Apache-2.0
"""`python -m tests.explore`: search by seeds for how the service breaks."""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import click
from tests.explore.alerts import PROMTOOL
from tests.explore.machine import Forks, build
from tests.explore.runs import Failure, explore, shorten, words
from tests.explore.steps import EARLIER_SHARE, FIRST_CLOCK, MONITOR_SHARE, STEPS, draw

SHARES = {"always": 1.0, "never": 0.0}
EARLIER_SHARES = {"drawn": EARLIER_SHARE, **SHARES}
MONITOR_SHARES = {"drawn": MONITOR_SHARE, **SHARES}


def main() -> int:
    """Run a range of seeds; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="explore", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--without", action="append", default=[], choices=[FIRST_CLOCK, *STEPS], help="leave steps out")
    parser.add_argument(
        "--earlier-phones", choices=EARLIER_SHARES, default="drawn", help="phones of earlier releases take part"
    )
    parser.add_argument("--alerts", choices=MONITOR_SHARES, default="drawn", help="the alert rules are evaluated")
    parser.add_argument("--seconds", type=float, default=5400.0, help="stop before the next run after this time")
    parser.add_argument("--summary", type=Path, help="a file for seeds, steps and what was broken, as JSON")
    parser.add_argument("--keep-going", action="store_true", help="search on after a failure")
    parser.add_argument("--whole", action="store_true", help="print the steps of a failure as they are, not shortened")
    parser.add_argument("--trace", action="store_true", help="print each run")
    options = parser.parse_args()
    without = frozenset(options.without)
    monitor_share = MONITOR_SHARES[options.alerts]
    if not PROMTOOL:
        click.echo("no promtool (tools/test-packages.sh): the alert rules are not evaluated")
        monitor_share = 0.0
    began = time.monotonic()
    failures = []
    runs = 0
    with tempfile.TemporaryDirectory(prefix="bz-", dir="/dev/shm") as scratch:
        folder = Path(scratch)
        forks = Forks(build(folder))
        for seed in range(options.seed, options.seed + options.runs):
            if time.monotonic() - began > options.seconds:
                break
            steps = draw(seed, options.steps, without, EARLIER_SHARES[options.earlier_phones], monitor_share)
            sentence = explore(folder / "run", forks, seed, steps)
            runs += 1
            if options.trace:
                click.echo(f"{seed}: {sentence or 'ok'}")
            if sentence is None:
                continue
            failure = Failure(tuple(steps), sentence)
            if not options.whole:
                failure = shorten(folder / "run", forks, seed, steps)
            failures.append({"seed": seed, "broken": failure.sentence, "steps": [str(step) for step in failure.steps]})
            click.echo(f"seed {seed} breaks a promise: {failure.sentence}\n{words(failure.steps)}")
            if not options.keep_going:
                break
        forks.close()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in used)
    summary = {
        "first_seed": options.seed, "runs": runs, "steps": options.steps, "without": sorted(without),
        "earlier_phones": options.earlier_phones, "alerts": options.alerts if PROMTOOL else "never",
        "cpu_seconds": round(seconds), "failures": failures,
    }  # fmt: skip
    if options.summary:
        options.summary.write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n")
    click.echo(f"{runs} runs of {options.steps} steps, {len(failures)} broken, {seconds:.0f} s of a core")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
