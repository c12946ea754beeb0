# SPDX-License-Identifier: Apache-2.0
"""Plan the airings of the coming days from the schedules. The code of the loudspeakers listens for changes here."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone

from bluezone.rollout.bulletins.air.precedence import GAP_SECONDS, Precedence, Slot, Span, assign_times
from bluezone.rollout.bulletins.models import Airing, Bulletin, Outlet, Schedule, Script
from bluezone.training import practising

_listeners: list[Callable[[], None]] = []


def on_plan_change(listener: Callable[[], None]) -> None:
    """Call `listener` in the transaction of every change of the plan."""
    _listeners.append(listener)


def announce_plan_change() -> None:
    """Call every listener of `on_plan_change`."""
    for listener in _listeners:
        listener()


HORIZON = datetime.timedelta(days=8)
# An emergency that has not started this long after it was ordered is not started any more.
EMERGENCY_LIFE = datetime.timedelta(minutes=10)
# An airing that started less than this ago may still be playing, and further languages of it may still follow.
_STILL_PLAYING = datetime.timedelta(hours=1)
# A reader's pace, for texts without a sound.
_SECONDS_A_WORD = 0.4
_DELETE_BATCH = 1000
_MOST_EMERGENCIES = 10
_FIELDS = ("script_id", "sound_id", "starts_at", "seconds", "displaced", "importance")
_COLUMNS = ("key", "schedule_id", "outlet_id", "language", "due_at", *_FIELDS, "training")
_PRECEDENCES = {
    "emergency": Precedence.EMERGENCY,
    "priority": Precedence.PRIORITY,
    "normal": Precedence.NORMAL,
}


@dataclass(slots=True)
class _PlannedAiring:
    """A planned airing: the values of a row of Airing, without the cost of a model."""

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


def plan_airings(now: datetime.datetime, outlets: Iterable[int] | None = None) -> int:
    """Plan every airing due from now until HORIZON later, and store the plan; returns the number of airings.

    outlets: primary keys of the outlets to plan again; all by default.
    """
    zone = ZoneInfo(timezone.get_default_timezone_name())
    chosen = {outlet.pk: outlet for outlet in _open_outlets(outlets)}
    with transaction.atomic():
        planned = {airing.key: airing for airing in _planned_airings(chosen, now, zone)}
        _assign_times(planned.values(), chosen, now, zone)
        if _store(planned, chosen, now):
            announce_plan_change()
    return len(planned)


def airing_key(schedule: int, outlet: int, language: str, due: datetime.datetime) -> str:
    """The key of an airing; the same each time that the plan is made."""
    return f"{schedule}-{outlet}-{language}-{int(due.timestamp())}"


def quiet_spans(outlet: Outlet, first: datetime.date, last: datetime.date, zone: ZoneInfo) -> list[Span]:
    """The quiet hours of each local day from the day before `first` up to `last`, as [from, to) in Unix seconds."""
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


def script_seconds(script: Script) -> float:
    """The seconds that a text takes: those of its relay, else of its sound, else of reading it at a usual pace."""
    if script.bulletin.relay:
        return script.bulletin.relay_minutes * 60.0
    if script.sound:
        return script.sound.seconds
    return max(1.0, _SECONDS_A_WORD * len(script.text.split()))


def approved_scripts(bulletins: Iterable[int]) -> dict[tuple[int, str], Script]:
    """The newest approved version of each bulletin and language."""
    scripts = Script.objects.filter(bulletin__in=list(bulletins), approved_at__isnull=False).order_by("number")
    scripts = scripts.select_related("bulletin", "machine", "recording").defer("machine__content", "recording__content")
    return {(script.bulletin_id, script.language): script for script in scripts}


def emergency_sounds() -> list[str]:
    """SHA-256 of the sounds of approved emergency bulletins, newest first; machines store these sounds in advance."""
    bulletins = Bulletin.objects.filter(importance="emergency", withdrawn_at=None).order_by("-pk")[:_MOST_EMERGENCIES]
    scripts = approved_scripts([bulletin.pk for bulletin in bulletins])
    return [script.sound.sha256 for script in scripts.values() if script.sound is not None]


def _open_outlets(outlets: Iterable[int] | None) -> Iterable[Outlet]:
    open_outlets = Outlet.objects.filter(closed_at__isnull=True)
    return open_outlets if outlets is None else open_outlets.filter(pk__in=list(outlets))


def _planned_airings(chosen: dict[int, Outlet], now: datetime.datetime, zone: ZoneInfo) -> Iterator[_PlannedAiring]:
    running = Schedule.objects.filter(stopped_at__isnull=True, bulletin__withdrawn_at__isnull=True)
    at_outlets = running.filter(outlets__in=list(chosen)).distinct()
    schedules = list(at_outlets.select_related("bulletin").prefetch_related("outlets"))
    scripts = approved_scripts({schedule.bulletin_id for schedule in schedules})
    for schedule in schedules:
        keys = [(schedule.bulletin_id, language) for language in schedule.languages]
        spoken = [scripts[key] for key in keys if key in scripts]
        if schedule.at_once is not None:
            earliest = now - EMERGENCY_LIFE
            moments = [schedule.at_once] if now - schedule.at_once < _STILL_PLAYING else []
        else:
            earliest = now
            # Further languages of a past moment may still be due, but only if the schedule existed at that moment.
            since = min(now, max(schedule.made_at, now - _STILL_PLAYING))
            moments = list(schedule.rule.moments(since, now + HORIZON, zone))
        outlets = [outlet.pk for outlet in schedule.outlets.all() if outlet.pk in chosen]
        for moment in moments:
            airings = _airings_at(schedule, spoken, outlets, moment)
            yield from (airing for airing in airings if airing.due_at >= earliest)


def _airings_at(
    schedule: Schedule, spoken: list[Script], outlets: list[int], moment: datetime.datetime
) -> Iterator[_PlannedAiring]:
    """One airing for each language and outlet from this moment on, the languages one after the other."""
    due = moment
    for script in spoken:
        seconds = script_seconds(script)
        sound = script.sound
        for outlet in outlets:
            yield _PlannedAiring(
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


def _assign_times(
    airings: Iterable[_PlannedAiring], chosen: dict[int, Outlet], now: datetime.datetime, zone: ZoneInfo
) -> None:
    """Set `starts_at` and `displaced` of each airing, by what else its outlet plays."""
    by_outlet: dict[int, list[_PlannedAiring]] = defaultdict(list)
    for airing in airings:
        by_outlet[airing.outlet_id].append(airing)
    first = now.astimezone(zone).date()
    last = (now + HORIZON).astimezone(zone).date()
    playing = Airing.objects.filter(outlet__in=list(by_outlet), due_at__lt=now, starts_at__gt=now - _STILL_PLAYING)
    taken: dict[int, list[tuple[Span, Precedence]]] = defaultdict(list)
    rows = playing.values_list("outlet_id", "key", "starts_at", "seconds", "importance")
    for outlet, key, starts, seconds, importance in rows:
        if starts is not None and all(key != airing.key for airing in by_outlet[outlet]):
            span = (starts.timestamp(), starts.timestamp() + seconds + GAP_SECONDS)
            taken[outlet].append((span, _PRECEDENCES[importance]))
    for pk, airings_here in by_outlet.items():
        slots = [_slot(airing) for airing in airings_here]
        placements = assign_times(slots, quiet_spans(chosen[pk], first, last, zone), taken[pk])
        for airing in airings_here:
            placement = placements[airing.key]
            airing.displaced = placement.why.value
            airing.starts_at = None
            if placement.start is not None:
                airing.starts_at = datetime.datetime.fromtimestamp(placement.start, datetime.UTC)


def _slot(airing: _PlannedAiring) -> Slot:
    rank = _PRECEDENCES[airing.importance]
    return Slot(airing.key, airing.due_at.timestamp(), airing.seconds, rank, airing.rank)


def _store(planned: dict[str, _PlannedAiring], chosen: dict[int, Outlet], now: datetime.datetime) -> int:
    """Make the stored rows of coming airings equal to the plan; returns how many were deleted, changed or added."""
    future = Airing.objects.filter(outlet__in=list(chosen), due_at__gte=now - EMERGENCY_LIFE)
    rows = future.filter(attestation__isnull=True).values_list("key", "pk", "due_at", *_FIELDS)
    stored = {row[0]: row[1:] for row in rows}
    dropped = [row[0] for key, row in stored.items() if key not in planned and row[1] >= now]
    changed = []
    for key, airing in planned.items():
        if key in stored:
            values = tuple(getattr(airing, name) for name in _FIELDS)
            if values != stored[key][2:]:
                changed.append(Airing(pk=stored[key][0], **dict(zip(_FIELDS, values, strict=True))))
    attested = set(future.filter(attestation__isnull=False).values_list("key", flat=True))
    new = [airing for key, airing in planned.items() if key not in stored and key not in attested]
    for start in range(0, len(dropped), _DELETE_BATCH):
        Airing.objects.filter(pk__in=dropped[start : start + _DELETE_BATCH]).delete()
    _insert(new)
    Airing.objects.bulk_update(changed, [name.removesuffix("_id") for name in _FIELDS], batch_size=200)
    return len(dropped) + len(changed) + len(new)


def _insert(new: list[_PlannedAiring]) -> None:
    """Insert the airings with one statement: Django's bulk_create takes as long as the rest of the planning."""
    if not new:
        return
    adapt = connection.ops.adapt_datetimefield_value
    training = practising()
    values = [
        (
            airing.key,
            airing.schedule_id,
            airing.outlet_id,
            airing.language,
            adapt(airing.due_at),
            airing.script_id,
            airing.sound_id,
            None if airing.starts_at is None else adapt(airing.starts_at),
            airing.seconds,
            airing.displaced,
            airing.importance,
            training,
        )
        for airing in new
    ]
    columns = ", ".join(_COLUMNS)
    marks = ", ".join(["%s"] * len(_COLUMNS))
    statement = f"INSERT INTO {Airing._meta.db_table} ({columns}) VALUES ({marks})"  # noqa: S608 - names are ours
    with connection.cursor() as cursor:
        cursor.executemany(statement, values)
