# SPDX-License-Identifier: Apache-2.0
"""Make the airings of the coming days from the schedules, with who plays first where airings of one outlet would
overlap; here the loudspeakers plug in, which are told when the plan changed.
"""

import bisect
import datetime
import enum
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from bluezone.audit.hash_chain import record
from bluezone.directory.models import AdminUnit, Agency
from bluezone.refusal import Refused
from bluezone.rollout.bulletins.models import Airing, Bulletin, Outlet, OutletKind, Schedule, Script
from bluezone.training import practising

MOST_DELAY_SECONDS = 900.0
# Between two bulletins, so that one does not run into the next.
GAP_SECONDS = 2.0
_LONGEST_SECONDS = 3600.0


class Importance(enum.IntEnum):
    """The classes of Circular 39/2020, strongest first."""

    EMERGENCY = 0
    PRIORITY = 1
    NORMAL = 2


class Displaced(enum.StrEnum):
    """Why an airing has no time."""

    NOT = ""
    CLASH = "clash"
    QUIET = "quiet"


@dataclass(frozen=True)
class Slot:
    """An airing that wants a time. due: Unix seconds. rank: the commune's order within a class, lower first.

    key: unique on its outlet; decides last, so that the same plan always comes out.
    """

    key: str
    due: float
    seconds: float
    importance: Importance
    rank: int = 0


@dataclass(frozen=True)
class Place:
    """What became of a slot: start in Unix seconds, None when displaced, and why."""

    start: float | None
    why: Displaced = Displaced.NOT


Span = tuple[float, float]


def arrange(
    slots: Iterable[Slot], quiet: Sequence[Span] = (), taken: Iterable[tuple[Span, Importance]] = ()
) -> dict[str, Place]:
    """Give each slot of one outlet a time at which nothing else plays.

    quiet: [from, to) in which only emergencies play. taken: what is playing already, with its class; it stays, and only
    an emergency does not wait for it unless it is one itself.
    """
    playing = list(taken)
    urgent = sorted(span for span, importance in playing if importance == Importance.EMERGENCY)
    busy = sorted(span for span, _importance in playing)
    places: dict[str, Place] = {}
    for slot in sorted(slots, key=lambda one: (one.importance, one.rank, one.due, one.key)):
        is_urgent = slot.importance == Importance.EMERGENCY
        place = _placed(slot, urgent if is_urgent else busy, quiet)
        places[slot.key] = place
        if place.start is not None:
            span = (place.start, place.start + slot.seconds + GAP_SECONDS)
            bisect.insort(busy, span)
            if is_urgent:
                bisect.insort(urgent, span)
    return places


def _placed(slot: Slot, busy: list[Span], quiet: Sequence[Span]) -> Place:
    emergency = slot.importance == Importance.EMERGENCY
    if not emergency and _within(slot.due, slot.seconds, quiet):
        return Place(None, Displaced.QUIET)
    start = _free(slot.due, slot.seconds, busy)
    if emergency:
        return Place(start)
    if start - slot.due > MOST_DELAY_SECONDS:
        return Place(None, Displaced.CLASH)
    if _within(start, slot.seconds, quiet):
        return Place(None, Displaced.QUIET)
    return Place(start)


def _free(due: float, seconds: float, busy: list[Span]) -> float:
    """The first moment from `due` on at which `seconds` and the gap fit."""
    start = due
    # An emergency may lie over what it interrupts, so a span further back can end later; none lasts an hour.
    at = bisect.bisect_left(busy, (due - _LONGEST_SECONDS, 0.0))
    for begins, ends in busy[at:]:
        if start + seconds + GAP_SECONDS <= begins:
            break
        start = max(start, ends)
    return start


def _within(start: float, seconds: float, spans: Sequence[Span]) -> bool:
    return any(start < ends and begins < start + seconds for begins, ends in spans)


@dataclass(frozen=True)
class Proven:
    """What the machines of one outlet said of one airing; a machine counts in one of them.

    machines: that were to play it. played: began within a minute of its time. late: began after that.
    preempted: cut short by an emergency and not resumed. missed: could not. unheard: played without a sound card.
    broken_off: cut off by a kill or a power cut in the middle; broken_seconds: the most that was heard of it.
    silent: have not said anything. again: of those that aired it, how many began anew after they were cut off.
    parts: of a relay, at the machine where the station was heard least: kind, Unix seconds of the beginning, seconds.
    in_street, not_in_street, street_unknown: what the microphones of those machines that have one say, which is another
    proof and adds to none of the others.
    Of an emergency with_tone and on_second: those that aired it with the tone before it, and on a second channel too.
    """

    machines: int = 0
    played: int = 0
    late: int = 0
    preempted: int = 0
    missed: int = 0
    unheard: int = 0
    broken_off: int = 0
    broken_seconds: float = 0.0
    again: int = 0
    with_tone: int = 0
    on_second: int = 0
    parts: tuple[tuple[str, float, float], ...] = ()
    in_street: int = 0
    not_in_street: int = 0
    street_unknown: int = 0

    @property
    def silent(self) -> int:
        """Machines that have not reported."""
        told = self.played + self.late + self.preempted + self.missed + self.unheard + self.broken_off
        return max(0, self.machines - told)

    @property
    def aired(self) -> int:
        """Machines that aired the whole of it, in time or late."""
        return self.played + self.late


Reader = Callable[[Iterable[int]], dict[int, Proven]]
_listeners: list[Callable[[], None]] = []
_readers: list[Reader] = []


def when_plan_changes(listener: Callable[[], None]) -> None:
    """Call `listener` in the transaction of every change of the plan."""
    _listeners.append(listener)


def announce_plan_change() -> None:
    """Tell whoever hands the plan out."""
    for listener in _listeners:
        listener()


def read_proven_with(reader: Reader) -> None:
    """Ask `reader` what was proven: primary keys of airings -> what machines said, for those that have machines.

    Left out where a person said what became of an airing and no machine said anything: it counts as attested alone.
    """
    _readers.append(reader)


def proven(airings: Iterable[int]) -> dict[int, Proven]:
    """What machines proved of some airings, by primary key; nothing for those without machines."""
    keys = list(airings)
    found: dict[int, Proven] = {}
    for reader in _readers:
        found.update(reader(keys))
    return found


HORIZON = datetime.timedelta(days=8)
# How long an emergency that was ordered is still worth beginning.
EMERGENCY_LIFE = datetime.timedelta(minutes=10)
# How far back something may still be playing, or have a language that is still to come.
_STILL_PLAYING = datetime.timedelta(hours=1)
# Read aloud at about this pace where there is no sound yet.
_SECONDS_A_WORD = 0.4
_AT_ONCE = 1000
_EMERGENCIES_KEPT = 10
_FIELDS = ("script_id", "sound_id", "starts_at", "seconds", "displaced", "importance")
_COLUMNS = ("key", "schedule_id", "outlet_id", "language", "due_at", *_FIELDS, "training")
_RANKS = {
    "emergency": Importance.EMERGENCY,
    "priority": Importance.PRIORITY,
    "normal": Importance.NORMAL,
}


@dataclass(slots=True)
class _Wanted:
    """An airing as the schedules want it; a row of Airing without the cost of a model."""

    key: str
    schedule_id: int
    outlet_id: int
    script_id: int
    sound_id: int | None
    language: str
    importance: str
    rank: int
    due_at: datetime.datetime
    starts_at: datetime.datetime | None
    seconds: float
    displaced: str = ""


def plan_ahead(now: datetime.datetime, outlets: Iterable[int] | None = None) -> int:
    """Plan every airing that falls due from now on until HORIZON; how many there are.

    outlets: primary keys of those that are planned anew, all by default.
    """
    zone = ZoneInfo(timezone.get_default_timezone_name())
    chosen = {outlet.pk: outlet for outlet in _open_outlets(outlets)}
    with transaction.atomic():
        wanted = {airing.key: airing for airing in _wanted(chosen, now, zone)}
        _give_times(wanted.values(), chosen, now, zone)
        if _store(wanted, chosen, now):
            announce_plan_change()
    return len(wanted)


def airing_key(schedule: int, outlet: int, language: str, due: datetime.datetime) -> str:
    """The name of an airing that outlives every planning."""
    return f"{schedule}-{outlet}-{language}-{int(due.timestamp())}"


def quiet_spans(outlet: Outlet, first: datetime.date, last: datetime.date, zone: ZoneInfo) -> list[Span]:
    """Unix seconds between which only emergencies are aired, from the local day before `first` to `last`."""
    if outlet.quiet_from == outlet.quiet_to:
        return []
    spans = []
    day = first - datetime.timedelta(days=1)
    while day <= last:
        until = day if outlet.quiet_to > outlet.quiet_from else day + datetime.timedelta(days=1)
        begins = datetime.datetime.combine(day, outlet.quiet_from, zone)
        spans.append((begins.timestamp(), datetime.datetime.combine(until, outlet.quiet_to, zone).timestamp()))
        day += datetime.timedelta(days=1)
    return spans


def seconds_of(script: Script) -> float:
    """How long a text takes: its sound, or a reader's pace; or the station that is relayed in its place."""
    if script.bulletin.relay:
        return script.bulletin.relay_minutes * 60.0
    return script.sound.seconds if script.sound else max(1.0, _SECONDS_A_WORD * len(script.text.split()))


def approved_scripts(bulletins: Iterable[int]) -> dict[tuple[int, str], Script]:
    """The newest approved version of each bulletin and language."""
    found = Script.objects.filter(bulletin__in=list(bulletins), approved_at__isnull=False).order_by("number")
    found = found.select_related("bulletin", "machine", "recording").defer("machine__content", "recording__content")
    return {(script.bulletin_id, script.language): script for script in found}


def emergency_sounds() -> list[str]:
    """SHA-256 of the sounds of approved emergency bulletins, newest first, for machines to hold in case."""
    bulletins = Bulletin.objects.filter(importance="emergency", withdrawn_at=None).order_by("-pk")[:_EMERGENCIES_KEPT]
    scripts = approved_scripts([one.pk for one in bulletins])
    return [script.sound.sha256 for script in scripts.values() if script.sound is not None]


def _open_outlets(outlets: Iterable[int] | None) -> Iterable[Outlet]:
    found = Outlet.objects.filter(closed_at__isnull=True)
    return found if outlets is None else found.filter(pk__in=list(outlets))


def _wanted(chosen: dict[int, Outlet], now: datetime.datetime, zone: ZoneInfo) -> Iterator[_Wanted]:
    found = Schedule.objects.filter(stopped_at__isnull=True, bulletin__withdrawn_at__isnull=True)
    found = found.filter(outlets__in=list(chosen)).distinct().select_related("bulletin").prefetch_related("outlets")
    schedules = list(found)
    scripts = approved_scripts({one.bulletin_id for one in schedules})
    for schedule in schedules:
        spoken = [
            scripts[schedule.bulletin_id, one] for one in schedule.languages if (schedule.bulletin_id, one) in scripts
        ]
        if schedule.at_once is not None:
            earliest = now - EMERGENCY_LIFE
            moments = [schedule.at_once] if now - schedule.at_once < _STILL_PLAYING else []
        else:
            earliest = now
            # A moment that has passed may have languages still to come, unless the schedule was not made then.
            since = min(now, max(schedule.made_at, now - _STILL_PLAYING))
            moments = list(schedule.rule.moments(since, now + HORIZON, zone))
        outlets = [one.pk for one in schedule.outlets.all() if one.pk in chosen]
        for moment in moments:
            yield from (one for one in _one_moment(schedule, spoken, outlets, moment) if one.due_at >= earliest)


def _one_moment(
    schedule: Schedule, spoken: list[Script], outlets: list[int], moment: datetime.datetime
) -> Iterator[_Wanted]:
    """One airing for each language and outlet, the languages one after the other."""
    due = moment
    for script in spoken:
        seconds, sound = seconds_of(script), script.sound
        for outlet in outlets:
            yield _Wanted(
                key=airing_key(schedule.pk, outlet, script.language, due),
                schedule_id=schedule.pk,
                rank=schedule.rank,
                outlet_id=outlet,
                script_id=script.pk,
                sound_id=sound.pk if sound else None,
                language=script.language,
                importance=schedule.bulletin.importance,
                due_at=due,
                starts_at=due,
                seconds=seconds,
            )
        due += datetime.timedelta(seconds=round(seconds + GAP_SECONDS + 0.5))


def _give_times(airings: Iterable[_Wanted], chosen: dict[int, Outlet], now: datetime.datetime, zone: ZoneInfo) -> None:
    by_outlet: dict[int, list[_Wanted]] = defaultdict(list)
    for airing in airings:
        by_outlet[airing.outlet_id].append(airing)
    first, last = now.astimezone(zone).date(), (now + HORIZON).astimezone(zone).date()
    playing = Airing.objects.filter(outlet__in=list(by_outlet), due_at__lt=now, starts_at__gt=now - _STILL_PLAYING)
    taken: dict[int, list[tuple[Span, Importance]]] = defaultdict(list)
    rows = playing.values_list("outlet_id", "key", "starts_at", "seconds", "importance")
    for outlet, key, starts, seconds, importance in rows:
        if starts is not None and all(key != airing.key for airing in by_outlet[outlet]):
            span = (starts.timestamp(), starts.timestamp() + seconds + GAP_SECONDS)
            taken[outlet].append((span, _RANKS[importance]))
    for pk, mine in by_outlet.items():
        slots = [_slot(airing) for airing in mine]
        places = arrange(slots, quiet_spans(chosen[pk], first, last, zone), taken[pk])
        for airing in mine:
            place = places[airing.key]
            airing.displaced = place.why.value
            airing.starts_at = (
                None if place.start is None else datetime.datetime.fromtimestamp(place.start, datetime.UTC)
            )


def _slot(airing: _Wanted) -> Slot:
    rank = _RANKS[airing.importance]
    return Slot(airing.key, airing.due_at.timestamp(), airing.seconds, rank, airing.rank)


def _store(wanted: dict[str, _Wanted], chosen: dict[int, Outlet], now: datetime.datetime) -> int:
    """Bring the rows of the future to what is wanted; how many changed."""
    future = Airing.objects.filter(outlet__in=list(chosen), due_at__gte=now - EMERGENCY_LIFE)
    rows = future.filter(attestation__isnull=True).values_list("key", "pk", "due_at", *_FIELDS)
    known = {row[0]: row[1:] for row in rows}
    gone = [row[0] for key, row in known.items() if key not in wanted and row[1] >= now]
    changed = []
    for key, airing in wanted.items():
        if key in known:
            values = tuple(getattr(airing, name) for name in _FIELDS)
            if values != known[key][2:]:
                changed.append(Airing(pk=known[key][0], **dict(zip(_FIELDS, values, strict=True))))
    attested = set(future.filter(attestation__isnull=False).values_list("key", flat=True))
    new = [airing for key, airing in wanted.items() if key not in known and key not in attested]
    for start in range(0, len(gone), _AT_ONCE):
        Airing.objects.filter(pk__in=gone[start : start + _AT_ONCE]).delete()
    _insert(new)
    Airing.objects.bulk_update(changed, [name.removesuffix("_id") for name in _FIELDS], batch_size=200)
    return len(gone) + len(changed) + len(new)


def _insert(new: list[_Wanted]) -> None:
    """Write new rows; Django's bulk_create would take as long as all the planning."""
    if not new:
        return
    moment = connection.ops.adapt_datetimefield_value
    training = practising()
    values = [
        (
            one.key, one.schedule_id, one.outlet_id, one.language, moment(one.due_at), one.script_id, one.sound_id,
            None if one.starts_at is None else moment(one.starts_at), one.seconds, one.displaced, one.importance,
            training,
        )
        for one in new
    ]  # fmt: skip
    columns, marks = ", ".join(_COLUMNS), ", ".join(["%s"] * len(_COLUMNS))
    statement = f"INSERT INTO {Airing._meta.db_table} ({columns}) VALUES ({marks})"  # noqa: S608 - names are ours
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)


class OutletNameTaken(Refused):
    """The agency has an open outlet of that kind and name; nothing was stored."""

    code = "outlet_name_taken"


def enter(actor: str, kind: OutletKind, name: str, agency: Agency, unit: AdminUnit | None = None) -> Outlet:
    """Enter an outlet. Raises OutletNameTaken. Stations have no quiet hours of their own: they know their programme."""
    with transaction.atomic():
        if Outlet.objects.filter(agency=agency, kind=kind, name=name, closed_at=None).exists():
            raise OutletNameTaken(f"{agency.name} has one named {name}")
        quiet = (
            {} if kind == OutletKind.LOUDSPEAKERS else {"quiet_from": datetime.time(0), "quiet_to": datetime.time(0)}
        )
        outlet = Outlet.objects.create(kind=kind, name=name, agency=agency, unit=unit, **quiet)
        record(actor, "outlet_entered", str(outlet.pk))
    return outlet


def lend(actor: str, outlet: Outlet, agencies: Sequence[Agency]) -> None:
    """Let the bulletins of these agencies in, and no others but one's own; what is planned already stays."""
    with transaction.atomic():
        outlet.lent_to.set(agencies)
        record(actor, "outlet_lent", str(outlet.pk), to=sorted(agency.key for agency in agencies))


def set_quiet(actor: str, outlet: Outlet, since: datetime.time, until: datetime.time, now: datetime.datetime) -> None:
    """Change the quiet hours; what was planned within them gets no time from now on."""
    with transaction.atomic():
        Outlet.objects.filter(pk=outlet.pk).update(quiet_from=since, quiet_to=until)
        record(actor, "outlet_changed", str(outlet.pk), now=now, quiet=f"{since:%H:%M}-{until:%H:%M}")
        plan_ahead(now, [outlet.pk])
