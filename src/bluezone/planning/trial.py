# SPDX-License-Identifier: Apache-2.0
"""One trial: the rules of one seed, fitted to the disease, and the epidemic of an option under them.

Fitting lets the model itself infect people from single cases, without any measures, until the reproduction number and
the share infected at home are those of the assumptions, whatever is assumed of contacts.
"""

import copy
import ctypes
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluezone.planning import kernel
from bluezone.planning.assumptions import Assumptions, Value, WarningCurve
from bluezone.planning.kernel import AGES, CELLS, COLUMNS, DELAYS, LAST_DAY, LEVELS, SETTINGS, Rules
from bluezone.planning.people import People

Floats = NDArray[np.floating[Any]]
_, SCHOOL, WORK, CHANCE, _ = range(len(SETTINGS))
LOOK_BACK_DAYS = 14
BEFORE_ONSET_DAYS = 2
# The fit: how many single cases are followed, after how many generations they are typical cases, and its steps.
INDEX_CASES = 5000
GENERATIONS = 3
FIT_STEPS = 6


@dataclass(frozen=True)
class Option:
    """A measure that a city could take. name: stable, for tables.

    running: share of residents by ward who have the app running, None for as it is now.
    bound: of "high", a name of the warning curve. venue_scanned: share of stays with a scanned venue code, 0..1.
    code_days_less: by how many days codes come sooner. doors: how many doors teams must visit for it.
    values: assumptions that this option changes, after the draws of the seed.
    """

    name: str
    running: Sequence[float] | None = None
    bound: str = "0.45"
    venue_scanned: float = 0.0
    code_days_less: float = 0.0
    doors: float = 0.0
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """The counts of one option and seed. days: shape (days, len(COLUMNS)), scaled to the city's residents."""

    option: str
    seed: int
    days: Floats

    def total(self, column: str) -> float:
        """The sum of a column over all days. column: of COLUMNS."""
        return float(self.days[:, COLUMNS.index(column)].sum())

    def daily(self, column: str) -> Floats:
        """A column by day."""
        values: Floats = self.days[:, COLUMNS.index(column)]
        return values


@dataclass(frozen=True)
class Setting:
    """What all trials of a plan share. infected: residents infected on day 0. imports: from outside, per day."""

    days: int
    infected: int
    imports: float


class Trial:
    """The rules that one seed draws for a city's people; options run under them."""

    def __init__(
        self, people: People, assumptions: Assumptions, curve: WarningCurve, setting: Setting, seed: int
    ) -> None:
        """Fits the rules. Raises PlannerMissing, AssumptionInvalid."""
        self.people = people
        self.setting = setting
        self.seed = seed
        self._curve = curve
        self.assumptions = assumptions.drawn(seed)
        self.rules = self._disease()
        self._cells()
        self._habits(self.rules, self.assumptions, 0.0)
        fit(people, self.rules, self.assumptions, seed)
        for place in (SCHOOL, WORK, CHANCE):
            self.rules.setting_factor[place] *= self.assumptions.number("measures")

    def run(self, option: Option, stop: ctypes.c_int32 | None = None) -> Outcome:
        """Run one option. stop: ends the run once another thread sets it. Raises PlanStopped, MemoryError."""
        rules = self.rules_of(option)
        running = option.running if option.running is not None else [ward.running for ward in self.people.wards]
        phones = self.people.phones(running)
        counted = kernel.run(self.people.laid_out(phones), rules, self.seed, stop)
        return Outcome(option.name, self.seed, counted * self.people.scale)

    def rules_of(self, option: Option) -> Rules:
        """The rules under an option."""
        rules = copy.copy(self.rules)
        assumptions = self.assumptions.with_values(option.values) if option.values else self.assumptions
        self._habits(rules, assumptions, option.code_days_less)
        rules.put("cell_high", self._curve.drawn(option.bound, self.seed).reshape(CELLS))
        rules.venue_scanned = option.venue_scanned
        return rules

    def _disease(self) -> Rules:
        known = self.assumptions
        rules = Rules()
        rules.days = self.setting.days
        rules.first = max(round(self.setting.infected / self.people.scale), 1)
        rules.imports_per_1000_days = round(1000 * self.setting.imports / self.people.scale)
        rules.stay_days = int(known.number("stay_days"))
        rules.look_back_days = LOOK_BACK_DAYS
        rules.before_onset_days = BEFORE_ONSET_DAYS
        mean = known.number("generation_mean_days")
        spread = known.number("generation_sd_days")
        rules.put("infectivity", np.diff(gamma_cdf(np.arange(LAST_DAY + 1) - 0.5, mean, spread)))
        rules.put("person_factor", _gamma_levels(known.number("dispersion")))
        rules.silent_factor = known.number("silent_factor")
        rules.put("susceptibility", known.array("susceptibility", AGES))
        rules.put("symptoms", np.minimum(known.array("symptoms", AGES) * known.number("symptoms_factor"), 0.98))
        rules.put("death", known.array("death", AGES))
        median = known.number("incubation_median_days")
        sigma = known.number("incubation_sigma")
        ends = (np.arange(LAST_DAY) + 0.5) / median
        rules.put("onset_cdf", [NormalDist(0, sigma).cdf(math.log(end)) for end in ends])
        return rules

    def _cells(self) -> None:
        known = self.assumptions
        rules = self.rules
        distance = known.array("distance", len(SETTINGS), 4)
        minutes = known.array("minutes", len(SETTINGS), 4)
        shares = (distance[:, :, None] * minutes[:, None, :]).reshape(len(SETTINGS), CELLS)
        hazards = np.outer(known.array("distance_hazard", 4), known.array("minutes_hazard", 4)).reshape(CELLS)
        rules.put("cell_cdf", np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True))
        rules.put("cell_factor", hazards[None, :] / (shares @ hazards / shares.sum(axis=1))[:, None])
        near = np.zeros((4, 4))
        near[:2, 1:] = 1
        rules.put("cell_near", near.reshape(CELLS))

    def _habits(self, rules: Rules, assumptions: Assumptions, code_days_less: float) -> None:
        people = self.people
        rules.school_contacts = assumptions.number("school_contacts")
        rules.work_contacts = assumptions.number("work_contacts")
        rules.chance_accepted = people.chance_accepted
        passing = assumptions.number("passing_contacts") / (people.count / 2**people.person_bits)
        rules.passing_count = math.ceil(passing)
        rules.passing_accepted = passing / rules.passing_count if passing else 0.0
        for name in ("tested", "isolating", "upload", "keeping", "leak", "warned_tested", "sensitivity"):
            setattr(rules, name, assumptions.number(name))
        days = np.arange(DELAYS)
        result_days = assumptions.number("result_days")
        rules.put("result_cdf", gamma_cdf(days + 0.5, result_days, result_days / 2))
        code_days = max(assumptions.number("code_days") - code_days_less, 0.05)
        rules.put("code_cdf", gamma_cdf(days + 0.5, code_days, code_days / 2))
        rules.warning_delay = int(assumptions.number("warning_delay_days"))
        rules.tracing_delay = int(assumptions.number("tracing_delay_days"))
        rules.tracing_capacity = math.ceil(assumptions.number("tracers_share") * people.count / 1000)
        rules.put("traced", assumptions.array("traced", len(SETTINGS)))
        rules.venue_share = assumptions.number("venue_share")


def fit(people: People, rules: Rules, assumptions: Assumptions, seed: int) -> None:
    """Set the hazards of the settings, so that a case infects as many people, and as many at home, as assumed."""
    layout = people.laid_out(np.zeros(people.count, dtype=np.uint8))
    rng = np.random.default_rng(seed)
    first = rng.integers(0, people.count, INDEX_CASES).astype(np.uint32)
    household_attack = assumptions.number("household_attack")
    target = assumptions.number("reproduction")
    home_hazard = -math.log(1 - household_attack)
    outside_hazard = target / 8
    cases = first
    for step in range(FIT_STEPS):
        rules.put("setting_factor", [home_hazard, outside_hazard, outside_hazard, outside_hazard, 0.0])
        # Other days for each generation: else people infected on a day of many meetings would have that day again.
        days = seed + 1_000_003 * min(step, GENERATIONS)
        children, infected, share_at_home = kernel.offspring(layout, rules, days, cases)
        infected_at_home = share_at_home * float(people.household_size[cases].mean() - 1)
        if step < GENERATIONS:
            # Cases are no random sample: people who meet more people are infected more often, and infect more.
            cases = rng.choice(children if len(children) else first, INDEX_CASES).astype(np.uint32)
        home_hazard *= min(max(household_attack / max(share_at_home, 1e-3), 0.3), 3.0)
        target_outside = max(target - infected_at_home, 0.05 * target)
        outside_hazard *= min(max(target_outside / max(infected - infected_at_home, 1e-3), 0.3), 3.0)
    rules.put("setting_factor", [home_hazard, outside_hazard, outside_hazard, outside_hazard, 0.0])


def reproduction(people: People, rules: Rules, seed: int, cases: int = INDEX_CASES) -> tuple[float, float]:
    """How many people a case infects without measures, and what share of its household; of a later generation."""
    layout = people.laid_out(np.zeros(people.count, dtype=np.uint8))
    rng = np.random.default_rng(seed + 1)
    indexes = rng.integers(0, people.count, cases).astype(np.uint32)
    for generation in range(1, GENERATIONS + 1):
        children, _, _ = kernel.offspring(layout, rules, seed + 7_000_003 * generation, indexes)
        indexes = rng.choice(children, cases).astype(np.uint32)
    _, infected, share_at_home = kernel.offspring(layout, rules, seed, indexes)
    return infected, share_at_home


def gamma_cdf(values: Floats, mean: float, spread: float) -> Floats:
    """The distribution function of a gamma distribution with this mean and standard deviation; 0 for values under 0."""
    shape = (mean / spread) ** 2
    scale = spread**2 / mean
    fine = np.linspace(0.0, max(float(values.max()), 1e-9), 20_001)
    middle = (fine[1:] + fine[:-1]) / 2
    density = np.exp((shape - 1) * np.log(middle / scale) - middle / scale - math.lgamma(shape)) / scale
    summed = np.concatenate([[0.0], np.cumsum(density) * (fine[1] - fine[0])])
    probabilities: Floats = np.interp(np.maximum(values, 0.0), fine, np.minimum(summed, 1.0))
    return probabilities


def _gamma_levels(shape: float) -> Floats:
    """LEVELS equally likely values of a gamma distribution with the mean 1, each the mean of its quantile."""
    draws = np.sort(np.random.default_rng(0).gamma(shape, 1 / shape, 64_000))
    levels = draws.reshape(LEVELS, -1).mean(axis=1)
    normalised: Floats = levels / levels.mean()
    return normalised
