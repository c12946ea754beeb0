# SPDX-License-Identifier: Apache-2.0
"""One trial: the rules of one seed, fitted to what is known of the disease, and one option's epidemic under them.

Fitting asks the model itself whom single cases infect in a city in which nothing is done, so that the reproduction
number and the share infected at home are those of the assumptions, whatever else is assumed of contacts.
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
LOOK_BACK_DAYS, BEFORE_ONSET_DAYS = 14, 2
# Single cases that are followed to fit the rules; after how many generations they are what cases are; steps of the fit.
INDEX_CASES, GENERATIONS, FIT_STEPS = 5000, 3, 6


@dataclass(frozen=True)
class Option:
    """What a city could do. name: stable, for tables.

    running:    share of residents by ward on whose phone the app runs, None for as it is.
    bound:      of "high", a name of the warning curve. venue_scanned: share of visits that are scanned, 0..1.
    values:     assumptions that this option changes, on top of what a seed drew.
    code_days_less: days that codes come sooner. doors: that teams must visit for it.
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
    """What one option's epidemic of one seed counted. days: shape (days, len(COLUMNS)), of the city's residents."""

    option: str
    seed: int
    days: Floats

    def total(self, column: str) -> float:
        """The sum of a column over all days. column: of COLUMNS."""
        return float(self.days[:, COLUMNS.index(column)].sum())

    def daily(self, column: str) -> Floats:
        """A column by day."""
        found: Floats = self.days[:, COLUMNS.index(column)]
        return found


@dataclass(frozen=True)
class Setting:
    """What a plan holds fixed. infected: people infected on day 0. imports: from outside, a day; both of residents."""

    days: int
    infected: int
    imports: float


class Trial:
    """The rules that one seed draws for a city's people; options are run under them."""

    def __init__(
        self, people: People, assumptions: Assumptions, curve: WarningCurve, setting: Setting, seed: int
    ) -> None:
        """Fits the rules. Raises PlannerMissing, AssumptionInvalid."""
        self.people, self.setting, self.seed = people, setting, seed
        self._curve = curve
        self.assumptions = assumptions.drawn(seed)
        self.rules = self._disease()
        self._cells()
        self._habits(self.rules, self.assumptions, 0.0)
        fit(people, self.rules, self.assumptions, seed)
        for place in (SCHOOL, WORK, CHANCE):
            self.rules.setting_factor[place] *= self.assumptions.number("measures")

    def run(self, option: Option, stop: ctypes.c_int32 | None = None) -> Outcome:
        """Run one option. stop: set to other than 0 by another thread, ends it. Raises PlanStopped, MemoryError."""
        rules = self.rules_of(option)
        running = option.running if option.running is not None else [ward.running for ward in self.people.wards]
        phones = self.people.phones(running)
        counted = kernel.run(self.people.laid_out(phones), rules, self.seed, stop)
        return Outcome(option.name, self.seed, counted * self.people.scale)

    def rules_of(self, option: Option) -> Rules:
        """What holds under an option."""
        rules = copy.copy(self.rules)
        assumptions = self.assumptions.with_values(option.values) if option.values else self.assumptions
        self._habits(rules, assumptions, option.code_days_less)
        rules.put("cell_high", self._curve.drawn(option.bound, self.seed).reshape(CELLS))
        rules.venue_scanned = option.venue_scanned
        return rules

    def _disease(self) -> Rules:
        known, rules = self.assumptions, Rules()
        rules.days = self.setting.days
        rules.first = max(round(self.setting.infected / self.people.scale), 1)
        rules.imports_per_1000_days = round(1000 * self.setting.imports / self.people.scale)
        rules.stay_days = int(known.number("stay_days"))
        rules.look_back_days, rules.before_onset_days = LOOK_BACK_DAYS, BEFORE_ONSET_DAYS
        mean, spread = known.number("generation_mean_days"), known.number("generation_sd_days")
        rules.put("infectivity", np.diff(gamma_cdf(np.arange(LAST_DAY + 1) - 0.5, mean, spread)))
        rules.put("person_factor", _gamma_levels(known.number("dispersion")))
        rules.silent_factor = known.number("silent_factor")
        rules.put("susceptibility", known.array("susceptibility", AGES))
        rules.put("symptoms", np.minimum(known.array("symptoms", AGES) * known.number("symptoms_factor"), 0.98))
        rules.put("death", known.array("death", AGES))
        median, sigma = known.number("incubation_median_days"), known.number("incubation_sigma")
        ends = (np.arange(LAST_DAY) + 0.5) / median
        rules.put("onset_cdf", [NormalDist(0, sigma).cdf(math.log(end)) for end in ends])
        return rules

    def _cells(self) -> None:
        known, rules = self.assumptions, self.rules
        distance, minutes = known.array("distance", len(SETTINGS), 4), known.array("minutes", len(SETTINGS), 4)
        shares = (distance[:, :, None] * minutes[:, None, :]).reshape(len(SETTINGS), CELLS)
        hazards = np.outer(known.array("distance_hazard", 4), known.array("minutes_hazard", 4)).reshape(CELLS)
        rules.put("cell_cdf", np.cumsum(shares, axis=1) / shares.sum(axis=1, keepdims=True))
        rules.put("cell_factor", hazards[None, :] / (shares @ hazards / shares.sum(axis=1))[:, None])
        near = np.zeros((4, 4))
        near[:2, 1:] = 1
        rules.put("cell_near", near.reshape(CELLS))

    def _habits(self, rules: Rules, known: Assumptions, code_days_less: float) -> None:
        people = self.people
        rules.school_contacts, rules.work_contacts = known.number("school_contacts"), known.number("work_contacts")
        rules.chance_accepted = people.chance_accepted
        passing = known.number("passing_contacts") / (people.count / 2**people.person_bits)
        rules.passing_count = math.ceil(passing)
        rules.passing_accepted = passing / rules.passing_count if passing else 0.0
        for name in ("tested", "isolating", "upload", "keeping", "leak", "warned_tested", "sensitivity"):
            setattr(rules, name, known.number(name))
        days = np.arange(DELAYS)
        rules.put("result_cdf", gamma_cdf(days + 0.5, known.number("result_days"), known.number("result_days") / 2))
        code_days = max(known.number("code_days") - code_days_less, 0.05)
        rules.put("code_cdf", gamma_cdf(days + 0.5, code_days, code_days / 2))
        rules.warning_delay = int(known.number("warning_delay_days"))
        rules.tracing_delay = int(known.number("tracing_delay_days"))
        rules.tracing_capacity = math.ceil(known.number("tracers_share") * people.count / 1000)
        rules.put("traced", known.array("traced", len(SETTINGS)))
        rules.venue_share = known.number("venue_share")


def fit(people: People, rules: Rules, known: Assumptions, seed: int) -> None:
    """Set the hazards of the settings, so that single cases infect as many people, and as many at home, as assumed."""
    laid = people.laid_out(np.zeros(people.count, dtype=np.uint8))
    rng = np.random.default_rng(seed)
    first = rng.integers(0, people.count, INDEX_CASES).astype(np.uint32)
    attack, reproduction = known.number("household_attack"), known.number("reproduction")
    home, outside = -math.log(1 - attack), reproduction / 8
    indexes = first
    for step in range(FIT_STEPS):
        rules.put("setting_factor", [home, outside, outside, outside, 0.0])
        # Other days for each generation: whoever was infected on a day of close meetings would have them once more.
        days = seed + 1_000_003 * min(step, GENERATIONS)
        children, found, found_at_home = kernel.offspring(laid, rules, days, indexes)
        found_home = found_at_home * float(people.household_size[indexes].mean() - 1)
        if step < GENERATIONS:
            # Who infects is not anybody: people who meet more are infected more, and infect more.
            indexes = rng.choice(children if len(children) else first, INDEX_CASES).astype(np.uint32)
        home *= min(max(attack / max(found_at_home, 1e-3), 0.3), 3.0)
        wanted = max(reproduction - found_home, 0.05 * reproduction)
        outside *= min(max(wanted / max(found - found_home, 1e-3), 0.3), 3.0)
    rules.put("setting_factor", [home, outside, outside, outside, 0.0])


def reproduction(people: People, rules: Rules, seed: int, cases: int = INDEX_CASES) -> tuple[float, float]:
    """How many a case infects where nothing is done, and what share of its household: mean of later generations."""
    laid = people.laid_out(np.zeros(people.count, dtype=np.uint8))
    rng = np.random.default_rng(seed + 1)
    indexes = rng.integers(0, people.count, cases).astype(np.uint32)
    for generation in range(1, GENERATIONS + 1):
        children, _, _ = kernel.offspring(laid, rules, seed + 7_000_003 * generation, indexes)
        indexes = rng.choice(children, cases).astype(np.uint32)
    _, found, found_at_home = kernel.offspring(laid, rules, seed, indexes)
    return found, found_at_home


def gamma_cdf(values: Floats, mean: float, spread: float) -> Floats:
    """Of a gamma distribution by its mean and standard deviation; 0 for values under 0."""
    shape, scale = (mean / spread) ** 2, spread**2 / mean
    fine = np.linspace(0.0, max(float(values.max()), 1e-9), 20_001)
    middle = (fine[1:] + fine[:-1]) / 2
    density = np.exp((shape - 1) * np.log(middle / scale) - middle / scale - math.lgamma(shape)) / scale
    summed = np.concatenate([[0.0], np.cumsum(density) * (fine[1] - fine[0])])
    found: Floats = np.interp(np.maximum(values, 0.0), fine, np.minimum(summed, 1.0))
    return found


def _gamma_levels(shape: float) -> Floats:
    """LEVELS equally likely values of a gamma distribution of mean 1, each the mean of its part."""
    draws = np.sort(np.random.default_rng(0).gamma(shape, 1 / shape, 64_000))
    levels = draws.reshape(LEVELS, -1).mean(axis=1)
    found: Floats = levels / levels.mean()
    return found
