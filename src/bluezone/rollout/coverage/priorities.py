# SPDX-License-Identifier: Apache-2.0
"""Where to go next: what an hour of a team brings in each ward, how wards are ranked by it, and why, in sentences."""

import datetime
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.models import AdminUnit
from bluezone.rollout.coverage.expected.places import answers_before, place_of, under
from bluezone.rollout.coverage.expected.ranking import Signals, rank
from bluezone.rollout.coverage.expected.yields import Answers, Expectation, Place, expectations
from bluezone.rollout.coverage.figures import Interval
from bluezone.rollout.coverage.indicators import RUNNING, Doors, HelpDone, doors_by_unit, help_by_unit, newest_of
from bluezone.rollout.coverage.overview import Overview, ShownCell
from bluezone.rollout.coverage.shares import grouped, percent, percent_short, range_of, spoken, tenths
from bluezone.rollout.coverage.suppression import SMALLEST_SHOWN

# Help of four weeks up to the end of the week shown: one good or bad Saturday decides nothing.
HELP_DAYS = 28


@dataclass(frozen=True)
class PriorityRow:
    """One unit in its place.

    unvisited: None where not known; is_small: from 1 to 4, and not shown. by_list: from the lists of doors and not
    from the households of the directory. share, interval: running at its gates, None where not known.
    speed: phones helped per helper hour. teams: free teams of the unit itself. expected: newly running phones in an
    hour of a team; expects: the same as a sentence.
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
    expects: str
    reason: str


@dataclass(frozen=True)
class Priorities:
    """Units in order; how many teams of the unit above could go to any of them; the day that doors and teams are of."""

    rows: list[PriorityRow]
    shared_teams: int
    as_of: datetime.date


@dataclass(frozen=True)
class _Known:
    """What is known of a unit before it is ranked."""

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
        return self.share if self.interval is None else self.interval.high


def priorities(shown: Overview, now: datetime.datetime) -> Priorities:
    """The units under the one shown, in order of priority; doors, answers and teams as of `now`, shares of the week.

    Eleven queries, however many units.
    """
    units = [row.unit for row in shown.rows if row.unit is not None]
    until = min(shown.week.last_day, timezone.localdate(now))
    done = help_by_unit(until - datetime.timedelta(days=HELP_DAYS - 1), until)
    shared = sum(one.free_teams for one in done.get(shown.unit.pk, []))
    figures = newest_of(units, shown.week.last_day)
    doors, helped = under(shown.unit, units, doors_by_unit(now)), under(shown.unit, units, done)
    answers = answers_before(shown.unit, units, now)
    known = {}
    for unit in units:
        cell = _running(shown, unit)
        place = place_of(unit, doors[unit.pk], cell.share if cell else None, answers.get(unit.pk), figures)
        known[unit.pk] = _known(unit, place, cell, doors[unit.pk], helped[unit.pk])
    expected = expectations(one.place for one in known.values())
    anybody = any(one.place.answers.visits for one in known.values())
    ranked = rank(Signals(pk, expected[pk].mean, one.high) for pk, one in known.items())
    rows = []
    for number, one in enumerate(ranked, 1):
        pk = one.signals.key
        rows.append(_row(number, known[pk], expected[pk], is_floor=one.is_floor, anybody=anybody))
    return Priorities(rows, shared, timezone.localdate(now))


def _running(shown: Overview, unit: AdminUnit) -> ShownCell | None:
    cells = (cell for row in shown.rows if row.unit == unit for cell in row.all_cells)
    return next((cell for cell in cells if cell.indicator.key == RUNNING), None)


def _known(unit: AdminUnit, place: Place, cell: ShownCell | None, doors: list[Doors], helped: list[HelpDone]) -> _Known:
    done, hours = sum(one.done for one in helped), sum(one.helper_hours or 0.0 for one in helped)
    return _Known(
        unit=unit,
        place=place,
        by_list=any(one.households for one in doors),
        interval=cell.interval if cell else None,
        share_address=cell.address if cell else "",
        speed=done / hours if hours > 0 and done >= SMALLEST_SHOWN else None,
        teams=sum(one.free_teams for one in helped),
    )


def _row(place: int, known: _Known, expected: Expectation, *, is_floor: bool, anybody: bool) -> PriorityRow:
    return PriorityRow(
        place=place,
        unit=known.unit,
        unvisited=None if known.is_small else known.place.left,
        is_small=known.is_small,
        by_list=known.by_list,
        share=known.share,
        interval=known.interval,
        share_address=known.share_address,
        speed=known.speed,
        teams=known.teams,
        is_floor=is_floor,
        expected=expected,
        expects=_expects(expected),
        reason=_reason(known, expected, is_floor=is_floor, anybody=anybody),
    )


def _expects(expected: Expectation) -> str:
    if expected.mean == 0:
        return _("No newly running phones to expect: every household was visited")
    values = {"mean": spoken(expected.mean), "low": spoken(expected.low), "high": spoken(expected.high)}
    return _("About %(mean)s newly running phones per team-hour, between %(low)s and %(high)s") % values


def _reason(known: _Known, expected: Expectation, *, is_floor: bool, anybody: bool) -> str:
    """Why the unit stands where it stands, as one sentence in the reader's language."""
    answers = _answers(known.place.answers, expected, anybody)
    said = "; ".join([_doors(known), _share(known), answers, *_speed(known), _teams(known.teams)])
    if is_floor:
        said = _("%(said)s; among the least covered, so within the first places whatever the rest says") % {
            "said": said
        }
    return f"{said[0].upper()}{said[1:]}."


def _answers(answers: Answers, expected: Expectation, anybody: bool) -> str:
    """Pace, who is met and phones, and whose answers they are."""
    values = {
        "minutes": spoken(expected.minutes),
        "met": percent_short(round(expected.met, 2)),
        "phones": tenths(expected.phones),
    }
    said = _("%(minutes)s minutes a door, somebody at home at %(met)s, %(phones)s smartphones a household") % values
    if answers.visits >= SMALLEST_SHOWN:
        whose = ngettext("from %(count)s visit of four weeks", "from %(count)s visits of four weeks", answers.visits)
        return f"{said} ({whose % {'count': grouped(answers.visits)}})"
    whose = _("few visits here, so mostly as in the other areas") if anybody else _("assumed, nobody was visited yet")
    return f"{said} ({whose})"


def _doors(known: _Known) -> str:
    if known.is_small:
        return _("households not visited: kept back")
    if known.place.left is None:
        return _("households not entered")
    if known.place.left == 0:
        return _("every household was visited")
    text = ngettext("%(count)s household not visited", "%(count)s households not visited", known.place.left)
    return text % {"count": grouped(known.place.left)}


def _share(known: _Known) -> str:
    if known.share is None:
        return _("share running not known")
    if known.interval is None:
        return _("running %(share)s at the gates") % {"share": percent(known.share)}
    values = {"share": percent(known.share), "range": range_of(known.interval)}
    return _("running %(share)s (%(range)s) at the gates") % values


def _speed(known: _Known) -> list[str]:
    if known.speed is None:
        return []
    return [_("%(number)s phones helped per hour") % {"number": tenths(known.speed)}]


def _teams(count: int) -> str:
    if not count:
        return _("no free team of its own")
    return ngettext("%(count)s free team", "%(count)s free teams", count) % {"count": count}
