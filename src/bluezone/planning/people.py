# SPDX-License-Identifier: Apache-2.0
"""A city's synthetic people, drawn from counts: households, school classes, teams at work, chance meetings, phones.

No real person is in it: the only input are totals of wards, and households are drawn.
"""

import ctypes
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluezone.planning.assumptions import Assumptions
from bluezone.planning.kernel import AGES, PeopleLaidOut
from bluezone.refusal import Refused

SCHOOL = 1
WORK = 2
# A larger city is drawn this large, and counts are multiplied.
MOST_PEOPLE = 4_000_000
FEWEST_PEOPLE = 500
_LARGEST_HOUSEHOLD = 7


class CityTooSmall(Refused):
    """The city has too few people for a model, or a ward's figures are impossible."""

    code = "city_too_small"


@dataclass(frozen=True)
class Ward:
    """A ward as the office shows it. running: share of the residents who have the app running, 0..1."""

    name: str
    residents: int
    running: float


class People:
    """The people of a city as arrays; `laid_out` gives them to the library.

    wards: of the city, in the order of `ward`. scale: residents of the city for each person drawn.
    ward, age, score: of each person; the app runs if `score` is under the share of the person's ward and age.
    """

    def __init__(self, wards: Sequence[Ward], assumptions: Assumptions, seed: int = 0, most: int = MOST_PEOPLE) -> None:
        """seed: of the draws. most: people that are drawn at most. Raises CityTooSmall."""
        residents = sum(ward.residents for ward in wards)
        is_invalid = any(ward.residents < 0 or not 0 <= ward.running <= 1 for ward in wards)
        if residents < FEWEST_PEOPLE or is_invalid:
            raise CityTooSmall(f"{residents} residents, expected {FEWEST_PEOPLE} or more, and shares from 0 to 1")
        self.wards = tuple(wards)
        self.count = min(residents, most)
        self.scale = residents / self.count
        rng = np.random.default_rng(seed)
        self._households(rng, assumptions)
        self._places(rng, assumptions)
        self._stubs(rng, assumptions)
        self.score = rng.random(self.count, dtype=np.float32)
        self._smartphone = assumptions.array("smartphone", AGES)

    def _households(self, rng: np.random.Generator, assumptions: Assumptions) -> None:
        shares = assumptions.array("household_sizes", _LARGEST_HOUSEHOLD)
        mean = float((shares * np.arange(1, _LARGEST_HOUSEHOLD + 1)).sum() / shares.sum())
        drawn = rng.choice(
            np.arange(1, _LARGEST_HOUSEHOLD + 1), int(self.count / mean * 1.2) + 10, p=shares / shares.sum()
        )
        cumulative = np.cumsum(drawn)
        households = int(np.searchsorted(cumulative, self.count)) + 1
        sizes = drawn[:households].astype(np.int64)
        sizes[-1] -= int(cumulative[households - 1]) - self.count
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        self.household_size = np.repeat(sizes, sizes).astype(np.uint8)
        self.household_start = np.repeat(starts, sizes).astype(np.uint32)
        residents = np.cumsum([ward.residents for ward in self.wards]) / sum(ward.residents for ward in self.wards)
        of_household = np.searchsorted(residents, (starts + 0.5) / self.count)
        self.ward = np.repeat(np.minimum(of_household, len(self.wards) - 1), sizes).astype(np.uint16)
        self.age = _ages(rng, assumptions.array("ages", AGES), sizes)

    def _places(self, rng: np.random.Generator, assumptions: Assumptions) -> None:
        at_school = assumptions.array("at_school", 2)
        at_work = assumptions.number("at_work")
        draw = rng.random(self.count, dtype=np.float32)
        pupils = (self.age < 2) & (draw < at_school[np.minimum(self.age, 1)])
        workers = (self.age >= 2) & (self.age < 6) & (draw < at_work)
        # A class is from one ward and age; a team mostly consists of people who live near each other.
        order = self.ward * 4.0 + self.age * 2.0 + rng.random(self.count, dtype=np.float32)
        pupil_rows = np.flatnonzero(pupils)
        pupil_rows = pupil_rows[np.argsort(order[pupil_rows], kind="stable")]
        size = int(assumptions.number("class_size"))
        class_ends = np.arange(size, len(pupil_rows) + size, size)
        position = self.ward + rng.exponential(max(len(self.wards) / 8, 0.5), self.count)
        worker_rows = np.flatnonzero(workers)
        worker_rows = worker_rows[np.argsort(position[worker_rows], kind="stable")]
        drawn = rng.geometric(1 / assumptions.number("team_size"), len(worker_rows) // 2 + 10)
        team_ends = np.cumsum(np.minimum(drawn, 40))
        team_ends = team_ends[: int(np.searchsorted(team_ends, len(worker_rows))) + 1]
        ends = np.concatenate(
            [np.minimum(class_ends, len(pupil_rows)), len(pupil_rows) + np.minimum(team_ends, len(worker_rows))]
        )
        self.place_start = np.concatenate([[0], ends]).astype(np.uint32)
        self.place_people = np.concatenate([pupil_rows, worker_rows]).astype(np.uint32)
        self.place_kind = np.repeat([SCHOOL, WORK], [len(class_ends), len(team_ends)]).astype(np.uint8)
        self.place = np.full(self.count, len(ends), dtype=np.uint32)
        self.place[self.place_people] = np.repeat(np.arange(len(ends), dtype=np.uint32), _lengths(self.place_start))

    def _stubs(self, rng: np.random.Generator, assumptions: Assumptions) -> None:
        """The stubs for chance meetings, rounded up to a power of two; `chance_accepted` corrects for that."""
        spread = assumptions.number("chance_spread")
        weight = assumptions.array("chance_contacts", AGES)[self.age] * rng.gamma(spread, 1 / spread, self.count)
        self.chance_stubs = float(weight.sum())
        self.stub_bits = max(math.ceil(math.log2(max(self.chance_stubs, 2.0))), 1)
        bounds = np.floor(np.cumsum(weight) / self.chance_stubs * 2**self.stub_bits + rng.random())
        bounds[-1] = 2**self.stub_bits
        self.stub_start = np.concatenate([[0], np.minimum(bounds, 2**self.stub_bits)]).astype(np.uint32)
        self.stub_owner = np.repeat(np.arange(self.count, dtype=np.uint32), _lengths(self.stub_start))

    @property
    def chance_accepted(self) -> float:
        """Share of the chance meetings that take place, so that their number is the assumed one."""
        return float(self.chance_stubs / 2**self.stub_bits)

    @property
    def person_bits(self) -> int:
        """The least number with 2^person_bits >= the number of people; at least 1."""
        return max(math.ceil(math.log2(self.count)), 1)

    def phones(self, running: Sequence[float]) -> NDArray[np.uint8]:
        """1 for each person who has the app running, else 0. running: share of the residents of each ward, 0..1.

        A person who has it at one share has it at any larger share, too. Ages differ as their smartphones do.
        """
        chance = np.zeros((len(self.wards), AGES))
        for place, share in enumerate(running):
            counts = np.bincount(self.age[self.ward == place], minlength=AGES)
            chance[place] = _shares_by_age(self._smartphone, counts, share)
        return (self.score < chance[self.ward, self.age]).astype(np.uint8)

    def laid_out(self, phones: NDArray[np.uint8]) -> PeopleLaidOut:
        """The structure that the library reads."""
        arrays: dict[str, NDArray[Any]] = {
            "age": self.age, "household_start": self.household_start, "household_size": self.household_size,
            "place": self.place, "place_start": self.place_start, "place_people": self.place_people,
            "place_kind": self.place_kind, "stub_start": self.stub_start, "stub_owner": self.stub_owner,
            "phone": phones,
        }  # fmt: skip
        layout = PeopleLaidOut(self.count, len(self.place_kind), self.stub_bits, self.person_bits)
        for name, array in arrays.items():
            setattr(layout, name, ctypes.c_void_p(array.ctypes.data))
        # The library points into these arrays, so Python must not free them.
        layout.arrays = arrays
        return layout

    @property
    def bytes_a_person(self) -> float:
        """Memory of a run: these arrays, the phone, and 20 bytes of the library: state, and the list of infected."""
        arrays = (
            self.age, self.ward, self.score, self.household_start, self.household_size, self.place, self.place_start,
            self.place_people, self.place_kind, self.stub_start, self.stub_owner,
        )  # fmt: skip
        return sum(array.nbytes for array in arrays) / self.count + 1 + 16 + 4


def _lengths(starts: NDArray[np.uint32]) -> NDArray[np.int64]:
    return starts[1:].astype(np.int64) - starts[:-1]


def _shares_by_age(smartphone: NDArray[np.float64], counts: NDArray[np.int64], share: float) -> NDArray[np.float64]:
    """Chances by age, proportional to smartphones but at most 1, with the mean `share` over `counts`."""
    total = counts.sum()
    if total == 0 or share <= 0:
        return np.zeros(len(smartphone))
    low = 0.0
    high = 1.0 / max(float(smartphone.min()), 1e-3)
    for _step in range(50):
        middle = (low + high) / 2
        if float((np.minimum(smartphone * middle, 1.0) * counts).sum()) / total < share:
            low = middle
        else:
            high = middle
    return np.minimum(smartphone * high, 1.0)


def _ages(rng: np.random.Generator, shares: NDArray[np.float64], sizes: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The age group of each person. A household is an adult, a partner, children 20 or 30 years younger, and parents
    as much older. Then people are moved between groups until the shares are right.
    """
    heads = rng.choice(np.arange(2, AGES), len(sizes), p=shares[2:] / shares[2:].sum())
    head = np.repeat(heads, sizes)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    member = np.arange(len(head)) - np.repeat(starts, sizes)
    kind = rng.random(len(head))
    step = rng.integers(2, 4, len(head))
    partner = (member == 1) & (kind < 0.8)
    parent = ~partner & (kind > 0.85)
    relative = np.where(parent, head + step, head - step)
    age = np.where((member == 0) | partner, head, relative)
    age = np.clip(age, 0, AGES - 1).astype(np.int64)
    movable = member > 0
    target = np.round(shares / shares.sum() * len(age)).astype(np.int64)
    surplus = np.bincount(age, minlength=AGES) - target
    candidates = []
    for group in range(AGES):
        rows = rng.permutation(np.flatnonzero((age == group) & movable))
        candidates.append(rows[: max(int(surplus[group]), 0)])
    movers = np.sort(np.concatenate(candidates))
    missing = np.repeat(np.arange(AGES), np.maximum(-surplus, 0))
    # The movers are sorted by age, so that each of them moves as little as possible.
    movers = movers[np.argsort(age[movers], kind="stable")][: len(missing)]
    age[movers] = missing[: len(movers)]
    return age.astype(np.uint8)
