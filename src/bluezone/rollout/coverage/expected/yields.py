# SPDX-License-Identifier: Apache-2.0
"""The number of newly running phones expected from an hour of a team, by unit, with an interval.

The product of four factors: doors per hour, the share of doors at which somebody is met, the phones there that do not
run yet, and the share of those that run afterwards. Each factor is a Gamma or Beta posterior over a prior from all
units together (partial pooling): a unit with few answers is near the average, one with many is near its own data.
No Django, no clock.

Source: A. Gelman et al., "Bayesian Data Analysis", 3rd ed. (2013), sections 2.6 and 5.1 to 5.4 (Gamma-Poisson with
exposure, hierarchical models); E. B. Wilson, M. M. Hilferty, "The distribution of chi-square", PNAS 17 (1931).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Assumptions of this program, not measurements. Without answers they are all there is; with answers, they weigh as much
# as the few doors below.
USUAL_MINUTES = 6.0
USUAL_MET = 0.6
USUAL_PHONES = 2.0
USUAL_TAKEN = 0.2
# Weights of the priors, in doors.
PACE_DOORS = 10.0
MET_DOORS = 20.0
PHONES_DOORS = 10.0
# Shape of the prior of the last factor: units differ in it by a factor of about two.
TAKEN_SHAPE = 2.0
# Length of a shift: if fewer doors are left than it could visit, the rest of it brings nothing.
SHIFT_HOURS = 4.0
# Counts from 1 to 4 all enter the estimates as 2.5, so that neither the ranking nor an estimate reveals which it was.
SMALLEST_EXACT = 5
SMALL_WEIGHT = 2.5
_Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Answers:
    """The answers from the doors of a unit in some days.

    visits: visits to doors, every one. met: visits at which somebody was spoken to or a leaflet was left.
    surveyed: visits at which the smartphones were counted. phones: their sum. helped: phones made to run by canvassers.
    steps: visits right after another one of the same team. minutes: the time of all steps.
    """

    visits: int = 0
    met: int = 0
    surveyed: int = 0
    phones: int = 0
    helped: int = 0
    steps: int = 0
    minutes: float = 0.0

    def __add__(self, other: "Answers") -> "Answers":
        mine = vars(self)
        theirs = vars(other)
        return Answers(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def hours(self) -> float:
        """Team-hours, if each visit takes as long as a step; 0 without steps."""
        if not self.steps:
            return 0.0
        return self.minutes / 60 * self.visits / self.steps


@dataclass(frozen=True)
class Place:
    """The data of one unit.

    key: any stable key. left: households not reached yet, None if the number of households is unknown.
    share: share of running phones, 0..1, None if unknown. phones: smartphones a household by the directory, or None.
    """

    key: int
    left: int | None = None
    share: float | None = None
    phones: float | None = None
    answers: Answers = Answers()


@dataclass(frozen=True)
class Expectation:
    """Newly running phones in an hour of a team.

    mean, low, high: rate per team-hour and the ends of its 95 % interval; see `of_hours` for a count of phones.
    spread: standard deviation of the rate divided by its mean.
    minutes: per door. met: share of the doors at which somebody is met, 0..1. phones: smartphones per household.
    """

    mean: float
    low: float
    high: float
    spread: float
    minutes: float
    met: float
    phones: float

    def of_hours(self, hours: float) -> tuple[float, int, int]:
        """The count in some team-hours: mean and ends of a 95 % interval, with the randomness of the count itself."""
        together = _phones_per_answer(self.phones)
        low, high = _count_between(self.mean * hours / together, self.spread)
        return self.mean * hours, math.floor(low * together), math.ceil(high * together)


@dataclass(frozen=True)
class _Pool:
    """The averages of all units, towards which each unit is pulled. taken: share of phones that run afterwards."""

    minutes: float
    met: float
    phones: float
    taken: float
    share: float


def expectations(places: Iterable[Place]) -> dict[int, Expectation]:
    """The expectation of each place, by its key; each estimate also uses the data of all places."""
    listed = list(places)
    pool = _pool(listed)
    return {place.key: _expected(place, pool) for place in listed}


def mask_small_count(count: int) -> float:
    """A count as it enters the estimates: 1 to 4 all alike."""
    if 0 < count < SMALLEST_EXACT:
        return SMALL_WEIGHT
    return float(count)


def _pool(places: Sequence[Place]) -> _Pool:
    shares = [place.share for place in places if place.share is not None]
    share = sum(shares) / len(shares) if shares else 0.0
    answers = [place.answers for place in places]
    steps, minutes = _pace(answers)
    met = sum(mask_small_count(entry.met) for entry in answers)
    missed = sum(mask_small_count(entry.visits - entry.met) for entry in answers)
    households = sum(mask_small_count(entry.surveyed) for entry in answers)
    phones = sum(mask_small_count(entry.phones) for entry in answers)
    per_household = (PHONES_DOORS * USUAL_PHONES + phones) / (PHONES_DOORS + households)
    waiting = sum(
        mask_small_count(place.answers.met) * _waiting(place, _phones(place, per_household), share) for place in places
    )
    helped = sum(mask_small_count(entry.helped) for entry in answers)
    return _Pool(
        minutes=(PACE_DOORS * USUAL_MINUTES + minutes) / (PACE_DOORS + steps),
        met=(MET_DOORS * USUAL_MET + met) / (MET_DOORS + met + missed),
        phones=per_household,
        taken=(TAKEN_SHAPE + helped) / (TAKEN_SHAPE / USUAL_TAKEN + waiting),
        share=share,
    )


def _pace(answers: Iterable[Answers]) -> tuple[int, float]:
    """Steps and minutes of the units with enough steps."""
    enough = [entry for entry in answers if entry.steps >= SMALLEST_EXACT]
    return sum(entry.steps for entry in enough), sum(entry.minutes for entry in enough)


def _phones(place: Place, usual: float) -> float:
    """Smartphones per household: the figure of the directory, else `usual`, corrected by counts at doors."""
    prior = usual if place.phones is None else place.phones
    households = mask_small_count(place.answers.surveyed)
    return (PHONES_DOORS * prior + mask_small_count(place.answers.phones)) / (PHONES_DOORS + households)


def _waiting(place: Place, phones: float, share: float) -> float:
    """Phones per household that do not run Bluezone yet. share: of running phones, where the place's is unknown."""
    if place.share is not None:
        share = place.share
    return phones * (1 - share)


def _expected(place: Place, pool: _Pool) -> Expectation:
    answers = place.answers
    steps, minutes = _pace([answers])
    minutes_a_door = (PACE_DOORS * pool.minutes + minutes) / (PACE_DOORS + steps)
    doors = 60 / minutes_a_door
    met = mask_small_count(answers.met)
    missed = mask_small_count(answers.visits - answers.met)
    share_met = (MET_DOORS * pool.met + met) / (MET_DOORS + met + missed)
    phones = _phones(place, pool.phones)
    waiting = _waiting(place, phones, pool.share)
    together = _phones_per_answer(phones)
    shape = TAKEN_SHAPE + mask_small_count(answers.helped) / together
    taken = shape / (TAKEN_SHAPE / pool.taken + met * waiting / together)
    if place.left is not None:
        doors = min(doors, mask_small_count(place.left) / SHIFT_HOURS)
    mean = doors * share_met * waiting * taken
    # For independent factors, the terms 1 + (relative spread)² multiply.
    variance_met = (1 - share_met) / (share_met * (MET_DOORS + met + missed + 1))
    spread = math.sqrt((1 + 1 / (PACE_DOORS + steps)) * (1 + variance_met) * (1 + 1 / shape) - 1)
    low = _gamma_at(mean, spread, -_Z_95)
    high = _gamma_at(mean, spread, _Z_95)
    return Expectation(mean, low, high, spread, minutes_a_door, share_met, phones)


def _phones_per_answer(phones: float) -> float:
    """How many phones count as one answer: a household accepts help for all of its phones or for none."""
    return max(1.0, phones)


def _gamma_at(mean: float, spread: float, z: float) -> float:
    """A quantile of the Gamma distribution with this mean and relative spread, by Wilson and Hilferty's cube."""
    ninth = spread**2 / 9
    root = 1 - ninth + z * math.sqrt(ninth)
    return mean * max(0.0, root) ** 3


def _count_between(mean: float, spread: float) -> tuple[int, int]:
    """The ends of a 95 % interval of a count with a Gamma-distributed rate (negative binomial)."""
    if mean <= 0:
        return 0, 0
    shape = 1 / spread**2
    odds = mean / (mean + shape)
    chance = (shape / (mean + shape)) ** shape
    within = chance
    low = None
    number = 0
    while within < 0.975 and number < 100_000:
        if low is None and within >= 0.025:
            low = number
        number += 1
        chance *= odds * (number - 1 + shape) / number
        within += chance
    if low is None:
        low = number
    return low, number
