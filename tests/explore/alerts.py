# SPDX-License-Identifier: Apache-2.0
"""What a monitor would have done in a run: metrics in simulated time, and what Prometheus' own rules make of them.

A monitor asks every minute, the explorer has a round of the worker every 20 minutes or two hours. A round
is all the rounds of `serve` since the one before, so its measurements are those of that whole time.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.explore.machine import Violation

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "docs" / "alerts.yml"
PROMTOOL = shutil.which("promtool")
# Seconds between two samples, and between two evaluations of the rules.
GRAIN = 300
SERVED = "bluezone_processes"
# Of an office and its work, of the machine on which the tests run, and of what is drilled elsewhere.
ABSENT = re.compile(
    r"bluezone_(work_|outbox_(?!waiting)|disk_|backup_|drill_|store_bytes|requests_total|request_duration|processes)"
)
# For how long something lasts: it was less before.
DURATION = re.compile(r"_(overdue|trouble)_seconds")

Metrics = dict[str, float]


@dataclass(frozen=True)
class Look:
    """At a time, numbered in grains, an alert of `names` fires, or none at all. reason: what is broken otherwise."""

    at: int
    names: frozenset[str]
    fires: bool
    reason: str


@dataclass(eq=False)
class Record:
    """The metrics of a run, and when which alerts must fire. began_at: true Unix seconds. rules: a file of rules."""

    began_at: float
    rules: Path = RULES
    samples: dict[int, Metrics] = field(default_factory=dict)
    looks: list[Look] = field(default_factory=list)

    def note(self, now: float, page: str | None) -> None:
        """Note what a page of metrics shows after a round; None if no process answers."""
        if page is None:
            metrics = {name: value for name, value in self._newest().items() if "canary" not in name}
        else:
            metrics = read_page(page)
        metrics[f'{SERVED}{{part="public"}}'] = float(page is not None)
        metrics[f'{SERVED}_expected{{part="public"}}'] = 1.0
        # Of two rounds at one time, the first is of the time before it; what the second mends is seen at the next.
        self.samples.setdefault(self._number(now), metrics)

    def require_quiet(self, now: float) -> None:
        """No alert may fire now: nothing is wrong."""
        self.looks.append(Look(self._number(now), frozenset(), False, "an alert fires although nothing is wrong"))

    def require_alert(self, now: float, codes: Collection[str]) -> None:
        """Phones get nothing, and health says why: an alert must fire with a playbook that knows each code.

        codes: none if the server does not answer, for which every alert is good. Raises Violation.
        """
        for code in codes or ("",):
            names = frozenset(name for name, text in playbooks(self.rules).items() if re.search(rf"\b{code}\b", text))
            if not names:
                raise Violation(f"phones get nothing, and no playbook of an alert names {code}")
            self.looks.append(Look(self._number(now), names, True, f"phones get nothing ({code}), and no alert fires"))

    def judge(self, folder: Path) -> str | None:
        """Have Prometheus evaluate the rules; returns the first broken promise, None if all hold."""
        alerts = self._firing(folder) if self.looks else {}
        for look in self.looks:
            firing = alerts.get(look.at, set())
            if look.fires and not firing & look.names:
                return f"{look.reason}; at most {sorted(firing)} do"
            if not look.fires and firing:
                return f"{look.reason}: {sorted(firing)}"
        return None

    def _firing(self, folder: Path) -> dict[int, set[str]]:
        """The alerts that fire at the looks, by the looks' numbers."""
        # A number in the query comes back in the answer, and no alert has it as its name.
        queries = [
            {"expr": f'ALERTS{{alertstate="firing",alertname!="{at}"}}', "eval_time": f"{at * GRAIN}s"}
            for at in sorted({look.at for look in self.looks})
        ]
        test = {"interval": f"{GRAIN}s", "input_series": list(self._series()), "promql_expr_test": queries}
        file = folder / "alerts-test.yml"
        evaluated = {"rule_files": [str(self.rules)], "evaluation_interval": f"{GRAIN}s", "tests": [test]}
        file.write_text(json.dumps(evaluated))
        done = subprocess.run([str(PROMTOOL), "test", "rules", file], capture_output=True, text=True, check=False)
        output = done.stdout + done.stderr
        # Each query expects no alert, so each that has one comes with what it got.
        answers = re.findall(r'alertname!=\\"(\d+)\\".*\n.*exp: nil\n\s+got: (.*)', output)
        if done.returncode and not answers:
            raise AssertionError(output[-2000:])
        return {int(at): set(re.findall(r'alertname="(\w+)"', answer)) for at, answer in answers}

    def _series(self) -> Iterator[dict[str, str]]:
        """Every series, as promtool reads it."""
        numbers = sorted(self.samples)
        for name in sorted({name for metrics in self.samples.values() for name in metrics}):
            values = []
            before = None
            for last, number in pairwise([numbers[0] - 1, *numbers]):
                value = self.samples[number].get(name)
                values += self._stretch(name, before, value, last + 1, number)
                before = value
            yield {"series": name, "values": " ".join(values)}

    def _stretch(self, name: str, before: float | None, value: float | None, first: int, last: int) -> list[str]:
        """The values of a series from one round to the next. first, last: numbers of samples."""
        count = last - first
        if value is None:
            return [f"_x{count + 1}"]
        moves = DURATION.search(name) and value
        if "timestamp" in name:
            value -= self.began_at
            moves = before is None or value + self.began_at > before
        if not moves:
            return [f"{value}x{count}"]
        start = value - count * GRAIN
        return [f"{start}+{GRAIN}x{count}"]

    def _number(self, now: float) -> int:
        return int(now - self.began_at) // GRAIN

    def _newest(self) -> Metrics:
        return self.samples[max(self.samples)] if self.samples else {}


def read_page(page: str) -> Metrics:
    """The samples of a page of metrics that the explorer's city has, by their series."""
    metrics = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            if not ABSENT.match(sample.name):
                metrics[f"{sample.name}{{{labels}}}"] = sample.value
    return metrics


@cache
def playbooks(rules: Path) -> dict[str, str]:
    """The text of each alert's playbook."""
    groups = yaml.safe_load(rules.read_text())["groups"]
    return {
        rule["alert"]: (REPOSITORY / rule["annotations"]["playbook"]).read_text()
        for group in groups
        for rule in group["rules"]
    }
