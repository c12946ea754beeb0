# SPDX-License-Identifier: Apache-2.0
"""A plan's answer as a table and a picture: each number has an interval that contains nine of ten seeds' results."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from bluezone.planning.assumptions import Assumption, Assumptions
from bluezone.planning.plan import AS_IT_IS, Answer, Estimate, Row, answer_of
from bluezone.rollout.planning.models import CityPlan

OPTIONS: Mapping[str, Promise] = {
    AS_IT_IS: _("Current state"),
    "doors": _("Visits at doors where coverage is lowest: 20 points more there"),
    "drive": _("A drive: 5 points more in every ward"),
    "gates": _("Gates: 10 points more in every ward"),
    "codes": _("Codes one day sooner"),
    "venues": _("Venue codes at half of all visits"),
    "sooner_high": _("Say “high” sooner: from a chance of 0.30"),
    "later_high": _("Say “high” later: from a chance of 0.60"),
}
FIGURES: Mapping[str, Promise] = {
    "infections": _("Infections"),
    "deaths": _("Deaths"),
    "home_rightly": _("Days at home, infected"),
    "home_for_nothing": _("Days at home unnecessarily"),
    "tests": _("Tests"),
}
# The size of the picture, its rows and its margins, in the units of the picture.
WIDTH = 360
ROW_HEIGHT = 44
LEFT = 12
TOP = 28


def format_number(value: float) -> str:
    """A number as precise as a model can be: two significant digits, with a separator of thousands."""
    if value == 0:
        return "0"
    exact = Decimal(value)
    step = Decimal(1).scaleb(max(exact.adjusted() - 1, 0))
    whole = int((exact / step).quantize(Decimal(1), ROUND_HALF_EVEN) * step)
    grouped = f"{abs(whole):,}"
    if get_language() == "vi":
        grouped = grouped.replace(",", ".")
    return f"−{grouped}" if whole < 0 else grouped


@dataclass(frozen=True)
class PrintedFigure:
    """A figure as printed, always with its interval. words: "more" or "fewer" for a change, "" for a total."""

    value: str
    interval: str
    words: str

    @classmethod
    def of(cls, estimate: Estimate, *, is_change: bool) -> "PrintedFigure":
        """Format an estimate. For a change, words replace the sign: fewer, more, or that the two are too close."""
        if not is_change:
            value = format_number(estimate.middle)
            return cls(value, _between(format_number(estimate.low), format_number(estimate.high)), "")
        if not estimate.is_told_apart:
            words = gettext("cannot be told apart")
        else:
            words = gettext("more") if estimate.middle > 0 else gettext("fewer")
        if estimate.high < 0:
            # "Fewer" is the sign: the number and its interval are printed as positive.
            return cls(
                format_number(-estimate.middle),
                _between(format_number(-estimate.high), format_number(-estimate.low)),
                words,
            )
        return cls(
            format_number(estimate.middle), _between(format_number(estimate.low), format_number(estimate.high)), words
        )


def _between(low: str, high: str) -> str:
    return gettext("%(low)s to %(high)s") % {"low": low, "high": high}


@dataclass(frozen=True)
class PrintedRow:
    """One option in the table. figures: (name, figure) in the order of FIGURES. work: in team-days, or None."""

    name: str
    title: str
    figures: tuple[tuple[str, PrintedFigure], ...]
    work: PrintedFigure | None


@dataclass(frozen=True)
class Whisker:
    """The change in infections by one option, as positions in the picture. is_clear: whether its sign is certain."""

    title: str
    y: float
    low: float
    middle: float
    high: float
    is_clear: bool


@dataclass(frozen=True)
class Picture:
    """The changes in infections, one whisker below the other.

    zero: the position of no change. least, most: the numbers at the ends of the axis.
    """

    whiskers: tuple[Whisker, ...]
    zero: float
    height: float
    least: str
    most: str


@dataclass(frozen=True)
class PrintedAnswer:
    """The answer on a plan's page.

    near, infected: how many of 100 people with a "high" warning were near a case, and were infected; None if no one
    was warned. seeds: how many are done.
    """

    near: PrintedFigure | None
    infected: PrintedFigure | None
    as_it_is: PrintedRow
    options: tuple[PrintedRow, ...]
    picture: Picture
    seeds: int


def format_answer(plan: CityPlan, planner_options: tuple[str, ...]) -> PrintedAnswer | None:
    """The answer from the seeds done so far; None for fewer than three, as an interval needs three.

    planner_options: the names of the options, in the order of the planner.
    """
    totals_by_piece = {(seed, option): totals for seed, option, totals in plan.results}
    if len({seed for seed, _option in totals_by_piece}) < 3:
        return None
    answer = answer_of(totals_by_piece, planner_options)
    rows = tuple(_row(row, is_change=row.option != AS_IT_IS) for row in answer.rows)
    return PrintedAnswer(
        near=None if answer.near_of_100 is None else PrintedFigure.of(answer.near_of_100, is_change=False),
        infected=None if answer.infected_of_100 is None else PrintedFigure.of(answer.infected_of_100, is_change=False),
        as_it_is=rows[0],
        options=rows[1:],
        picture=picture_of(answer),
        seeds=answer.seeds,
    )


def _row(row: Row, *, is_change: bool) -> PrintedRow:
    figures = row.change if is_change else row.total
    return PrintedRow(
        row.option,
        str(OPTIONS[row.option]),
        tuple((str(FIGURES[name]), PrintedFigure.of(figures[name], is_change=is_change)) for name in FIGURES),
        None if row.work is None else PrintedFigure.of(row.work, is_change=False),
    )


def picture_of(answer: Answer) -> Picture:
    """The change in infections by option: a dot, and a line that contains nine of ten seeds."""
    changes = [(row, row.change["infections"]) for row in answer.rows if row.option != AS_IT_IS]
    least = min([0.0, *(change.low for _row, change in changes)])
    most = max([0.0, *(change.high for _row, change in changes)])
    span = max(most - least, 1.0)

    def across(value: float) -> float:
        return round(LEFT + (value - least) / span * (WIDTH - 2 * LEFT), 1)

    whiskers = tuple(
        Whisker(
            str(OPTIONS[row.option]),
            TOP + place * ROW_HEIGHT + 30,
            across(change.low),
            across(change.middle),
            across(change.high),
            change.is_told_apart,
        )
        for place, (row, change) in enumerate(changes)
    )
    return Picture(
        whiskers, across(0.0), TOP + len(changes) * ROW_HEIGHT + 24, format_number(least), format_number(most)
    )


def assumptions_of(assumptions: Assumptions) -> list[Assumption]:
    """Every assumption of a plan, by name; those that each seed draws from a range come first."""
    return sorted(assumptions.figures.values(), key=lambda figure: (figure.low is None, figure.name))
