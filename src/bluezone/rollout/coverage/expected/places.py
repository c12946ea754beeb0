# SPDX-License-Identifier: Apache-2.0
"""What the office has counted of each unit, put together for what an hour of a team may bring there."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from bluezone.directory.kinds import Quantity
from bluezone.directory.models import AdminUnit, Denominator
from bluezone.rollout.coverage.expected.yields import Answers, Place
from bluezone.rollout.coverage.indicators import Doors, answers_by_unit

_Found = TypeVar("_Found")
# Answers of four weeks: one good or bad Saturday decides nothing, and what is older was another time.
ANSWER_DAYS = 28


def under(
    top: AdminUnit, units: Iterable[AdminUnit], found: Mapping[int, list[_Found]]
) -> defaultdict[int, list[_Found]]:
    """What was found of each unit and of those under it; one query where something was found deeper down."""
    own = {unit.pk: unit for unit in units}
    by_unit: defaultdict[int, list[_Found]] = defaultdict(list)
    deeper = [pk for pk in found if pk not in own and pk != top.pk]
    paths = AdminUnit.objects.filter(pk__in=deeper, path__startswith=top.path).values_list("pk", "path")
    above = {
        pk: key for pk, path in (paths if deeper else ()) for key, unit in own.items() if path.startswith(unit.path)
    }
    for pk, ones in found.items():
        key = pk if pk in own else above.get(pk)
        if key is not None:
            by_unit[key].extend(ones)
    return by_unit


def answers_before(top: AdminUnit, units: Iterable[AdminUnit], moment: datetime.datetime) -> dict[int, Answers]:
    """The answers of each unit in the days before a moment, as far as they had arrived by then."""
    begin = moment - datetime.timedelta(days=ANSWER_DAYS)
    return summed(under(top, units, answers_by_unit(begin, moment, moment)))


def summed(said: Mapping[int, list[Answers]]) -> dict[int, Answers]:
    """The answers of each unit added up."""
    return {pk: sum(ones, Answers()) for pk, ones in said.items()}


def place_of(
    unit: AdminUnit,
    doors: Iterable[Doors],
    share: float | None,
    answers: Answers | None,
    figures: Mapping[tuple[int, str], Denominator],
) -> Place:
    """What is known of a unit. figures: households and smartphones of the directory."""
    doors = list(doors)
    households, phones = (figures.get((unit.pk, kind)) for kind in (Quantity.HOUSEHOLDS, Quantity.SMARTPHONES))
    listed = sum(one.households for one in doors)
    return Place(
        key=unit.pk,
        left=sum(one.left for one in doors) if listed else (households.value if households else None),
        share=share,
        phones=phones.value / households.value if phones and households and households.value else None,
        answers=answers or Answers(),
    )
