# SPDX-License-Identifier: Apache-2.0
"""Collect what the office has counted in each unit, to estimate what an hour of a team brings there."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from bluezone.directory.kinds import Quantity
from bluezone.directory.models import AdminUnit, Denominator
from bluezone.rollout.coverage.expected.yields import Answers, Place
from bluezone.rollout.coverage.indicators import DoorCounts, answers_by_unit

_Count = TypeVar("_Count")
# Four weeks of answers: enough that no single day decides, and recent enough that they still apply.
ANSWER_DAYS = 28


def sum_by_unit(
    top: AdminUnit, units: Iterable[AdminUnit], counts: Mapping[int, list[_Count]]
) -> defaultdict[int, list[_Count]]:
    """For each of `units`, the counts of the unit itself and of all units under it, by primary key.

    counts: by primary key of the unit; those outside `units` and `top` are left out. One query if there are counts of
    lower units.
    """
    own = {unit.pk: unit for unit in units}
    by_unit: defaultdict[int, list[_Count]] = defaultdict(list)
    lower = [pk for pk in counts if pk not in own and pk != top.pk]
    above = _units_above(top, own, lower) if lower else {}
    for pk, entries in counts.items():
        key = pk if pk in own else above.get(pk)
        if key is not None:
            by_unit[key].extend(entries)
    return by_unit


def _units_above(top: AdminUnit, own: Mapping[int, AdminUnit], lower: Iterable[int]) -> dict[int, int]:
    """For each lower unit under `top`, which of `own` it is under, by primary key."""
    above = {}
    paths = AdminUnit.objects.filter(pk__in=lower, path__startswith=top.path).values_list("pk", "path")
    for pk, path in paths:
        for key, unit in own.items():
            if path.startswith(unit.path):
                above[pk] = key
    return above


def answers_before(top: AdminUnit, units: Iterable[AdminUnit], moment: datetime.datetime) -> dict[int, Answers]:
    """The summed answers of each unit from the ANSWER_DAYS before a moment, if they were received before it."""
    begin = moment - datetime.timedelta(days=ANSWER_DAYS)
    return sum_answers(sum_by_unit(top, units, answers_by_unit(begin, moment, moment)))


def sum_answers(answers: Mapping[int, list[Answers]]) -> dict[int, Answers]:
    """The sum of the answers of each unit."""
    return {pk: sum(entries, Answers()) for pk, entries in answers.items()}


def place_of(
    unit: AdminUnit,
    doors: Iterable[DoorCounts],
    share: float | None,
    answers: Answers | None,
    figures: Mapping[tuple[int, str], Denominator],
) -> Place:
    """The input for the expectation of a unit.

    figures: households and smartphones in the directory, by unit and kind, as `newest_denominators` returns them.
    """
    doors = list(doors)
    households = figures.get((unit.pk, Quantity.HOUSEHOLDS))
    phones = figures.get((unit.pk, Quantity.SMARTPHONES))
    left = None
    if sum(entry.households for entry in doors):
        left = sum(entry.not_visited for entry in doors)
    elif households:
        left = households.value
    phones_per_household = None
    if phones and households and households.value:
        phones_per_household = phones.value / households.value
    return Place(
        key=unit.pk,
        left=left,
        share=share,
        phones=phones_per_household,
        answers=answers or Answers(),
    )
