# SPDX-License-Identifier: Apache-2.0
"""How far the lists and the wards have got, and what the phones last said: backlog, gaps in their numbering, phones
that are silent.

Lists of doors (turfs): cut, leased to phones, and how far they have got.

What house visits bring into coverage: doors visited, and phones seen or said to run; none of it is proven running.

A canvasser who saw the screen attests; a household that says so reports of itself; they are two columns, never added.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Least, TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.devices.models import Device
from bluezone.directory.models import AdminUnit
from bluezone.rollout.canvass.households.facts import REACHED, Outcome
from bluezone.rollout.canvass.models import (
    Aside,
    DoorsDay,
    DuplicatePair,
    Entry,
    Household,
    Lease,
    PhoneRun,
    Turf,
    Visit,
)
from bluezone.rollout.canvass.visits.script import offer_label
from bluezone.rollout.coverage.api import (
    DoorCounts,
    Figure,
    Indicator,
    Interval,
    Proof,
    read_once,
    suppressed_sums,
    wilson_interval,
)
from bluezone.rollout.report_week import Week


def doors_by_unit(now: datetime.datetime) -> dict[int, DoorCounts]:
    """Primary key of each ward or commune that has doors -> how far it is at `now`; one query, nothing of training."""
    return counted(Household.everything.filter(training=False), now)


def counted(households: QuerySet[Household], now: datetime.datetime) -> dict[int, DoorCounts]:
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
        row["unit"]: DoorCounts(
            row["households"],
            row["visited"],
            row["again"],
            timezone.localdate(row["last"]) if row["last"] else None,
        )
        for row in rows
    }


@dataclass(frozen=True)
class WithoutPhone:
    """Households without a smartphone, and to how many of them each thing was offered, by its name."""

    households: int
    offered: list[tuple[str, int]]


def without_phone(wards: Iterable[AdminUnit]) -> WithoutPhone:
    """People without a smartphone in these wards; one query. Exact: for the ward itself alone."""
    found: defaultdict[str, set[object]] = defaultdict(set)
    doors = set()
    visits = Visit.objects.filter(household__unit__in=list(wards), outcome=Outcome.NO_SMARTPHONE).order_by()
    for household, offered in visits.values_list("household", "offered"):
        doors.add(household)
        for key in offered:
            found[key].add(household)
    return WithoutPhone(len(doors), [(offer_label(key), len(those)) for key, those in sorted(found.items())])


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


def doors_of() -> dict[int, DoorCounts]:
    """Ward -> how far it is, in the mode the browser is in."""
    return counted(Household.objects.all(), timezone.now())


@dataclass(frozen=True)
class DoorsShown:
    """How far a ward is, as one reader may see it; None where a number is kept back."""

    households: int | None
    visited: int | None
    left: int | None
    revisit: int | None


def shown_to(doors: DoorCounts, *, is_own: bool) -> DoorsShown:
    """Exact to the ward itself; to everybody else without numbers under 5 or what would give one of them away."""
    values = {"households": doors.households, "visited": doors.visited, "left": doors.not_visited,
              "revisit": doors.revisit, "never": doors.not_visited - doors.revisit}  # fmt: skip
    parts = {"households": ("visited", "left"), "left": ("revisit", "never")}
    hidden = set() if is_own else suppressed_sums(parts, values, "households")
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


def week_bounds(week: Week) -> tuple[datetime.datetime, datetime.datetime]:
    """The moments between which a week lies in the city's zone; the second is the first no longer in it."""
    zone = timezone.get_default_timezone()
    assert isinstance(zone, ZoneInfo)
    first = datetime.datetime.combine(week.first_day, datetime.time(), zone)
    return first, datetime.datetime.combine(week.last_day + datetime.timedelta(days=1), datetime.time(), zone)


class _OfDoors(Indicator):
    """What these indicators have in common: the rows behind their numbers."""

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The house visits of the unit."""
        return f"{reverse('canvass')}?{urlencode({'unit': unit_id})}"


class DoorsVisited(_OfDoors):
    """Households visited by the end of a week / households in the lists of the ward."""

    key = "doors-visited"
    proof = Proof.ATTESTED
    name = gettext_lazy("households visited, as reported by canvassers")
    base_name = gettext_lazy("households in the lists")

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each ward: of its doors, how many were reached by the week's end; two queries."""
        _begin, end = week_bounds(week)
        real = Household.everything.filter(training=False, arriving=None)
        doors = real.filter(merged_into=None, made_at__lt=end).order_by()
        every = dict(doors.values_list("unit__path").annotate(Count("pk")))
        first = Visit.everything.filter(training=False, outcome__in=REACHED, at__lt=end).order_by()
        reached = dict(first.values_list("household__unit__path").annotate(Count("household", distinct=True)))
        source = _("lists of households of the ward")
        day = min(week.last_day, timezone.localdate())
        return [Figure(path, None, min(reached.get(path, 0), base), base, source, day) for path, base in every.items()]


def _phones_of(week: Week) -> list[tuple[str, datetime.date, int, int, int]]:
    """Phones at the doors of a week by unit path and day: seen running, told to run, all; two queries."""
    begin, end = week_bounds(week)
    visits = Visit.everything.filter(training=False, at__gte=begin, at__lt=end, phones__gt=0).order_by()
    rows = visits.annotate(
        day=TruncDate("at"), capped_seen=Least(F("seen"), F("phones")), capped_told=Least(F("told"), F("phones"))
    ).values_list("household__unit__path", "day")
    kept = DoorsDay.objects.filter(day__range=(week.first_day, week.last_day), phones__gt=0)
    return [
        *rows.annotate(Sum("capped_seen"), Sum("capped_told"), Sum("phones")),
        *kept.values_list("unit__path", "day", "seen", "told", "phones"),
    ]


class _Phones(_OfDoors):
    """Phones of the households at which somebody was spoken to in a week."""

    base_name = gettext_lazy("smartphones in the households spoken to")
    of_phones = True
    column: ClassVar[str]

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each ward and day; two queries, once for both classes of proof."""
        sums: defaultdict[tuple[str, datetime.date], list[int]] = defaultdict(lambda: [0, 0])
        for path, day, seen, told, base in read_once(("phones at doors", week), lambda: _phones_of(week)):
            sums[path, day][0] += seen if self.column == "seen" else told
            sums[path, day][1] += base
        source = _("counted at the doors")
        return [Figure(path, None, min(count, base), base, source, day) for (path, day), (count, base) in sums.items()]

    def interval(self, figures: Sequence[Figure]) -> Interval | None:
        """Wilson's: the households that somebody was spoken to are a sample of the ward's."""
        return wilson_interval(sum(figure.count for figure in figures), sum(figure.base for figure in figures))


class SeenAtDoors(_Phones):
    """Phones whose screen the canvasser saw running."""

    key = "doors-seen"
    proof = Proof.ATTESTED
    name = gettext_lazy("running on the screen that the canvasser saw")
    column = "seen"


class ToldAtDoors(_Phones):
    """Phones that run by the household's word."""

    key = "doors-told"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("running, as reported by the household")
    column = "told"
