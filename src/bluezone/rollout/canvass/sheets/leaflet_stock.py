# SPDX-License-Identifier: Apache-2.0
"""Leaflets from the printer to the ward, to the residential group, to the door: booked, never guessed.

What was left at doors is counted from visits by the lot printed on each leaflet (docs/texts.md section 6, "lô").
"""

import datetime
from collections import defaultdict
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import QuerySet, Sum

from bluezone.audit import hash_chain
from bluezone.directory.models import AdminUnit
from bluezone.refusal import Refused
from bluezone.rollout.canvass.models import LeafletMove, Visit

MOST = 1_000_000


class LeafletsMissing(Refused):
    """More leaflets would go on than there are at the step before; nothing was booked. left: how many there are."""

    code = "leaflets_missing"

    def __init__(self, message: str, left: int) -> None:
        super().__init__(message)
        self.left = left


@dataclass
class LotAtWard:
    """A lot at one ward: what came, what went on to its groups, what was left at doors, as visits say."""

    lot: str
    unit: AdminUnit
    received: int = 0
    groups: dict[str, int] = field(default_factory=dict)
    at_doors: int = 0

    @property
    def in_store(self) -> int:
        """What lies at the ward."""
        return self.received - sum(self.groups.values())

    @property
    def with_groups(self) -> int:
        """What the groups have left; below nothing, where more was left at doors than was booked to them."""
        return sum(self.groups.values()) - self.at_doors


def move(
    actor: str, kind: str, lot: str, count: int, now: datetime.datetime, unit: AdminUnit | None = None, group: str = ""
) -> LeafletMove:
    """Book leaflets one step on. count: sheets; below 0 takes a booking back. Raises LeafletsMissing."""
    with transaction.atomic():
        if kind != LeafletMove.Kind.PRINTED:
            before = LeafletMove.Kind.PRINTED if kind == LeafletMove.Kind.WARD else LeafletMove.Kind.WARD
            there = LeafletMove.objects.filter(lot=lot, kind=before)
            gone = LeafletMove.objects.filter(lot=lot, kind=kind)
            if kind == LeafletMove.Kind.GROUP:
                there, gone = there.filter(unit=unit), gone.filter(unit=unit)
            left = _sum(there) - _sum(gone)
            if count > left:
                raise LeafletsMissing(f"{count} leaflets of the lot, but {left} are at the step before", left)
        made = LeafletMove.objects.create(
            kind=kind, lot=lot, unit=unit, group=group, count=count, by=actor, made_at=now
        )
        hash_chain.record(actor, "leaflets_moved", str(made.pk), kind=kind, count=count)
    return made


def at_wards(wards: list[AdminUnit]) -> list[LotAtWard]:
    """Every lot at each of the wards, newest booking first; two queries."""
    found: dict[tuple[str, int | None], LotAtWard] = {}
    by_pk: dict[int | None, AdminUnit] = {ward.pk: ward for ward in wards}
    for one in LeafletMove.objects.filter(unit__in=wards).exclude(kind=LeafletMove.Kind.PRINTED):
        row = found.setdefault((one.lot, one.unit_id), LotAtWard(one.lot, by_pk[one.unit_id]))
        if one.kind == LeafletMove.Kind.WARD:
            row.received += one.count
        else:
            row.groups[one.group] = row.groups.get(one.group, 0) + one.count
    left = Visit.objects.filter(household__unit__in=wards, leaflets__gt=0).order_by()
    for lot, unit, count in left.values_list("leaflet_lot", "household__unit").annotate(Sum("leaflets")):
        found.setdefault((lot, unit), LotAtWard(lot, by_pk[unit])).at_doors += count
    return list(found.values())


def printed() -> list[tuple[str, int, int]]:
    """Each lot: printed, and of it gone to wards; one query."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for lot, kind, count in LeafletMove.objects.order_by().values_list("lot", "kind").annotate(Sum("count")):
        if kind != LeafletMove.Kind.GROUP:
            sums[lot][kind == LeafletMove.Kind.WARD] += count
    return [(lot, made, gone) for lot, (made, gone) in sorted(sums.items())]


def _sum(moves: QuerySet[LeafletMove]) -> int:
    return moves.aggregate(all=Sum("count"))["all"] or 0
