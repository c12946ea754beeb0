# SPDX-License-Identifier: Apache-2.0
"""How far the lists and the wards have got, and what the phones last said: backlog, gaps in their numbering, phones
that are silent.

Lists of doors (turfs): cut, leased to phones, and how far they have got.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit
from bluezone.rollout.canvass.households.facts import Outcome
from bluezone.rollout.canvass.models import Aside, DuplicatePair, Entry, Household, Lease, PhoneRun, Turf
from bluezone.rollout.coverage.api import Doors, hidden_cells


def doors_by_unit(now: datetime.datetime) -> dict[int, Doors]:
    """Primary key of each ward or commune that has doors -> how far it is at `now`; one query, nothing of training."""
    return counted(Household.everything.filter(training=False), now)


def counted(households: QuerySet[Household], now: datetime.datetime) -> dict[int, Doors]:
    """The same of these households."""

    known = Q(reached_at__isnull=False, reached_at__lte=now)
    again = Q(reached_at__isnull=True) & (~Q(revisit="") | Q(last_outcome__in=[Outcome.NOT_HOME, Outcome.LOCKED]))
    rows = (
        households.filter(merged_into=None, arriving=None, made_at__lte=now)
        .order_by()
        .values("unit")
        .annotate(
            households=Count("pk"),
            visited=Count("pk", filter=known),
            again=Count("pk", filter=again),
            last=Max("last_at", filter=Q(last_at__lte=now)),
        )
    )
    return {
        row["unit"]: Doors(
            row["households"],
            row["visited"],
            row["again"],
            timezone.localdate(row["last"]) if row["last"] else None,
        )
        for row in rows
    }


GAPS_SHOWN = 20


@dataclass(frozen=True)
class PhoneRow:
    """A phone as the ward sees it.

    waiting: entries it still held after its last call. missing: numbers that came neither before nor after others that
    did; they may be lost, and nothing after them is taken back for it.
    """

    device: Device
    leases: list[Lease]
    run: PhoneRun | None
    missing: list[int]

    @property
    def more_missing(self) -> int:
        """How many gaps are not listed."""
        return max(0, len(self.missing) - GAPS_SHOWN)

    @property
    def first_missing(self) -> list[int]:
        """The gaps that are listed."""
        return self.missing[:GAPS_SHOWN]


@dataclass(frozen=True)
class Desk:
    """How much waits for somebody at the ward."""

    disputed: int
    incomplete: int
    pairs: int
    asides: int


def turfs_with_progress(wards: Iterable[AdminUnit]) -> QuerySet[Turf]:
    """Lists with `all`, `reached` and `again`: doors, visited, and to be visited again; whether a phone has them."""
    ours = Q(places__household__merged_into=None)
    reached = ours & Q(places__household__reached_at__isnull=False)
    again = ours & Q(places__household__reached_at=None) & ~Q(places__household__last_outcome="")
    return (
        Turf.objects.filter(unit__in=list(wards))
        .select_related("unit")
        .annotate(
            all=Count("places", filter=ours),
            reached=Count("places", filter=reached),
            again=Count("places", filter=again),
            is_leased=Exists(Lease.objects.filter(turf=OuterRef("pk"), ended_at=None)),
        )
        .order_by("closed_at", "unit__path", "name", "pk")
    )


def doors_of() -> dict[int, Doors]:
    """Ward -> how far it is, in the mode the browser is in."""
    return counted(Household.objects.all(), timezone.now())


@dataclass(frozen=True)
class DoorsShown:
    """How far a ward is, as one reader may see it; None where a number is kept back."""

    households: int | None
    visited: int | None
    left: int | None
    revisit: int | None


def shown_to(doors: Doors, *, is_own: bool) -> DoorsShown:
    """Exact to the ward itself; to everybody else without numbers under 5 or what would give one of them away."""
    values = {"households": doors.households, "visited": doors.visited, "left": doors.left,
              "revisit": doors.revisit, "never": doors.left - doors.revisit}  # fmt: skip
    parts = {"households": ("visited", "left"), "left": ("revisit", "never")}
    hidden = set() if is_own else hidden_cells(parts, values, "households")
    return DoorsShown(
        *(None if name in hidden else values[name] for name in ("households", "visited", "left", "revisit"))
    )


def phone_rows(devices: Iterable[Device], now: datetime.datetime) -> list[PhoneRow]:
    """Phones with their lists in force, newest run and gaps; three queries."""
    devices = list(devices)
    leases: defaultdict[int, list[Lease]] = defaultdict(list)
    for lease in Lease.objects.filter(device__in=devices, ended_at=None, until__gt=now).select_related("turf"):
        leases[lease.device_id].append(lease)
    runs: dict[int, PhoneRun] = {}
    for run in PhoneRun.objects.filter(device__in=devices).order_by("synced_at"):
        runs[run.device_id] = run
    came: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    numbers = Entry.objects.filter(device__in=devices, run__in={run.run for run in runs.values()})
    for device, name, number in numbers.values_list("device_id", "run", "number"):
        came[device, name].add(number)
    return [
        PhoneRow(device, leases[device.pk], runs.get(device.pk), _gaps(came, runs.get(device.pk))) for device in devices
    ]


def _gaps(came: dict[tuple[int, str], set[int]], run: PhoneRun | None) -> list[int]:
    if run is None:
        return []
    numbers = came.get((run.device_id, run.run), set())
    return [number for number in range(1, max(numbers, default=0)) if number not in numbers]


def desk_of(wards: Iterable[AdminUnit]) -> Desk:
    """What waits at the desk of these wards; four queries."""
    wards = list(wards)
    doors = Household.objects.filter(unit__in=wards, merged_into=None)
    return Desk(
        doors.filter(is_disputed=True).count(),
        doors.filter(is_incomplete=True).count(),
        DuplicatePair.objects.filter(first__unit__in=wards, state=DuplicatePair.State.OPEN).count(),
        Aside.objects.filter(unit__in=wards, state=Aside.State.OPEN).count(),
    )
