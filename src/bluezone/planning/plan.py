# SPDX-License-Identifier: Apache-2.0
"""A plan: what options would do in a city compared with how it is, in pieces of one option and one seed each.

Options share every draw of a seed, so what is compared are pairs. Figures that are not known are drawn with the seed,
so the intervals hold them, too.
"""

import ctypes
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

# A larger city is drawn this large and counts are multiplied: intervals hardly change, and the answer takes minutes.
MOST_PEOPLE: Final = 200_000
AS_IT_IS: Final = "as_it_is"
# Share of the residents on whose phone the app runs that each way of reaching people adds.
_ADDED_BY_GATES, _ADDED_BY_DRIVE = 0.10, 0.05
_ADDED_IN_LOW_WARDS = 0.20
_VENUES_SCANNED = 0.5
MOST_DAYS, MOST_SEEDS = 365, 200
# Nine in ten seeds lie within an interval.
LOW_SHARE, HIGH_SHARE = 0.05, 0.95
FEWEST_SEEDS = 3


class PlanInvalid(Refused):
    """What was asked for is no plan: too many days or seeds, or nobody infected."""

    code = "plan_invalid"


@dataclass(frozen=True)
class Inputs:
    """What a plan starts from: counts alone.

    wards:    with the share of residents on whose phone the app runs. infected: people infected on day 0.
    imports:  infections from outside, a day. values: assumptions set for this plan.
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
            raise PlanInvalid("nobody is infected and nobody comes infected: there is nothing to plan for")

    @property
    def residents(self) -> int:
        """Of all wards."""
        return sum(ward.residents for ward in self.wards)

    @property
    def running(self) -> float:
        """Share of all residents on whose phone the app runs."""
        return sum(ward.residents * ward.running for ward in self.wards) / max(self.residents, 1)

    def as_json(self) -> dict[str, Any]:
        """What JSON can hold; `of_json` reads it."""
        return asdict(self)

    @classmethod
    def of_json(cls, held: Mapping[str, Any]) -> "Inputs":
        """The inputs that `as_json` wrote."""
        return cls(**{**held, "wards": tuple(Ward(**ward) for ward in held["wards"])})


def options_of(inputs: Inputs) -> tuple[Option, ...]:
    """As it is, then each option; the shares of an option are never under those of today."""
    wards = inputs.wards
    drive, gates = ([min(ward.running + added, 1.0) for ward in wards] for added in (_ADDED_BY_DRIVE, _ADDED_BY_GATES))
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


# The work of one team and day, by what an option does.
_WORK = {
    "doors": lambda known: known.number("team_doors_a_day") * known.number("installs_a_door"),
    "drive": lambda known: known.number("stall_installs_a_day"),
    "gates": lambda known: known.number("gate_installs_a_day"),
}


Totals = dict[str, float]


class Planner:
    """Runs a plan's pieces. It holds the city's people, and the rules of the seed that it ran last."""

    def __init__(self, inputs: Inputs, assumptions: Assumptions | None = None, most: int = MOST_PEOPLE) -> None:
        """Makes the people up. Raises AssumptionInvalid, CityTooSmall."""
        self.inputs = inputs
        read = assumptions or read_assumptions(inputs.disease)
        self.assumptions = read.with_values(inputs.values) if inputs.values else read
        self.curve = read_warning_curve()
        self.people = People(inputs.wards, self.assumptions, most=most)
        self.options = options_of(inputs)
        self._last: Trial | None = None

    def pieces(self) -> list[tuple[int, str]]:
        """Seed and option of each piece, in the order in which they cost least."""
        return [(seed, option.name) for seed in range(1, self.inputs.seeds + 1) for option in self.options]

    def trial(self, seed: int) -> Trial:
        """The rules of a seed."""
        setting = Setting(self.inputs.days, self.inputs.infected, self.inputs.imports)
        return Trial(self.people, self.assumptions, self.curve, setting, seed)

    def totals(self, trial: Trial, name: str, stop: ctypes.c_int32 | None = None) -> Totals:
        """Run one option under the rules of a seed: each column's total, infections by week, and the work in team-days.

        Raises PlanStopped.
        """
        option = next(each for each in self.options if each.name == name)
        outcome = trial.run(option, stop)
        found: Totals = {column: outcome.total(column) for column in COLUMNS}
        found["team_days"] = 0.0
        if name in _WORK and option.running is not None:
            added = sum(
                ward.residents * (share - ward.running)
                for ward, share in zip(self.inputs.wards, option.running, strict=True)
            )
            found["team_days"] = added / _WORK[name](trial.assumptions)
        return found

    def piece(self, seed: int, name: str) -> Totals:
        """Run one piece; the rules of the last seed are kept for the next option."""
        if self._last is None or self._last.seed != seed:
            self._last = self.trial(seed)
        return self.totals(self._last, name)

    def run(
        self, progress: Callable[[int], None], stop: ctypes.c_int32 | None = None, workers: int = 2
    ) -> Iterator[tuple[int, str, Totals]]:
        """Run all pieces on some cores. progress: told how many pieces more are done. Raises PlanStopped."""
        halt = stop if stop is not None else ctypes.c_int32(0)

        def one_seed(seed: int) -> list[tuple[int, str, Totals]]:
            trial, found = self.trial(seed), []
            for option in self.options:
                if halt.value:
                    raise PlanStopped("the plan was stopped before it was done")
                found.append((seed, option.name, self.totals(trial, option.name, halt)))
                progress(1)
            return found

        with ThreadPoolExecutor(workers) as pool:
            seeds = [pool.submit(one_seed, seed) for seed in range(1, self.inputs.seeds + 1)]
            try:
                wait(seeds, return_when=FIRST_EXCEPTION)
            except BaseException:
                halt.value = 1
                raise
            for done in seeds:
                yield from done.result()


@dataclass(frozen=True)
class Estimate:
    """A figure as the model has it: the middle of all seeds, and where nine in ten of them lie."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        """Of one value from each seed."""
        found = np.array(values, dtype=np.float64)
        low, middle, high = np.quantile(found, [LOW_SHARE, 0.5, HIGH_SHARE])
        return cls(float(middle), float(low), float(high))

    @property
    def is_told_apart(self) -> bool:
        """Whether the interval is on one side of 0: else the model cannot tell the option from how it is."""
        return self.low > 0 or self.high < 0


# What is compared, and as what: columns added up, for each option less how it is.
COMPARED: Final[Mapping[str, tuple[str, ...]]] = {
    "infections": ("infections",),
    "deaths": ("deaths",),
    "home_rightly": ("stayed_right",),
    "home_for_nothing": ("stayed_wrong",),
    "tests": ("tests",),
}


@dataclass(frozen=True)
class Row:
    """One option. total: in the model; change: against how it is, of the same seeds. Both by the names of COMPARED.

    work: team-days, None where the option needs none.
    """

    option: str
    total: Mapping[str, Estimate]
    change: Mapping[str, Estimate]
    work: Estimate | None


@dataclass(frozen=True)
class Answer:
    """What a plan found. near_of_100, infected_of_100: of 100 people whom the phone told "high", outside of the case's
    own home, as it is; None where nobody was told in any seed. rows: the first one is how it is.
    """

    near_of_100: Estimate | None
    infected_of_100: Estimate | None
    rows: tuple[Row, ...]
    seeds: int


def answer_of(found: Mapping[tuple[int, str], Totals], options: Sequence[str]) -> Answer:
    """Bring the totals of all pieces together. found: by seed and option, each option with the same seeds."""
    seeds = sorted({seed for seed, _option in found})
    rows = []
    for option in options:
        total, change = {}, {}
        for name, columns in COMPARED.items():
            ours = _sums(found, seeds, option, columns)
            total[name] = Estimate.of(ours.tolist())
            change[name] = Estimate.of((ours - _sums(found, seeds, AS_IT_IS, columns)).tolist())
        work = [found[seed, option]["team_days"] for seed in seeds]
        rows.append(Row(option, total, change, Estimate.of(work) if any(work) else None))
    told = _sums(found, seeds, AS_IT_IS, ("told",))
    shares = [
        Estimate.of((100 * _sums(found, seeds, AS_IT_IS, (column,))[told > 0] / told[told > 0]).tolist())
        if (told > 0).any()
        else None
        for column in ("told_near", "told_infected")
    ]
    return Answer(shares[0], shares[1], tuple(rows), len(seeds))


def _sums(
    found: Mapping[tuple[int, str], Totals], seeds: Sequence[int], option: str, columns: Sequence[str]
) -> NDArray[np.float64]:
    return np.array([sum(found[seed, option][column] for column in columns) for seed in seeds])
