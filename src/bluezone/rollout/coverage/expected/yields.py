# SPDX-License-Identifier: Apache-2.0
"""The number of newly running phones expected from a team-hour in each unit, with an interval.

It is the product of four factors: doors per hour, the share of doors at which somebody is met, the phones there that do
not run Bluezone yet, and the share of these that run it afterwards. Each factor is a Gamma or Beta posterior over a
prior from all units together (partial pooling): a unit with few answers is near the average, a unit with many answers
is near its own data. No Django, no clock.

Source: A. Gelman et al., "Bayesian Data Analysis", 3rd ed. (2013), sections 2.6 and 5.1 to 5.4 (Gamma-Poisson with
exposure, hierarchical models); E. B. Wilson, M. M. Hilferty, "The distribution of chi-square", PNAS 17 (1931).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Assumptions of this program, not measurements. Without answers, the estimates use nothing else. With answers, each
# assumption weighs as much as answers from the number of doors below.
USUAL_MINUTES = 6.0
USUAL_MET = 0.6
USUAL_PHONES = 2.0
USUAL_TAKEN = 0.2
# Weights of the priors, in doors.
PACE_DOORS = 10.0
MET_DOORS = 20.0
PHONES_DOORS = 10.0
# Shape of the Gamma prior of USUAL_TAKEN, the share that runs afterwards: units differ in it by a factor of about two.
TAKEN_SHAPE = 2.0
# Length of a shift. If fewer doors are left than a team can visit in a shift, the rest of the shift brings nothing.
SHIFT_HOURS = 4.0
# Counts from 1 to 4 all enter the estimates as 2.5, so that neither the ranking nor an estimate reveals the count.
SMALLEST_EXACT = 5
SMALL_WEIGHT = 2.5
_Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Answers:
    """Sums of the answers at the doors of a unit over some days.

    visits: all visits to doors. met: visits at which somebody was spoken to or a leaflet was left.
    surveyed: visits at which the smartphones were counted. phones: their sum. helped: phones made to run by canvassers.
    steps: visits right after another visit of the same team. minutes: the time between these visits, summed.
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
        """Team-hours, if every visit takes as long as the average step; 0 without steps."""
        if not self.steps:
            return 0.0
        return self.minutes / 60 * self.visits / self.steps


@dataclass(frozen=True)
class Place:
    """The data of one unit.

    key: any stable key. left: households not reached yet, None if the number of households is unknown.
    share: share of running phones, 0..1, None if unknown. phones: smartphones per household by the directory, or None.
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
        """Newly running phones in this many team-hours: the mean and the ends of a 95 % interval.

        The interval also includes the randomness of the count itself.
        """
        phones_at_once = _phones_at_once(self.phones)
        low, high = _count_interval(self.mean * hours / phones_at_once, self.spread)
        return self.mean * hours, math.floor(low * phones_at_once), math.ceil(high * phones_at_once)


@dataclass(frozen=True)
class _Pool:
    """The averages of all units, which each unit's estimate is drawn towards.

    minutes, met, phones: as in `Expectation`. taken: share of the phones not running that run afterwards, 0..1.
    share: share of running phones, 0..1.
    """

    minutes: float
    met: float
    phones: float
    taken: float
    share: float


def expectations(places: Iterable[Place]) -> dict[int, Expectation]:
    """The expectation of each place, by its key; each estimate also uses the data of all places."""
    listed = list(places)
    pool = _pool(listed)
    return {place.key: _expectation(place, pool) for place in listed}


def mask_small_count(count: int) -> float:
    """The value by which a count enters the estimates: SMALL_WEIGHT for 1 to 4, else the count."""
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
    not_running = sum(
        mask_small_count(place.answers.met)
        * _phones_not_running(place, _phones_per_household(place, per_household), share)
        for place in places
    )
    helped = sum(mask_small_count(entry.helped) for entry in answers)
    return _Pool(
        minutes=(PACE_DOORS * USUAL_MINUTES + minutes) / (PACE_DOORS + steps),
        met=(MET_DOORS * USUAL_MET + met) / (MET_DOORS + met + missed),
        phones=per_household,
        taken=(TAKEN_SHAPE + helped) / (TAKEN_SHAPE / USUAL_TAKEN + not_running),
        share=share,
    )


def _pace(answers: Iterable[Answers]) -> tuple[int, float]:
    """Steps and minutes, summed over the units with at least SMALLEST_EXACT steps."""
    enough = [entry for entry in answers if entry.steps >= SMALLEST_EXACT]
    return sum(entry.steps for entry in enough), sum(entry.minutes for entry in enough)


def _phones_per_household(place: Place, usual: float) -> float:
    """Smartphones per household: the figure of the directory, or else `usual`, corrected by counts at doors."""
    prior = usual if place.phones is None else place.phones
    households = mask_small_count(place.answers.surveyed)
    return (PHONES_DOORS * prior + mask_small_count(place.answers.phones)) / (PHONES_DOORS + households)


def _phones_not_running(place: Place, phones: float, share: float) -> float:
    """Phones per household that do not run Bluezone yet.

    phones: per household. share: of running phones, used if that of the place is unknown.
    """
    if place.share is not None:
        share = place.share
    return phones * (1 - share)


def _expectation(place: Place, pool: _Pool) -> Expectation:
    answers = place.answers
    steps, minutes = _pace([answers])
    minutes_a_door = (PACE_DOORS * pool.minutes + minutes) / (PACE_DOORS + steps)
    doors = 60 / minutes_a_door
    met = mask_small_count(answers.met)
    missed = mask_small_count(answers.visits - answers.met)
    share_met = (MET_DOORS * pool.met + met) / (MET_DOORS + met + missed)
    phones = _phones_per_household(place, pool.phones)
    not_running = _phones_not_running(place, phones, pool.share)
    phones_at_once = _phones_at_once(phones)
    shape = TAKEN_SHAPE + mask_small_count(answers.helped) / phones_at_once
    taken = shape / (TAKEN_SHAPE / pool.taken + met * not_running / phones_at_once)
    if place.left is not None:
        doors = min(doors, mask_small_count(place.left) / SHIFT_HOURS)
    mean = doors * share_met * not_running * taken
    # The 1 + (relative spread)² of a product is the product of the same terms of its independent factors.
    variance_met = (1 - share_met) / (share_met * (MET_DOORS + met + missed + 1))
    spread = math.sqrt((1 + 1 / (PACE_DOORS + steps)) * (1 + variance_met) * (1 + 1 / shape) - 1)
    low = _gamma_quantile(mean, spread, -_Z_95)
    high = _gamma_quantile(mean, spread, _Z_95)
    return Expectation(mean, low, high, spread, minutes_a_door, share_met, phones)


def _phones_at_once(phones: float) -> float:
    """How many phones start to run together, as a household accepts help for all of its phones or for none."""
    return max(1.0, phones)


def _gamma_quantile(mean: float, spread: float, z: float) -> float:
    """The quantile at the normal deviate `z` of the Gamma distribution with this mean and relative spread.

    By Wilson and Hilferty's cube-root approximation.
    """
    ninth = spread**2 / 9
    root = 1 - ninth + z * math.sqrt(ninth)
    return mean * max(0.0, root) ** 3


def _count_interval(mean: float, spread: float) -> tuple[int, int]:
    """The ends of the 95 % interval of a count with this mean and a Gamma-distributed rate (negative binomial)."""
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
