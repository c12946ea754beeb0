# SPDX-License-Identifier: Apache-2.0
"""A plan compares options for a city with how it is now, in pieces of one option and one seed each.

Options share every draw of a seed, so the comparison is pairwise. Uncertain assumptions are drawn with the seed, so the
intervals include them.
"""

import ctypes
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bluezone.planning.assumptions import Assumptions, Value, read_assumptions, read_warning_curve
from bluezone.planning.kernel import COLUMNS, PlanStopped
from bluezone.planning.people import People, Ward
from bluezone.planning.trial import Option, Setting, Trial
from bluezone.refusal import Refused

# A larger city is drawn this large and counts are multiplied: intervals hardly change, and a plan takes minutes.
MOST_PEOPLE: Final = 200_000
AS_IT_IS: Final = "as_it_is"
# What each way of reaching people adds to the share of residents who have the app running.
_ADDED_BY_GATES = 0.10
_ADDED_BY_DRIVE = 0.05
_ADDED_IN_LOW_WARDS = 0.20
_VENUES_SCANNED = 0.5
MOST_DAYS = 365
MOST_SEEDS = 200
# An interval contains nine of ten seeds.
LOW_SHARE = 0.05
HIGH_SHARE = 0.95
FEWEST_SEEDS = 3


class PlanInvalid(Refused):
    """The inputs are invalid: too many days or seeds, or no one infected."""

    code = "plan_invalid"


@dataclass(frozen=True)
class Inputs:
    """The inputs of a plan: only counts.

    wards: with the share of residents who have the app running. infected: people infected on day 0.
    imports: infections from outside, per day. values: assumptions set for this plan.
    Raises PlanInvalid.
    """

    wards: tuple[Ward, ...]
    infected: int
    imports: float = 0.0
    disease: str = "covid-19"
    days: int = 120
    seeds: int = 20
    values: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MOST_DAYS or not FEWEST_SEEDS <= self.seeds <= MOST_SEEDS:
            raise PlanInvalid(
                f"got {self.days} days and {self.seeds} seeds, expected up to {MOST_DAYS} days and "
                f"{FEWEST_SEEDS} to {MOST_SEEDS} seeds"
            )
        if self.infected < 0 or self.imports < 0 or self.infected + self.imports <= 0:
            raise PlanInvalid("no one is infected and no one comes infected: there is nothing to plan for")

    @property
    def residents(self) -> int:
        """Residents of all wards."""
        return sum(ward.residents for ward in self.wards)

    @property
    def running(self) -> float:
        """Share of all residents who have the app running."""
        return sum(ward.residents * ward.running for ward in self.wards) / max(self.residents, 1)

    def as_json(self) -> dict[str, Any]:
        """The inputs as values for JSON; `of_json` reads them."""
        return asdict(self)

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> "Inputs":
        """The inputs that `as_json` wrote."""
        return cls(**{**stored, "wards": tuple(Ward(**ward) for ward in stored["wards"])})


def options_of(inputs: Inputs) -> tuple[Option, ...]:
    """The city as it is, then each option; no option lowers a share."""
    wards = inputs.wards
    drive = [min(ward.running + _ADDED_BY_DRIVE, 1.0) for ward in wards]
    gates = [min(ward.running + _ADDED_BY_GATES, 1.0) for ward in wards]
    by_share = sorted(range(len(wards)), key=lambda place: (wards[place].running, place))
    low = set(by_share[: max(math.ceil(len(wards) / 3), 1)])
    doors = [min(ward.running + _ADDED_IN_LOW_WARDS * (place in low), 1.0) for place, ward in enumerate(wards)]
    return (
        Option(AS_IT_IS),
        Option("doors", running=doors),
        Option("drive", running=drive),
        Option("gates", running=gates),
        Option("codes", code_days_less=1.0),
        Option("venues", venue_scanned=_VENUES_SCANNED),
        Option("sooner_high", bound="0.30"),
        Option("later_high", bound="0.60"),
    )


# How many phones one team adds in a day, by option.
_INSTALLS_A_DAY = {
    "doors": lambda assumptions: assumptions.number("team_doors_a_day") * assumptions.number("installs_a_door"),
    "drive": lambda assumptions: assumptions.number("stall_installs_a_day"),
    "gates": lambda assumptions: assumptions.number("gate_installs_a_day"),
}


Totals = dict[str, float]


class Planner:
    """Runs a plan's pieces. It keeps the city's people, and the rules of the last seed."""

    def __init__(self, inputs: Inputs, assumptions: Assumptions | None = None, most: int = MOST_PEOPLE) -> None:
        """Draws the people. Raises AssumptionInvalid, CityTooSmall."""
        self.inputs = inputs
        defaults = assumptions or read_assumptions(inputs.disease)
        self.assumptions = defaults.with_values(inputs.values) if inputs.values else defaults
        self.curve = read_warning_curve()
        self.people = People(inputs.wards, self.assumptions, most=most)
        self.options = options_of(inputs)
        self._last: Trial | None = None

    def pieces(self) -> list[tuple[int, str]]:
        """Seed and option of each piece; seed by seed, so that the rules of a seed are made once."""
        seeds = range(1, self.inputs.seeds + 1)
        return list(itertools.product(seeds, [option.name for option in self.options]))

    def trial(self, seed: int) -> Trial:
        """The rules of a seed."""
        setting = Setting(self.inputs.days, self.inputs.infected, self.inputs.imports)
        return Trial(self.people, self.assumptions, self.curve, setting, seed)

    def totals(self, trial: Trial, name: str, stop: ctypes.c_int32 | None = None) -> Totals:
        """Run one option under the rules of a seed: the total of each column, and the work in team-days.

        Raises PlanStopped.
        """
        option = next(option for option in self.options if option.name == name)
        outcome = trial.run(option, stop)
        totals: Totals = {column: outcome.total(column) for column in COLUMNS}
        totals["team_days"] = 0.0
        if name in _INSTALLS_A_DAY and option.running is not None:
            added = sum(
                ward.residents * (share - ward.running)
                for ward, share in zip(self.inputs.wards, option.running, strict=True)
            )
            totals["team_days"] = added / _INSTALLS_A_DAY[name](trial.assumptions)
        return totals

    def piece(self, seed: int, name: str) -> Totals:
        """Run one piece; keeps the rules of the seed for the next option."""
        if self._last is None or self._last.seed != seed:
            self._last = self.trial(seed)
        return self.totals(self._last, name)

    def run(
        self, progress: Callable[[int], None], stop: ctypes.c_int32 | None = None, workers: int = 2
    ) -> Iterator[tuple[int, str, Totals]]:
        """Run all pieces on some cores. progress: called with the number of further pieces done. Raises PlanStopped."""
        halt = stop if stop is not None else ctypes.c_int32(0)

        def run_seed(seed: int) -> list[tuple[int, str, Totals]]:
            trial = self.trial(seed)
            results = []
            for option in self.options:
                if halt.value:
                    raise PlanStopped("the plan was stopped before it was done")
                results.append((seed, option.name, self.totals(trial, option.name, halt)))
                progress(1)
            return results

        with ThreadPoolExecutor(workers) as pool:
            seeds = [pool.submit(run_seed, seed) for seed in range(1, self.inputs.seeds + 1)]
            try:
                wait(seeds, return_when=FIRST_EXCEPTION)
            except BaseException:
                halt.value = 1
                raise
            for done in seeds:
                yield from done.result()


@dataclass(frozen=True)
class Estimate:
    """A figure of the model: the median of all seeds, and the interval that contains nine of ten."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        """The estimate from one value of each seed."""
        array = np.array(values, dtype=np.float64)
        low, middle, high = np.quantile(array, [LOW_SHARE, 0.5, HIGH_SHARE])
        return cls(float(middle), float(low), float(high))

    @property
    def is_told_apart(self) -> bool:
        """Whether the interval is on one side of 0; else the model cannot tell the option from how it is now."""
        return self.low > 0 or self.high < 0


# The figures of an answer, each the sum of some columns.
COMPARED: Final[Mapping[str, tuple[str, ...]]] = {
    "infections": ("infections",),
    "deaths": ("deaths",),
    "home_rightly": ("stayed_right",),
    "home_for_nothing": ("stayed_wrong",),
    "tests": ("tests",),
}


@dataclass(frozen=True)
class Row:
    """One option. total: in the model. change: from how it is now, with the same seeds. Both by the names of COMPARED.

    work: team-days, None if the option needs none.
    """

    option: str
    total: Mapping[str, Estimate]
    change: Mapping[str, Estimate]
    work: Estimate | None


@dataclass(frozen=True)
class Answer:
    """The answer of a plan. near_of_100, infected_of_100: of 100 people with a "high" warning outside the case's own
    home, as it is now; None if no seed had any. rows: the first is the city as it is now.
    """

    near_of_100: Estimate | None
    infected_of_100: Estimate | None
    rows: tuple[Row, ...]
    seeds: int


def answer_of(totals: Mapping[tuple[int, str], Totals], options: Sequence[str]) -> Answer:
    """Summarise all pieces. totals: by seed and option, each option with the same seeds."""
    seeds = sorted({seed for seed, _option in totals})
    rows = []
    for option in options:
        total = {}
        change = {}
        for name, columns in COMPARED.items():
            sums = _sums(totals, seeds, option, columns)
            total[name] = Estimate.of(sums.tolist())
            change[name] = Estimate.of((sums - _sums(totals, seeds, AS_IT_IS, columns)).tolist())
        work = [totals[seed, option]["team_days"] for seed in seeds]
        rows.append(Row(option, total, change, Estimate.of(work) if any(work) else None))
    return Answer(
        near_of_100=_share_of_warned(totals, seeds, "told_near"),
        infected_of_100=_share_of_warned(totals, seeds, "told_infected"),
        rows=tuple(rows),
        seeds=len(seeds),
    )


def _share_of_warned(totals: Mapping[tuple[int, str], Totals], seeds: Sequence[int], column: str) -> Estimate | None:
    """A column for each 100 people with a "high" warning, as it is now; only seeds with any count, None without."""
    warned = _sums(totals, seeds, AS_IT_IS, ("told",))
    if not (warned > 0).any():
        return None
    counts = _sums(totals, seeds, AS_IT_IS, (column,))
    return Estimate.of((100 * counts[warned > 0] / warned[warned > 0]).tolist())


def _sums(
    totals: Mapping[tuple[int, str], Totals], seeds: Sequence[int], option: str, columns: Sequence[str]
) -> NDArray[np.float64]:
    """The sum of some columns, for each seed."""
    return np.array([sum(totals[seed, option][column] for column in columns) for seed in seeds])
