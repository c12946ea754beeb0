# SPDX-License-Identifier: Apache-2.0
"""Newly running phones that an hour of a team can be expected to bring, by unit, with an interval.

Doors an hour x part of them at which somebody is met x phones there that do not run yet x part of those that run
afterwards. Each factor is a Gamma or Beta posterior over a prior from all units together (partial pooling): a unit with
few answers looks like the others, one with many like itself. Pure: no Django, no clock.

Source: A. Gelman et al., "Bayesian Data Analysis", 3rd ed. (2013), sections 2.6 and 5.1 to 5.4 (Gamma-Poisson with
exposure, hierarchical models); E. B. Wilson, M. M. Hilferty, "The distribution of chi-square", PNAS 17 (1931).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Assumptions of this program, not measurements: they count where nobody has entered anything, and weigh as much as
# the few doors named below as soon as somebody has.
USUAL_MINUTES = 6.0
USUAL_MET = 0.6
USUAL_PHONES = 2.0
USUAL_TAKEN = 0.2
# How much the prior weighs, in doors; the part taken by its shape: units differ by a factor of about two.
PACE_DOORS, MET_DOORS, PHONES_DOORS, TAKEN_SHAPE = 10.0, 20.0, 10.0, 2.0
# An hour in an afternoon of so many hours: where fewer doors are left, the rest of the afternoon brings nothing.
SHIFT_HOURS = 4.0
# Counts from 1 to 4 all weigh the same, so that neither order nor expectation tells them apart.
SMALLEST_TOLD, SMALL_WEIGHS = 5, 2.5
_Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Answers:
    """What came of the doors of a unit in some days.

    visits:  doors gone to, again each time. met: of them, somebody was spoken to or a leaflet stayed.
    asked:   of them, the smartphones were counted. phones: those smartphones. helped: newly running, by the canvassers.
    steps:   doors that a team went to straight from another one. minutes: that all steps took.
    """

    visits: int = 0
    met: int = 0
    asked: int = 0
    phones: int = 0
    helped: int = 0
    steps: int = 0
    minutes: float = 0.0

    def __add__(self, other: "Answers") -> "Answers":
        mine, theirs = vars(self), vars(other)
        return Answers(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def hours(self) -> float:
        """Team-hours: each visit takes as long as a step; 0 where no step was timed."""
        return self.minutes / 60 * self.visits / self.steps if self.steps else 0.0


@dataclass(frozen=True)
class Place:
    """What is known of one unit.

    key:    any stable key. left: households nobody has reached, None where households are not known.
    share:  running already, 0..1, None where not known. phones: smartphones a household by the directory, or None.
    """

    key: int
    left: int | None = None
    share: float | None = None
    phones: float | None = None
    answers: Answers = Answers()


@dataclass(frozen=True)
class Expectation:
    """Newly running phones in an hour of a team.

    mean, low, high: per team-hour; the 95 % interval is of the rate, not of what one hour brings.
    spread:   of the rate, standard deviation by mean.
    minutes:  a door. met: part of the doors at which somebody is met, 0..1. phones: a household.
    """

    mean: float
    low: float
    high: float
    spread: float
    minutes: float
    met: float
    phones: float

    def of_hours(self, hours: float) -> tuple[float, int, int]:
        """What so many team-hours bring: the mean and the ends of a 95 % interval of the count, chance included."""
        together = _together(self.phones)
        low, high = _count_between(self.mean * hours / together, self.spread)
        return self.mean * hours, math.floor(low * together), math.ceil(high * together)


@dataclass(frozen=True)
class _Pool:
    """All units together: the middle that each unit is drawn to."""

    minutes: float
    met: float
    phones: float
    taken: float
    share: float


def expectations(places: Iterable[Place]) -> dict[int, Expectation]:
    """What an hour of a team brings in each place, by its key; each place leans on all of them together."""
    listed = list(places)
    pool = _pool(listed)
    return {one.key: _expected(one, pool) for one in listed}


def told(count: int) -> float:
    """A count as it may weigh: 1 to 4 all alike."""
    return SMALL_WEIGHS if 0 < count < SMALLEST_TOLD else float(count)


def _pool(places: Sequence[Place]) -> _Pool:
    shares = [one.share for one in places if one.share is not None]
    share = sum(shares) / len(shares) if shares else 0.0
    said = [one.answers for one in places]
    steps, minutes = _pace(said)
    met, missed = sum(told(one.met) for one in said), sum(told(one.visits - one.met) for one in said)
    asked, phones = sum(told(one.asked) for one in said), sum(told(one.phones) for one in said)
    a_household = (PHONES_DOORS * USUAL_PHONES + phones) / (PHONES_DOORS + asked)
    exposed = sum(told(one.answers.met) * _waiting(one, _phones(one, a_household), share) for one in places)
    helped = sum(told(one.helped) for one in said)
    return _Pool(
        minutes=(PACE_DOORS * USUAL_MINUTES + minutes) / (PACE_DOORS + steps),
        met=(MET_DOORS * USUAL_MET + met) / (MET_DOORS + met + missed),
        phones=a_household,
        taken=(TAKEN_SHAPE + helped) / (TAKEN_SHAPE / USUAL_TAKEN + exposed),
        share=share,
    )


def _pace(said: Iterable[Answers]) -> tuple[int, float]:
    """Steps and minutes of those units of which there are enough to be told."""
    enough = [one for one in said if one.steps >= SMALLEST_TOLD]
    return sum(one.steps for one in enough), sum(one.minutes for one in enough)


def _phones(place: Place, usual: float) -> float:
    """Smartphones a household: by the directory or as in the other units, and by what was counted at doors."""
    middle, asked = usual if place.phones is None else place.phones, told(place.answers.asked)
    return (PHONES_DOORS * middle + told(place.answers.phones)) / (PHONES_DOORS + asked)


def _waiting(place: Place, phones: float, share: float) -> float:
    """Phones a household that do not run yet."""
    return phones * (1 - (share if place.share is None else place.share))


def _expected(place: Place, pool: _Pool) -> Expectation:
    answers = place.answers
    steps, minutes = _pace([answers])
    minutes_a_door = (PACE_DOORS * pool.minutes + minutes) / (PACE_DOORS + steps)
    doors = 60 / minutes_a_door
    met, missed = told(answers.met), told(answers.visits - answers.met)
    share_met = (MET_DOORS * pool.met + met) / (MET_DOORS + met + missed)
    phones = _phones(place, pool.phones)
    waiting = _waiting(place, phones, pool.share)
    together = _together(phones)
    shape = TAKEN_SHAPE + told(answers.helped) / together
    taken = shape / (TAKEN_SHAPE / pool.taken + met * waiting / together)
    if place.left is not None:
        doors = min(doors, told(place.left) / SHIFT_HOURS)
    mean = doors * share_met * waiting * taken
    # Of independent factors the squares of the relative spreads multiply.
    of_met = (1 - share_met) / (share_met * (MET_DOORS + met + missed + 1))
    spread = math.sqrt((1 + 1 / (PACE_DOORS + steps)) * (1 + of_met) * (1 + 1 / shape) - 1)
    low, high = (_gamma_at(mean, spread, side * _Z_95) for side in (-1, 1))
    return Expectation(mean, low, high, spread, minutes_a_door, share_met, phones)


def _together(phones: float) -> float:
    """A household lets somebody help or not: its phones are one answer, and come in lots of this size."""
    return max(1.0, phones)


def _gamma_at(mean: float, spread: float, z: float) -> float:
    """A quantile of the Gamma distribution with this mean and relative spread, by Wilson and Hilferty's cube."""
    ninth = spread**2 / 9
    root = 1 - ninth + z * math.sqrt(ninth)
    return mean * max(0.0, root) ** 3


def _count_between(mean: float, spread: float) -> tuple[int, int]:
    """The ends of a 95 % interval of a count whose rate is of a Gamma distribution (negative binomial)."""
    if mean <= 0:
        return 0, 0
    shape = 1 / spread**2
    odds = mean / (mean + shape)
    chance = (shape / (mean + shape)) ** shape
    within, low, number = chance, None, 0
    while within < 0.975 and number < 100_000:
        if low is None and within >= 0.025:
            low = number
        number += 1
        chance *= odds * (number - 1 + shape) / number
        within += chance
    return number if low is None else low, number
