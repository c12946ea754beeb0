# SPDX-License-Identifier: Apache-2.0
"""Where teams should go next: units ranked by the result expected from a team-hour, each with its reason."""

import datetime
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.models import AdminUnit
from bluezone.rollout.coverage.expected.places import answers_before, place_of, sum_by_unit
from bluezone.rollout.coverage.expected.ranking import Signals, rank_units
from bluezone.rollout.coverage.expected.yields import Answers, Expectation, Place, expectations
from bluezone.rollout.coverage.indicators import (
    RUNNING,
    DoorCounts,
    HelpCounts,
    doors_by_unit,
    help_by_unit,
    newest_denominators,
)
from bluezone.rollout.coverage.intervals import Interval
from bluezone.rollout.coverage.overview import Overview, OverviewCell
from bluezone.rollout.coverage.shares import grouped, percent, percent_short, range_of, spoken, tenths
from bluezone.rollout.coverage.suppression import SMALLEST_SHOWN

# Four weeks of help up to the end of the chosen week, so that no single day decides.
HELP_DAYS = 28


@dataclass(frozen=True)
class PriorityRow:
    """One unit in the ranking.

    unvisited: households not visited, None if unknown or small. is_small: they are from 1 to 4, and suppressed.
    by_list: they are counted from lists of doors, not from the households of the directory.
    share, interval: of running phones at its gates; None if unknown.
    speed: phones helped per helper hour, None if too few were helped.
    teams: free teams of the unit itself. is_floor: it is among the least covered, and so always in the first places.
    expected: newly running phones in a team-hour. expected_text: the same as a sentence. reason: a sentence.
    """

    place: int
    unit: AdminUnit
    unvisited: int | None
    is_small: bool
    by_list: bool
    share: float | None
    interval: Interval | None
    share_address: str
    speed: float | None
    teams: int
    is_floor: bool
    expected: Expectation
    expected_text: str
    reason: str


@dataclass(frozen=True)
class Priorities:
    """Units in order of priority. shared_teams: free teams that serve the unit above all of them.

    as_of: the day of the counts of doors and teams.
    """

    rows: list[PriorityRow]
    shared_teams: int
    as_of: datetime.date


@dataclass(frozen=True)
class _Facts:
    """The facts of a unit for its rank and its reason."""

    unit: AdminUnit
    place: Place
    by_list: bool
    interval: Interval | None
    share_address: str
    speed: float | None
    teams: int

    @property
    def is_small(self) -> bool:
        return self.place.left is not None and 0 < self.place.left < SMALLEST_SHOWN

    @property
    def share(self) -> float | None:
        return self.place.share

    @property
    def high(self) -> float | None:
        if self.interval is None:
            return self.share
        return self.interval.high


def rank_priorities(coverage: Overview, now: datetime.datetime) -> Priorities:
    """The units of an overview in order of priority, from doors, answers and teams at `now` and the overview's shares.

    The number of queries does not depend on the number of units.
    """
    units = [row.unit for row in coverage.rows if row.unit is not None]
    until = min(coverage.week.last_day, timezone.localdate(now))
    help_done = help_by_unit(until - datetime.timedelta(days=HELP_DAYS - 1), until)
    shared_teams = sum(entry.free_teams for entry in help_done.get(coverage.unit.pk, []))
    figures = newest_denominators(units, coverage.week.last_day)
    doors = sum_by_unit(coverage.unit, units, doors_by_unit(now))
    helped = sum_by_unit(coverage.unit, units, help_done)
    answers = answers_before(coverage.unit, units, now)
    facts = {}
    for unit in units:
        cell = _running(coverage, unit)
        share = cell.share if cell else None
        place = place_of(unit, doors[unit.pk], share, answers.get(unit.pk), figures)
        facts[unit.pk] = _facts(unit, place, cell, doors[unit.pk], helped[unit.pk])
    expected = expectations(entry.place for entry in facts.values())
    any_visits = any(entry.place.answers.visits for entry in facts.values())
    ranked = rank_units(Signals(pk, expected[pk].mean, entry.high) for pk, entry in facts.items())
    rows = []
    for number, ranked_unit in enumerate(ranked, 1):
        pk = ranked_unit.signals.key
        rows.append(_row(number, facts[pk], expected[pk], is_floor=ranked_unit.is_floor, any_visits=any_visits))
    return Priorities(rows, shared_teams, timezone.localdate(now))


def _running(coverage: Overview, unit: AdminUnit) -> OverviewCell | None:
    """The share of running phones at the gates of a unit, None if no gate has counted."""
    for row in coverage.rows:
        if row.unit == unit:
            return row.cell(RUNNING)
    return None


def _facts(
    unit: AdminUnit, place: Place, cell: OverviewCell | None, doors: list[DoorCounts], helped: list[HelpCounts]
) -> _Facts:
    done = sum(entry.done for entry in helped)
    hours = sum(entry.helper_hours or 0.0 for entry in helped)
    speed = None
    if hours > 0 and done >= SMALLEST_SHOWN:
        speed = done / hours
    return _Facts(
        unit=unit,
        place=place,
        by_list=any(entry.households for entry in doors),
        interval=cell.interval if cell else None,
        share_address=cell.address if cell else "",
        speed=speed,
        teams=sum(entry.free_teams for entry in helped),
    )


def _row(place: int, facts: _Facts, expected: Expectation, *, is_floor: bool, any_visits: bool) -> PriorityRow:
    return PriorityRow(
        place=place,
        unit=facts.unit,
        unvisited=None if facts.is_small else facts.place.left,
        is_small=facts.is_small,
        by_list=facts.by_list,
        share=facts.share,
        interval=facts.interval,
        share_address=facts.share_address,
        speed=facts.speed,
        teams=facts.teams,
        is_floor=is_floor,
        expected=expected,
        expected_text=_expected_text(expected),
        reason=_reason(facts, expected, is_floor=is_floor, any_visits=any_visits),
    )


def _expected_text(expected: Expectation) -> str:
    if expected.mean == 0:
        return _("No newly running phones expected: every household has been visited")
    values = {"mean": spoken(expected.mean), "low": spoken(expected.low), "high": spoken(expected.high)}
    return _("About %(mean)s newly running phones per team-hour, between %(low)s and %(high)s") % values


def _reason(facts: _Facts, expected: Expectation, *, is_floor: bool, any_visits: bool) -> str:
    """Why the unit has its place, as one sentence in the reader's language."""
    answers = _answers(facts.place.answers, expected, any_visits)
    text = "; ".join([_doors(facts), _share(facts), answers, *_speed(facts), _teams(facts.teams)])
    if is_floor:
        text = _("%(said)s; among the least covered, so always in the first places") % {"said": text}
    return f"{text[0].upper()}{text[1:]}."


def _answers(answers: Answers, expected: Expectation, any_visits: bool) -> str:
    """A clause with the pace, how often someone is at home, the phones per household, and the number of visits."""
    values = {
        "minutes": spoken(expected.minutes),
        "met": percent_short(round(expected.met, 2)),
        "phones": tenths(expected.phones),
    }
    text = _("%(minutes)s minutes per door, someone at home at %(met)s, %(phones)s smartphones per household") % values
    if answers.visits >= SMALLEST_SHOWN:
        source = ngettext("from %(count)s visit of four weeks", "from %(count)s visits of four weeks", answers.visits)
        return f"{text} ({source % {'count': grouped(answers.visits)}})"
    if any_visits:
        source = _("few visits here, so mostly based on the other areas")
    else:
        source = _("assumed, no one has been visited yet")
    return f"{text} ({source})"


def _doors(facts: _Facts) -> str:
    if facts.is_small:
        return _("households not visited: withheld")
    if facts.place.left is None:
        return _("households not entered")
    if facts.place.left == 0:
        return _("every household was visited")
    text = ngettext("%(count)s household not visited", "%(count)s households not visited", facts.place.left)
    return text % {"count": grouped(facts.place.left)}


def _share(facts: _Facts) -> str:
    if facts.share is None:
        return _("share running not known")
    if facts.interval is None:
        return _("running %(share)s at the gates") % {"share": percent(facts.share)}
    values = {"share": percent(facts.share), "range": range_of(facts.interval)}
    return _("running %(share)s (%(range)s) at the gates") % values


def _speed(facts: _Facts) -> list[str]:
    if facts.speed is None:
        return []
    return [_("%(number)s phones helped per hour") % {"number": tenths(facts.speed)}]


def _teams(count: int) -> str:
    if not count:
        return _("no free team in the area")
    return ngettext("%(count)s free team", "%(count)s free teams", count) % {"count": count}
