# SPDX-License-Identifier: Apache-2.0
"""Reading the directory, for its pages and other apps; every function runs a constant number of queries."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Max, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from bluezone.directory import scopes
from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency, AgencySuccession, Denominator, RecipientGroup
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.models import User
from bluezone.identity.roles import ROLES

DAY = datetime.timedelta(days=1)


@dataclass
class Branch:
    """A unit in the tree, the branches below it, and its number of residential groups."""

    unit: AdminUnit
    branches: list["Branch"] = field(default_factory=list)
    groups: int = 0


def units_under(unit: AdminUnit, day: datetime.date) -> QuerySet[AdminUnit]:
    """The unit and everything below it that is valid on `day`."""
    return AdminUnit.objects.valid_on(day).below(unit.path)


def agencies_under(top: Agency | AdminUnit, day: datetime.date) -> QuerySet[Agency]:
    """Agencies valid on `day`: `top` and those that answer to it, or those that serve a unit and its parts."""
    agencies = Agency.objects.valid_on(day)
    if isinstance(top, AdminUnit):
        return agencies.filter(unit__path__startswith=top.path)
    return agencies.below(top.path)


def members_of(group: RecipientGroup, day: datetime.date) -> QuerySet[Agency]:
    """The agencies of a group on `day`: its members, and the successors of those that have ended."""
    valid = add_successors(group.agencies.values_list("pk", flat=True), successors_by(day))
    return Agency.objects.valid_on(day).filter(pk__in=valid).select_related("unit")


def unit_tree(day: datetime.date) -> list[Branch]:
    """Units valid on `day` down to ward and commune, widest first, with the number of residential groups."""
    branches: dict[int, Branch] = {}
    roots: list[Branch] = []
    groups: defaultdict[int, int] = defaultdict(int)
    rank = {kind: place for place, kind in enumerate(UnitKind.values)}
    units = AdminUnit.objects.valid_on(day).only(
        "name", "code", "kind", "parent_id", "valid_from", "valid_to", "confirmed"
    )
    for unit in sorted(units, key=lambda unit: (rank[unit.kind], unit.code or "", unit.name)):
        if unit.kind == UnitKind.GROUP and unit.parent_id is not None:
            groups[unit.parent_id] += 1
            continue
        branch = Branch(unit)
        branches[unit.pk] = branch
        above = branches.get(unit.parent_id or 0)
        if above is None:
            roots.append(branch)
        else:
            above.branches.append(branch)
    for pk, count in groups.items():
        if pk in branches:
            branches[pk].groups = count
    return roots


def latest_figures(holder: AdminUnit | Agency, day: datetime.date | None = None) -> list[Denominator]:
    """The newest figure of each kind that was true by `day` (None: on any day)."""
    figures = holder.denominators.all() if day is None else holder.denominators.filter(as_of__lte=day)
    newest: dict[str, Denominator] = {}
    for figure in figures.order_by("kind", "-as_of"):
        newest.setdefault(figure.kind, figure)
    return list(newest.values())


def change_days() -> list[datetime.date]:
    """Days on which units began or ended, newest first: the days on which the tree changes."""
    began = AdminUnit.objects.exclude(valid_from=None).order_by().values_list("valid_from", flat=True)
    ended = AdminUnit.objects.exclude(valid_to=None).order_by().values_list("valid_to", flat=True)
    return sorted({day for day in began.union(ended) if day}, reverse=True)


def day_to_show(model: type[AdminUnit] | type[Agency], today: datetime.date) -> datetime.date:
    """Today, or the last day with a valid row if today has none."""
    if model.objects.valid_on(today).exists():
        return today
    last = model.objects.aggregate(last=Max("valid_to"))["last"]
    return last - DAY if last else today


def day_within(entry: AdminUnit | Agency, today: datetime.date) -> datetime.date:
    """Today, or the nearest day on which `entry` is valid."""
    if entry.valid_to is not None and entry.valid_to <= today:
        return entry.valid_to - DAY
    if entry.valid_from is not None:
        return max(today, entry.valid_from)
    return today


def successors_by(day: datetime.date) -> dict[int, list[int]]:
    """For each agency that had ended by `day`: its primary key, and those of its successors."""
    heirs: dict[int, list[int]] = {}
    successions = AgencySuccession.objects.filter(day__lte=day).order_by("pk")
    for ended, successor in successions.values_list("ended_id", "successor_id"):
        heirs.setdefault(ended, []).append(successor)
    return heirs


def add_successors(agency_ids: Iterable[int], heirs: Mapping[int, list[int]]) -> set[int]:
    """Primary keys of the agencies and of all their successors, direct and indirect (`successors_by`)."""
    reached: set[int] = set()
    waiting = set(agency_ids)
    while waiting:
        pk = waiting.pop()
        reached.add(pk)
        waiting.update(heir for heir in heirs.get(pk, ()) if heir not in reached)
    return reached


def search(user: User, words: str) -> list[Hit]:
    """Agencies and units valid today, which everybody signed in may read."""
    if not scopes.grants_for(user, ROLES):
        return []
    today = timezone.localdate()
    agencies = Agency.objects.valid_on(day_to_show(Agency, today)).matching(words)
    units = AdminUnit.objects.valid_on(day_to_show(AdminUnit, today)).matching(words).exclude(kind=UnitKind.GROUP)
    hits = [
        Hit(_("Agency"), row.name, reverse("agency", args=[row.pk]), row.unit.name)
        for row in agencies.select_related("unit").order_by("name", "pk")[:MOST_HITS]
    ]
    return hits + [
        Hit(_("Unit"), row.name, reverse("unit", args=[row.pk]), row.get_kind_display())
        for row in units.order_by("path")[:MOST_HITS]
    ]
